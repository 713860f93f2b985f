#include "daemon/explain/parts.h"

#include "common/instant.h"
#include "daemon/report/goals.h"
#include "daemon/report/text.h"

/* ---- what a part of the formula is ---- */

static bool constant_of(const struct node *node, struct rational *value)
{
    *value = node->low;
    return node->type == NODE_CONSTANT;
}

static bool linear_of(const struct node *node, struct rational factor, struct linear *out)
{
    struct rational constant;
    switch (node->type) {
    case NODE_CONSTANT:
        out->constant = rational_add(out->constant, rational_multiply(factor, node->low));
        return true;
    case NODE_ATOM:
        if (out->n == ATOMS_MAX) return false;
        out->terms[out->n++] = (struct term){ node->atom, factor };
        return true;
    case NODE_ADD:
        return linear_of(node->left, factor, out) && linear_of(node->right, factor, out);
    case NODE_SUBTRACT:
        return linear_of(node->left, factor, out) && linear_of(node->right, rational_subtract(rational_of(0, 1), factor), out);
    case NODE_MULTIPLY:
        if (constant_of(node->left, &constant)) return linear_of(node->right, rational_multiply(factor, constant), out);
        return constant_of(node->right, &constant) && linear_of(node->left, rational_multiply(factor, constant), out);
    case NODE_DIVIDE:
        return constant_of(node->right, &constant) && !rational_is_zero(constant) &&
               linear_of(node->left, rational_divide(factor, constant), out);
    default:
        return false;
    }
}

/* How often a measure of the type is multiplied into the part, less how often it is divided by. */
static int power_of(const struct metric *metric, const struct node *node, enum measure_type type)
{
    int left, right;
    switch (node->type) {
    case NODE_ATOM:
    case NODE_SPREAD: {
        const struct atom *atom = &metric->atoms[node->atom];
        return fact_rows[atom->fact].measures[atom->measure].type == type;
    }
    case NODE_ADD:
    case NODE_SUBTRACT:
        left = power_of(metric, node->left, type), right = power_of(metric, node->right, type);
        return left ? left : right;
    case NODE_MULTIPLY:
        return power_of(metric, node->left, type) + power_of(metric, node->right, type);
    case NODE_DIVIDE:
        return power_of(metric, node->left, type) - power_of(metric, node->right, type);
    case NODE_BETWEEN:
        return power_of(metric, node->left, type);
    default:
        return 0;
    }
}

/* ---- its total ---- */

/* The part as a metric of its own. */
static struct metric metric_of(const struct metric *metric, const struct node *node)
{
    struct metric part = *metric;
    if (node == metric->root) return part;
    part.root = node;
    part.shape = SHAPE_NUMBER;
    part.scale = power_of(metric, node, MEASURE_DURATION) ? metric->scale : 1;
    return part;
}

/* Writes the total and says how the values that make it are to be written. */
static struct value_form write_total(const struct lister *listing, const struct node *node, struct buffer *out)
{
    const struct metric *metric = listing->evaluation->metric;
    struct metric part = metric_of(metric, node);
    struct evaluation evaluation = *listing->evaluation;
    evaluation.metric = &part;
    struct figure figure = evaluate(&evaluation, listing->shares->query->stat);
    bool money = power_of(metric, node, MEASURE_MONEY) == 1;
    if (node != metric->root && figure.parted) part.shape = money ? SHAPE_MONEY : SHAPE_RATIOS;
    struct value_form form = { VALUE_NUMBER, power_of(metric, node, MEASURE_DURATION) ? part.scale : 1 };
    if (part.shape == SHAPE_MONEY || part.shape == SHAPE_RATIOS) form.shape = money ? VALUE_MONEY : VALUE_PARTED;
    figure_write(&part, &figure, &listing->shares->tenant->view->tenant->names, out);
    return form;
}

/* ---- its fields ---- */

static void write_node(const struct lister *listing, const struct node *node, struct buffer *out);

static void write_named(const struct lister *listing, const char *name, const struct node *node, struct buffer *out)
{
    buffer_printf(out, "\"%s\":{", name);
    write_node(listing, node, out);
    buffer_str(out, "},");
}

static bool is_of_intake(const struct metric *metric, const struct linear *linear)
{
    for (size_t i = 0; i < linear->n; i++)
        if (fact_is_of_intake(metric->atoms[linear->terms[i].atom].fact)) return true;
    return false;
}

