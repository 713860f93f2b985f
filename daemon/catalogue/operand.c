/* The operands of a formula: measures of facts, other metrics, and the filters behind them. */
#include "common/buffer.h"
#include "common/suggest.h"
#include "daemon/catalogue/parser.h"

static const char *fact_suggestion(struct span name)
{
    struct suggestion suggestion = { .name = name };
    for (int i = 0; i < N_FACTS; i++) suggest(&suggestion, fact_rows[i].name);
    return suggestion.best;
}

const char *did_you_mean(struct parser *parser, const char *best)
{
    if (!best) return "";
    struct buffer text = { 0 };
    buffer_printf(&text, ", did you mean \"%s\"?", best);
    const char *copy = arena_text(parser->arena, buffer_all(&text));
    buffer_deinit(&text);
    return copy;
}

void point_at(struct parser *parser, struct span name)
{
    parser->scanner.at = (size_t)(name.at - parser->scanner.text.at);
}

bool add_atom(struct parser *parser, int fact, int measure, struct typed *out)
{
    struct metric *metric = parser->metric;
    if (metric->n_atoms == ATOMS_MAX) return parser_fail(parser, "more than %d sums in one formula", ATOMS_MAX);
    const struct fact_row *row = &fact_rows[fact];
    enum measure_type type = row->measures[measure].type;
    metric->atoms[metric->n_atoms] = (struct atom){ .fact = (enum fact)fact,
                                                    .measure = (uint8_t)measure,
                                                    .window = row->dating == UNDATED ? WINDOW_NOW : WINDOW_PERIOD,
                                                    .group = (uint8_t)metric->n_groups++,
                                                    .sign = 1,
                                                    .least = RATIONAL_NULL };
    *out = (struct typed){ .node = node_new(parser, NODE_ATOM),
                           .money = type == MEASURE_MONEY,
                           .time = type == MEASURE_DURATION,
                           .parted = type == MEASURE_MONEY };
    out->node->atom = metric->n_atoms++;
    return true;
}

/* Behind "fact." */
static bool parse_measure(struct parser *parser, struct span fact_name, struct typed *out)
{
    struct span name = NO_SPAN;
    int fact = fact_find(fact_name);
    if (fact < 0) point_at(parser, fact_name);
    if (fact < 0)
        return parser_fail(parser, "no fact \"%.*s\"%s", SPAN_ARG(fact_name), did_you_mean(parser, fact_suggestion(fact_name)));
    const struct fact_row *row = &fact_rows[fact];
    if (!scan_name(&parser->scanner, &name)) return parser_fail(parser, "expected a measure, such as %s.count", row->name);
    int measure = fact_measure(row, name);
    struct suggestion suggestion = { .name = name };
    for (int i = 0; i < row->n_measures; i++) suggest(&suggestion, row->measures[i].name);
    if (measure < 0) point_at(parser, name);
    if (measure < 0)
        return parser_fail(parser, "%s has no measure \"%.*s\"%s", row->name, SPAN_ARG(name),
                           did_you_mean(parser, suggestion.best));
    return add_atom(parser, fact, measure, out);
}

bool find_metric(struct parser *parser, struct span name, struct metric **metric)
{
    *metric = catalogue_metric(parser->catalogue, name);
    if (*metric) return true;
    point_at(parser, name);
    if (fact_find(name) >= 0) return parser_fail(parser, "a fact needs a measure, such as %.*s.count", SPAN_ARG(name));
    const char *best = catalogue_suggestion(parser->catalogue, name);
    return parser_fail(parser, "no metric \"%.*s\"%s", SPAN_ARG(name), did_you_mean(parser, best));
}

/* Reads the formula of another metric in the place of its name. */
static bool parse_metric(struct parser *parser, struct span name, struct typed *out)
{
    struct metric *metric;
    if (!find_metric(parser, name, &metric)) return false;
    for (int i = 0; i < parser->depth; i++) {
        if (parser->inside[i] != metric) continue;
        point_at(parser, name);
        return parser_fail(parser, "\"%s\" is made of itself", metric->name);
    }
    if (parser->depth == NESTING_MAX) return parser_fail(parser, "metrics of metrics: more than %d deep", NESTING_MAX);
    struct scanner outer = parser->scanner;
    parser->inside[parser->depth++] = metric;
    parser->scanner = (struct scanner){ .text = span_of(metric->formula) };
    bool good =
        parse_formula(parser, out) && (!scan_peek(&parser->scanner) || parser_fail(parser, "expected an operator or the end"));
    parser->scanner = outer;
    parser->depth--;
    return good;
}

