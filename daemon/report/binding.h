/* One atom, bound to a tenant and a period: which cells it takes, into which row, and where in the cell its values stand. */
#pragma once

#include "daemon/report/tally.h"

struct bound_filter {
    int at; /* in the cell's dimensions; -1: the tenant does not declare the attribute */
    bool negated, any, missing;
    name_id *ids; /* of those values that the tenant's names know */
    size_t n_ids;
    const struct span *values;
    size_t n_values;
};

struct binding {
    const struct atom *atom;
    uint32_t metric;
    int next;                                        /* the next atom of the same fact; -1: none */
    struct period range;                             /* days whose cells it takes */
    bool undated;                                    /* it takes what has no day, and nothing else */
    bool spread;                                     /* the metric shows how the measure is spread, too */
    uint8_t measure;                                 /* the atom's */
    uint8_t n_weighed;                               /* how many of these there are: */
    int8_t currency, unit, weighed[WEIGHT_DIMS_MAX]; /* in the cell's dimensions; -1: none */
    int8_t by[GROUPINGS_MAX];                        /* in the cell's dimensions; -1: the unit of time */
    name_id unit_id;                                 /* the one that is counted, of facts that are kept per unit */
    uint32_t n_filters;
    struct bound_filter *filters;
};

/* Where the dimension stands in the fact's cells; -1: nowhere. */
int cell_index(const struct rules *rules, enum fact fact, const struct grouping *by);

/* `unit`: by which time is grouped, or N_UNITS. */
void binding_init(struct binding *binding, const struct atom *atom, const struct tally_spec *spec, enum unit unit,
                  struct arena *arena);

/* Keeps what another metric asks for of the same sum, too. */
void binding_widen(struct binding *binding, const struct atom *atom, bool spread);

/* Looks the names up (again: there may be more of them). */
void binding_names(struct binding *binding, const struct names *names, const char *unit_name);

bool binding_passes_filters(const struct binding *binding, const struct cell_key *key); /* inner */
static inline bool binding_passes(const struct binding *binding, const struct cell_key *key)
{
    return (!binding->n_filters && binding->unit < 0) || binding_passes_filters(binding, key);
}

/* The unit that a metric's per(…) counts, for the period or (unit < N_UNITS) grouped by it. False: none fits. */
bool counted_unit(uint8_t units, const struct rules *rules, struct period period, enum unit by, enum unit *unit);
