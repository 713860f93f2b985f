/* The functions of a formula: which facts a sum is over, and what is made of it. */
#include "common/suggest.h"
#include "daemon/catalogue/parser.h"

static bool expect(struct parser *parser, char sign)
{
    return scan_sign(&parser->scanner, sign) || parser_fail(parser, "expected \"%c\"", sign);
}

/* Makes sums and differences of a period's facts one level. */
static bool make_level(struct parser *parser, const struct node *node, int sign, unsigned group)
{
    if (node->type == NODE_ADD || node->type == NODE_SUBTRACT)
        return make_level(parser, node->left, sign, group) &&
               make_level(parser, node->right, node->type == NODE_ADD ? sign : -sign, group);
    struct atom *atom = &parser->metric->atoms[node->atom];
    if (node->type != NODE_ATOM || atom->window != WINDOW_PERIOD)
        return parser_fail(parser, "level(…) takes sums and differences of dated facts, nothing else");
    atom->window = WINDOW_LEVEL;
    atom->sign = (int8_t)sign;
    atom->group = (uint8_t)group;
    return true;
}

static bool parse_level(struct parser *parser, struct typed *out)
{
    unsigned group = parser->metric->n_groups;
    if (!parse_formula(parser, out)) return false;
    if (out->time) return parser_fail(parser, "a level of durations makes no sense");
    return make_level(parser, out->node, 1, group);
}

static bool parse_units(struct parser *parser, struct atom *atom)
{
    struct span name;
    enum unit unit;
    while (scan_sign(&parser->scanner, ',')) {
        if (!scan_name(&parser->scanner, &name) || !unit_parse(name, &unit))
            return parser_fail(parser, "expected day, week, month, quarter or year");
        atom->units |= (uint8_t)(1u << unit);
    }
    return atom->units || parser_fail(parser, "per(…) needs the units it is kept for, such as \", month, year\"");
}

static bool parse_per(struct parser *parser, struct typed *out)
{
    if (!parse_formula(parser, out)) return false;
    struct atom *atom = &parser->metric->atoms[out->node->atom];
    if (out->node->type != NODE_ATOM || atom->window != WINDOW_PERIOD || fact_dimension(&fact_rows[atom->fact], DIM_UNIT) < 0)
        return parser_fail(parser, "per(…) takes one measure of a fact that is kept per unit");
    atom->window = WINDOW_UNIT;
    return parse_units(parser, atom);
}

static bool parse_before(struct parser *parser, struct typed *out)
{
    unsigned first = parser->metric->n_atoms;
    if (!parse_formula(parser, out)) return false;
    for (unsigned i = first; i < parser->metric->n_atoms; i++) {
        struct atom *atom = &parser->metric->atoms[i];
        if (atom->window != WINDOW_LEVEL && atom->window != WINDOW_UNIT)
            return parser_fail(parser, "before(…) takes a level(…) or a per(…)");
        atom->window = atom->window == WINDOW_LEVEL ? WINDOW_LEVEL_BEFORE : WINDOW_UNIT_BEFORE;
    }
    return true;
}

static bool parse_ever(struct parser *parser, struct typed *out)
{
    unsigned first = parser->metric->n_atoms;
    if (!parse_formula(parser, out)) return false;
    for (unsigned i = first; i < parser->metric->n_atoms; i++) {
        struct atom *atom = &parser->metric->atoms[i];
        if (atom->window != WINDOW_PERIOD) return parser_fail(parser, "ever(…) takes dated facts");
        atom->window = WINDOW_EVER;
    }
    return true;
}

static bool parse_share(struct parser *parser, struct rational *share)
{
    return scan_number(&parser->scanner, share) || parser_fail(parser, "expected a number such as 0.05");
}

