/* The names of a request, looked up: metric, statistic, dimensions, period. */
#include "common/instant.h"
#include "common/suggest.h"
#include "daemon/report/query.h"
#include "daemon/report/tally.h"

#include <stdarg.h>
#include <stdio.h>

const char *const query_code_names[N_QUERY_CODES] = {
    [QUERY_UNKNOWN_TENANT] = "unknown_tenant",
    [QUERY_UNKNOWN_METRIC] = "unknown_metric",
    [QUERY_UNKNOWN_DIMENSION] = "unknown_dimension",
    [QUERY_UNKNOWN_PERIOD] = "unknown_period",
    [QUERY_BAD_RANGE] = "bad_range",
    [QUERY_UNKNOWN_STAT] = "unknown_stat",
    [QUERY_BAD_REQUEST] = "bad_request",
    [QUERY_DAYS_FOLDED] = "days_folded",
};

static bool refuse(struct query_error *error, enum query_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool refuse(struct query_error *error, enum query_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error->code = code;
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return false;
}

static bool refuse_name(struct query_error *error, enum query_code code, const char *what, struct span name, const char *best)
{
    if (best) return refuse(error, code, "%s \"%.*s\", did you mean \"%s\"?", what, SPAN_ARG(name), best);
    return refuse(error, code, "%s \"%.*s\"", what, SPAN_ARG(name));
}

static bool bind_metric(const struct query *query, const struct catalogue *catalogue, struct bound_query *bound,
                        struct query_error *error)
{
    bound->metric = catalogue_metric(catalogue, query->metric);
    if (bound->metric) return true;
    return refuse_name(error, QUERY_UNKNOWN_METRIC, "no metric", query->metric, catalogue_suggestion(catalogue, query->metric));
}

static bool bind_stat(const struct query *query, struct bound_query *bound, struct query_error *error)
{
    bound->stat = STAT_AVERAGE;
    if (!query->stat.at) return true;
    if (bound->metric && bound->metric->shape != SHAPE_SPREAD)
        return refuse(error, QUERY_UNKNOWN_STAT, "%s is no distribution: it has no \"%.*s\"", bound->metric->name,
                      SPAN_ARG(query->stat));
    for (int i = 0; i < N_STATS; i++) {
        if (!span_is(query->stat, stat_names[i])) continue;
        bound->stat = (enum stat)i;
        return true;
    }
    return refuse(error, QUERY_UNKNOWN_STAT, "no statistic \"%.*s\": there are average, p50, p90 and p95", SPAN_ARG(query->stat));
}

/* Says what the metric can be asked by. */
static bool refuse_dimension(const struct metric *metric, struct span name, struct query_error *error)
{
    struct suggestion suggestion = { .name = name };
    struct buffer list = { 0 };
    for (int i = 0; i < N_DIMENSIONS; i++) {
        if (!(metric->dims >> i & 1)) continue;
        suggest(&suggestion, dimension_names[i]);
        buffer_printf(&list, "%s%s", list.len ? ", " : "", dimension_names[i]);
    }
    if (suggestion.best)
        refuse_name(error, QUERY_UNKNOWN_DIMENSION, "no dimension", name, suggestion.best);
    else
        refuse(error, QUERY_UNKNOWN_DIMENSION, "%s has no dimension \"%.*s\"; it has %.*s", metric->name, SPAN_ARG(name),
               list.len ? (int)list.len : 4, list.len ? list.at : "none");
    buffer_deinit(&list);
    return false;
}

/* Could some metric be asked by it? */
static bool is_known(const struct rules *rules, const struct grouping *by)
{
    if (by->type == BY_DIMENSION) return !dimension_is_inner(by->dimension);
    bool known = by->type == BY_UNIT;
    for (int kind = 0; kind < N_KINDS; kind++) known = known || rules_custom(rules, kind, span_of(by->name)) >= 0;
    return known;
}

/* Of a metric that nobody knows (NULL): whether there is such a dimension at all. */
static bool bind_dimension(struct span name, const struct metric *metric, const struct rules *rules, struct arena *arena,
                           struct grouping *out, struct query_error *error)
{
    int dimension = dimension_find(name);
    *out = (struct grouping){ BY_DIMENSION, arena_text(arena, name), (enum dimension)dimension, N_UNITS };
    if (dimension < 0) out->type = unit_parse(name, &out->unit) ? BY_UNIT : BY_CUSTOM;
    if (metric ? metric_has(metric, rules, out) : is_known(rules, out)) return true;
    if (!metric) return refuse_name(error, QUERY_UNKNOWN_DIMENSION, "no dimension", name, dimension_suggestion(name));
    if (out->type == BY_UNIT)
        return refuse(error, QUERY_UNKNOWN_DIMENSION, "%s is not dated: it cannot be grouped by %s", metric->name, out->name);
    return refuse_dimension(metric, name, error);
}

static bool bind_by(const struct query *query, const struct rules *rules, struct arena *arena, struct bound_query *bound,
                    struct query_error *error)
{
    const char *unit = NULL;
    for (size_t i = 0; i < query->n_by; i++) {
        struct grouping *by = &bound->by[bound->n_by++];
        if (!bind_dimension(query->by[i], bound->metric, rules, arena, by, error)) return false;
        if (by->type != BY_UNIT) continue;
        if (unit) return refuse(error, QUERY_BAD_REQUEST, "\"by\" can hold one of %s and %s, not both", unit, by->name);
        unit = by->name;
    }
    return true;
}

/* What goals are asked for is each goal's own. */
static bool check_goals(const struct bound_query *bound, struct query_error *error)
{
    bool by_goal = bound->metric->shape != SHAPE_GOAL;
    for (size_t i = 0; i < bound->n_by; i++) by_goal = by_goal || grouping_is_goal(&bound->by[i]);
    return by_goal ||
           refuse(error, QUERY_UNKNOWN_DIMENSION, "%s is had by goal only: add \"by\":[\"goal\"]", bound->metric->name);
}

static bool bind_where(const struct query *query, const struct rules *rules, struct arena *arena, struct bound_query *bound,
                       struct query_error *error)
{
    bound->where = arena_zalloc(arena, (query->n_where + 1) * sizeof *bound->where);
    for (size_t i = 0; i < query->n_where; i++) {
        const struct query_condition *asked = &query->where[i];
        struct condition *condition = &bound->where[bound->n_where++];
        if (!bind_dimension(asked->dimension, bound->metric, rules, arena, &condition->dimension, error)) return false;
        if (condition->dimension.type == BY_UNIT)
            return refuse(error, QUERY_UNKNOWN_DIMENSION, "\"where\" takes no %s: use \"from\" and \"to\"",
                          condition->dimension.name);
        condition->values = asked->values;
        condition->n_values = asked->n_values;
    }
    return true;
}

static bool bind_period(const struct query *query, const struct query_tenant *tenant, struct bound_query *bound,
                        struct query_error *error)
{
    bound->period = (struct period){ PERIOD_BEGIN, PERIOD_END };
    if (query->period.at) {
        if (period_named(tenant->rules, query->period, tenant->today, &bound->period)) return true;
        return refuse_name(error, QUERY_UNKNOWN_PERIOD, "no period", query->period, suggest_from(query->period, period_names));
    }
    if (!query->from.at) return true;
    struct span wrong = !day_parse(query->from, &bound->period.from) ? query->from
                        : !day_parse(query->to, &bound->period.to)   ? query->to
                                                                     : NO_SPAN;
    if (wrong.at) return refuse(error, QUERY_BAD_RANGE, "\"%.*s\" is no date such as 2026-03-31", SPAN_ARG(wrong));
    return bound->period.from <= bound->period.to || refuse(error, QUERY_BAD_RANGE, "\"from\" is after \"to\"");
}

bool query_bind(const struct query *query, const struct catalogue *catalogue, const struct query_tenant *tenant,
                struct arena *arena, struct bound_query *bound, struct query_error *error)
{
    *bound = (struct bound_query){ 0 };
    if (!bind_metric(query, catalogue, bound, error) || !bind_stat(query, bound, error) ||
        !bind_by(query, tenant->rules, arena, bound, error) || !check_goals(bound, error) ||
        !bind_where(query, tenant->rules, arena, bound, error) || !bind_period(query, tenant, bound, error))
        return false;
    enum unit unit = N_UNITS;
    for (size_t i = 0; i < bound->n_by; i++)
        if (bound->by[i].type == BY_UNIT) unit = bound->by[i].unit;
    const char *why = metric_refusal(bound->metric, tenant->rules, bound->period, unit);
    return !why || refuse(error, QUERY_BAD_RANGE, "%s %s", bound->metric->name, why);
}

bool query_bind_names(const struct query *query, const struct query_tenant *tenant, struct arena *arena,
                      struct bound_query *bound, struct query_error *error)
{
    *bound = (struct bound_query){ 0 };
    return bind_stat(query, bound, error) && bind_by(query, tenant->rules, arena, bound, error) &&
           bind_where(query, tenant->rules, arena, bound, error) && bind_period(query, tenant, bound, error);
}

struct query_error query_unknown_tenant(struct span tenant)
{
    struct query_error error;
    refuse(&error, QUERY_UNKNOWN_TENANT, "no event and no settings of a tenant \"%.*s\"", SPAN_ARG(tenant));
    return error;
}

struct query_error query_too_many_rows(size_t most)
{
    struct query_error error;
    refuse(&error, QUERY_BAD_REQUEST,
           "the answer would have more than %zu rows: ask for a shorter range, larger units of time or fewer dimensions", most);
    return error;
}
