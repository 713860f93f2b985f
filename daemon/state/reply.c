/* Reading what Redis answered, and scripts, which it may have forgotten. */
#include "daemon/state/connection.h"

#include <stdio.h>
#include <stdlib.h>

struct span reply_text(const redisReply *reply)
{
    bool is_text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS || reply->type == REDIS_REPLY_ERROR;
    return is_text ? (struct span){ reply->str, reply->len } : SPAN("");
}

bool reply_is_list(const redisReply *reply, size_t n)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == n;
}

int64_t reply_number(const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_INTEGER) return reply->integer;
    return reply_text(reply).len ? strtoll(reply->str, NULL, 10) : 0;
}

struct span reply_copy(const redisReply *reply, struct arena *arena)
{
    if (reply->type == REDIS_REPLY_NIL) return NO_SPAN;
    struct span text = reply_text(reply);
    return text.len ? arena_copy(arena, text) : SPAN("");
}

bool reply_is_no_script(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

bool script_load(struct connection *connection, struct script *script, enum outcome *outcome, struct error *error)
{
    request_begin(connection, 3);
    request_argument(connection, SPAN("SCRIPT"));
    request_argument(connection, SPAN("LOAD"));
    request_argument(connection, (struct span){ script->text, script->bytes });
    redisReply *reply = connection_answer_ok(connection, outcome, error);
    if (!reply) return false;
    snprintf(script->hash, sizeof script->hash, "%.*s", SPAN_ARG(reply_text(reply)));
    reply_free(reply);
    return true;
}
