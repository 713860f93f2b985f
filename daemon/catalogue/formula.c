#include "common/suggest.h"
#include "daemon/catalogue/parser.h"

#include <stdarg.h>
#include <stdio.h>

bool parser_fail(struct parser *parser, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    problem_add(parser->problems, parser->inside[parser->depth - 1]->place, "formula, column %zu: %s", parser->scanner.at + 1,
                text);
    return false;
}

struct node *node_new(struct parser *parser, enum node_type type)
{
    struct node *node = arena_zalloc(parser->arena, sizeof *node);
    node->type = type;
    node->low = node->high = RATIONAL_NULL;
    return node;
}

static bool parse_constant(struct parser *parser, struct typed *out)
{
    struct rational number;
    if (!scan_number(&parser->scanner, &number)) return parser_fail(parser, "expected a number such as 2 or 0.05");
    *out = (struct typed){ .node = node_new(parser, NODE_CONSTANT) };
    out->node->low = number;
    return true;
}

static bool parse_parentheses(struct parser *parser, struct typed *out)
{
    scan_sign(&parser->scanner, '(');
    if (!parse_formula(parser, out)) return false;
    return scan_sign(&parser->scanner, ')') || parser_fail(parser, "expected \")\"");
}

static bool parse_unfiltered(struct parser *parser, struct typed *out)
{
    char next = scan_peek(&parser->scanner);
    if (next == '(') return parse_parentheses(parser, out);
    return next >= '0' && next <= '9' ? parse_constant(parser, out) : parse_operand(parser, out);
}

bool parse_factor(struct parser *parser, struct typed *out)
{
    unsigned first = parser->metric->n_atoms;
    if (parser->operands++ == OPERANDS_MAX) return parser_fail(parser, "more than %d operands", OPERANDS_MAX);
    if (parser->parentheses == PARENTHESES_MAX)
        return parser_fail(parser, "more than %d parentheses within each other", PARENTHESES_MAX);
    parser->parentheses++;
    bool good = parse_unfiltered(parser, out);
    while (good && scan_sign(&parser->scanner, '[')) good = parse_filter(parser, first);
    parser->parentheses--;
    return good;
}

static const char *kind_of(const struct typed *typed)
{
    if (typed->spread) return "a distribution";
    if (typed->money == 1) return "money";
    if (typed->time == 1) return "a duration";
    return typed->money || typed->time ? "a share of money or time" : "a number";
}

/* left becomes left `type` right. */
static bool combine(struct parser *parser, enum node_type type, struct typed *left, const struct typed *right)
{
    bool adds = type == NODE_ADD || type == NODE_SUBTRACT;
    int sign = type == NODE_DIVIDE ? -1 : 1;
    if (left->spread || right->spread) return parser_fail(parser, "a distribution stands alone: it has no single value");
    if (left->goal || right->goal) return parser_fail(parser, "goal(…) stands alone: its unit is that of the goal's metric");
    if (adds && (left->money != right->money || left->time != right->time))
        return parser_fail(parser, "cannot %s %s and %s", type == NODE_ADD ? "add" : "subtract", kind_of(left), kind_of(right));
    struct node *node = node_new(parser, type);
    node->left = left->node, node->right = right->node;
    left->node = node;
    left->parted = left->parted || right->parted;
    if (!adds) left->money += sign * right->money, left->time += sign * right->time;
    return true;
}

struct operator_row {
    char sign;
    enum node_type type;
};

static bool parse_chain(struct parser *parser, const struct operator_row operators[2],
                        bool (*parse_part)(struct parser *, struct typed *), struct typed *out)
{
    if (!parse_part(parser, out)) return false;
    for (;;) {
        int i = scan_sign(&parser->scanner, operators[0].sign) ? 0 : scan_sign(&parser->scanner, operators[1].sign) ? 1 : 2;
        struct typed right;
        if (i == 2) return true;
        if (!parse_part(parser, &right) || !combine(parser, operators[i].type, out, &right)) return false;
    }
}

static bool parse_term(struct parser *parser, struct typed *out)
{
    static const struct operator_row operators[2] = { { '*', NODE_MULTIPLY }, { '/', NODE_DIVIDE } };
    return parse_chain(parser, operators, parse_factor, out);
}

bool parse_formula(struct parser *parser, struct typed *out)
{
    static const struct operator_row operators[2] = { { '+', NODE_ADD }, { '-', NODE_SUBTRACT } };
    return parse_chain(parser, operators, parse_term, out);
}

