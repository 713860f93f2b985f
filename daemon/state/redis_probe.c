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

static const char expected_rights[] = "expected the rights of crm-reportd in config/users.acl";

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

/* Is given commands, and returns those that this user may not run. */
static const char may_run_text[] = "local missing = {}\n"
                                   "for _, line in ipairs(ARGV) do\n"
                                   "  local words = {}\n"
                                   "  for word in string.gmatch(line, '%S+') do words[#words + 1] = word end\n"
                                   "  if not redis.acl_check_cmd(unpack(words)) then missing[#missing + 1] = words[1] end\n"
                                   "end\n"
                                   "return table.concat(missing, ' ')\n";

/* What the daemon and its commands run, each with a key or a channel (%) of the prefix, or the pattern of all (&). */
static const char *const needed[] = {
    "GET %",        "MGET %",      "MSET % v",     "SET % v",   "SETRANGE % 0 v",      "DEL %",    "UNLINK %",
    "EXISTS %",     "RENAME % %",  "HGET % f",     "HMGET % f", "HGETALL %",           "HLEN %",   "HSET % f v",
    "HSETNX % f v", "HDEL % f",    "ZADD % 1 m",   "ZREM % m",  "ZRANGEBYSCORE % 0 1", "SADD % m", "SSCAN % 0",
    "TIME",         "PUBLISH % m", "PSUBSCRIBE &", NULL,
};

/* Who may begin a transaction must be able to end it; who may not commits by script. */
static const char *const of_transactions[] = { "WATCH %", "MULTI", "EXEC", "DISCARD", "UNWATCH", NULL };

static void ask_may_run(struct connection *connection, const char *prefix, const char *const *commands)
{
    struct buffer line = { 0 };
    size_t n = 0;
    while (commands[n]) n++;
    request_begin(connection, 3 + n);
    request_argument(connection, SPAN("EVAL"));
    request_argument(connection, span_of(may_run_text));
    request_number(connection, 0);
    for (size_t i = 0; i < n; i++) {
        buffer_clear(&line);
        for (const char *c = commands[i]; *c; c++) {
            if (*c == '%' || *c == '&')
                buffer_printf(&line, "%s:%s", prefix, *c == '%' ? "check" : "*");
            else
                buffer_byte(&line, (uint8_t)*c);
        }
        request_argument(connection, buffer_all(&line));
    }
    buffer_deinit(&line);
}

/* Those that may not run, with blanks between, in the arena; NULL after saying why it cannot be asked. */
static const char *find_denied(struct state *server, const char *prefix, const char *const *commands, struct arena *arena,
                               struct findings *findings)
{
    struct error error = { "" };
    enum outcome outcome;
    ask_may_run(server_ask(server), prefix, commands);
    redisReply *reply = server_answer(server, &outcome, &error);
    const char *denied = reply ? arena_text(arena, reply_text(reply)) : NULL;
    reply_free(reply);
    if (!denied) problem_add(&findings->wrong, "redis.user", "%s (%s)", error.text, expected_rights);
    return denied;
}

static bool check_needed(struct state *server, const char *prefix, struct arena *arena, struct findings *findings)
{
    const char *denied = find_denied(server, prefix, needed, arena, findings);
    if (denied && *denied)
        problem_add(&findings->wrong, "redis.user", "may not run %s on %s:* of %s (%s)", denied, prefix,
                    state_redis_where(server), expected_rights);
    return denied && !*denied;
}

static bool check_transactions(struct state *server, const char *prefix, struct arena *arena, struct findings *findings)
{
    const char *denied = find_denied(server, prefix, of_transactions, arena, findings);
    if (!denied) return false;
    bool begins = strncmp(denied, "WATCH", 5) != 0 && !strstr(denied, "MULTI");
    if (begins && *denied)
        problem_add(&findings->wrong, "redis.user", "may run WATCH and MULTI on %s, but not %s, without which none ends (%s)",
                    state_redis_where(server), denied, expected_rights);
    return !begins || !*denied;
}

