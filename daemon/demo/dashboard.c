#include "daemon/demo/dashboard.h"

#include <hiredis/hiredis.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WAIT_S = 5
};

struct dashboard {
    redisContext *ask, *hints;
    redisReply *document; /* the last one given out */
    char prefix[72];
};

static redisContext *connect_to(const char *socket, struct error *error)
{
    redisContext *context = redisConnectUnixWithTimeout(socket, (struct timeval){ .tv_sec = WAIT_S });
    if (context && !context->err) return context;
    fail(error, "Redis at %s: %s", socket, context ? context->errstr : "no memory");
    if (context) redisFree(context);
    return NULL;
}

static bool subscribe(struct dashboard *dashboard, struct error *error)
{
    redisReply *reply = redisCommand(dashboard->hints, "PSUBSCRIBE %s:{*}:reports", dashboard->prefix);
    if (reply) freeReplyObject(reply);
    return reply || fail(error, "Redis: %s", dashboard->hints->errstr);
}

struct dashboard *dashboard_connect(const char *socket, const char *prefix, struct error *error)
{
    struct dashboard *dashboard = must_zalloc(sizeof *dashboard);
    snprintf(dashboard->prefix, sizeof dashboard->prefix, "%s", prefix);
    dashboard->ask = connect_to(socket, error);
    if (dashboard->ask) dashboard->hints = connect_to(socket, error);
    if (dashboard->hints && subscribe(dashboard, error)) return dashboard;
    dashboard_close(dashboard);
    return NULL;
}

void dashboard_close(struct dashboard *dashboard)
{
    if (!dashboard) return;
    if (dashboard->document) freeReplyObject(dashboard->document);
    if (dashboard->ask) redisFree(dashboard->ask);
    if (dashboard->hints) redisFree(dashboard->hints);
    free(dashboard);
}

int dashboard_descriptor(const struct dashboard *dashboard)
{
    return dashboard->hints->fd;
}

void dashboard_read(struct dashboard *dashboard)
{
    struct pollfd hints = { dashboard->hints->fd, POLLIN, 0 };
    /* what is wrong stays in the context */
    while (poll(&hints, 1, 0) > 0 && redisBufferRead(dashboard->hints) == REDIS_OK) continue;
}

/* ["pmessage", pattern, "crm:{acme}:reports", "{\"report\":\"pipeline\",\"version\":1842}"] */
static bool read_hint(const redisReply *reply, struct dashboard_hint *hint)
{
    const char *report;
    json_int_t version;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 4 || strcmp(reply->element[0]->str, "pmessage") != 0) return false;
    if (sscanf(reply->element[2]->str, "%*[^{]{%71[^}]}", hint->tenant) != 1) return false;
    json_t *message = json_loadb(reply->element[3]->str, reply->element[3]->len, 0, NULL);
    bool fine = message && json_unpack(message, "{s:s, s:I}", "report", &report, "version", &version) == 0;
    if (fine) {
        snprintf(hint->report, sizeof hint->report, "%s", report);
        hint->version = version;
    }
    json_decref(message);
    return fine;
}

bool dashboard_next(struct dashboard *dashboard, struct dashboard_hint *hint, struct error *error)
{
    void *reply = NULL;
    bool found = false;
    while (!found && redisGetReplyFromReader(dashboard->hints, &reply) == REDIS_OK && reply) {
        found = read_hint(reply, hint);
        freeReplyObject(reply);
    }
    if (dashboard->hints->err) fail(error, "Redis: %s", dashboard->hints->errstr);
    return found;
}

struct span dashboard_get(struct dashboard *dashboard, const char *tenant, const char *report, struct error *error)
{
    if (dashboard->document) freeReplyObject(dashboard->document);
    dashboard->document = redisCommand(dashboard->ask, "GET %s:{%s}:report:%s", dashboard->prefix, tenant, report);
    if (!dashboard->document) fail(error, "Redis: %s", dashboard->ask->errstr);
    if (!dashboard->document || dashboard->document->type != REDIS_REPLY_STRING) return NO_SPAN;
    return (struct span){ dashboard->document->str, dashboard->document->len };
}
