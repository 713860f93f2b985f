/* Asks sentinels, one after the other, over a blocking connection each: this is done only when the master is lost. */
#include "daemon/state/sentinel.h"

#include "daemon/state/tls.h"

#include <stdio.h>
#include <stdlib.h>

static redisContext *reach(const struct address *address, const struct endpoint *sentinel, const char *ca_file, int timeout_ms,
                           struct error *error)
{
    struct timeval timeout = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
    redisContext *context = redisConnectWithTimeout(sentinel->host, sentinel->port, timeout);
    REQUIRE(context != NULL);
    if (context->err)
        fail(error, "%s", context->errstr);
    else if (redisSetTimeout(context, timeout) == REDIS_OK &&
             (!address->is_tls || tls_start(context, sentinel->host, ca_file, timeout, error)))
        return context;
    redisFree(context);
    return NULL;
}

/* A sentinel without a password answers with an error, which is none; with another one it refuses the question itself. */
static void authenticate(redisContext *context, const struct address *address)
{
    redisReply *reply = NULL;
    if (address->user[0])
        reply = redisCommand(context, "AUTH %s %s", address->user, address->password);
    else if (address->password[0])
        reply = redisCommand(context, "AUTH %s", address->password);
    if (reply) freeReplyObject(reply);
}

/* [host, port], as a sentinel names the master. */
static bool take_master(struct address *address, const redisReply *reply, struct error *error)
{
    if (reply->type == REDIS_REPLY_ERROR) return fail(error, "%.200s", reply->str);
    if (reply->type == REDIS_REPLY_NIL) return fail(error, "knows no master \"%s\"", address->master);
    bool two = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->type == REDIS_REPLY_STRING &&
               reply->element[1]->type == REDIS_REPLY_STRING;
    int port = two ? atoi(reply->element[1]->str) : 0;
    if (!two || !reply->element[0]->len || reply->element[0]->len >= sizeof address->host || port < 1 || port > 65535)
        return fail(error, "answered in a form of its own");
    address_lead(address, reply->element[0]->str, port);
    return true;
}

static bool ask(struct address *address, const struct endpoint *sentinel, const char *ca_file, int timeout_ms,
                struct error *error)
{
    redisContext *context = reach(address, sentinel, ca_file, timeout_ms, error);
    if (!context) return false;
    authenticate(context, address);
    redisReply *reply = redisCommand(context, "SENTINEL get-master-addr-by-name %s", address->master);
    bool found = reply ? take_master(address, reply, error) : fail(error, "%s", context->errstr);
    if (reply) freeReplyObject(reply);
    redisFree(context);
    return found;
}

static void ask_first(struct address *address, size_t i)
{
    struct endpoint sentinel = address->seeds[i];
    memmove(address->seeds + 1, address->seeds, i * sizeof sentinel);
    address->seeds[0] = sentinel;
}

bool sentinel_find(struct address *address, const char *ca_file, int timeout_ms, struct error *error)
{
    struct error why = { "" };
    for (size_t i = 0; i < address->n_seeds; i++) {
        struct error this = { "" };
        if (ask(address, &address->seeds[i], ca_file, timeout_ms, &this)) {
            ask_first(address, i);
            return true;
        }
        fail(&why, "sentinel %s:%d: %s", address->seeds[i].host, address->seeds[i].port, this.text);
    }
    return fail(error, "redis %s: none of %zu sentinels knows where it is; %s", address->master, address->n_seeds, why.text);
}
