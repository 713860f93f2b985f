/* The routes: a row for each path, with who may ask and who answers. */
#pragma once

#include "daemon/http/exchange.h"
#include "daemon/http/tokens.h"
#include "daemon/run/engine.h"

/* What answers are made from. `state` is the answering thread's own; NULL for routes that need none. */
struct answering {
    struct engine *engine;
    const struct tokens *tokens;
    struct state *state;
};

enum access {
    ACCESS_OPEN,   /* anybody, without a token */
    ACCESS_ANY,    /* any token */
    ACCESS_TENANT, /* a token of the path's tenant, or of all */
    ACCESS_ALL     /* a token of all tenants */
};

struct route {
    const char *path; /* "{tenant}", "{report}" and "{file}" stand for a part of it */
    unsigned methods; /* bits of enum method; GET brings HEAD */
    enum access access;
    bool redis; /* is answered from Redis, by a clerk; else at once, by the thread that serves */
    void (*answer)(const struct answering *with, struct exchange *exchange);
    const char *const *arguments; /* names the query string may hold; NULL: none */
};

/* Finds the route, and whether this request may take it. False: it is answered already, with what is wrong. */
bool route_choose(const struct answering *with, struct exchange *exchange);

/* Appends one event of a stream: report and version. */
void update_write(struct span report, int64_t version, struct buffer *out);

/* One per route. */
void answer_page(const struct answering *with, struct exchange *exchange);
void answer_tenants(const struct answering *with, struct exchange *exchange);
void answer_reports(const struct answering *with, struct exchange *exchange);
void answer_report(const struct answering *with, struct exchange *exchange);
void answer_query(const struct answering *with, struct exchange *exchange);
void answer_alerts(const struct answering *with, struct exchange *exchange);
void answer_updates(const struct answering *with, struct exchange *exchange);
void answer_openapi(const struct answering *with, struct exchange *exchange);
void answer_catalogue(const struct answering *with, struct exchange *exchange);
void answer_healthz(const struct answering *with, struct exchange *exchange);