static bool parse_between(struct parser *parser, struct typed *out)
{
    struct node *node = node_new(parser, NODE_BETWEEN);
    if (!parse_share(parser, &node->low) || !expect(parser, ',') || !parse_formula(parser, out) || !expect(parser, ',') ||
        !parse_share(parser, &node->high))
        return false;
    if (out->money || out->time || out->spread || out->goal) return parser_fail(parser, "between(…) takes a plain number");
    node->left = out->node;
    out->node = node;
    return true;
}

static bool parse_distribution(struct parser *parser, struct typed *out)
{
    struct node *node = node_new(parser, NODE_SPREAD);
    node->atom = parser->metric->n_atoms;
    do {
        if (!parse_factor(parser, out)) return false;
        const struct atom *atom = &parser->metric->atoms[out->node->atom];
        if (out->node->type != NODE_ATOM || out->time != 1 || atom->window != WINDOW_PERIOD)
            return parser_fail(parser, "distribution(…) takes durations, such as conversion.seconds");
    } while (scan_sign(&parser->scanner, ','));
    node->n_atoms = parser->metric->n_atoms - node->atom;
    *out = (struct typed){ .node = node, .time = 1, .spread = true };
    return true;
}

static bool parse_weighted(struct parser *parser, struct typed *out)
{
    struct span name;
    struct metric *weight;
    if (!parse_factor(parser, out)) return false;
    struct atom *atom = &parser->metric->atoms[out->node->atom];
    if (out->node->type != NODE_ATOM || out->money != 1 || atom->window != WINDOW_PERIOD)
        return parser_fail(parser, "expected money of a period, such as deal_expected.amount");
    if (!expect(parser, ',')) return false;
    if (!scan_name(&parser->scanner, &name)) return parser_fail(parser, "expected the metric to weigh by");
    if (!find_metric(parser, name, &weight)) return false;
    atom->weight = weight;
    return true;
}

static bool parse_likely(struct parser *parser, struct typed *out)
{
    if (!parse_weighted(parser, out) || !expect(parser, ',')) return false;
    return parse_share(parser, &parser->metric->atoms[out->node->atom].least);
}

static const char *const goal_values[] = {
    [GOAL_TARGET] = "target",     [GOAL_ACTUAL] = "actual",         [GOAL_PROGRESS] = "progress",
    [GOAL_EXPECTED] = "expected", [GOAL_PROJECTION] = "projection", [N_GOAL_VALUES] = NULL
};

static bool parse_goal(struct parser *parser, struct typed *out)
{
    struct span name = NO_SPAN;
    int value = 0;
    (void)scan_name(&parser->scanner, &name);
    while (goal_values[value] && !span_is(name, goal_values[value])) value++;
    if (value == N_GOAL_VALUES && name.len) {
        point_at(parser, name);
        return parser_fail(parser, "no such value of a goal \"%.*s\"%s", SPAN_ARG(name),
                           did_you_mean(parser, suggest_from(name, goal_values)));
    }
    if (value == N_GOAL_VALUES) return parser_fail(parser, "expected target, actual, progress, expected or projection");
    if (!add_atom(parser, FACT_GOAL, 0, out)) return false;
    parser->metric->atoms[out->node->atom].window = WINDOW_GOALS;
    out->node->type = NODE_GOAL;
    out->node->goal = (enum goal_value)value;
    out->goal = true;
    return true;
}

static const struct call_row {
    const char *name;
    bool (*parse)(struct parser *, struct typed *);
} call_rows[] = {
    { "level", parse_level },       { "per", parse_per },         { "before", parse_before },
    { "ever", parse_ever },         { "between", parse_between }, { "distribution", parse_distribution },
    { "weighted", parse_weighted }, { "likely", parse_likely },   { "goal", parse_goal },
};

bool parse_call(struct parser *parser, struct span name, struct typed *out, bool *found)
{
    *found = false;
    for (size_t i = 0; i < sizeof call_rows / sizeof *call_rows && !*found; i++) {
        if (!span_is(name, call_rows[i].name)) continue;
        *found = true;
        if (!call_rows[i].parse(parser, out) || !expect(parser, ')')) return false;
    }
    return true;
}