bool parse_operand(struct parser *parser, struct typed *out)
{
    struct span name;
    bool found;
    if (!scan_name(&parser->scanner, &name)) {
        char next = scan_peek(&parser->scanner);
        return next ? parser_fail(parser, "expected a fact, a metric or a number, found \"%c\"", next)
                    : parser_fail(parser, "expected a fact, a metric or a number, found the end");
    }
    if (scan_sign(&parser->scanner, '.')) return parse_measure(parser, name, out);
    if (scan_sign(&parser->scanner, '(')) {
        if (!parse_call(parser, name, out, &found)) return false;
        return found || parser_fail(parser,
                                    "no function \"%.*s\": there are level, per, before, ever, between, distribution, "
                                    "weighted, likely and goal",
                                    SPAN_ARG(name));
    }
    if (!span_is(name, "days")) return parse_metric(parser, name, out);
    *out = (struct typed){ .node = node_new(parser, NODE_DAYS) };
    return true;
}

static bool parse_values(struct parser *parser, struct filter *filter)
{
    struct span values[ATOMS_MAX];
    size_t n = 0;
    filter->any = scan_sign(&parser->scanner, '*');
    if (filter->any) return true;
    do {
        if (n == ATOMS_MAX) return parser_fail(parser, "more than %d values in one filter", ATOMS_MAX);
        if (!scan_value(&parser->scanner, &values[n])) return parser_fail(parser, "expected a value, null or *");
        if (span_is(values[n], "null")) values[n] = NO_SPAN;
        n++;
    } while (scan_sign(&parser->scanner, '|'));
    struct span *copy = arena_alloc(parser->arena, n * sizeof *copy);
    memcpy(copy, values, n * sizeof *copy);
    filter->values = copy, filter->n_values = n;
    return true;
}

static bool parse_dimension(struct parser *parser, struct filter *filter)
{
    struct span name;
    if (!scan_name(&parser->scanner, &name)) return parser_fail(parser, "expected a dimension");
    filter->dimension = dimension_find(name);
    if (span_is(name, "custom") && scan_sign(&parser->scanner, '.'))
        return scan_custom(&parser->scanner, &filter->custom) || parser_fail(parser, "expected the name of a custom attribute");
    if (filter->dimension >= 0) return true;
    point_at(parser, name);
    const char *best = dimension_suggestion(name);
    return parser_fail(parser, "no dimension \"%.*s\"%s (a custom attribute is custom.%.*s)", SPAN_ARG(name),
                       did_you_mean(parser, best), SPAN_ARG(name));
}

static bool add_filter(struct parser *parser, unsigned first, const struct filter *filter)
{
    struct metric *metric = parser->metric;
    if (first == metric->n_atoms) return parser_fail(parser, "nothing to filter here");
    for (unsigned i = first; i < metric->n_atoms; i++) {
        struct atom *atom = &metric->atoms[i];
        const struct fact_row *row = &fact_rows[atom->fact];
        bool has = filter->dimension < 0 ? row->kinds != KINDS_NONE : fact_dimension(row, (enum dimension)filter->dimension) >= 0;
        const char *name = filter->dimension < 0 ? "custom attributes" : dimension_names[filter->dimension];
        if (!has) return parser_fail(parser, "%s has no %s", row->name, name);
        if (atom->n_filters == FILTERS_MAX) return parser_fail(parser, "more than %d filters", FILTERS_MAX);
        atom->filters[atom->n_filters++] = *filter;
    }
    return true;
}

bool parse_filter(struct parser *parser, unsigned first)
{
    do {
        struct filter filter = { .dimension = -1 };
        if (!parse_dimension(parser, &filter)) return false;
        filter.negated = scan_sign(&parser->scanner, '!');
        if (!scan_sign(&parser->scanner, '=')) return parser_fail(parser, "expected \"=\" or \"!=\"");
        if (!parse_values(parser, &filter) || !add_filter(parser, first, &filter)) return false;
    } while (scan_sign(&parser->scanner, ','));
    return scan_sign(&parser->scanner, ']') || parser_fail(parser, "expected \"]\"");
}
