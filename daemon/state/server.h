/* What the parts of the Redis adapter share: a state, its connection and the commits under way. */
#pragma once

#include "daemon/state/commit.h"

struct server {
    struct state state;
    struct connection *connection;
    struct commits commits;
    struct script publish, alerts;
};

extern const struct state_ops server_ops;

static inline struct server *server_of(struct state *state)
{
    REQUIRE(state->ops == &server_ops);
    return (struct server *)state;
}

/* Of any Redis state: its connection, free for a question. Answers of commits under way are taken first. Settle it after the
 * last answer. */
struct connection *server_ask(struct state *state);

/* One question of texts, whose answer is in order. */
redisReply *server_answer(struct state *state, enum outcome *outcome, struct error *error) MUST_USE;
