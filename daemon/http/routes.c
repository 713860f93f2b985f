#include "daemon/http/routes.h"

#include "daemon/settings/forms.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const format_only[] = { "format", NULL };

/* clang-format off */
static const struct route routes[] = {
    { "/",                                     METHOD_GET,  ACCESS_OPEN,   AT_ONCE,  answer_page,      NULL },
    { "/v1/tenants",                           METHOD_GET,  ACCESS_ANY,    BY_CLERK, answer_tenants,   NULL },
    { "/v1/tenants/{tenant}/reports",          METHOD_GET,  ACCESS_TENANT, BY_CLERK, answer_reports,   NULL },
    { "/v1/tenants/{tenant}/reports/{report}", METHOD_GET,  ACCESS_TENANT, BY_CLERK, answer_report,    format_only },
    { "/v1/tenants/{tenant}/query",            METHOD_POST, ACCESS_TENANT, BY_CLERK, answer_query,     format_only },
    { "/v1/tenants/{tenant}/alerts",           METHOD_GET,  ACCESS_TENANT, BY_CLERK, answer_alerts,    NULL },
    { "/v1/tenants/{tenant}/explain",          METHOD_POST, ACCESS_TENANT, BY_FIRST, answer_explain,   NULL },
    { "/v1/tenants/{tenant}/updates",          METHOD_GET,  ACCESS_TENANT, BY_CLERK, answer_updates,   NULL },
    { "/v1/catalogue",                         METHOD_GET,  ACCESS_ANY,    AT_ONCE,  answer_catalogue, NULL },
    { "/v1/openapi.json",                      METHOD_GET,  ACCESS_ANY,    AT_ONCE,  answer_openapi,   NULL },
    { "/healthz",                              METHOD_GET,  ACCESS_OPEN,   AT_ONCE,  answer_healthz,   NULL },
    { "/metrics",                              METHOD_GET,  ACCESS_ALL,    AT_ONCE,  answer_metrics,   NULL },
    { "/readyz",                               METHOD_GET,  ACCESS_OPEN,   AT_ONCE,  answer_readyz,    NULL },
    { "/{file}",                               METHOD_GET,  ACCESS_OPEN,   AT_ONCE,  answer_page,      NULL },
};
/* clang-format on */
enum {
    N_ROUTES = sizeof routes / sizeof *routes
};
_Static_assert(sizeof routes / sizeof *routes < (size_t)ROUTES_MAX, "raise ROUTES_MAX");

size_t route_number(const struct exchange *exchange)
{
    return exchange->route ? (size_t)(exchange->route - routes) : N_ROUTES;
}

/* ---- how it is ---- */

static void write_replies(const struct http_counts *counts, struct buffer *out)
{
    buffer_str(out,
               "# HELP crm_reportd_http_requests_total Requests answered.\n# TYPE crm_reportd_http_requests_total counter\n");
    for (size_t route = 0; route <= N_ROUTES; route++)
        for (int hundreds = 1; hundreds < N_STATUS_CLASSES; hundreds++)
            if (counts->replies[route][hundreds] || hundreds == 2)
                buffer_printf(out, "crm_reportd_http_requests_total{route=\"%s\",status=\"%dxx\"} %" PRIu64 "\n",
                              route < N_ROUTES ? routes[route].path : "none", hundreds, counts->replies[route][hundreds]);
}

void answer_metrics(const struct answering *with, struct exchange *exchange)
{
    struct buffer *out = answer_with(exchange, "text/plain; version=0.0.4; charset=utf-8");
    with->operations->metrics(with->operations->context, out);
    write_replies(with->counts, out);
    buffer_printf(out,
                  "# HELP crm_reportd_http_streams Open streams of updates.\n# TYPE crm_reportd_http_streams gauge\n"
                  "crm_reportd_http_streams %zu\n"
                  "# HELP crm_reportd_http_connections Open connections.\n# TYPE crm_reportd_http_connections gauge\n"
                  "crm_reportd_http_connections %zu\n",
                  with->counts->n_streams, with->counts->n_connections);
}

void answer_healthz(const struct answering *with, struct exchange *exchange)
{
    (void)with;
    buffer_str(answer_with(exchange, "text/plain; charset=utf-8"), "ok\n");
}

void answer_readyz(const struct answering *with, struct exchange *exchange)
{
    struct buffer why = { 0 };
    char trouble[ERROR_TEXT_BYTES];
    if (listener_trouble(with->listener, trouble))
        answer_problem(exchange, 503, "not_ready", "%s", trouble);
    else if (with->operations->ready(with->operations->context, &why))
        buffer_str(answer_with(exchange, "text/plain; charset=utf-8"), "ready\n");
    else
        answer_problem(exchange, 503, "not_ready", "%.*s", SPAN_ARG(buffer_all(&why)));
    buffer_deinit(&why);
}

/* ---- which ---- */

/* The next part of a path, without its slash. */
static struct span next_part(struct span *path)
{
    struct span part = { path->at + 1, path->len - 1 };
    const char *slash = part.len ? memchr(part.at, '/', part.len) : NULL;
    if (slash) part.len = (size_t)(slash - part.at);
    path->at += part.len + 1;
    path->len -= part.len + 1;
    return part;
}

