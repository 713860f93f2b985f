/* The JSON of a request. */
#include "common/suggest.h"
#include "daemon/report/query.h"

#include <stdarg.h>
#include <stdio.h>
#include <yyjson.h>

/* A request being read. */
struct request {
    struct query *query;
    struct arena *arena;
    struct query_error *error;
    size_t *limit; /* NULL: the request takes none */
};

static bool refuse(struct request *request, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(struct request *request, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    request->error->code = QUERY_BAD_REQUEST;
    vsnprintf(request->error->message, sizeof request->error->message, format, args);
    va_end(args);
    return false;
}

static struct span copy_of(struct request *request, yyjson_val *value)
{
    return arena_copy(request->arena, (struct span){ yyjson_get_str(value), yyjson_get_len(value) });
}

static bool read_by(struct request *request, yyjson_val *list)
{
    struct query *query = request->query;
    if (!yyjson_is_arr(list) || yyjson_arr_size(list) > GROUPINGS_MAX)
        return refuse(request, "\"by\" must be a list of up to %d dimensions", GROUPINGS_MAX);
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));) {
        if (!yyjson_is_str(item)) return refuse(request, "\"by\" must be a list of dimensions");
        struct span name = copy_of(request, item);
        for (size_t i = 0; i < query->n_by; i++)
            if (span_equal(query->by[i], name)) return refuse(request, "\"by\" names \"%.*s\" twice", SPAN_ARG(name));
        query->by[query->n_by++] = name;
    }
    return true;
}

static bool read_metrics(struct request *request, yyjson_val *list)
{
    struct query *query = request->query;
    size_t n = yyjson_arr_size(list);
    if (!n || n > METRICS_MAX) return refuse(request, "\"metrics\" must be a list of 1 to %d metrics", METRICS_MAX);
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));) {
        if (!yyjson_is_str(item) || !yyjson_get_len(item)) return refuse(request, "\"metrics\" must be a list of metrics");
        struct span name = copy_of(request, item);
        for (size_t i = 0; i < query->n_metrics; i++)
            if (span_equal(query->metrics[i], name)) return refuse(request, "\"metrics\" names \"%.*s\" twice", SPAN_ARG(name));
        query->metrics[query->n_metrics++] = name;
    }
    return true;
}

static bool read_values(struct request *request, yyjson_val *list, struct query_condition *condition)
{
    if (!yyjson_is_arr(list))
        return refuse(request, "\"where\": \"%.*s\" must be a list of values", SPAN_ARG(condition->dimension));
    struct span *values = arena_alloc(request->arena, (yyjson_arr_size(list) + 1) * sizeof *values);
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));) {
        if (!yyjson_is_str(item) && !yyjson_is_null(item))
            return refuse(request, "\"where\": \"%.*s\" must hold texts and null", SPAN_ARG(condition->dimension));
        if (yyjson_is_str(item) && !yyjson_get_len(item)) continue; /* an empty text is never a value */
        values[condition->n_values++] = yyjson_is_null(item) ? NO_SPAN : copy_of(request, item);
    }
    condition->values = values;
    return true;
}

static bool read_where(struct request *request, yyjson_val *object)
{
    struct query *query = request->query;
    if (!yyjson_is_obj(object) || yyjson_obj_size(object) > CONDITIONS_MAX)
        return refuse(request, "\"where\" must be an object of up to %d dimensions", CONDITIONS_MAX);
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));) {
        struct query_condition *condition = &query->where[query->n_where++];
        condition->dimension = copy_of(request, key);
        if (!read_values(request, yyjson_obj_iter_get_val(key), condition)) return false;
    }
    return true;
}

static struct text_row {
    const char *name;
    size_t offset;
} text_rows[] = {
    { "tenant", offsetof(struct query, tenant) }, { "metric", offsetof(struct query, metric) },
    { "stat", offsetof(struct query, stat) },     { "period", offsetof(struct query, period) },
    { "from", offsetof(struct query, from) },     { "to", offsetof(struct query, to) },
};

static bool read_limit(struct request *request, yyjson_val *value)
{
    if (!yyjson_is_uint(value) || yyjson_get_uint(value) < 1 || yyjson_get_uint(value) > EXPLAIN_LIMIT_MAX)
        return refuse(request, "\"limit\" must be a whole number 1…%d", EXPLAIN_LIMIT_MAX);
    *request->limit = (size_t)yyjson_get_uint(value);
    return true;
}

