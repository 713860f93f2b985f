#include "daemon/state/switch.h"

#include "daemon/state/server.h"

extern const char embedded_switch_lua[];
extern const unsigned long embedded_switch_lua_bytes;

static size_t count_arguments(const struct switch_over *over)
{
    return 3 + 2 + over->n_old + 2 * over->n_new + 3 + over->n_fields; /* EVAL, script, number of keys; keys; arguments */
}

static void ask(struct connection *connection, const struct switch_over *over)
{
    request_begin(connection, count_arguments(over));
    request_argument(connection, SPAN("EVAL"));
    request_argument(connection, (struct span){ embedded_switch_lua, embedded_switch_lua_bytes });
    request_number(connection, (int64_t)(2 + over->n_old + 2 * over->n_new));
    request_argument(connection, over->state_key);
    request_argument(connection, over->copy_state_key);
    for (size_t i = 0; i < over->n_old; i++) request_argument(connection, over->old_keys[i]);
    for (size_t i = 0; i < over->n_new; i++) {
        request_argument(connection, over->copy_keys[i]);
        request_argument(connection, over->new_keys[i]);
    }
    request_number(connection, over->version);
    request_number(connection, over->copy_version);
    request_number(connection, (int64_t)over->n_old);
    for (size_t i = 0; i < over->n_fields; i++) request_argument(connection, over->fields[i]);
}

bool state_redis_switch(struct state *state, struct switch_over *over, enum outcome *outcome, struct error *error)
{
    state = state_of_key(state, over->state_key);
    struct connection *connection = server_ask(state);
    *outcome = REFUSED;
    if (count_arguments(over) > REQUEST_ARGUMENTS_MAX)
        return fail(error, "a tenant of %zu keys is more than Redis takes in one step", over->n_old + over->n_new);
    ask(connection, over);
    redisReply *reply = server_answer(state, outcome, error);
    if (!reply) return false;
    over->switched = reply->elements == 2 && reply->element[0]->integer == 1;
    over->version_new = reply->elements == 2 ? reply_number(reply->element[1]) : 0;
    reply_free(reply);
    return true;
}

bool state_redis_remove(struct state *state, const struct span *keys, size_t n, enum outcome *outcome, struct error *error)
{
    *outcome = DONE;
    if (!n) return true;
    state = state_of_key(state, keys[0]);
    struct connection *connection = server_ask(state);
    *outcome = REFUSED;
    if (n + 1 > REQUEST_ARGUMENTS_MAX) return fail(error, "%zu keys are more than Redis takes in one step", n);
    request_begin(connection, n + 1);
    request_argument(connection, SPAN("UNLINK"));
    for (size_t i = 0; i < n; i++) request_argument(connection, keys[i]);
    redisReply *reply = server_answer(state, outcome, error);
    reply_free(reply);
    return reply != NULL;
}
