/* What a state in Redis says and leaves behind when Redis refuses, falls silent, dies, or is not what it was. */
#include "daemon/state/marks.h"
#include "daemon/state/redis.h"
#include "daemon/state/server.h"
#include "daemon/state/transaction.h"
#include "tests/unit/private_redis.h"
#include "tests/unit/unit.h"

#include <sys/stat.h>

static enum commit_way way; /* of all commits of the test */

struct fixture {
    struct private_redis redis;
    struct state *state;
    struct arena arena;
    struct error error; /* of the last operation */
};

enum {
    TIMEOUT_MS = 300
};

#define KEY(name) SPAN("crm:{t}:" name)

/* Touches whatever a commit can touch: sets and removes strings, sets and removes fields, sets and removes timers. */
static const struct string_write strings[] = { { SPAN("crm:{t}:s"), SPAN("1") }, { SPAN("crm:{t}:gone"), SPAN("") } };
static const struct hash_write writes[] = {
    { SPAN("crm:{t}:a"), SPAN("one"), SPAN("1") },
    { SPAN("crm:{t}:a"), SPAN("two"), { NULL, 0 } },
    { SPAN("crm:{t}:b"), SPAN("one"), SPAN("1") },
    { SPAN("crm:{t}:c"), SPAN("one"), SPAN("1") },
};
static const struct timer_write timers[] = { { SPAN("x"), 5 }, { SPAN("y"), NEVER } };

static struct commit commit_at(int64_t version)
{
    return (struct commit){ .tenant = SPAN("t"),
                            .state_key = KEY("state"),
                            .timers_key = KEY("timers"),
                            .version = version,
                            .strings = strings,
                            .n_strings = 2,
                            .writes = writes,
                            .n_writes = 4,
                            .timers = timers,
                            .n_timers = 2 };
}

/* Commits once; the outcome. */
static enum outcome try_commit(struct fixture *fixture, int64_t version, int64_t *version_new)
{
    struct commit commit = commit_at(version);
    fixture->error = (struct error){ 0 };
    bool begun = fixture->state->ops->commit_begin(fixture->state, &commit, 1, &fixture->error);
    bool good = begun && fixture->state->ops->commit_end(fixture->state, &fixture->error);
    assert_true(good == (commit.outcome == DONE || commit.outcome == CONFLICT));
    assert_true(good == !fixture->error.text[0]);
    if (version_new) *version_new = commit.version_new;
    return commit.outcome;
}

static void assert_says(const struct fixture *fixture, const char *what)
{
    if (!strstr(fixture->error.text, what)) fail_msg("\"%s\" does not say \"%s\"", fixture->error.text, what);
}

static void assert_refused(struct fixture *fixture, const char *says)
{
    assert_int_equal(try_commit(fixture, 0, NULL), REFUSED);
    assert_says(fixture, says);
}

static void assert_done(struct fixture *fixture)
{
    assert_int_equal(try_commit(fixture, 0, NULL), DONE);
    assert_int_equal(private_redis_do(&fixture->redis, "DBSIZE"), 6);
}

static void connect_again(struct fixture *fixture)
{
    fixture->error = (struct error){ 0 };
    bool good = state_redis_connect(fixture->state, &fixture->error);
    if (!good) print_error("%s\n", fixture->error.text);
    assert_true(good);
}

static struct state *create_state(const struct private_redis *redis, const char *user, const char *password)
{
    return state_redis_create(&(struct redis_settings){ .url = redis->url,
                                                        .user = user,
                                                        .password = password,
                                                        .connect_timeout_ms = 2000,
                                                        .command_timeout_ms = TIMEOUT_MS,
                                                        .commit_way = way });
}

static void not_connected(void **state)
{
    struct fixture *fixture = *state;
    struct state *other = create_state(&fixture->redis, NULL, NULL);
    enum outcome outcome;
    int64_t now_us;
    assert_false(state_redis_connected(other));
    assert_false(other->ops->clock(other, &now_us, &outcome, &fixture->error));
    assert_int_equal(outcome, LOST);
    assert_says(fixture, "not connected");
    other->ops->destroy(other);
}

static void out_of_memory(void **state)
{
    struct fixture *fixture = *state;
    private_redis_do(&fixture->redis, "CONFIG SET maxmemory 100kb");
    assert_refused(fixture, "is out of memory (maxmemory)");
    assert_int_equal(private_redis_do(&fixture->redis, "DBSIZE"), 0);
    assert_true(state_redis_connected(fixture->state));
    private_redis_do(&fixture->redis, "CONFIG SET maxmemory 0");
    assert_done(fixture);
}

