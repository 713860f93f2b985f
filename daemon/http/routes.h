/* The routes: a row for each path, with who may ask and who answers. */
#pragma once

#include "daemon/http/exchange.h"
#include "daemon/http/listener.h"
#include "daemon/http/tokens.h"
#include "daemon/run/engine.h"

/* How the daemon is: asked for from the serving thread, must answer at once. */
struct http_operations {
    void *context;
    void (*metrics)(void *context, struct buffer *out); /* appends Prometheus text */
    bool (*ready)(void *context, struct buffer *why);   /* false, with why appended: it cannot work just now */
};

enum {
    ROUTES_MAX = 24,
    N_STATUS_CLASSES = 6
};
struct http_counts {
    uint64_t replies[ROUTES_MAX][N_STATUS_CLASSES]; /* by route (the last: none) and hundreds of the status */
    size_t n_streams, n_connections;
};
size_t route_number(const struct exchange *exchange); /* in replies */

/* What answers are made from. `state` is the answering thread's own; NULL for routes that need none. */
struct answering {
    struct engine *engine;
    const struct tokens *tokens;
    const struct http_operations *operations;
    const struct http_counts *counts;
    struct listener *listener; /* NULL in the clerks' */
    struct state *state;
};

enum access {
    ACCESS_OPEN,   /* anybody, without a token */
    ACCESS_ANY,    /* any token */
    ACCESS_TENANT, /* a token of the path's tenant, or of all */
    ACCESS_ALL     /* a token of all tenants */
};

/* Who answers. */
enum answerer {
    AT_ONCE,  /* the thread that serves */
    BY_CLERK, /* from Redis, by a clerk */
    BY_FIRST  /* the same, but only by the first of them: of what takes long there is never more than one under way */
};

struct route {
    const char *path; /* "{tenant}", "{report}" and "{file}" stand for a part of it */
    unsigned methods; /* bits of enum method; GET brings HEAD */
    enum access access;
    enum answerer by;
    void (*answer)(const struct answering *with, struct exchange *exchange);
    const char *const *arguments; /* names the query string may hold; NULL: none */
};

/* Finds the route, and whether this request may take it. False: it is answered already, with what is wrong. */
bool route_choose(const struct answering *with, struct exchange *exchange);

/* Appends one event of a stream: report and version; an empty report: of the alerts (without an id: who comes back reads them). */
void update_write(struct span report, int64_t version, struct buffer *out);

/* Can the shelf answer it: a report as JSON? */
bool is_report_document(const struct answering *with, const struct exchange *exchange);

/* One per route. */
void answer_page(const struct answering *with, struct exchange *exchange);
void answer_tenants(const struct answering *with, struct exchange *exchange);
void answer_reports(const struct answering *with, struct exchange *exchange);
void answer_report(const struct answering *with, struct exchange *exchange);
void answer_query(const struct answering *with, struct exchange *exchange);
void answer_alerts(const struct answering *with, struct exchange *exchange);
void answer_explain(const struct answering *with, struct exchange *exchange);
void answer_updates(const struct answering *with, struct exchange *exchange);
void answer_openapi(const struct answering *with, struct exchange *exchange);
void answer_catalogue(const struct answering *with, struct exchange *exchange);
void answer_metrics(const struct answering *with, struct exchange *exchange);
void answer_readyz(const struct answering *with, struct exchange *exchange);
void answer_healthz(const struct answering *with, struct exchange *exchange);
