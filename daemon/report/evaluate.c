/* Works a formula out, exactly, from the sums of its atoms. */
#include "common/decimal.h"
#include "daemon/report/figure.h"

#include <stdlib.h>

static const struct sum *sum_of(const struct evaluation *evaluation, unsigned atom)
{
    return &evaluation->sums[evaluation->slots ? evaluation->slots[atom] : atom];
}

static struct figure figure_of(struct rational one, bool neutral)
{
    return (struct figure){ .has_one = true, .neutral = neutral, .one = one };
}

static struct rational days_of(const struct evaluation *evaluation)
{
    struct period period = evaluation->period;
    if (period.from == PERIOD_BEGIN || period.to == PERIOD_END) return RATIONAL_NULL;
    if (period.to > evaluation->today) period.to = evaluation->today;
    return rational_of(period.to < period.from ? 0 : (int64_t)period.to - period.from + 1, 1);
}

static const struct tally *weights_find(const struct weights *weights, const struct metric *metric)
{
    for (size_t i = 0; i < weights->n; i++)
        if (weights->at[i].metric == metric) return weights->at[i].tally;
    return NULL;
}

/* What the metric of this pipeline and stage (or whatever it goes by) says: of all that there ever was, unfiltered. */
struct rational weight_value(const struct evaluation *evaluation, const struct metric *metric, const name_id *weighed)
{
    const struct tally *tally = weights_find(evaluation->weights, metric);
    REQUIRE(tally);
    const struct sum *sums = tally_find(tally, weighed);
    if (!sums) sums = arena_zalloc(evaluation->arena, metric->n_atoms * sizeof *sums);
    struct evaluation inner = *evaluation;
    inner.metric = metric;
    inner.sums = sums;
    inner.slots = NULL;
    return evaluate(&inner, STAT_AVERAGE).one;
}

int64_t evaluation_weighted(const struct evaluation *evaluation, const struct atom *atom, const struct sum_part *part)
{
    struct rational weight = weight_value(evaluation, atom->weight, part->weighed), total = rational_of(part->total, 1);
    if (rational_is_null(weight)) return 0;
    if (rational_is_null(atom->least)) return rational_rounded(rational_multiply(total, weight));
    return rational_compare(weight, atom->least) >= 0 ? rational_rounded(total) : 0;
}

static int compare_parts(const void *a, const void *b)
{
    name_id left = ((const struct figure_part *)a)->currency, right = ((const struct figure_part *)b)->currency;
    return (left > right) - (left < right);
}

/* One part per currency, out of one per currency and weighed dimensions. */
static void gather_parts(const struct evaluation *evaluation, const struct atom *atom, const struct sum *sum,
                         struct figure *figure)
{
    figure->parts = arena_alloc(evaluation->arena, (sum->n_parts + 1) * sizeof *figure->parts);
    for (uint32_t i = 0; i < sum->n_parts; i++) {
        const struct sum_part *part = &sum->parts[i];
        struct rational value = rational_of(atom->weight ? evaluation_weighted(evaluation, atom, part) : part->total, 1);
        size_t at = 0;
        while (at < figure->n_parts && figure->parts[at].currency != part->currency) at++;
        if (at == figure->n_parts) figure->parts[figure->n_parts++] = (struct figure_part){ part->currency, rational_of(0, 1) };
        figure->parts[at].value = rational_add(figure->parts[at].value, value);
    }
    qsort(figure->parts, figure->n_parts, sizeof *figure->parts, compare_parts);
}

static struct figure atom_figure(const struct evaluation *evaluation, unsigned at)
{
    const struct atom *atom = &evaluation->metric->atoms[at];
    const struct sum *sum = sum_of(evaluation, at);
    bool money = fact_rows[atom->fact].measures[atom->measure].type == MEASURE_MONEY;
    struct figure figure = figure_of(rational_of(sum->total, 1), false);
    figure.has_one = !money;
    figure.parted = atom->by_currency;
    if (figure.parted) gather_parts(evaluation, atom, sum, &figure);
    return figure;
}

static struct rational operate(enum node_type type, struct rational a, struct rational b)
{
    switch (type) {
    case NODE_ADD:
        return rational_add(a, b);
    case NODE_SUBTRACT:
        return rational_subtract(a, b);
    case NODE_MULTIPLY:
        return rational_multiply(a, b);
    default:
        return rational_divide(a, b);
    }
}

static void put_part(struct figure *figure, name_id currency, struct rational value)
{
    if (!rational_is_null(value)) figure->parts[figure->n_parts++] = (struct figure_part){ currency, value };
}

/* Currency by currency; one that is missing is 0. */
static void pair_parts(enum node_type type, const struct figure *a, const struct figure *b, struct figure *out)
{
    const struct rational zero = rational_of(0, 1);
    for (size_t i = 0, j = 0; i < a->n_parts || j < b->n_parts;) {
        name_id left = i < a->n_parts ? a->parts[i].currency : UINT32_MAX;
        name_id right = j < b->n_parts ? b->parts[j].currency : UINT32_MAX;
        name_id currency = left < right ? left : right;
        struct rational first = left == currency ? a->parts[i++].value : zero;
        struct rational second = right == currency ? b->parts[j++].value : zero;
        put_part(out, currency, operate(type, first, second));
    }
}