static void read_only(void **state)
{
    struct fixture *fixture = *state;
    private_redis_do(&fixture->redis, "REPLICAOF 127.0.0.1 1");
    assert_refused(fixture, "is read only");
    assert_false(state_redis_connected(fixture->state)); /* the name may lead to another server by now */
    private_redis_do(&fixture->redis, "REPLICAOF NO ONE");
    connect_again(fixture);
    assert_done(fixture);
}

static void too_few_replicas(void **state)
{
    struct fixture *fixture = *state;
    private_redis_do(&fixture->redis, "CONFIG SET min-replicas-to-write 1");
    assert_refused(fixture, "too few replicas");
    assert_int_equal(private_redis_do(&fixture->redis, "DBSIZE"), 0);
    private_redis_do(&fixture->redis, "CONFIG SET min-replicas-to-write 0");
    assert_done(fixture);
}

/* The dump cannot be written: its name is taken by a folder. */
static void cannot_save(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/dump.rdb", fixture->redis.folder);
    assert_int_equal(mkdir(path, 0700), 0);
    freeReplyObject(redisCommand(fixture->redis.admin, "CONFIG SET save %s", "3600 1000000"));
    private_redis_do(&fixture->redis, "BGSAVE");
    for (int i = 0; i < 500 && !private_redis_says(&fixture->redis, "INFO persistence", "rdb_last_bgsave_status:err"); i++)
        usleep(10000);
    assert_refused(fixture, "cannot save to disk");
    assert_int_equal(private_redis_do(&fixture->redis, "DBSIZE"), 0);
    private_redis_do(&fixture->redis, "CONFIG SET stop-writes-on-bgsave-error no");
    assert_done(fixture);
    rmdir(path);
}

/* A key of another type, whichever it is: nothing is half written. */
static void wrong_type(void **state)
{
    struct fixture *fixture = *state;
    const char *const names[] = { "state", "timers", "a", "b", "c" };
    for (size_t i = 0; i < 5; i++) {
        char command[64];
        snprintf(command, sizeof command, "SET crm:{t}:%s x", names[i]);
        private_redis_do(&fixture->redis, command);
        assert_refused(fixture, "holds a key of another type");
        assert_int_equal(private_redis_do(&fixture->redis, "DBSIZE"), 1);
        private_redis_do(&fixture->redis, "FLUSHALL");
    }
    assert_done(fixture);
}

/* A right that is missing, whichever it is: nothing is half written. */
static void no_rights(void **state)
{
    struct fixture *fixture = *state;
    const char *const commands[] = { "hset", "hdel", "zadd", "zrem", "hget", "hlen", "mset", "del", "evalsha", "script" };
    size_t n = sizeof commands / sizeof commands[0];
    for (size_t i = 0; i < (way == COMMIT_BY_SCRIPT ? n : n - 2); i++) {
        char command[128];
        snprintf(command, sizeof command, "ACL SETUSER limited reset on >word ~crm:* +@all -%s", commands[i]);
        private_redis_do(&fixture->redis, command);
        struct state *whole = fixture->state;
        fixture->state = create_state(&fixture->redis, "limited", "word");
        connect_again(fixture);
        assert_refused(fixture, "does not allow this user");
        assert_int_equal(private_redis_do(&fixture->redis, "DBSIZE"), 0);
        fixture->state->ops->destroy(fixture->state);
        fixture->state = whole;
    }
    assert_done(fixture);
}

