/* What is inside a tally: shared by what adds to it (tally.c) and what takes rows out (tally_rows.c). */
#pragma once

#include "daemon/report/binding.h"

/* In the place of a unit's first day: what was there before the first unit. */
#define BASE_DAY TALLY_BEFORE

/* One row; with a unit of time, what came in just that unit. */
struct tally_entry {
    struct sum *sums;
    uint32_t key[];
};

struct tally {
    struct tally_spec spec; /* by and where are copies */
    struct arena *arena;
    enum unit unit;           /* by which time is grouped; N_UNITS: not at all */
    size_t unit_at;           /* where in `by` */
    struct binding *bindings; /* metrics that need the same sum share it; of those not shown they are empty */
    size_t n_bindings;
    size_t *first_atom; /* of each metric, and the number of all … */
    uint32_t *slots;    /* … atoms: the binding of each, which is the place of its sum */
    bool *shown;
    const char **unit_names; /* what per(…) of the metric counts; NULL */
    int first_of_fact[N_FACTS];
    uint32_t names_known;     /* when the bindings were bound */
    struct map entries;       /* key -> struct tally_entry */
    struct tally_entry *last; /* that something was added to; may be NULL */
};
