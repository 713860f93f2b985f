/* Routes about tenants and what stands in Redis of them: who there is, reports, questions, the beginning of a stream. */
#include "common/period.h"
#include "daemon/alert/active.h"
#include "daemon/http/csv.h"
#include "daemon/http/routes.h"
#include "daemon/report/document.h"
#include "daemon/report/query.h"
#include "daemon/report/text.h"
#include "daemon/run/explanation.h"
#include "daemon/state/keys.h"
#include "daemon/state/marks.h"
#include "daemon/state/published.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

enum {
    TENANTS_MAX = 10000
};

static void answer_away(struct exchange *exchange, const struct error *error)
{
    answer_problem(exchange, 503, "redis_away", "%s", error->text);
    exchange->answer.retry_after_s = 1;
}

static bool wants_csv(const struct exchange *exchange)
{
    return span_is(exchange_argument(exchange, "format"), "csv");
}

/* ---- tenants ---- */

static void write_custom(const struct rules *rules, struct buffer *out)
{
    buffer_str(out, ",\"custom\":{");
    for (int kind = 0, n = 0; kind < N_KINDS; kind++) {
        if (!rules->kind[kind].n_custom) continue;
        buffer_printf(out, "%s\"%s\":[", n++ ? "," : "", kind_rows[kind].name);
        for (int i = 0; i < rules->kind[kind].n_custom; i++) {
            if (i) buffer_byte(out, ',');
            text_write(span_of(rules->kind[kind].custom[i]), out);
        }
        buffer_byte(out, ']');
    }
    buffer_str(out, "}}");
}

static void write_tenant(const struct settings *settings, struct span tenant, struct buffer *out)
{
    const struct rules *rules = settings_rules(settings, tenant);
    buffer_str(out, "{\"tenant\":");
    text_write(tenant, out);
    buffer_str(out, ",\"time_zone\":");
    text_write(span_of(rules->zone->name), out);
    buffer_printf(out, ",\"currency\":\"%s\",\"week_start\":\"%s\",\"fiscal_year_start\":%d", rules->currency,
                  weekday_names[rules->week_start], rules->fiscal_year_start);
    write_custom(rules, out);
}

/* Those of Redis and those of the settings, each once. */
static size_t all_tenants(const struct answering *with, struct exchange *exchange, struct span **all, struct error *error)
{
    const struct settings *settings = with->engine->settings;
    struct text_list named = settings_tenants(settings);
    struct span *found;
    size_t n = 0, kept = 0;
    enum outcome outcome;
    if (!tenants_all(with->state, settings->prefix, &found, &n, &exchange->arena, &outcome, error)) return 0;
    struct span *both = arena_alloc(&exchange->arena, (n + named.n + 1) * sizeof *both);
    if (n) memcpy(both, found, n * sizeof *both);
    for (size_t i = 0; i < named.n; i++)
        if (strcmp(named.at[i], "default") != 0) both[n++] = span_of(named.at[i]);
    qsort(both, n, sizeof *both, spans_compare);
    for (size_t i = 0; i < n; i++)
        if (!kept || !span_equal(both[kept - 1], both[i])) both[kept++] = both[i];
    *all = both;
    return kept;
}

void answer_tenants(const struct answering *with, struct exchange *exchange)
{
    struct error error = { "" };
    struct span *tenants = &exchange->scope.tenant;
    size_t n = exchange->scope.all ? all_tenants(with, exchange, &tenants, &error) : 1;
    if (error.text[0]) {
        answer_away(exchange, &error);
        return;
    }
    struct buffer *out = answer_with(exchange, type_json);
    buffer_str(out, "{\"tenants\":[");
    for (size_t i = 0; i < n && i < TENANTS_MAX; i++) {
        if (i) buffer_byte(out, ',');
        write_tenant(with->engine->settings, tenants[i], out);
    }
    buffer_str(out, n > TENANTS_MAX ? "],\"truncated\":true}" : "]}");
}