/* Who may not watch or begin a transaction commits by script: nothing is written outside of one. */
static void no_rights_for_a_transaction(void **state)
{
    struct fixture *fixture = *state;
    const char *const commands[] = { "watch", "multi", "time" };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char command[128];
        bool script = i < 2; /* without the clock there is none either */
        snprintf(command, sizeof command, "ACL SETUSER limited reset on >word ~crm:* +@all -%s", commands[i]);
        private_redis_do(&fixture->redis, command);
        private_redis_do(&fixture->redis, "CONFIG RESETSTAT");
        struct state *whole = fixture->state;
        fixture->state = create_state(&fixture->redis, "limited", "word");
        connect_again(fixture);
        int64_t version;
        assert_int_equal(try_commit(fixture, 0, &version), script ? DONE : REFUSED);
        if (script) assert_int_equal(try_commit(fixture, version, &version), DONE);
        if (script) assert_true(private_redis_says(&fixture->redis, "INFO commandstats", "cmdstat_evalsha:calls=2"));
        assert_int_equal(private_redis_do(&fixture->redis, "DBSIZE"), script ? 6 : 0);
        fixture->state->ops->destroy(fixture->state);
        fixture->state = whole;
        private_redis_do(&fixture->redis, "FLUSHALL");
    }
    assert_done(fixture);
    assert_true(
        private_redis_says(&fixture->redis, "INFO commandstats", way == COMMIT_BY_SCRIPT ? "cmdstat_evalsha" : "cmdstat_watch"));
}

/* Somebody's script does not end: that passes, and the way of commits stays what it was. */
static void busy_with_a_script(void **state)
{
    struct fixture *fixture = *state;
    private_redis_do(&fixture->redis, "CONFIG SET busy-reply-threshold 10");
    redisContext *other = private_redis_try(&fixture->redis);
    assert_non_null(other);
    int done = 0;
    redisAppendCommand(other, "EVAL %s 0", "while true do end");
    while (!done) assert_int_equal(redisBufferWrite(other, &done), REDIS_OK);
    for (int i = 0; i < 500 && !private_redis_says(&fixture->redis, "DBSIZE", "BUSY"); i++) usleep(10000);
    assert_refused(fixture, "is busy with somebody's script");
    assert_true(private_redis_says(&fixture->redis, "SCRIPT KILL", "OK"));
    for (int i = 0; i < 500 && private_redis_says(&fixture->redis, "DBSIZE", "BUSY"); i++) usleep(10000);
    redisFree(other);
    assert_done(fixture);
    bool watched = private_redis_says(&fixture->redis, "INFO commandstats", "cmdstat_exec:calls=1");
    assert_true(watched == (way == COMMIT_IN_TRANSACTION));
}

/* Someone changes what was looked at before EXEC: it does nothing, of no tenant. */
static void changed_behind_the_look(void **state)
{
    struct fixture *fixture = *state;
    const char *const changes[] = { "HSET crm:{t}:state version 7", "HSET crm:{t}:b other 1", "ZADD crm:{t}:timers 1 z",
                                    "SET crm:{t}:c x", "FLUSHALL" };
    struct commits *commits = &server_of(fixture->state)->commits;
    if (way == COMMIT_BY_SCRIPT) return;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct commit first = commit_at(0), second = commit_at(0);
        private_redis_do(&fixture->redis, "FLUSHALL");
        private_redis_do(&fixture->redis, "HSET crm:{t}:b one 1");
        second.state_key = SPAN("crm:{u}:state");
        second.timers_key = SPAN("crm:{u}:timers");
        second.n_strings = second.n_writes = 0;
        commits_begin(commits);
        commits_add(commits, &first);
        commits_add(commits, &second);
        commits->in_transaction = transaction_begin(commits);
        assert_true(commits->in_transaction && commits->n == 2);
        private_redis_do(&fixture->redis, changes[i]);
        transaction_send(commits);
        assert_true(commits_end(commits, &fixture->error));
        assert_int_equal(first.outcome, CONFLICT);
        assert_int_equal(second.outcome, CONFLICT);
        assert_int_equal(private_redis_do(&fixture->redis, "EXISTS crm:{u}:state crm:{u}:timers crm:{t}:s crm:{t}:a"), 0);
        assert_true(private_redis_do(&fixture->redis, "DBSIZE") <= 2);
    }
    private_redis_do(&fixture->redis, "FLUSHALL");
    assert_done(fixture);
}

