/* What the parts of the Redis adapter share: a state that is one server, its connection and the commits under way; and how the
 * server of a key is found where there are several (cluster.c). */
#pragma once

#include "daemon/state/commit.h"

struct server {
    struct state state;
    struct connection *connection;
    struct commits commits;
    struct script publish, alerts;
};

extern const struct state_ops server_ops;

static inline bool is_server(const struct state *state)
{
    return state->ops == &server_ops;
}

static inline struct server *server_of(struct state *state)
{
    REQUIRE(is_server(state));
    return (struct server *)state;
}

/* Takes ownership of the connection. */
struct server *server_create(struct connection *connection);

/* The server, itself a state, that has the tenant's keys; or this key. Never NULL: where nobody has it, a server that cannot be
 * reached. Valid until the next state_redis_connect. */
struct state *state_of_tenant(struct state *state, struct span tenant);
struct state *state_of_key(struct state *state, struct span key);

/* Of a server: its connection, free for a question. Answers of commits under way are taken first. Settle it after the
 * last answer. */
struct connection *server_ask(struct state *state);

/* One question of texts, whose answer is in order. */
redisReply *server_answer(struct state *state, enum outcome *outcome, struct error *error) MUST_USE;
/* The same where it is a pair: what stands between may give another answer than Redis does. */
redisReply *server_answer_pair(struct state *state, enum outcome *outcome, struct error *error) MUST_USE;
/* An answer that is none of Redis's: REFUSED. False. */
bool server_refuse(struct state *state, enum outcome *outcome, struct error *error);

/* Reads of one server on their way, a portion at a time: asked for and then answered, until `answered` is `n`. */
struct server_reading {
    struct connection *connection;
    struct hash_read *reads;
    size_t n, asked, answered;
    enum outcome outcome; /* not DONE: ask for no more */
};
/* Answers of commits under way are taken first. A read that is too large for Redis: outcome REFUSED. */
struct server_reading server_reading_begin(struct server *server, struct hash_read *reads, size_t n, struct error *error);
void server_reading_ask(struct server_reading *reading, struct error *error);
void server_reading_answer(struct server_reading *reading, struct arena *arena, struct error *error);
bool server_reading_is_over(const struct server_reading *reading);
