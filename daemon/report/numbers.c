/* Single numbers of standard periods, without JSON. */
#include "common/decimal.h"
#include "daemon/report/board_state.h"

#include <stdio.h>

enum {
    NUMBER_NAME_BYTES = METRIC_NAME_BYTES_MAX + 32
};

struct telling {
    const struct names *names;
    void (*each)(void *context, struct span name, struct span value);
    void *context;
};

static void tell(const struct telling *telling, const char *metric, const char *sign, struct span detail,
                 const struct buffer *value)
{
    char name[NUMBER_NAME_BYTES];
    snprintf(name, sizeof name, "%s%s%.*s", metric, sign, SPAN_ARG(detail));
    telling->each(telling->context, span_of(name), buffer_all(value));
}

static void tell_currencies(const struct telling *telling, const struct metric *metric, const struct figure *figure)
{
    for (size_t i = 0; i < figure->n_parts; i++) {
        struct buffer value = { 0 };
        struct span currency = names_text(telling->names, figure->parts[i].currency);
        figure_part_write(metric, currency, figure->parts[i].value, &value);
        if (currency.len && value.len) tell(telling, metric->name, ":", currency, &value);
        buffer_deinit(&value);
    }
}

static void tell_one(const struct telling *telling, const struct metric *metric, const struct figure *figure, const char *stat)
{
    struct buffer value = { 0 };
    if (figure_is_null(metric, figure)) return;
    figure_write(metric, figure, telling->names, &value);
    tell(telling, metric->name, stat ? "." : "", span_of(stat), &value);
    buffer_deinit(&value);
}

static void tell_metric(const struct telling *telling, const struct evaluation *evaluation)
{
    const struct metric *metric = evaluation->metric;
    for (int stat = 0; stat < (metric->shape == SHAPE_SPREAD ? N_STATS : 1); stat++) {
        struct figure figure = evaluate(evaluation, (enum stat)stat);
        if (metric->shape == SHAPE_MONEY || metric->shape == SHAPE_RATIOS)
            tell_currencies(telling, metric, &figure);
        else
            tell_one(telling, metric, &figure, metric->shape == SHAPE_SPREAD ? stat_names[stat] : NULL);
    }
}

void board_metrics(struct board *board, size_t period, void (*each)(void *context, struct span name, struct span value),
                   void *context)
{
    const struct board_period *of = &board->metrics[period];
    struct arena arena = { 0 };
    struct telling telling = { board->names, each, context };
    struct evaluation evaluation = board_evaluation(board, &arena);
    evaluation.sums = tally_only_row(of->total);
    evaluation.period = of->now;
    for (size_t i = 0; i < board->catalogue->n_metrics; i++) {
        if (!tally_shows(of->total, i)) continue;
        evaluation.metric = board->catalogue->metrics[i];
        evaluation.slots = tally_slots(of->total, i);
        tell_metric(&telling, &evaluation);
    }
    board->metrics_touched = false;
    arena_deinit(&arena);
}
