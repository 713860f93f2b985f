/* Rules that are well-formed and yet make no sense: they can never fire, never end, or always fire. */
#include "common/period.h"
#include "common/suggest.h"
#include "daemon/alert/rule.h"

#include <stdio.h>

struct advising {
    const struct alert_rule *rule;
    const struct settings *settings;
    const char *where;
    struct problems *advice;
};

static void number_text(struct rational number, char text[32])
{
    struct buffer out = { 0 };
    figure_write_number(number, &out);
    snprintf(text, 32, "%.*s", SPAN_ARG(buffer_all(&out)));
    buffer_deinit(&out);
}

static bool known(struct rational bound)
{
    return !rational_is_null(bound);
}

/* What the tested number lies between. A change of what is never negative is at least -1. */
static struct bounds tested_bounds(const struct alert_rule *rule)
{
    struct bounds bounds = metric_bounds(rule->watch.metric);
    if (!alert_test_is_change(rule->test)) return bounds;
    bool positive = known(bounds.low) && bounds.low.num >= 0;
    return (struct bounds){ positive ? rational_of(-1, 1) : RATIONAL_NULL, RATIONAL_NULL };
}

static void advise_limit(const struct advising *advising)
{
    const struct alert_rule *rule = advising->rule;
    struct bounds bounds = tested_bounds(rule);
    bool above = alert_test_is_above(rule->test);
    struct rational end = above ? bounds.high : bounds.low, start = above ? bounds.low : bounds.high;
    const char *name = rule->watch.metric->name, *what = alert_test_is_change(rule->test) ? "the change of " : "";
    char text[32], limit[32];
    int sign = above ? 1 : -1;
    number_text(rule->limit, limit);
    if (known(end) && sign * rational_compare(rule->limit, end) >= 0) {
        number_text(end, text);
        problem_add(advising->advice, advising->where, "can never fire: %s%s is never %s %s, and \"%s\" asks for %s than %s",
                    what, name, above ? "above" : "below", text, alert_test_names[rule->test], above ? "more" : "less", limit);
    } else if (known(start) && sign * rational_compare(rule->limit, start) < 0) {
        number_text(start, text);
        problem_add(advising->advice, advising->where, "always fires: %s%s is never %s %s", what, name, above ? "below" : "above",
                    text);
    } else if (known(start) && sign * rational_compare(rule->clear, start) < 0) {
        number_text(start, text);
        problem_add(advising->advice, advising->where, "can never clear: %s%s is never %s %s", what, name,
                    above ? "below" : "above", text);
    }
}

/* ---- filters ---- */

static bool holds(const struct span *values, size_t n, struct span value)
{
    for (size_t i = 0; i < n; i++)
        if (span_equal(values[i], value)) return true;
    return false;
}

/* Does the metric itself only count other values of the dimension? */
static bool contradicts(const struct atom *atom, const struct condition *condition)
{
    for (size_t i = 0; i < atom->n_filters; i++) {
        const struct filter *filter = &atom->filters[i];
        bool same = condition->dimension.type == BY_DIMENSION
                        ? filter->dimension == (int)condition->dimension.dimension
                        : filter->dimension < 0 && span_is(filter->custom, condition->dimension.name);
        if (!same) continue;
        bool passes = false;
        for (size_t v = 0; v < condition->n_values; v++) {
            bool listed =
                filter->any ? condition->values[v].len > 0 : holds(filter->values, filter->n_values, condition->values[v]);
            passes = passes || listed != filter->negated;
        }
        if (!passes) return true;
    }
    return false;
}

static bool all_contradict(const struct metric *metric, const struct condition *condition)
{
    for (unsigned i = 0; i < metric->n_atoms; i++)
        if (!contradicts(&metric->atoms[i], condition)) return false;
    return metric->n_atoms > 0;
}

static const char *const activities[] = { "call", "meeting", "email", NULL };
static const char *const promises[] = { "response", "resolve", NULL };

static bool is_hour(struct span value)
{
    return value.len == 2 && value.at[0] >= '0' && value.at[0] <= '2' && value.at[1] >= '0' && value.at[1] <= '9' &&
           (value.at[0] < '2' || value.at[1] <= '3');
}

static bool is_month(struct span value)
{
    int32_t month;
    return month_parse(value, &month);
}

static bool is_kind(struct span value)
{
    for (int kind = 0; kind < N_KINDS; kind++)
        if (span_is(value, kind_rows[kind].name)) return true;
    return false;
}

static bool is_one_of(const char *const *names, struct span value)
{
    for (; *names; names++)
        if (span_is(value, *names)) return true;
    return false;
}

/* The daemon itself gives these dimensions their values: no others ever come. */
static bool is_possible(const struct grouping *by, struct span value)
{
    if (!value.len || by->type != BY_DIMENSION) return true;
    switch (by->dimension) {
    case DIM_HOUR:
        return is_hour(value);
    case DIM_EXPECTED_MONTH:
        return is_month(value);
    case DIM_KIND:
        return is_kind(value);
    case DIM_ACTIVITY:
        return is_one_of(activities, value);
    case DIM_PROMISE:
        return is_one_of(promises, value);
    default:
        return true;
    }
}

static void advise_values(const struct advising *advising, const struct condition *condition)
{
    const char *name = condition->dimension.name, *tenant = advising->rule->tenant;
    const struct rules *rules = settings_rules(advising->settings, span_of(tenant));
    size_t possible = 0;
    for (size_t i = 0; i < condition->n_values; i++) {
        struct span value = condition->values[i];
        possible += is_possible(&condition->dimension, value);
        if (!is_possible(&condition->dimension, value))
            problem_add(advising->advice, advising->where, "\"where\": \"%s\" is never \"%.*s\"", name, SPAN_ARG(value));
        else if (value.len && rules_unlisted(rules, name, value))
            problem_add(advising->advice, advising->where, "\"where\": \"%.*s\" is not in the tenant's list of \"%s\"",
                        SPAN_ARG(value), name);
    }
    if (!condition->n_values)
        problem_add(advising->advice, advising->where, "can never fire: \"where\": \"%s\" is an empty list, which nothing passes",
                    name);
    else if (!possible)
        problem_add(advising->advice, advising->where, "can never fire: nothing passes \"where\": \"%s\"", name);
    else if (all_contradict(advising->rule->watch.metric, condition))
        problem_add(advising->advice, advising->where,
                    "can never fire: %s counts only other values of \"%s\" than \"where\" asks for",
                    advising->rule->watch.metric->name, name);
}

static void advise_tenant(const struct advising *advising)
{
    const char *tenant = advising->rule->tenant;
    struct text_list named = settings_tenants(advising->settings);
    if (!tenant || settings_knows_tenant(advising->settings, span_of(tenant))) return;
    struct suggestion suggestion = { .name = span_of(tenant) };
    for (size_t i = 0; i < named.n; i++)
        if (strcmp(named.at[i], "default")) suggest(&suggestion, named.at[i]);
    if (suggestion.best)
        problem_add(advising->advice, advising->where, "no settings of a tenant \"%s\", did you mean \"%s\"?", tenant,
                    suggestion.best);
}

void alert_rule_advise(const struct alert_rule *rule, const struct settings *settings, const char *where, struct problems *advice)
{
    struct advising advising = { rule, settings, where, advice };
    advise_limit(&advising);
    advise_tenant(&advising);
    for (size_t i = 0; i < rule->watch.n_where; i++) advise_values(&advising, &rule->watch.where[i]);
}