/* Is there an event of the tenant, or a setting? Answers if not, or if that cannot be found out. */
static bool tenant_known(const struct answering *with, struct exchange *exchange)
{
    struct span field = SPAN("version");
    struct hash_read read = { .key = key_state(&exchange->arena, with->engine->settings->prefix, exchange->tenant),
                              .fields = &field,
                              .n_fields = 1 };
    struct error error = { "" };
    enum outcome outcome;
    if (settings_knows_tenant(with->engine->settings, exchange->tenant)) return true;
    if (!with->state->ops->read(with->state, &read, 1, &exchange->arena, &outcome, &error)) {
        answer_away(exchange, &error);
        return false;
    }
    if (read.n_values && read.values[0].at) return true;
    answer_problem(exchange, 404, "unknown_tenant", "there is no event of tenant \"%.*s\" and no setting",
                   SPAN_ARG(exchange->tenant));
    return false;
}

/* ---- reports ---- */

static bool read_versions(const struct answering *with, struct exchange *exchange, struct published_report **reports, size_t *n)
{
    struct error error = { "" };
    enum outcome outcome;
    if (!tenant_known(with, exchange)) return false;
    if (state_redis_published(with->state, with->engine->settings->prefix, exchange->tenant, reports, n, &exchange->arena,
                              &outcome, &error))
        return true;
    answer_away(exchange, &error);
    return false;
}

static int64_t version_of(const struct published_report *reports, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (span_is(reports[i].report, name)) return reports[i].stored;
    return 0;
}

static void write_optional(const char *key, const char *text, struct buffer *out)
{
    if (!text) return;
    buffer_printf(out, ",\"%s\":", key);
    text_write(span_of(text), out);
}

void answer_reports(const struct answering *with, struct exchange *exchange)
{
    struct published_report *published = NULL;
    size_t n = 0;
    if (!read_versions(with, exchange, &published, &n)) return;
    const struct catalogue *catalogue = with->engine->catalogue;
    struct buffer *out = answer_with(exchange, type_json);
    buffer_str(out, "{\"reports\":[");
    for (size_t i = 0; i < catalogue->n_reports; i++) {
        const struct report *report = &catalogue->reports[i];
        int64_t version = version_of(published, n, report->name);
        buffer_printf(out, "%s{\"report\":\"%s\",\"version\":", i ? "," : "", report->name);
        if (version)
            buffer_decimal(out, version);
        else
            buffer_str(out, "null");
        write_optional("question", report->question, out);
        write_optional("view", report->view, out);
        buffer_byte(out, '}');
    }
    buffer_str(out, "]}");
}

static bool report_known(const struct answering *with, struct exchange *exchange)
{
    if (catalogue_report(with->engine->catalogue, exchange->report)) return true;
    answer_problem(exchange, 404, "unknown_report", "the catalogue has no report \"%.*s\"; /v1/catalogue lists them",
                   SPAN_ARG(exchange->report));
    return false;
}

bool is_report_document(const struct answering *with, const struct exchange *exchange)
{
    return exchange->route->answer == answer_report && !wants_csv(exchange) &&
           catalogue_report(with->engine->catalogue, exchange->report) != NULL;
}

static void answer_document(struct exchange *exchange, struct span document)
{
    bool csv = wants_csv(exchange);
    struct buffer *out = answer_with(exchange, csv ? type_csv : type_json);
    snprintf(exchange->answer.etag, ETAG_BYTES, "\"%" PRId64 "%s\"", document_version(document), csv ? "-csv" : "");
    if (!csv) {
        buffer_span(out, document);
    } else if (csv_write_report(document, out)) {
        exchange->answer.file_name = arena_text(&exchange->arena, exchange->report);
    } else {
        answer_problem(exchange, 500, "not_a_report", "what stands in Redis is no report");
    }
}

void answer_report(const struct answering *with, struct exchange *exchange)
{
    struct span document = NO_SPAN;
    struct error error = { "" };
    enum outcome outcome;
    const char *name = arena_text(&exchange->arena, exchange->report);
    if (!report_known(with, exchange)) return;
    if (!state_redis_documents(with->state, with->engine->settings->prefix, exchange->tenant, &name, 1, &document,
                               &exchange->arena, &outcome, &error))
        answer_away(exchange, &error);
    else if (document.len)
        answer_document(exchange, document);
    else if (tenant_known(with, exchange))
        answer_problem(exchange, 404, "no_report_yet", "report \"%s\" of tenant \"%.*s\" is not published yet", name,
                       SPAN_ARG(exchange->tenant));
}