static void write_linear(const struct lister *listing, const struct linear *linear, struct value_form form, bool each,
                         struct buffer *out)
{
    buffer_str(out, "\"entities\":");
    bool truncated = lister_write(listing, linear, form, each, out);
    if (truncated) buffer_str(out, ",\"truncated\":true");
    if (!rational_is_zero(linear->constant)) {
        buffer_str(out, ",\"constant\":");
        figure_write_number(linear->constant, out);
    }
    if (is_of_intake(listing->evaluation->metric, linear))
        buffer_str(out, ",\"note\":\"counted when events come in: no entity stands behind it\"");
    buffer_byte(out, ',');
}

static void write_spread(const struct lister *listing, const struct node *node, struct value_form form, struct buffer *out)
{
    struct linear linear = { .constant = rational_of(0, 1) };
    for (unsigned i = 0; i < node->n_atoms; i++) linear.terms[linear.n++] = (struct term){ node->atom + i, rational_of(1, 1) };
    write_linear(listing, &linear, form, true, out);
    buffer_printf(out, "\"stat\":\"%s\",", stat_names[listing->shares->query->stat]);
}

static void write_between(const struct lister *listing, const struct node *node, struct buffer *out)
{
    buffer_str(out, "\"within\":[");
    figure_write_number(node->low, out);
    buffer_byte(out, ',');
    figure_write_number(node->high, out);
    buffer_str(out, "],");
    write_named(listing, "of", node->left, out);
}

/* The request that opens what has become of the goal. */
static void write_open(const struct goal *goal, const struct names *names, struct buffer *out)
{
    char from[DAY_TEXT_BYTES], to[DAY_TEXT_BYTES];
    bool any = false;
    day_format(goal->period.from, from);
    day_format(goal->period.to, to);
    buffer_printf(out, "\"open\":{\"metric\":\"%s\",\"from\":\"%s\",\"to\":\"%s\"", goal->metric->name, from, to);
    for (int i = 0; i < GOAL_CONDITIONS; i++) {
        name_id value = goal->dims[fact_dimension(&fact_rows[FACT_GOAL], goal_condition_dims[i])];
        if (!value) continue;
        buffer_printf(out, "%s\"%s\":[", any ? "," : ",\"where\":{", dimension_names[goal_condition_dims[i]]);
        text_write(names_text(names, value), out);
        buffer_byte(out, ']');
        any = true;
    }
    buffer_str(out, any ? "}}," : "},");
}

/* A goal is one entity; what it is measured by is another question, which is named. */
static void write_goal(const struct lister *listing, struct span total, struct buffer *out)
{
    const struct names *names = &listing->shares->tenant->view->tenant->names;
    const struct goal *goal = goals_find(&listing->shares->goals, listing->evaluation->goal);
    buffer_str(out, "\"entities\":[");
    if (goal) {
        buffer_str(out, "{\"kind\":\"goal\",\"id\":");
        text_write(names_text(names, goal->id), out);
        buffer_printf(out, ",\"value\":%.*s}", SPAN_ARG(total));
    }
    buffer_str(out, "],");
    if (goal && goal->metric) write_open(goal, names, out);
}

static const struct pair_row {
    const char *left, *right;
} pair_rows[] = {
    [NODE_ADD] = { "plus", "and" },
    [NODE_SUBTRACT] = { "from", "minus" },
    [NODE_MULTIPLY] = { "times", "by" },
    [NODE_DIVIDE] = { "numerator", "denominator" },
};

static void write_behind(const struct lister *listing, const struct node *node, struct value_form form, struct buffer *out)
{
    struct linear linear = { .constant = rational_of(0, 1) };
    if (node->type == NODE_SPREAD) return write_spread(listing, node, form, out);
    if (node->type == NODE_BETWEEN) return write_between(listing, node, out);
    if (linear_of(node, rational_of(1, 1), &linear)) {
        if (linear.n) write_linear(listing, &linear, form, false, out);
        return;
    }
    if (node->type == NODE_DAYS) return buffer_str(out, "\"unit\":\"days\",");
    write_named(listing, pair_rows[node->type].left, node->left, out);
    write_named(listing, pair_rows[node->type].right, node->right, out);
}

static void write_node(const struct lister *listing, const struct node *node, struct buffer *out)
{
    struct buffer total = { 0 };
    struct value_form form = write_total(listing, node, &total);
    if (node->type == NODE_GOAL)
        write_goal(listing, buffer_all(&total), out);
    else
        write_behind(listing, node, form, out);
    buffer_str(out, "\"total\":");
    buffer_span(out, buffer_all(&total));
    buffer_deinit(&total);
}

void parts_write(const struct lister *listing, struct buffer *out)
{
    write_node(listing, listing->evaluation->metric->root, out);
}
