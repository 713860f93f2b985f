#include "daemon/state/replies.h"

#include "common/error.h"

#include <stddef.h>
#include <stdlib.h>

/* A whole answer knows where it lies. */
struct whole {
    struct replies *replies;
    redisReply reply;
};

#if HIREDIS_MAJOR >= 1
typedef size_t array_size;
#else
typedef int array_size;
#endif

static redisReply *create(const redisReadTask *task)
{
    struct replies *replies = task->privdata;
    if (task->parent) {
        const redisReply *parent = task->parent->obj;
        redisReply *part = arena_zalloc(&replies->arena, sizeof *part);
        part->type = task->type;
        return parent->element[task->idx] = part;
    }
    struct whole *whole = arena_zalloc(&replies->arena, sizeof *whole);
    whole->replies = replies;
    whole->reply.type = task->type;
    replies->n_taken++;
    return &whole->reply;
}

static void *create_string(const redisReadTask *task, char *text, size_t len)
{
    struct replies *replies = task->privdata;
    redisReply *reply = create(task);
    reply->str = arena_text(&replies->arena, (struct span){ text, len });
    reply->len = len;
    return reply;
}

static void *create_array(const redisReadTask *task, array_size n)
{
    struct replies *replies = task->privdata;
    redisReply *reply = create(task);
    reply->elements = (size_t)n;
    if (n) reply->element = arena_zalloc(&replies->arena, (size_t)n * sizeof *reply->element);
    return reply;
}

static void *create_integer(const redisReadTask *task, long long value)
{
    redisReply *reply = create(task);
    reply->integer = value;
    return reply;
}

/* The task is one of a string or an array. */
static void *create_nil(const redisReadTask *task)
{
    redisReply *reply = create(task);
    reply->type = REDIS_REPLY_NIL;
    return reply;
}

/* hiredis calls it, too: for an answer that it could not parse to its end. */
static void free_whole(void *reply)
{
    struct whole *whole = (struct whole *)((char *)reply - offsetof(struct whole, reply));
    struct replies *replies = whole->replies;
    REQUIRE(replies->n_taken > 0);
    if (--replies->n_taken == 0) arena_reset(&replies->arena);
}

void reply_free(redisReply *reply)
{
    if (reply) free_whole(reply);
}

/* Doubles and truth values are of RESP3, which nobody asks for. */
static redisReplyObjectFunctions functions = {
    .createString = create_string,
    .createArray = create_array,
    .createInteger = create_integer,
    .createNil = create_nil,
    .freeObject = free_whole,
};

void replies_use(struct replies *replies, redisReader *reader)
{
    reader->fn = &functions;
    reader->privdata = replies;
}

void replies_deinit(struct replies *replies)
{
    arena_deinit(&replies->arena);
}