/* False, after saying so: some of what the daemon runs is denied. */
static bool check_commands(struct state *server, const char *prefix, struct findings *findings)
{
    struct arena arena = { 0 };
    bool fine = check_needed(server, prefix, &arena, findings) && check_transactions(server, prefix, &arena, findings);
    arena_deinit(&arena);
    return fine;
}

/* Redis loads an append-only file in the name of its user "default", and leaves out every transaction that this user may not write. */
static void check_default_user(struct state *server, const char *prefix, struct findings *findings)
{
    struct error error = { "" };
    enum outcome outcome;
    struct buffer key = { 0 };
    struct connection *connection = server_ask(server);
    buffer_printf(&key, "%s:check", prefix);
    request_begin(connection, 7);
    for (const char *const *word = (const char *const[]){ "ACL", "DRYRUN", "default", "HSET", NULL }; *word; word++)
        request_argument(connection, span_of(*word));
    request_argument(connection, buffer_all(&key));
    request_argument(connection, SPAN("field"));
    request_argument(connection, SPAN("value"));
    redisReply *reply = server_answer(server, &outcome, &error); /* NULL: this user may not ask */
    if (reply && !(reply->len == 2 && !memcmp(reply->str, "OK", 2)))
        problem_add(&findings->wrong, "redis.url",
                    "the user default of %s may not write %s:*: in its name Redis loads the append-only file, so a restart would "
                    "lose all commits since its last rewrite; give it all rights, and no way in (config/users.acl)",
                    state_redis_where(server), prefix);
    reply_free(reply);
    buffer_deinit(&key);
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

/* Both ways of a commit: where transactions are not allowed it goes by script all the same. `fine`: of what it runs nothing is
 * denied, so that what it may begin it may do. */
static void check_rights(struct state *state, const char *prefix, bool fine, struct findings *findings)
{
    struct error error = { "" };
    bool commits = may_commit(state, prefix, &error);
    if (!commits)
        problem_add(&findings->wrong, "redis.user", "cannot commit: %s (%s)", error.text, expected_rights);
    else if (fine)
        problem_add(&findings->good, "redis.user", "may run the commit script on %s:*", prefix);
    if (!is_server(state)) return;
    struct commits *queue = &server_of(state)->commits;
    queue->way = COMMIT_IN_TRANSACTION;
    if (may_commit(state, prefix, &error) && queue->way == COMMIT_BY_SCRIPT)
        problem_add(&findings->advice, "redis.user",
                    "may not run WATCH and MULTI: large commits go by script, which costs Redis nearly twice as much (%s)",
                    expected_rights);
}

/* False, after saying so: this user may not do there what the daemon does. */
static bool look_at_server(struct state *server, bool in_cluster, const char *prefix, struct findings *findings)
{
    struct redis_identity identity = { 0 };
    struct error error = { "" };
    enum outcome outcome;
    if (!state_redis_identity(server, &identity, &outcome, &error)) {
        problem_add(&findings->wrong, "redis.user", "%s (%s)", error.text, expected_rights);
        return false;
    }
    check_server(&identity, state_redis_where(server), findings);
    check_configuration(&identity, findings);
    if (identity.aof_enabled) check_default_user(server, prefix, findings);
    if (identity.is_cluster && !in_cluster)
        problem_add(&findings->wrong, "redis.url",
                    "%s is a node of a cluster and does not hold all keys, expected redis-cluster://host:port,…",
                    state_redis_where(server));
    bool can_be_asked = atoi(identity.version) >= OLDEST_MAJOR; /* else it is told already */
    return can_be_asked && check_commands(server, prefix, findings);
}

static bool look_at_servers(struct state *state, const char *prefix, struct findings *findings)
{
    struct state *server;
    bool fine = true;
    for (size_t i = 0; (server = state_redis_server(state, i)); i++)
        if (state_redis_connected(server)) fine &= look_at_server(server, server != state, prefix, findings);
    return fine;
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
        bool fine = look_at_servers(state, settings->prefix, findings);
        check_rights(state, settings->prefix, fine, findings);
    } else {
        problem_add(&findings->wrong, "redis.url", "%s", error.text);
    }
    state->ops->destroy(state);
}
