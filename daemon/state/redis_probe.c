#include "daemon/state/redis_probe.h"

#include "daemon/state/keys.h"
#include "daemon/state/server.h"

#include <inttypes.h>
#include <stdlib.h>

/* Cells are short texts in hashes: compact up to here, several times larger beyond. */
enum {
    LISTPACK_ENTRIES = 512,
    LISTPACK_VALUE_BYTES = 512,
    OLDEST_MAJOR = 7 /* the commit script asks for its rights before it writes */
};

static void check_server(const struct redis_identity *identity, const char *where, struct findings *findings)
{
    problem_add(&findings->good, "redis.url", "%s answers: version %s, %s", where, identity->version,
                identity->is_cluster ? "a node of a cluster" : "a single server");
    if (atoi(identity->version) < OLDEST_MAJOR)
        problem_add(&findings->wrong, "redis.url", "found version %s, expected %d or newer", identity->version, OLDEST_MAJOR);
    if (!identity->is_master) problem_add(&findings->wrong, "redis.url", "%s is a replica, expected the master", where);
}

static void check_memory(const struct redis_identity *identity, struct findings *findings)
{
    const char *policy = identity->maxmemory_policy;
    if (!policy[0]) return;
    bool evicts_all = !strncmp(policy, "allkeys-", 8);
    if (evicts_all && identity->maxmemory_bytes)
        problem_add(&findings->wrong, "redis.url", "found maxmemory-policy %s, expected noeviction: it throws counters away",
                    policy);
    else if (strcmp(policy, "noeviction") != 0)
        problem_add(&findings->advice, "redis.url",
                    "maxmemory-policy is %s: set noeviction before a memory limit makes it throw away", policy);
    else
        problem_add(&findings->good, "redis.url", "maxmemory %" PRId64 " (0: no limit), maxmemory-policy noeviction",
                    identity->maxmemory_bytes);
}

static void check_hash(const char *name, int64_t found, int64_t least, struct findings *findings)
{
    if (found >= 0 && found < least)
        problem_add(&findings->advice, "redis.url", "%s is %" PRId64 ": %" PRId64 " or more keeps counters several times smaller",
                    name, found, least);
}

static void check_configuration(const struct redis_identity *identity, struct findings *findings)
{
    check_memory(identity, findings);
    check_hash("hash-max-listpack-entries", identity->hash_max_listpack_entries, LISTPACK_ENTRIES, findings);
    check_hash("hash-max-listpack-value", identity->hash_max_listpack_value_bytes, LISTPACK_VALUE_BYTES, findings);
    if (identity->aof_enabled)
        problem_add(&findings->good, "redis.url", "appendonly yes");
    else
        problem_add(&findings->advice, "redis.url",
                    "appendonly is no: after a crash all since the last dump is read again from Kafka, if it still has it");
    if (identity->wants_all_shards)
        problem_add(&findings->advice, "redis.url",
                    "cluster-require-full-coverage is yes: while one shard is out nobody is served, set it to no on every node");
    if (!identity->maxmemory_policy[0] || identity->hash_max_listpack_entries < 0)
        problem_add(&findings->advice, "redis.user",
                    "this user may not run CONFIG GET: what was not named here make sure of yourself "
                    "(maxmemory-policy noeviction, appendonly yes, hash-max-listpack-entries and -value %d)",
                    LISTPACK_ENTRIES);
}

/* A commit that expects a version which no tenant has: the server must let it run, and it changes nothing. */
static bool may_commit(struct state *state, const char *prefix, struct error *error)
{
    struct arena arena = { 0 };
    struct span tenant = SPAN("crm-reportd-check");
    struct commit commit = { .tenant = tenant, .version = 1 };
    commit.state_key = key_state(&arena, prefix, tenant);
    commit.timers_key = key_timers(&arena, prefix, tenant);
    bool answered = state->ops->commit_begin(state, &commit, 1, error) && state->ops->commit_end(state, error);
    arena_deinit(&arena);
    return answered && commit.outcome == CONFLICT;
}

/* Both ways of a commit: where transactions are not allowed it goes by script all the same. */
static void check_rights(struct state *state, const char *prefix, struct findings *findings)
{
    struct error error = { "" };
    if (may_commit(state, prefix, &error))
        problem_add(&findings->good, "redis.user", "may run the commit script on %s:*", prefix);
    else
        problem_add(&findings->wrong, "redis.user", "cannot commit: %s (needs ~%s:* &%s:* +@read +@write +@scripting)",
                    error.text, prefix, prefix);
    if (!is_server(state)) return;
    struct commits *commits = &server_of(state)->commits;
    commits->way = COMMIT_IN_TRANSACTION;
    if (may_commit(state, prefix, &error) && commits->way == COMMIT_BY_SCRIPT)
        problem_add(&findings->advice, "redis.user",
                    "may not run TIME, WATCH and MULTI: large commits go by script, which costs Redis nearly twice as much "
                    "(+@transaction)");
}

static void look_at_server(struct state *server, bool in_cluster, struct findings *findings)
{
    struct redis_identity identity = { 0 };
    struct error error = { "" };
    enum outcome outcome;
    if (!state_redis_identity(server, &identity, &outcome, &error)) {
        problem_add(&findings->wrong, "redis.user", "%s", error.text);
        return;
    }
    check_server(&identity, state_redis_where(server), findings);
    check_configuration(&identity, findings);
    if (identity.is_cluster && !in_cluster)
        problem_add(&findings->wrong, "redis.url",
                    "%s is a node of a cluster and does not hold all keys, expected redis-cluster://host:port,…",
                    state_redis_where(server));
}

static void look_at_servers(struct state *state, struct findings *findings)
{
    struct state *server;
    for (size_t i = 0; (server = state_redis_server(state, i)); i++)
        if (state_redis_connected(server)) look_at_server(server, server != state, findings);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void redis_probe(const struct settings *settings, int64_t timeout_ms, struct findings *findings)
{
    const struct redis_settings redis = {
        .url = settings->redis.url,
        .user = settings->redis.user,
        .password = settings->redis.password,
        .ca_file = settings->redis.ca_file,
        .client_name = "crm-reportd-check",
        .connect_timeout_ms = smaller(settings->redis.connect_timeout_ms, timeout_ms),
        .command_timeout_ms = smaller(settings->redis.command_timeout_ms, timeout_ms),
    };
    struct error error = { "" };
    struct state *state = state_redis_create(&redis);
    if (state_redis_connect(state, &error)) {
        if (error.text[0]) problem_add(&findings->wrong, "redis.url", "%s", error.text);
        look_at_servers(state, findings);
        check_rights(state, settings->prefix, findings);
    } else {
        problem_add(&findings->wrong, "redis.url", "%s", error.text);
    }
    state->ops->destroy(state);
}