/* A right is withdrawn after the commands that need it were queued: what Redis cannot undo is at least said. */
static void a_right_withdrawn_in_the_middle(void **state)
{
    struct fixture *fixture = *state;
    struct state *whole = fixture->state;
    static char large[14000]; /* with it the first commands are read, and the last ones not yet, when others have their turn */
    memset(large, 'x', sizeof large);
    struct string_write string = { KEY("s"), { large, sizeof large } };
    struct hash_write write = { KEY("a"), SPAN("one"), { large, sizeof large } };
    if (way == COMMIT_BY_SCRIPT) return;
    private_redis_do(&fixture->redis, "ACL SETUSER limited reset on >word ~crm:* +@all");
    fixture->state = create_state(&fixture->redis, "limited", "word");
    connect_again(fixture);
    struct commits *commits = &server_of(fixture->state)->commits;
    struct commit commit = commit_at(0);
    commit.strings = &string;
    commit.n_strings = 1;
    commit.writes = &write;
    commit.n_writes = 1;
    commits_begin(commits);
    commits_add(commits, &commit);
    commits->in_transaction = transaction_begin(commits);
    assert_true(commits->in_transaction);
    kill(fixture->redis.pid, SIGSTOP);
    transaction_send(commits);
    int done = 0;
    redisAppendCommand(fixture->redis.admin, "ACL SETUSER limited -mset");
    while (!done) assert_int_equal(redisBufferWrite(fixture->redis.admin, &done), REDIS_OK);
    kill(fixture->redis.pid, SIGCONT);
    assert_false(commits_end(commits, &fixture->error));
    assert_int_equal(commit.outcome, REFUSED);
    assert_says(fixture, "did a commit of tenant t in part");
    assert_says(fixture, "rebuild the tenant");
    void *reply = NULL;
    assert_int_equal(redisGetReply(fixture->redis.admin, &reply), REDIS_OK);
    freeReplyObject(reply);
    fixture->state->ops->destroy(fixture->state);
    fixture->state = whole;
}

/* By size: what is small is a script's, what is large a transaction's, unless it has very many keys. */
static void the_way_goes_by_size(void **state)
{
    struct fixture *fixture = *state;
    static char large[20000];
    memset(large, 'x', sizeof large);
    struct string_write string = { KEY("s"), { large, sizeof large } };
    struct state *by_size = state_redis_create(
        &(struct redis_settings){ .url = fixture->redis.url, .connect_timeout_ms = 2000, .command_timeout_ms = TIMEOUT_MS });
    assert_true(state_redis_connect(by_size, &fixture->error));
    enum {
        N = 1100
    };
    struct hash_write *hashes = arena_alloc(&fixture->arena, N * sizeof *hashes);
    for (int i = 0; i < N; i++) {
        char key[32];
        snprintf(key, sizeof key, "crm:{t}:%d", i);
        hashes[i] = (struct hash_write){ arena_copy(&fixture->arena, span_of(key)), SPAN("one"), SPAN("1") };
    }
    struct commit commit = commit_at(0);
    for (int i = 0; i < 3; i++) { /* small; large; large, but of very many keys */
        assert_true(by_size->ops->commit_begin(by_size, &commit, 1, &fixture->error));
        assert_true(by_size->ops->commit_end(by_size, &fixture->error));
        assert_int_equal(commit.outcome, DONE);
        commit.version = commit.version_new;
        assert_true(private_redis_says(&fixture->redis, "INFO commandstats",
                                       i < 2 ? "cmdstat_evalsha:calls=1" : "cmdstat_evalsha:calls=2"));
        assert_true(private_redis_says(&fixture->redis, "INFO commandstats", "cmdstat_exec:calls=1") == (i > 0));
        commit.strings = &string;
        commit.n_strings = 1;
        if (i == 1) commit.writes = hashes;
        if (i == 1) commit.n_writes = N;
    }
    by_size->ops->destroy(by_size);
}

static void wrong_password(void **state)
{
    struct fixture *fixture = *state;
    private_redis_do(&fixture->redis, "ACL SETUSER somebody on >right ~* +@all");
    struct state *other = create_state(&fixture->redis, "somebody", "h0rse-staple");
    assert_false(state_redis_connect(other, &fixture->error));
    assert_says(fixture, "does not accept this user and password");
    assert_null(strstr(fixture->error.text, "h0rse-staple"));
    other->ops->destroy(other);
    other = create_state(&fixture->redis, "somebody", "right");
    assert_true(state_redis_connect(other, &fixture->error));
    other->ops->destroy(other);
}

static void password_is_missing(void **state)
{
    struct fixture *fixture = *state;
    private_redis_do(&fixture->redis, "CONFIG SET requirepass right");
    struct state *other = create_state(&fixture->redis, NULL, NULL);
    assert_false(state_redis_connect(other, &fixture->error));
    assert_says(fixture, "asks for a password");
    other->ops->destroy(other);
}