static bool read_key(struct request *request, yyjson_val *key, yyjson_val *value)
{
    static const char *const of_query[] = { "tenant", "metric", "metrics", "stat", "period", "from", "to", "by", "where", NULL };
    static const char *const to_explain[] = { "limit", "tenant", "metric", "stat", "period", "from", "to", "by", "where", NULL };
    struct span name = { yyjson_get_str(key), yyjson_get_len(key) };
    if (span_is(name, "by")) return read_by(request, value);
    if (span_is(name, "where")) return read_where(request, value);
    if (request->limit && span_is(name, "limit")) return read_limit(request, value);
    if (!request->limit && span_is(name, "metrics")) return read_metrics(request, value);
    for (size_t i = 0; i < sizeof text_rows / sizeof *text_rows; i++) {
        if (!span_is(name, text_rows[i].name)) continue;
        if (!yyjson_is_str(value) || !yyjson_get_len(value)) return refuse(request, "\"%s\" must be a text", text_rows[i].name);
        *(struct span *)((char *)request->query + text_rows[i].offset) = copy_of(request, value);
        return true;
    }
    const char *best = suggest_from(name, request->limit ? to_explain : of_query);
    if (best) return refuse(request, "unknown key \"%.*s\", did you mean \"%s\"?", SPAN_ARG(name), best);
    return refuse(request, "unknown key \"%.*s\"", SPAN_ARG(name));
}

/* A row holds its dimensions and its metrics by name: a declared attribute may be called as a metric. */
static bool check_names(struct request *request)
{
    const struct query *query = request->query;
    for (size_t i = 0; i < query->n_by; i++)
        for (size_t m = 0; m < query->n_metrics; m++)
            if (span_equal(query->by[i], query->metrics[m]))
                return refuse(
                    request,
                    "\"%.*s\" is in \"by\" and in \"metrics\": a row would have two of that name; ask for one \"metric\"",
                    SPAN_ARG(query->by[i]));
    return true;
}

static bool check_metrics(struct request *request)
{
    const struct query *query = request->query;
    if (query->n_metrics && (query->metric.at || query->stat.at))
        return refuse(request, "\"metrics\" stands instead of \"metric\" and \"stat\", not beside them");
    return query->n_metrics || query->metric.at || refuse(request, "\"metric\" is missing");
}

/* Lists are read into arrays of fixed room; and of two values nobody knows which one was meant. */
static bool is_first(yyjson_val *object, yyjson_val *key, yyjson_val *value)
{
    return yyjson_obj_getn(object, yyjson_get_str(key), yyjson_get_len(key)) == value;
}

static bool read_root(struct request *request, yyjson_val *root)
{
    struct query *query = request->query;
    if (!yyjson_is_obj(root)) return refuse(request, "a request is a JSON object such as {\"metric\":\"leads\"}");
    yyjson_obj_iter iter = yyjson_obj_iter_with(root);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        if (!is_first(root, key, value))
            return refuse(request, "\"%.*s\" is given twice", (int)yyjson_get_len(key), yyjson_get_str(key));
        if (!read_key(request, key, value)) return false;
    }
    query->names_tenant = query->tenant.at != NULL;
    if (!query->names_tenant) query->tenant = SPAN("default");
    if (!check_metrics(request) || !check_names(request)) return false;
    if (query->period.at && (query->from.at || query->to.at))
        return refuse(request, "\"period\" stands instead of \"from\" and \"to\", not beside them");
    if (!query->from.at != !query->to.at) return refuse(request, "\"from\" and \"to\" belong together");
    return true;
}

static bool parse(struct request request, struct span json)
{
    yyjson_read_err problem;
    *request.query = (struct query){ 0 };
    yyjson_doc *doc =
        json.len ? yyjson_read_opts((char *)(uintptr_t)json.at, json.len, YYJSON_READ_NOFLAG, NULL, &problem) : NULL;
    if (!doc) return refuse(&request, "not JSON: %s", json.len ? problem.msg : "empty");
    bool good = read_root(&request, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    return good;
}

bool query_parse(struct query *query, struct span json, struct arena *arena, struct query_error *error)
{
    return parse((struct request){ query, arena, error, NULL }, json);
}

bool query_for_tenant(struct query *query, struct span tenant, struct query_error *error)
{
    struct request request = { .query = query, .error = error };
    if (!tenant.at) return true;
    if (query->names_tenant && !span_equal(query->tenant, tenant))
        return refuse(&request, "the request names another tenant than \"%.*s\"", SPAN_ARG(tenant));
    query->tenant = tenant;
    return true;
}

bool query_parse_explain(struct query *query, size_t *limit, struct span json, struct arena *arena, struct query_error *error)
{
    *limit = EXPLAIN_LIMIT;
    return parse((struct request){ query, arena, error, limit }, json);
}
