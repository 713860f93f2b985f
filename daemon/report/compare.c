/* Which of two figures is more. */
#include "daemon/report/figure.h"

static const struct figure_part *part_of(const struct figure *figure, name_id currency)
{
    for (size_t i = 0; i < figure->n_parts; i++)
        if (figure->parts[i].currency == currency) return &figure->parts[i];
    return NULL;
}

/* In one currency; what is missing is 0. */
static int compare_currency(const struct figure *a, const struct figure *b, name_id currency)
{
    const struct figure_part *left = part_of(a, currency), *right = part_of(b, currency);
    const struct rational zero = { 0, 1 };
    return rational_compare(left ? left->value : zero, right ? right->value : zero);
}

/* The first currency in which they differ, by its code. */
static int compare_others(const struct figure *a, const struct figure *b, const struct names *names)
{
    struct span first = NO_SPAN;
    int order = 0;
    for (size_t i = 0; i < a->n_parts + b->n_parts; i++) {
        const struct figure_part *part = i < a->n_parts ? &a->parts[i] : &b->parts[i - a->n_parts];
        struct span code = names_text(names, part->currency);
        int c = compare_currency(a, b, part->currency);
        if (!c || (order && span_compare(code, first) >= 0)) continue;
        first = code;
        order = c;
    }
    return order;
}

int figure_compare(const struct metric *metric, const struct figure *a, const struct figure *b, struct span currency,
                   const struct names *names)
{
    bool no_a = figure_is_null(metric, a), no_b = figure_is_null(metric, b);
    if (no_a || no_b) return no_b - no_a;
    if (a->is_percentile) return (a->percentile > b->percentile) - (a->percentile < b->percentile);
    if (metric->shape == SHAPE_GOAL && a->parted != b->parted) return a->parted - b->parted; /* money before numbers */
    if (a->has_one) return rational_compare(a->one, b->one);
    int c = compare_currency(a, b, names_find(names, currency));
    return c ? c : compare_others(a, b, names);
}