/* Every currency of one with the one value of the other. */
static void spread_parts(enum node_type type, const struct figure *a, const struct figure *b, struct figure *out)
{
    for (size_t i = 0; a->parted && i < a->n_parts; i++)
        put_part(out, a->parts[i].currency, operate(type, a->parts[i].value, b->one));
    for (size_t i = 0; !a->parted && i < b->n_parts; i++)
        put_part(out, b->parts[i].currency, operate(type, a->one, b->parts[i].value));
}

static struct figure combine(const struct evaluation *evaluation, enum node_type type, struct figure a, struct figure b)
{
    struct figure out = { .has_one = a.has_one && b.has_one, .neutral = a.neutral && b.neutral };
    if (out.has_one) out.one = operate(type, a.one, b.one);
    out.parts = arena_alloc(evaluation->arena, (a.n_parts + b.n_parts + 1) * sizeof *out.parts);
    if (a.parted && b.parted) {
        out.parted = true;
        pair_parts(type, &a, &b, &out);
    } else if (a.parted || b.parted) {
        out.parted = !out.has_one || a.neutral || b.neutral;
        if (out.parted) spread_parts(type, &a, &b, &out);
    }
    return out;
}

static struct figure node_figure(const struct evaluation *evaluation, const struct node *node);

static struct rational kept_between(const struct node *node, struct rational value)
{
    if (rational_is_null(value)) return value;
    if (rational_compare(value, node->low) < 0) return node->low;
    return rational_compare(value, node->high) > 0 ? node->high : value;
}

static struct figure between(const struct evaluation *evaluation, const struct node *node)
{
    struct figure figure = node_figure(evaluation, node->left);
    if (figure.has_one) figure.one = kept_between(node, figure.one);
    for (size_t i = 0; i < figure.n_parts; i++) figure.parts[i].value = kept_between(node, figure.parts[i].value);
    return figure;
}

static struct figure node_figure(const struct evaluation *evaluation, const struct node *node)
{
    switch (node->type) {
    case NODE_CONSTANT:
        return figure_of(node->low, true);
    case NODE_DAYS:
        return figure_of(days_of(evaluation), true);
    case NODE_ATOM:
        return atom_figure(evaluation, node->atom);
    case NODE_BETWEEN:
        return between(evaluation, node);
    default:
        return combine(evaluation, node->type, node_figure(evaluation, node->left), node_figure(evaluation, node->right));
    }
}

static struct figure spread_average(const struct evaluation *evaluation, unsigned first, unsigned n)
{
    __int128 total = 0, values = 0;
    for (unsigned i = 0; i < n; i++) {
        total += sum_of(evaluation, first + i)->total;
        values += histogram_total(&sum_of(evaluation, first + i)->spread);
    }
    if (values < 0) values = 0; /* cells that somebody damaged */
    return figure_of(rational_divide(rational_of(total, values), rational_of(evaluation->metric->scale, 1)), false);
}

static void set_percentile(struct figure *figure, const struct histogram *spread, enum stat stat, int64_t scale)
{
    figure->is_percentile = true;
    figure->percentile = histogram_percentile(spread, stat_shares[stat]) / (double)scale;
}

/* Averages and percentiles over the facts that have the measure. */
static struct figure spread_figure(const struct evaluation *evaluation, enum stat stat)
{
    const struct metric *metric = evaluation->metric;
    unsigned first = metric->root->atom, n = metric->root->n_atoms;
    struct figure figure = spread_average(evaluation, first, n);
    if (stat == STAT_AVERAGE || rational_is_null(figure.one)) return figure;
    struct histogram spread = { 0 };
    for (unsigned i = 0; n > 1 && i < n; i++) histogram_merge(&spread, &sum_of(evaluation, first + i)->spread, 1);
    set_percentile(&figure, n > 1 ? &spread : &sum_of(evaluation, first)->spread, stat, metric->scale);
    histogram_deinit(&spread);
    return figure;
}

struct figure evaluate(const struct evaluation *evaluation, enum stat stat)
{
    const struct metric *metric = evaluation->metric;
    if (metric->shape == SHAPE_SPREAD) return spread_figure(evaluation, stat);
    if (metric->shape == SHAPE_GOAL) return goal_figure(evaluation);
    struct figure figure = node_figure(evaluation, metric->root);
    if (metric->scale != 1) figure.one = rational_divide(figure.one, rational_of(metric->scale, 1));
    return figure;
}

struct figure figure_share(const struct figure *part, const struct figure *whole, struct arena *arena)
{
    struct evaluation evaluation = { .arena = arena };
    return combine(&evaluation, NODE_DIVIDE, *part, *whole);
}
