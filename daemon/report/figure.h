/* A figure: the value of a metric in one row, and how it is written. */
#pragma once

#include "common/buffer.h"
#include "daemon/report/tally.h"

struct figure_part {
    name_id currency;
    struct rational value; /* never null */
};

/* Either one value, or one per currency, or (counts of facts that have a currency) both. */
struct figure {
    bool has_one, parted;
    bool neutral; /* made of constants only: the same for every currency */
    struct rational one;
    struct figure_part *parts; /* sorted by currency; in the arena of the evaluation */
    size_t n_parts;
    bool is_percentile; /* then: */
    double percentile;  /* in the metric's unit */
};

/* Weights by which metrics weigh: one tally of all time for each. Zeroed = empty. */
struct weights {
    struct weight {
        const struct metric *metric;
        struct tally *tally;
    } * at;
    size_t n;
};
void weights_init(struct weights *weights, const struct metric *const *metrics, size_t n, const struct tally_spec *spec,
                  struct arena *arena); /* the arena must stay until weights_deinit */
void weights_deinit(struct weights *weights);

struct goals;

/* All that a formula is worked out from. */
struct evaluation {
    const struct metric *metric;
    const struct sum *sums;
    const uint32_t *slots; /* where in them those of its atoms stand; NULL: one after the other */
    const struct weights *weights;
    struct period period;
    int32_t today;
    struct arena *arena;
    const struct goals *goals; /* of metrics of goals: else NULL */
    name_id goal;              /* of the row */
};

struct figure evaluate(const struct evaluation *evaluation, enum stat stat);

/* What a metric that others are weighed by says of these values of its dimensions. */
struct rational weight_value(const struct evaluation *evaluation, const struct metric *weight, const name_id *weighed);

/* The goal's value that the metric asks for (goal_figure.c). */
struct figure goal_figure(const struct evaluation *evaluation);
/* The part times its weight, rounded; or, of what is likely enough, the whole. In smallest units. */
int64_t evaluation_weighted(const struct evaluation *evaluation, const struct atom *atom, const struct sum_part *part);

/* The part that it is of the whole: one number, or one per currency. */
struct figure figure_share(const struct figure *part, const struct figure *whole, struct arena *arena);

/* < 0: a is less than b. Null is least. Money goes by that currency, then by the others in the order of their codes. */
int figure_compare(const struct metric *metric, const struct figure *a, const struct figure *b, struct span currency,
                   const struct names *names);

/* Is there no number (a division by zero, an empty distribution)? Money is never null. */
bool figure_is_null(const struct metric *metric, const struct figure *figure);

/* The JSON of it: "12", "0.6", {"EUR":12345.00}, null. */
void figure_write(const struct metric *metric, const struct figure *figure, const struct names *names, struct buffer *out);
void figure_write_number(struct rational value, struct buffer *out);
/* Nothing for money of 0. */
void figure_part_write(const struct metric *metric, struct span currency, struct rational value, struct buffer *out);

/* Shortest decimal that reads back as the same double. */
void double_write(double value, struct buffer *out);