static const struct unit_row {
    const char *name;
    int money, time;
    int64_t scale;
} unit_rows[] = {
    { "money", 1, 0, 1 },           { "milliseconds", 0, 1, 1 }, { "seconds", 0, 1, 1000 },
    { "minutes", 0, 1, 60 * 1000 }, { "hours", 0, 1, 3600000 },  { "days", 0, 1, 86400000 },
};

/* Of plain numbers; further ones are named by the files. */
static const char *const builtin_units[] = { "count", "ratio", "goal", NULL };

static bool is_plain_unit(const struct catalogue *catalogue, const char *name)
{
    bool found = false;
    for (int i = 0; builtin_units[i]; i++) found = found || !strcmp(name, builtin_units[i]);
    for (size_t i = 0; i < catalogue->n_plain_units; i++) found = found || !strcmp(name, catalogue->plain_units[i]);
    return found;
}

static const struct unit_row *find_unit(const char *name)
{
    for (size_t i = 0; i < sizeof unit_rows / sizeof *unit_rows; i++)
        if (!strcmp(name, unit_rows[i].name)) return &unit_rows[i];
    return NULL;
}

static bool unknown_unit(struct parser *parser)
{
    const struct metric *metric = parser->metric;
    struct suggestion suggestion = { .name = span_of(metric->unit) };
    for (size_t i = 0; i < sizeof unit_rows / sizeof *unit_rows; i++) suggest(&suggestion, unit_rows[i].name);
    for (int i = 0; builtin_units[i]; i++) suggest(&suggestion, builtin_units[i]);
    for (size_t i = 0; i < parser->catalogue->n_plain_units; i++) suggest(&suggestion, parser->catalogue->plain_units[i]);
    if (suggestion.best)
        problem_add(parser->problems, metric->place, "no unit \"%s\", did you mean \"%s\"?", metric->unit, suggestion.best);
    else
        problem_add(parser->problems, metric->place, "no unit \"%s\": name one of your own under \"units\"", metric->unit);
    return false;
}

/* Does the unit of the row fit the formula; and if none is given, which one does? */
static bool settle_unit(struct parser *parser, const struct typed *type)
{
    struct metric *metric = parser->metric;
    int money = type->money, time = type->time;
    if (money < 0 || money > 1 || time < 0 || time > 1 || (money && time))
        return parser_fail(parser, "the result is neither a number, nor money, nor a duration");
    if (!metric->unit && time) return parser_fail(parser, "a duration needs a \"unit\": seconds, minutes, hours or days");
    if (type->goal && !metric->unit)
        metric->unit = metric->root->goal == GOAL_PROGRESS || metric->root->goal == GOAL_EXPECTED ? "ratio" : "goal";
    if (!metric->unit) metric->unit = money ? "money" : metric->root->type == NODE_DIVIDE ? "ratio" : "count";
    metric->scale = 1;
    const struct unit_row *found = find_unit(metric->unit);
    if (!found && !is_plain_unit(parser->catalogue, metric->unit)) return unknown_unit(parser);
    if ((found ? found->money : 0) != money || (found ? found->time : 0) != time)
        return parser_fail(parser, "the result is %s, the \"unit\" says \"%s\"", kind_of(type), metric->unit);
    if (found) metric->scale = found->scale;
    metric->shape = type->goal     ? SHAPE_GOAL
                    : type->spread ? SHAPE_SPREAD
                    : money        ? SHAPE_MONEY
                    : type->parted ? SHAPE_RATIOS
                                   : SHAPE_NUMBER;
    return true;
}

bool filter_equal(const struct filter *a, const struct filter *b)
{
    if (a->dimension != b->dimension || a->negated != b->negated || a->any != b->any || a->n_values != b->n_values) return false;
    if (!span_equal(a->custom, b->custom)) return false;
    for (size_t i = 0; i < a->n_values; i++)
        if (!span_equal(a->values[i], b->values[i])) return false;
    return true;
}

/* The dimensions, a bit per enum dimension, that a sum can be asked by (inner ones left out). */
static uint32_t atom_dims(const struct atom *atom)
{
    const struct fact_row *row = &fact_rows[atom->fact];
    bool level = window_is_level(atom->window);
    uint32_t dims = 0;
    for (int i = 0; i < row->n_dims; i++)
        if (!dimension_is_inner(row->dims[i]) && (row->dims[i] != DIM_EXPECTED_MONTH || level)) dims |= 1u << row->dims[i];
    return dims;
}

static bool node_has_days(const struct node *node)
{
    return node && (node->type == NODE_DAYS || node_has_days(node->left) || node_has_days(node->right));
}

