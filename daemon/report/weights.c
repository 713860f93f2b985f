/* The tallies by which money is weighed, such as the win probability of each pipeline and stage. */
#include "daemon/report/figure.h"

#include <stdlib.h>

static void add_weight(struct weights *weights, const struct metric *metric, const struct tally_spec *spec, struct arena *arena)
{
    for (size_t i = 0; i < weights->n; i++)
        if (weights->at[i].metric == metric) return;
    struct grouping by[WEIGHT_DIMS_MAX];
    size_t n_by = 0;
    for (int dimension = 0; dimension < N_DIMENSIONS; dimension++)
        if (metric->own_dims >> dimension & 1)
            by[n_by++] = (struct grouping){ BY_DIMENSION, dimension_names[dimension], (enum dimension)dimension, N_UNITS };
    struct tally_spec all = { .rules = spec->rules,
                              .names = spec->names,
                              .metrics = &metric,
                              .n_metrics = 1,
                              .by = by,
                              .n_by = n_by,
                              .period = { PERIOD_BEGIN, PERIOD_END },
                              .today = spec->today };
    weights->at = must_realloc(weights->at, (weights->n + 1) * sizeof *weights->at);
    weights->at[weights->n++] = (struct weight){ metric, tally_create(&all, arena) };
}

void weights_init(struct weights *weights, const struct metric *const *metrics, size_t n, const struct tally_spec *spec,
                  struct arena *arena)
{
    *weights = (struct weights){ 0 };
    for (size_t i = 0; i < n; i++)
        for (unsigned a = 0; a < metrics[i]->n_atoms; a++)
            if (metrics[i]->atoms[a].weight) add_weight(weights, metrics[i]->atoms[a].weight, spec, arena);
}

void weights_deinit(struct weights *weights)
{
    for (size_t i = 0; i < weights->n; i++) tally_destroy(weights->at[i].tally);
    free(weights->at);
    *weights = (struct weights){ 0 };
}
