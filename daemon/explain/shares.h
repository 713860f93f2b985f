/* What every entity adds to every sum of a formula, row by row: gathered by folding all of them again. */
#pragma once

#include "daemon/explain/explain.h"
#include "daemon/report/figure.h"
#include "daemon/report/goals.h"

/* What one fact of one entity adds to one sum. */
struct share {
    uint32_t entity; /* in shares.entities */
    uint16_t atom;
    int32_t day;      /* 0: undated */
    int32_t unit_day; /* rows by time: first day of the unit it came in, TALLY_BEFORE: before all of them */
    int64_t measure;  /* ABSENT: the fact lacks it */
    name_id currency, weighed[WEIGHT_DIMS_MAX]; /* of money that is weighed */
};

/* All shares of one combination of dimensions, the unit of time left out. */
struct share_group {
    struct share *at;
    size_t n, room;
    uint32_t key[GROUPINGS_MAX];
};

struct shares {
    const struct bound_query *query;
    const struct explain_tenant *tenant;
    struct arena arena;
    struct tally *tally;    /* the same facts added up */
    struct weights weights; /* and what they are weighed by */
    struct goals goals;     /* of a metric of goals */
    size_t unit_at;         /* of the unit of time in `by`; GROUPINGS_MAX: none */
    struct map groups;      /* key -> struct share_group */
    struct shared_entity {
        enum kind kind;
        struct span id; /* of a deleted contact its field */
    } * entities;
    size_t n_entities, room_entities;
    /* of the entity at hand: */
    const struct stored *stored;
    const struct fact_entry *fact;
    bool noted;
};

bool shares_gather(struct shares *shares, const struct bound_query *query, const struct catalogue *catalogue,
                   const struct explain_tenant *tenant, struct error *error) MUST_USE;
void shares_deinit(struct shares *shares);

/* The shares of the dimensions of a row; NULL: there are none. */
const struct share_group *shares_of_row(const struct shares *shares, const uint32_t *key);

/* Does the share count in the row, by its time? */
bool share_counts(const struct shares *shares, const struct share *share, const uint32_t *key);