/* Redis repeats the arguments of a command that it does not know. */
static void unknown_auth_shows_no_password(void **state)
{
    struct fixture *fixture = *state;
    struct private_redis without;
    private_redis_create(&without, "rename-command AUTH \"\"");
    struct state *other = create_state(&without, NULL, "h0rse-staple");
    assert_false(state_redis_connect(other, &fixture->error));
    assert_null(strstr(fixture->error.text, "h0rse-staple"));
    other->ops->destroy(other);
    private_redis_destroy(&without);
}

/* What stands between may answer with something else than Redis does. */
static void answers_of_another_form(void **state)
{
    struct fixture *fixture = *state;
    struct private_redis odd;
    int64_t now_us = 0;
    enum outcome outcome[3] = { DONE, DONE, DONE };
    struct timer *due;
    struct span *tenants;
    size_t n = 0;
    private_redis_create(&odd, "rename-command TIME A\nrename-command SSCAN B\nrename-command ZRANGEBYSCORE C\n"
                               "rename-command DBSIZE TIME\nrename-command MGET SSCAN\nrename-command UNLINK ZRANGEBYSCORE");
    struct state *other = create_state(&odd, NULL, NULL);
    assert_true(state_redis_connect(other, &fixture->error));
    assert_false(other->ops->clock(other, &now_us, &outcome[0], &fixture->error));
    assert_says(fixture, "answered in a form of its own");
    assert_false(tenants_all(other, "crm:", &tenants, &n, &fixture->arena, &outcome[1], &fixture->error));
    assert_false(other->ops->timers(other, KEY("timers"), 1, 1, &fixture->arena, &due, &n, &outcome[2], &fixture->error));
    for (int i = 0; i < 3; i++) assert_int_equal(outcome[i], REFUSED);
    other->ops->destroy(other);
    private_redis_destroy(&odd);
}

/* The same of what is read: neither more is taken than was asked for, nor what is not there. */
static void reads_answered_in_another_form(void **state)
{
    struct fixture *fixture = *state;
    struct private_redis odd;
    struct span field = SPAN("one");
    enum outcome outcome;
    private_redis_create(&odd, "rename-command MGET A\nrename-command HMGET B\nrename-command HGETALL C\nrename-command HLEN D\n"
                               "rename-command EXISTS MGET\nrename-command HDEL HMGET\nrename-command HVALS HGETALL\n"
                               "rename-command HKEYS HLEN");
    struct state *other = create_state(&odd, NULL, NULL);
    assert_true(state_redis_connect(other, &fixture->error));
    private_redis_do(&odd, "HSET crm:{t}:y a 1");
    struct hash_read reads[] = { { .key = KEY("x"), .is_string = true },
                                 { .key = KEY("y"), .fields = &field, .n_fields = 1 },
                                 { .key = KEY("y") },
                                 { .key = KEY("y"), .fields = &field } };
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        fixture->error = (struct error){ 0 };
        assert_false(other->ops->read(other, &reads[i], 1, &fixture->arena, &outcome, &fixture->error));
        assert_int_equal(outcome, REFUSED);
        assert_says(fixture, "answered in a form of its own");
        fixture->error = (struct error){ 0 };
        assert_false(other->ops->read_atomic(other, &reads[i], 1, &fixture->arena, &outcome, &fixture->error));
        assert_int_equal(outcome, REFUSED);
        assert_says(fixture, "answered in a form of its own");
    }
    other->ops->destroy(other);
    private_redis_destroy(&odd);
}

static void script_forgotten(void **state)
{
    struct fixture *fixture = *state;
    struct commit commits[3];
    const struct span keys[3][2] = { { SPAN("{1}s"), SPAN("{1}t") },
                                     { SPAN("{2}s"), SPAN("{2}t") },
                                     { SPAN("{3}s"), SPAN("{3}t") } };
    int64_t version = 0;
    for (int round = 0; round < 3; round++) {
        private_redis_do(&fixture->redis, "SCRIPT FLUSH");
        for (int i = 0; i < 3; i++) {
            commits[i] = commit_at(round ? commits[i].version_new : 0);
            commits[i].state_key = keys[i][0];
            commits[i].timers_key = keys[i][1];
        }
        version = commits[1].version;
        commits[1].version = 1; /* one of them conflicts */
        assert_true(fixture->state->ops->commit_begin(fixture->state, commits, 3, &fixture->error));
        assert_true(fixture->state->ops->commit_end(fixture->state, &fixture->error));
        assert_int_equal(commits[0].outcome, DONE);
        assert_int_equal(commits[1].outcome, CONFLICT);
        assert_int_equal(commits[1].version_new, version);
        assert_int_equal(commits[2].outcome, DONE);
    }
}

