/* The words of a formula: names, numbers, signs, and the values of filters. */
#pragma once

#include "common/arena.h"
#include "daemon/catalogue/rational.h"

struct scanner {
    struct span text;
    size_t at;
};

char scan_peek(struct scanner *scanner); /* the next sign behind blanks; 0 at the end */
bool scan_sign(struct scanner *scanner, char sign);
bool scan_name(struct scanner *scanner, struct span *name);   /* a letter, then letters, digits, "_" */
bool scan_custom(struct scanner *scanner, struct span *name); /* of a custom attribute: letters, digits, ".", "_", "-" */
bool scan_number(struct scanner *scanner, struct rational *number);
bool scan_value(struct scanner *scanner, struct span *value); /* of a filter: bare up to , | ] or blank, or in double quotes */