static bool takes(const struct route *route, struct exchange *exchange)
{
    struct span pattern = span_of(route->path), path = exchange->path;
    exchange->tenant = exchange->report = exchange->file = NO_SPAN;
    while (pattern.len && path.len) {
        struct span wanted = next_part(&pattern), part = next_part(&path);
        if (span_is(wanted, "{tenant}"))
            exchange->tenant = part;
        else if (span_is(wanted, "{report}"))
            exchange->report = part;
        else if (span_is(wanted, "{file}"))
            exchange->file = part;
        else if (!span_equal(wanted, part))
            return false;
    }
    return !pattern.len && !path.len;
}

static const char *methods_of(const struct route *route)
{
    return route->methods & METHOD_POST ? "POST" : "GET, HEAD";
}

static bool find_route(struct exchange *exchange)
{
    for (size_t i = 0; i < N_ROUTES && exchange->path.len && exchange->path.at[0] == '/'; i++) {
        if (!takes(&routes[i], exchange)) continue;
        unsigned methods = routes[i].methods | (routes[i].methods & METHOD_GET ? METHOD_HEAD : 0);
        exchange->route = &routes[i];
        if (methods & exchange->method) return true;
        answer_problem(exchange, 405, "method_not_allowed", "%s takes %s", routes[i].path, methods_of(&routes[i]));
        exchange->answer.allow = methods_of(&routes[i]);
        return false;
    }
    answer_problem(exchange, 404, "no_such_path", "there is nothing here; /v1/openapi.json describes what there is");
    return false;
}

/* ---- who ---- */

/* Without tokens only this machine is served. A page of another host whose name was made to lead here (DNS rebinding) has
 * that host's name in its requests, and a browser says when it asks on behalf of another site. */
static bool asked_properly(const struct answering *with, struct exchange *exchange)
{
    char listen[300];
    snprintf(listen, sizeof listen, "%.*s:0", SPAN_ARG(exchange->host));
    bool own = !exchange->host.at || listens_locally(exchange->host) || listens_locally(span_of(listen));
    if (!own && tokens_none(with->tokens))
        answer_problem(exchange, 421, "other_host", "without tokens only this machine is served, as localhost or 127.0.0.1");
    else if (span_is(exchange->site, "cross-site"))
        answer_problem(exchange, 403, "cross_site", "another site's page asks; it may not");
    else
        return true;
    return false;
}

static bool may_ask(const struct answering *with, struct exchange *exchange)
{
    enum access access = exchange->route->access;
    if (access == ACCESS_OPEN) return true;
    struct scope *scope = &exchange->scope;
    *scope = tokens_scope(with->tokens, exchange->authorization, &exchange->arena);
    if (!scope->all && !scope->tenant.at) {
        answer_problem(exchange, 401, exchange->authorization.len ? "token_unknown" : "token_needed",
                       "expected a token: \"Authorization: Bearer TOKEN\", or as the password of Basic");
        exchange->answer.challenge = true;
        exchange->answer.by_script = exchange->requested_with.len > 0;
        return false;
    }
    if (scope->all || access == ACCESS_ANY || (access == ACCESS_TENANT && scope_opens(scope, exchange->tenant))) return true;
    answer_problem(exchange, 403, "other_tenant", "this token is for tenant %.*s only", SPAN_ARG(scope->tenant));
    return false;
}

/* ---- what ---- */

static bool is_known(const char *const *names, struct span name)
{
    for (; names && *names; names++)
        if (span_is(name, *names)) return true;
    return false;
}

static bool arguments_fine(struct exchange *exchange)
{
    for (size_t i = 0; i < exchange->n_arguments; i++) {
        struct span name = exchange->arguments[i].name, value = exchange->arguments[i].value;
        if (!is_known(exchange->route->arguments, name)) {
            answer_problem(exchange, 400, "unknown_argument", "unknown argument \"%.*s\"%s", SPAN_ARG(name),
                           exchange->route->arguments ? ", expected format" : "");
            return false;
        }
        if (span_is(name, "format") && !span_is(value, "csv") && !span_is(value, "json")) {
            answer_problem(exchange, 400, "unknown_format", "found format \"%.*s\", expected csv or json", SPAN_ARG(value));
            return false;
        }
    }
    if (exchange->too_many_arguments) answer_problem(exchange, 400, "unknown_argument", "too many arguments");
    return !exchange->too_many_arguments;
}

static bool names_fine(struct exchange *exchange)
{
    bool fine = (!exchange->tenant.at || form_name(exchange->tenant)) && (!exchange->report.at || form_name(exchange->report));
    if (!fine) answer_problem(exchange, 404, "no_such_name", "tenants and reports are named by 1 to 64 of A-Z a-z 0-9 . _ -");
    return fine;
}

bool route_choose(const struct answering *with, struct exchange *exchange)
{
    return asked_properly(with, exchange) && find_route(exchange) && may_ask(with, exchange) && names_fine(exchange) &&
           arguments_fine(exchange);
}
