/* "Did you mean …?": the name of a list that is nearest to one that is not in it. Pure. */
#pragma once

#include "common/span.h"

/* Edits (insert, remove, replace, swap neighbours) from one to the other; texts of more than 64 bytes count as far (99). */
int edit_distance(struct span a, struct span b);

/* Collects the best of any number of candidates: start with { .name = what was found }. */
struct suggestion {
    struct span name;
    const char *best; /* NULL: nothing near enough (at most a third of the letters wrong) */
    int distance;
};
void suggest(struct suggestion *suggestion, const char *candidate); /* NULL is ignored; the candidate must stay */

/* From a list with NULL at its end. */
const char *suggest_from(struct span name, const char *const *candidates);