/* Facts that are entered and left with +1 and -1 make sense only summed up to a day. */
static bool check_levels(struct parser *parser)
{
    for (unsigned i = 0; i < parser->metric->n_atoms; i++) {
        const struct atom *atom = &parser->metric->atoms[i];
        bool level = window_is_level(atom->window);
        const char *name = fact_rows[atom->fact].name;
        if ((atom->fact == FACT_CASE_OPEN || atom->fact == FACT_USER) && !level)
            return parser_fail(parser, "%s is entered and left: write level(%s.count)", name, name);
        if (fact_dimension(&fact_rows[atom->fact], DIM_UNIT) >= 0 && !atom->units)
            return parser_fail(parser, "%s is kept per unit: write per(%s.count, month)", name, name);
    }
    return true;
}

/* All that follows from the atoms. */
static bool settle_atoms(struct parser *parser)
{
    struct metric *metric = parser->metric;
    bool now = false, ever = true;
    metric->dims = metric->own_dims ? metric->own_dims : UINT32_MAX;
    metric->customs = !metric->own_dims;
    for (unsigned i = 0; i < metric->n_atoms; i++) {
        struct atom *atom = &metric->atoms[i];
        const struct fact_row *row = &fact_rows[atom->fact];
        metric->dims &= atom_dims(atom);
        metric->customs = metric->customs && row->kinds != KINDS_NONE;
        now = now || window_is_undated(atom->window);
        ever = ever && atom->window == WINDOW_EVER;
        if (atom->units) metric->units = metric->units ? metric->units & atom->units : atom->units;
        bool per_currency = metric->shape == SHAPE_MONEY || metric->shape == SHAPE_RATIOS;
        atom->by_currency = per_currency && fact_dimension(row, DIM_CURRENCY) >= 0;
    }
    if (metric->shape == SHAPE_GOAL) metric->dims = 1u << DIM_GOAL, metric->customs = false;
    metric->dated = !now && !ever;
    metric->needs_days = node_has_days(metric->root);
    uint32_t lacking = metric->own_dims & ~metric->dims;
    if (!lacking) return true;
    return parser_fail(parser, "\"dimensions\": not all of its facts have %s", dimension_names[__builtin_ctz(lacking)]);
}

bool formula_parse(struct metric *metric, const struct catalogue *catalogue, struct arena *arena, struct problems *problems)
{
    struct atom atoms[ATOMS_MAX];
    struct parser parser = { .scanner = { .text = span_of(metric->formula) },
                             .metric = metric,
                             .catalogue = catalogue,
                             .arena = arena,
                             .problems = problems,
                             .inside = { metric },
                             .depth = 1 };
    struct typed type;
    metric->atoms = atoms;
    metric->n_atoms = metric->n_groups = 0;
    bool good = parse_formula(&parser, &type) &&
                (!scan_peek(&parser.scanner) ||
                 parser_fail(&parser, "expected an operator or the end, found \"%c\"", scan_peek(&parser.scanner))) &&
                (metric->n_atoms || parser_fail(&parser, "no fact in it: nothing to count"));
    metric->root = good ? type.node : NULL;
    good = good && check_levels(&parser) && settle_unit(&parser, &type);
    metric->atoms = arena_alloc(arena, sizeof *atoms * (metric->n_atoms + 1));
    memcpy(metric->atoms, atoms, sizeof *atoms * metric->n_atoms);
    return good && settle_atoms(&parser);
}

/* By what, and how, must be known whatever the period and the row. */
static bool check_weight(const struct atom *atom, const struct metric *metric, struct problems *problems)
{
    const struct metric *weight = atom->weight;
    const char *why = NULL;
    for (unsigned i = 0; i < weight->n_atoms; i++)
        if (weight->atoms[i].window != WINDOW_EVER || weight->atoms[i].weight) why = "it must be made of ever(…) only";
    if (!weight->root || weight->shape != SHAPE_NUMBER || weight->scale != 1) why = "it is no plain number";
    int n = __builtin_popcount(weight->own_dims);
    if (!n || n > WEIGHT_DIMS_MAX) why = "its \"dimensions\" must name one or two";
    if (weight->own_dims & ~atom_dims(atom)) why = "the fact lacks its \"dimensions\"";
    if (why)
        problem_add(problems, metric->place, "formula: cannot weigh %s by %s: %s", fact_rows[atom->fact].name, weight->name, why);
    return !why;
}

bool formula_check_weights(const struct metric *metric, struct problems *problems)
{
    bool good = true;
    for (unsigned i = 0; i < metric->n_atoms; i++)
        if (metric->atoms[i].weight) good = check_weight(&metric->atoms[i], metric, problems) && good;
    return good;
}
