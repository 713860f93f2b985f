/* What can be asked of a goal, worked out: its target, what has become of it, and how far it should be. */
#include "common/decimal.h"
#include "daemon/report/figure.h"
#include "daemon/report/goals.h"

static struct figure plain(struct rational value)
{
    return (struct figure){ .has_one = true, .one = value };
}

/* Money of the goal's currency, in its smallest unit. */
static struct figure money(const struct evaluation *evaluation, name_id currency, struct rational minor)
{
    struct figure figure = { .parted = true, .parts = arena_alloc(evaluation->arena, sizeof *figure.parts) };
    if (!rational_is_null(minor)) figure.parts[figure.n_parts++] = (struct figure_part){ currency, minor };
    return figure;
}

static bool is_money(const struct goal *goal)
{
    return goal->metric && goal->metric->shape == SHAPE_MONEY;
}

/* In the metric's unit; of money in the smallest unit of the currency. */
static struct rational target_of(const struct evaluation *evaluation, const struct goal *goal)
{
    struct rational target = goal->target;
    if (!is_money(goal) || rational_is_null(target)) return target;
    int decimals = currency_decimals(names_text(evaluation->goals->spec.names, goal->currency));
    for (int i = 0; i < decimals; i++) target = rational_multiply(target, rational_of(10, 1));
    return rational_of(rational_rounded(target), 1);
}

/* The metric in the goal's period, of the goal's currency where it has one per currency. */
static struct rational actual_of(const struct evaluation *evaluation, const struct goal *goal)
{
    struct evaluation inner = *evaluation;
    if (!goal->tally || !tally_shows(goal->tally, 0)) return RATIONAL_NULL;
    inner.sums = tally_only_row(goal->tally);
    inner.slots = NULL;
    inner.metric = goal->metric;
    inner.period = goal->period;
    struct figure figure = evaluate(&inner, STAT_AVERAGE);
    if (!figure.parted) return figure.one;
    for (size_t i = 0; i < figure.n_parts; i++)
        if (figure.parts[i].currency == goal->currency) return figure.parts[i].value;
    return is_money(goal) ? rational_of(0, 1) : RATIONAL_NULL;
}

/* Days up to and including today, of those of the period. */
static struct rational expected_of(const struct evaluation *evaluation, const struct goal *goal)
{
    struct period period = goal->period;
    int64_t days = (int64_t)period.to - period.from + 1, over = (int64_t)evaluation->today - period.from + 1;
    return rational_of(over < 0 ? 0 : over > days ? days : over, days);
}

static struct rational quotient(struct rational a, struct rational b)
{
    return rational_is_null(a) ? a : rational_divide(a, b);
}

/* What grows with time goes on as it began. */
static struct rational projection_of(const struct evaluation *evaluation, const struct goal *goal)
{
    struct rational actual = actual_of(evaluation, goal);
    bool grows = is_money(goal) || (goal->metric && goal->metric->shape == SHAPE_NUMBER && !strcmp(goal->metric->unit, "count"));
    return grows ? quotient(actual, expected_of(evaluation, goal)) : actual;
}

static struct rational value_of(const struct evaluation *evaluation, const struct goal *goal, enum goal_value value)
{
    switch (value) {
    case GOAL_TARGET:
        return target_of(evaluation, goal);
    case GOAL_ACTUAL:
        return actual_of(evaluation, goal);
    case GOAL_PROGRESS:
        return quotient(actual_of(evaluation, goal), target_of(evaluation, goal));
    case GOAL_EXPECTED:
        return expected_of(evaluation, goal);
    default:
        return projection_of(evaluation, goal);
    }
}

struct figure goal_figure(const struct evaluation *evaluation)
{
    enum goal_value value = evaluation->metric->root->goal;
    const struct goal *goal = evaluation->goals ? goals_find(evaluation->goals, evaluation->goal) : NULL;
    if (!goal) return plain(RATIONAL_NULL);
    struct rational figure = value_of(evaluation, goal, value);
    bool share = value == GOAL_PROGRESS || value == GOAL_EXPECTED;
    return !share && is_money(goal) ? money(evaluation, goal->currency, figure) : plain(figure);
}