/* The answer does not come in time, and the commit takes place all the same: the version tells. */
static void silent_server(void **state)
{
    struct fixture *fixture = *state;
    int64_t version, found;
    assert_int_equal(try_commit(fixture, 0, &version), DONE);
    kill(fixture->redis.pid, SIGSTOP);
    assert_int_equal(try_commit(fixture, version, NULL), LOST);
    assert_says(fixture, "no answer within 300 ms");
    assert_false(state_redis_connected(fixture->state));
    assert_int_equal(try_commit(fixture, version, NULL), LOST);
    assert_says(fixture, "not connected");
    kill(fixture->redis.pid, SIGCONT);
    connect_again(fixture);
    /* A script was on its way, and took place; a transaction had not come to EXEC. */
    assert_int_equal(try_commit(fixture, version, &found), way == COMMIT_BY_SCRIPT ? CONFLICT : DONE);
    assert_true(found > version);
    assert_int_equal(try_commit(fixture, found, NULL), DONE);
}

/* The connection is cut after the commit was sent and before its answer is read: whether it took place, the version tells. */
static void cut_connection(void **state)
{
    struct fixture *fixture = *state;
    int64_t before, version;
    assert_int_equal(try_commit(fixture, 0, &before), DONE);
    struct commit commit = commit_at(before);
    assert_true(fixture->state->ops->commit_begin(fixture->state, &commit, 1, &fixture->error));
    assert_int_equal(private_redis_do(&fixture->redis, "CLIENT KILL TYPE normal SKIPME yes"), 1);
    bool good = fixture->state->ops->commit_end(fixture->state, &fixture->error);
    assert_int_equal(commit.outcome, good ? DONE : LOST);
    assert_int_equal(try_commit(fixture, before, NULL), LOST);
    connect_again(fixture);
    enum outcome found = try_commit(fixture, before, &version);
    assert_true(found == CONFLICT || (!good && found == DONE));
    if (good) assert_true(version == commit.version_new);
    assert_int_equal(try_commit(fixture, version, NULL), DONE);
}

static void emptied_under_the_connection(void **state)
{
    struct fixture *fixture = *state;
    int64_t version, found;
    assert_int_equal(try_commit(fixture, 0, &version), DONE);
    private_redis_do(&fixture->redis, "FLUSHALL");
    assert_int_equal(try_commit(fixture, version, &found), CONFLICT);
    assert_int_equal(found, 0);
    int64_t again;
    assert_int_equal(try_commit(fixture, 0, &again), DONE);
    assert_true(again > version);
}

static void killed_and_restarted(void **state)
{
    struct fixture *fixture = *state;
    struct redis_identity before, after;
    enum outcome outcome;
    assert_true(state_redis_identity(fixture->state, &before, &outcome, &fixture->error));
    private_redis_kill(&fixture->redis);
    assert_int_equal(try_commit(fixture, 0, NULL), LOST);
    assert_false(state_redis_connect(fixture->state, &fixture->error));
    private_redis_start(&fixture->redis, "");
    connect_again(fixture);
    assert_true(state_redis_identity(fixture->state, &after, &outcome, &fixture->error));
    assert_false(redis_identity_same(&before, &after));
    assert_true(redis_identity_same(&after, &after));
    assert_done(fixture);
}

/* One commit that is too large for Redis's protocol is refused by itself. */
static void too_large(void **state)
{
    struct fixture *fixture = *state;
    enum {
        N = 600000
    };
    struct hash_write *many = arena_alloc(&fixture->arena, N * sizeof *many);
    for (size_t i = 0; i < N; i++) many[i] = (struct hash_write){ KEY("h"), SPAN("same"), SPAN("1") };
    struct commit commits[2] = { commit_at(0), commit_at(0) };
    commits[0].writes = many;
    commits[0].n_writes = N;
    commits[0].state_key = SPAN("crm:{t}:other");
    assert_true(fixture->state->ops->commit_begin(fixture->state, commits, 2, &fixture->error));
    assert_false(fixture->state->ops->commit_end(fixture->state, &fixture->error));
    assert_says(fixture, "more than Redis takes");
    assert_int_equal(commits[0].outcome, REFUSED);
    assert_int_equal(commits[1].outcome, DONE);
}

