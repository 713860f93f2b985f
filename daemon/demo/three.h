/* The three numbers that name the product, per tenant: cases closed the same day, sales calls per opportunity, and the
 * conversion rate of leads by source. */
#pragma once

#include "daemon/demo/wall.h"

struct three_column {
    const char *group; /* NULL: that of the column before */
    const char *title, *report;
    struct place place;
};
extern const struct three_column three_columns[];
extern const size_t n_three_columns;
int three_width(size_t column); /* on a page, with the blanks before it */

struct three_value {
    char text[NUMBER_TEXT_BYTES];
    double size;
};
struct three_value three_value(struct wall *wall, size_t tenant, size_t column);
