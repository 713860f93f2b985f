#include "daemon/state/alerts.h"

#include "daemon/state/keys.h"
#include "daemon/state/server.h"

enum {
    ARGUMENTS_HEAD = 10, /* EVALSHA, hash, number of keys, four keys, three versions */
    ARGUMENTS_CHANGE = 5
};

bool state_redis_alerts(struct state *state, const char *prefix, struct span tenant, struct alerts_stored *stored,
                        struct arena *arena, enum outcome *outcome, struct error *error)
{
    struct hash_read reads[] = { { .key = key_alerts(arena, prefix, tenant) },
                                 { .key = key_alerts_unsent(arena, prefix, tenant) },
                                 { .key = key_alerts_unposted(arena, prefix, tenant) } };
    if (!state->ops->read_atomic(state, reads, 3, arena, outcome, error)) return false;
    *stored = (struct alerts_stored){ .rows = reads[0].values,
                                      .n_rows = reads[0].n_values,
                                      .unsent = reads[1].values,
                                      .n_unsent = reads[1].n_values,
                                      .unposted = reads[2].values,
                                      .n_unposted = reads[2].n_values };
    return true;
}

static void ask_keys(struct connection *connection, const char *prefix, struct span tenant)
{
    struct arena arena = { 0 };
    request_number(connection, 4);
    request_argument(connection, key_alerts(&arena, prefix, tenant));
    request_argument(connection, key_alerts_unsent(&arena, prefix, tenant));
    request_argument(connection, key_alerts_unposted(&arena, prefix, tenant));
    request_argument(connection, key_state(&arena, prefix, tenant));
    arena_deinit(&arena);
}

static void ask_commit(struct server *server, const char *prefix, const struct alerts_commit *commit)
{
    struct connection *connection = server->connection;
    request_begin(connection, ARGUMENTS_HEAD + ARGUMENTS_CHANGE * commit->n);
    request_argument(connection, SPAN("EVALSHA"));
    request_argument(connection, span_of(server->alerts.hash));
    ask_keys(connection, prefix, commit->tenant);
    request_number(connection, commit->expected);
    request_number(connection, commit->tenant_version);
    request_number(connection, commit->version);
    for (size_t i = 0; i < commit->n; i++) {
        const struct alerts_change *change = &commit->changes[i];
        request_argument(connection, change->row);
        request_argument(connection, change->text);
        request_argument(connection, change->name);
        request_argument(connection, change->event);
        request_argument(connection, change->posted ? SPAN("1") : SPAN(""));
    }
}

/* Loads the script first where that is needed: twice at most. */
static redisReply *run_commit(struct server *server, const char *prefix, const struct alerts_commit *commit,
                              enum outcome *outcome, struct error *error)
{
    if (server->alerts.hash[0]) {
        ask_commit(server, prefix, commit);
        redisReply *reply = connection_answer(server->connection, error);
        *outcome = LOST;
        if (!reply || !reply_is_no_script(reply)) return connection_checked(server->connection, reply, outcome, error);
        reply_free(reply);
    }
    if (!script_load(server->connection, &server->alerts, outcome, error)) return NULL;
    ask_commit(server, prefix, commit);
    return connection_answer_ok(server->connection, outcome, error);
}

bool state_redis_alerts_commit(struct state *state, const char *prefix, struct alerts_commit *commit, enum outcome *outcome,
                               struct error *error)
{
    state = state_of_tenant(state, commit->tenant);
    struct connection *connection = server_ask(state);
    *outcome = REFUSED;
    if (ARGUMENTS_HEAD + ARGUMENTS_CHANGE * commit->n > REQUEST_ARGUMENTS_MAX)
        return fail(error, "%zu changed alerts at once are more than Redis takes", commit->n);
    redisReply *reply = run_commit(server_of(state), prefix, commit, outcome, error);
    if (reply && reply->elements == 2) {
        commit->answer = (enum alerts_answer)reply->element[0]->integer;
        commit->tenant_now = reply_number(reply->element[1]);
    }
    reply_free(reply);
    connection_settle(connection);
    return *outcome == DONE;
}

bool state_redis_alerts_note(struct state *state, const char *prefix, struct span tenant, bool posted, struct span name,
                             enum outcome *outcome, struct error *error)
{
    state = state_of_tenant(state, tenant);
    struct connection *connection = server_ask(state);
    struct arena arena = { 0 };
    request_begin(connection, 3);
    request_argument(connection, SPAN("HDEL"));
    request_argument(connection,
                     posted ? key_alerts_unposted(&arena, prefix, tenant) : key_alerts_unsent(&arena, prefix, tenant));
    request_argument(connection, name);
    redisReply *reply = server_answer(state, outcome, error);
    reply_free(reply);
    arena_deinit(&arena);
    return *outcome == DONE;
}