/* ---- questions ---- */

/* {"error":{"code":…,"message":…}} of a query as a problem. False: it is no error. */
static bool answer_refusal(struct exchange *exchange, struct span answer)
{
    if (answer.len < 9 || memcmp(answer.at, "{\"error\":", 9) != 0) return false;
    yyjson_doc *doc = yyjson_read(answer.at, answer.len, YYJSON_READ_NOFLAG);
    yyjson_val *error = yyjson_obj_get(yyjson_doc_get_root(doc), "error");
    const char *code = yyjson_get_str(yyjson_obj_get(error, "code"));
    const char *message = yyjson_get_str(yyjson_obj_get(error, "message"));
    bool missing = code && strcmp(code, query_code_names[QUERY_UNKNOWN_TENANT]) == 0;
    if (code && message) answer_problem(exchange, missing ? 404 : 400, code, "%s", message);
    yyjson_doc_free(doc);
    return code && message;
}

static void answer_rows(struct exchange *exchange, struct span answer)
{
    struct query query;
    struct query_error wrong;
    if (!wants_csv(exchange)) {
        buffer_span(answer_with(exchange, type_json), answer);
        return;
    }
    bool fine = query_parse(&query, buffer_all(&exchange->body), &exchange->arena, &wrong);
    bool one = !query.n_metrics;
    fine = fine && csv_write_rows(answer, query.by, query.n_by, one ? &SPAN("value") : query.metrics, one ? 1 : query.n_metrics,
                                  answer_with(exchange, type_csv));
    if (fine)
        exchange->answer.file_name = one ? arena_text(&exchange->arena, query.metric) : "query";
    else
        answer_problem(exchange, 500, "not_rows", "the answer has no rows");
}

void answer_query(const struct answering *with, struct exchange *exchange)
{
    struct buffer answer = { 0 };
    struct error error = { "" };
    if (!engine_answer_for(with->engine, with->state, exchange->tenant, buffer_all(&exchange->body), &answer, &error))
        answer_away(exchange, &error);
    else if (!answer_refusal(exchange, buffer_all(&answer)))
        answer_rows(exchange, buffer_all(&answer));
    buffer_deinit(&answer);
}

/* ---- alerts ---- */

void answer_alerts(const struct answering *with, struct exchange *exchange)
{
    struct error error = { "" };
    enum outcome outcome;
    if (!tenant_known(with, exchange)) return;
    struct buffer *out = answer_with(exchange, type_json);
    if (!alerts_active(with->state, with->engine->settings->prefix, exchange->tenant, out, &outcome, &error))
        answer_away(exchange, &error);
}

void answer_explain(const struct answering *with, struct exchange *exchange)
{
    struct buffer answer = { 0 };
    struct error error = { "" };
    if (!engine_explain(with->engine, with->state, exchange->tenant, buffer_all(&exchange->body), &answer, &error))
        answer_away(exchange, &error);
    else if (!answer_refusal(exchange, buffer_all(&answer)))
        buffer_span(answer_with(exchange, type_json), buffer_all(&answer));
    buffer_deinit(&answer);
}

/* ---- updates ---- */

static int by_version(const void *a, const void *b)
{
    const struct published_report *left = a, *right = b;
    return (left->stored > right->stored) - (left->stored < right->stored);
}

void answer_updates(const struct answering *with, struct exchange *exchange)
{
    struct published_report *published = NULL;
    size_t n = 0;
    if (!read_versions(with, exchange, &published, &n)) return;
    struct span last = exchange->last_event_id;
    int64_t since = last.len && last.len < 20 ? strtoll(arena_text(&exchange->arena, last), NULL, 10) : 0;
    struct buffer *out = answer_with(exchange, "text/event-stream");
    exchange->answer.stream = true;
    buffer_str(out, "retry: 1000\n\n");
    if (n) qsort(published, n, sizeof *published, by_version);
    for (size_t i = 0; i < n; i++)
        if (published[i].stored && published[i].stored >= since) update_write(published[i].report, published[i].stored, out);
}
