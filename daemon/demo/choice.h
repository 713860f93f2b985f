/* What the user has chosen to look at, moved by keys. */
#pragma once

#include "daemon/demo/wall.h"

struct choice {
    size_t tenant, report, section, period;
    size_t first_row, first_column; /* scrolled to */
    bool help, frozen;
};

/* The service report, this month where there is one. */
void choice_init(struct choice *choice, const struct catalogue *catalogue);
void choice_init_for(struct choice *choice, const struct catalogue *catalogue, size_t report); /* another one */

/* False: the key ends the demo. */
bool choice_key(struct choice *choice, const struct catalogue *catalogue, int key);

/* Keys and what they do, for the bottom of a page so wide. */
const char *choice_keys(int columns);
