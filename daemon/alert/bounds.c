/* Between what a metric's values lie, by its formula: counts are not negative, and a part is not more than the whole. */
#include "daemon/alert/rule.h"

static const struct bounds anything = { RATIONAL_NULL, RATIONAL_NULL };

/* Facts of which each stands for one of another of the same day: who converted was a lead, what was opened was sent. */
static const struct {
    enum fact part, whole;
} parts[] = {
    { FACT_LEAD_CONVERTED, FACT_LEAD },         { FACT_EMAIL_DELIVERED, FACT_EMAIL_SENT },
    { FACT_EMAIL_OPENED, FACT_EMAIL_SENT },     { FACT_EMAIL_CLICKED, FACT_EMAIL_SENT },
    { FACT_EMAIL_REPLIED, FACT_EMAIL_SENT },    { FACT_EMAIL_BOUNCED, FACT_EMAIL_SENT },
    { FACT_EMAIL_COMPLAINED, FACT_EMAIL_SENT }, { FACT_CUSTOMER_KEPT, FACT_CUSTOMER_ACTIVE },
};

/* Measures of which a fact has at most one: 1 or 0. */
static bool is_flag(const struct atom *atom)
{
    static const char *const flags[] = { "count", "same_day", "won", "satisfied", "with_goal", "clean", "costed" };
    const char *name = fact_rows[atom->fact].measures[atom->measure].name;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(name, flags[i]) == 0) return true;
    return false;
}

/* Is whatever the part takes taken by the whole, too? */
static bool filters_cover(const struct atom *whole, const struct atom *part)
{
    for (size_t i = 0; i < whole->n_filters; i++) {
        bool found = false;
        for (size_t j = 0; j < part->n_filters; j++) found = found || filter_equal(&whole->filters[i], &part->filters[j]);
        if (!found) return false;
    }
    return true;
}

static bool covers(const struct atom *whole, const struct atom *part)
{
    if (whole->measure != 0 || !is_flag(part) || !filters_cover(whole, part)) return false;
    if (whole->fact == part->fact) return whole->window == part->window;
    bool same_time = whole->window == part->window ||
                     (part->window == WINDOW_UNIT && whole->window == WINDOW_UNIT_BEFORE && part->fact == FACT_CUSTOMER_KEPT);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].part == part->fact && parts[i].whole == whole->fact) return same_time;
    return false;
}

/* Entered is counted as 1, left as -1: only a level of them is never negative. */
static bool is_negative(const struct atom *atom)
{
    bool signed_fact = atom->fact == FACT_CASE_OPEN || atom->fact == FACT_USER;
    return fact_rows[atom->fact].measures[atom->measure].type == MEASURE_MONEY ||
           (signed_fact && !window_is_running(atom->window));
}

static struct bounds at_least(struct rational low)
{
    return (struct bounds){ low, RATIONAL_NULL };
}

static bool not_negative(struct bounds bounds)
{
    return !rational_is_null(bounds.low) && bounds.low.num >= 0;
}

static struct bounds node_bounds(const struct metric *metric, const struct node *node);

static const struct atom *atom_of(const struct metric *metric, const struct node *node)
{
    return node->type == NODE_ATOM ? &metric->atoms[node->atom] : NULL;
}

/* Is the atom, or one that it is part of, a summand of the node, and none of the others negative? */
static bool is_part_of(const struct metric *metric, const struct atom *part, const struct node *node)
{
    const struct atom *whole = atom_of(metric, node);
    if (whole) return covers(whole, part);
    if (node->type != NODE_ADD) return false;
    return (is_part_of(metric, part, node->left) && not_negative(node_bounds(metric, node->right))) ||
           (is_part_of(metric, part, node->right) && not_negative(node_bounds(metric, node->left)));
}

static struct bounds quotient(const struct metric *metric, const struct node *node)
{
    const struct atom *part = atom_of(metric, node->left);
    bool positive = not_negative(node_bounds(metric, node->left)) && not_negative(node_bounds(metric, node->right));
    if (!positive) return anything;
    if (part && is_part_of(metric, part, node->right)) return (struct bounds){ rational_of(0, 1), rational_of(1, 1) };
    return at_least(rational_of(0, 1));
}

/* What has come in minus what has gone out, up to a day. */
static bool is_level(const struct metric *metric, const struct node *node)
{
    const struct atom *in = atom_of(metric, node->left), *out = atom_of(metric, node->right);
    return in && out && in->window == out->window && window_is_level(in->window) && !is_negative(in) && !is_negative(out);
}

static struct bounds combined(const struct metric *metric, const struct node *node)
{
    struct bounds left = node_bounds(metric, node->left), right = node_bounds(metric, node->right);
    struct rational zero = rational_of(0, 1);
    switch (node->type) {
    case NODE_ADD:
        return (struct bounds){ rational_add(left.low, right.low), rational_add(left.high, right.high) };
    case NODE_SUBTRACT:
        return is_level(metric, node) ? at_least(zero) : anything;
    case NODE_MULTIPLY:
        return not_negative(left) && not_negative(right) ? at_least(zero) : anything;
    default:
        return quotient(metric, node);
    }
}

static struct bounds node_bounds(const struct metric *metric, const struct node *node)
{
    switch (node->type) {
    case NODE_CONSTANT:
        return (struct bounds){ node->low, node->low };
    case NODE_DAYS:
    case NODE_SPREAD:
        return at_least(rational_of(0, 1));
    case NODE_ATOM:
        return is_negative(&metric->atoms[node->atom]) ? anything : at_least(rational_of(0, 1));
    case NODE_GOAL:
        return anything;
    case NODE_BETWEEN:
        return (struct bounds){ node->low, node->high };
    default:
        return combined(metric, node);
    }
}

struct bounds metric_bounds(const struct metric *metric)
{
    struct bounds bounds = metric->root ? node_bounds(metric, metric->root) : anything;
    if (metric->scale != 1) bounds.high = RATIONAL_NULL;
    return bounds;
}