/* A read that is refused leaves the connection in step. */
static void refused_read(void **state)
{
    struct fixture *fixture = *state;
    private_redis_do(&fixture->redis, "SET crm:{t}:x text");
    private_redis_do(&fixture->redis, "HSET crm:{t}:y a 1");
    struct hash_read reads[] = { { .key = KEY("y") }, { .key = KEY("x") }, { .key = KEY("y") } };
    enum outcome outcome;
    assert_false(fixture->state->ops->read(fixture->state, reads, 3, &fixture->arena, &outcome, &fixture->error));
    assert_int_equal(outcome, REFUSED);
    assert_says(fixture, "another type");
    fixture->error = (struct error){ 0 };
    assert_false(fixture->state->ops->read_atomic(fixture->state, reads, 3, &fixture->arena, &outcome, &fixture->error));
    assert_int_equal(outcome, REFUSED);
    assert_says(fixture, "another type");
    assert_true(fixture->state->ops->read(fixture->state, reads, 1, &fixture->arena, &outcome, &fixture->error));
    assert_int_equal(reads[0].n_values, 2);
}

static void identity(void **state)
{
    struct fixture *fixture = *state;
    struct redis_identity who;
    enum outcome outcome;
    private_redis_do(&fixture->redis, "CONFIG SET maxmemory 512mb maxmemory-policy allkeys-lru");
    private_redis_do(&fixture->redis, "CONFIG SET hash-max-listpack-entries 77 hash-max-listpack-value 55");
    assert_true(state_redis_identity(fixture->state, &who, &outcome, &fixture->error));
    assert_int_equal(strlen(who.run_id), 40);
    assert_int_equal(strlen(who.replication_id), 40);
    assert_true(who.is_master && !who.is_cluster && !who.aof_enabled);
    assert_string_equal(who.maxmemory_policy, "allkeys-lru");
    assert_int_equal(who.maxmemory_bytes, 512 << 20);
    assert_int_equal(who.hash_max_listpack_entries, 77);
    assert_int_equal(who.hash_max_listpack_value_bytes, 55);
    private_redis_do(&fixture->redis, "ACL SETUSER limited on >word ~* +@all -config");
    struct state *other = create_state(&fixture->redis, "limited", "word");
    assert_true(state_redis_connect(other, &fixture->error));
    assert_true(state_redis_identity(other, &who, &outcome, &fixture->error));
    assert_int_equal(strlen(who.run_id), 40);
    assert_int_equal(who.hash_max_listpack_entries, -1);
    other->ops->destroy(other);
}

static int start(void **state)
{
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    private_redis_create(&fixture->redis, "");
    fixture->state = create_state(&fixture->redis, NULL, NULL);
    *state = fixture;
    return state_redis_connect(fixture->state, &fixture->error) ? 0 : -1;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;
    fixture->state->ops->destroy(fixture->state);
    private_redis_destroy(&fixture->redis);
    arena_deinit(&fixture->arena);
    free(fixture);
    return 0;
}

static int start_script(void **state)
{
    way = COMMIT_BY_SCRIPT;
    return start(state);
}

static int start_transaction(void **state)
{
    way = COMMIT_IN_TRANSACTION;
    return start(state);
}

#define TEST(test)                                                                                                               \
    { #test " (script)", test, start_script, stop, NULL },                                                                       \
    {                                                                                                                            \
#test " (transaction)", test, start_transaction, stop, NULL                                                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(not_connected),
        TEST(out_of_memory),
        TEST(read_only),
        TEST(too_few_replicas),
        TEST(cannot_save),
        TEST(wrong_type),
        TEST(no_rights),
        TEST(no_rights_for_a_transaction),
        TEST(busy_with_a_script),
        TEST(changed_behind_the_look),
        TEST(a_right_withdrawn_in_the_middle),
        TEST(the_way_goes_by_size),
        TEST(wrong_password),
        TEST(password_is_missing),
        TEST(unknown_auth_shows_no_password),
        TEST(answers_of_another_form),
        TEST(reads_answered_in_another_form),
        TEST(script_forgotten),
        TEST(silent_server),
        TEST(cut_connection),
        TEST(emptied_under_the_connection),
        TEST(killed_and_restarted),
        TEST(too_large),
        TEST(refused_read),
        TEST(identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
