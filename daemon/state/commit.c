/* Writes a commit as the arguments of commit.lua, and reads what became of it. */
#include "daemon/state/commit.h"

#include <stdio.h>
#include <stdlib.h>

extern const char embedded_commit_lua[];
extern const unsigned long embedded_commit_lua_bytes;

/* Numbered as in commit.lua. */
enum command {
    COMMAND_HSET = 1,
    COMMAND_HDEL,
    COMMAND_ZADD,
    COMMAND_ZREM
};

/* A step names the number of its arguments in one byte. */
enum {
    STEP_ITEMS_MAX = 127,
    FLUSH_BYTES = 256 * 1024
};

struct step {
    struct span key;
    size_t from; /* index of its first write or timer; those that are not of its command are skipped */
    enum command command;
    uint8_t n_items;
};

void commits_init(struct commits *commits, struct connection *connection)
{
    *commits = (struct commits){ .connection = connection };
    commits->script = (struct script){ .text = embedded_commit_lua, .bytes = embedded_commit_lua_bytes };
}

void commits_deinit(struct commits *commits)
{
    free(commits->queue);
    free(commits->steps);
}

static bool item_is(const struct commit *commit, enum command command, size_t i)
{
    switch (command) {
    case COMMAND_HSET:
        return commit->writes[i].value.at != NULL;
    case COMMAND_HDEL:
        return commit->writes[i].value.at == NULL;
    case COMMAND_ZADD:
        return commit->timers[i].at_us != NEVER;
    case COMMAND_ZREM:
        return commit->timers[i].at_us == NEVER;
    }
    return false;
}

static size_t item_arguments(enum command command)
{
    return command == COMMAND_HSET || command == COMMAND_ZADD ? 2 : 1;
}

static void item_write(struct connection *connection, const struct commit *commit, enum command command, size_t i)
{
    if (command == COMMAND_ZADD) request_number(connection, commit->timers[i].at_us);
    bool of_hash = command == COMMAND_HSET || command == COMMAND_HDEL;
    request_argument(connection, of_hash ? commit->writes[i].field : commit->timers[i].member);
    if (command == COMMAND_HSET) request_argument(connection, commit->writes[i].value);
}

static struct step *add_step(struct commits *commits, struct step step)
{
    if (commits->n_steps == commits->room_steps) {
        commits->room_steps = commits->room_steps ? commits->room_steps * 2 : 64;
        commits->steps = must_realloc(commits->steps, commits->room_steps * sizeof *commits->steps);
    }
    struct step *at = &commits->steps[commits->n_steps++];
    *at = step;
    return at;
}

/* Of the items from…to, those of the command, as steps. */
static void plan_command(struct commits *commits, const struct commit *commit, enum command command, struct span key, size_t from,
                         size_t to)
{
    struct step *step = NULL;
    for (size_t i = from; i < to; i++) {
        if (!item_is(commit, command, i)) continue;
        if (!step || step->n_items == STEP_ITEMS_MAX)
            step = add_step(commits, (struct step){ .key = key, .from = i, .command = command });
        step->n_items++;
    }
}

static void plan(struct commits *commits, const struct commit *commit)
{
    commits->n_steps = 0;
    for (size_t from = 0, to; from < commit->n_writes; from = to) {
        struct span key = commit->writes[from].key;
        for (to = from + 1; to < commit->n_writes && span_equal(key, commit->writes[to].key);) to++;
        plan_command(commits, commit, COMMAND_HSET, key, from, to);
        plan_command(commits, commit, COMMAND_HDEL, key, from, to);
    }
    plan_command(commits, commit, COMMAND_ZADD, commit->timers_key, 0, commit->n_timers);
    plan_command(commits, commit, COMMAND_ZREM, commit->timers_key, 0, commit->n_timers);
}

static size_t count_arguments(const struct commits *commits, const struct commit *commit)
{
    size_t n = 7 + 2 * commit->n_strings; /* EVALSHA, hash, number of keys, state, timers, version, plan */
    for (size_t i = 0; i < commits->n_steps; i++) n += 1 + commits->steps[i].n_items * item_arguments(commits->steps[i].command);
    return n;
}

static void write_plan(struct commits *commits)
{
    uint8_t *bytes = must_alloc(commits->n_steps * 2);
    for (size_t i = 0; i < commits->n_steps; i++) {
        const struct step *step = &commits->steps[i];
        bytes[i * 2] = (uint8_t)step->command;
        bytes[i * 2 + 1] = (uint8_t)(step->n_items * item_arguments(step->command));
    }
    request_argument(commits->connection, (struct span){ (const char *)bytes, commits->n_steps * 2 });
    free(bytes);
}

static void write_step(struct commits *commits, const struct commit *commit, const struct step *step)
{
    size_t i = step->from;
    for (uint8_t n = 0; n < step->n_items; i++) {
        if (!item_is(commit, step->command, i)) continue;
        item_write(commits->connection, commit, step->command, i);
        n++;
    }
}

/* The steps are planned. */
static void write_commit(struct commits *commits, const struct commit *commit)
{
    struct connection *connection = commits->connection;
    request_begin(connection, count_arguments(commits, commit));
    request_argument(connection, SPAN("EVALSHA"));
    request_argument(connection, span_of(commits->script.hash));
    request_number(connection, (int64_t)(2 + commit->n_strings + commits->n_steps));
    request_argument(connection, commit->state_key);
    request_argument(connection, commit->timers_key);
    for (size_t i = 0; i < commit->n_strings; i++) request_argument(connection, commit->strings[i].key);
    for (size_t i = 0; i < commits->n_steps; i++) request_argument(connection, commits->steps[i].key);
    request_number(connection, commit->version);
    write_plan(commits);
    for (size_t i = 0; i < commit->n_strings; i++) request_argument(connection, commit->strings[i].value);
    for (size_t i = 0; i < commits->n_steps; i++) write_step(commits, commit, &commits->steps[i]);
}

static void settle_commit(struct commits *commits, struct commit *commit, enum outcome outcome)
{
    commit->outcome = outcome;
    commits->failed |= outcome == LOST || outcome == REFUSED;
}

static void settle_all(struct commits *commits, enum outcome outcome)
{
    for (size_t i = 0; i < commits->n; i++) settle_commit(commits, commits->queue[i], outcome);
    commits->n = 0;
}

/* Sends what is queued; one that is too large is taken out. */
static void send_queue(struct commits *commits)
{
    size_t sent = 0;
    bool flows = true;
    for (size_t i = 0; i < commits->n && flows; i++) {
        struct commit *commit = commits->queue[i];
        plan(commits, commit);
        size_t n = count_arguments(commits, commit);
        if (n > REQUEST_ARGUMENTS_MAX) {
            fail(&commits->error, "a commit of %zu arguments is more than Redis takes (%d)", n, REQUEST_ARGUMENTS_MAX);
            settle_commit(commits, commit, REFUSED);
            continue;
        }
        write_commit(commits, commit);
        commits->queue[sent++] = commit;
        if (connection_unsent_bytes(commits->connection) > FLUSH_BYTES)
            flows = connection_flush(commits->connection, &commits->error);
    }
    if (flows) commits->n = sent;
    if (!flows || !connection_flush(commits->connection, &commits->error)) settle_all(commits, LOST);
}

static void load_and_send(struct commits *commits)
{
    enum outcome outcome;
    if (commits->script.hash[0] || script_load(commits->connection, &commits->script, &outcome, &commits->error))
        send_queue(commits);
    else
        settle_all(commits, outcome);
}

static void read_answer(struct commits *commits, struct commit *commit, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        connection_refused(commits->connection, reply, &commits->error);
        settle_commit(commits, commit, REFUSED);
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        fail(&commits->error, "redis %s answered a commit in a form of its own", connection_where(commits->connection));
        settle_commit(commits, commit, REFUSED);
        return;
    }
    commit->version_new = reply_number(reply->element[1]);
    settle_commit(commits, commit, reply->element[0]->integer == 1 ? DONE : CONFLICT);
}

/* Takes all answers. Those whose script Redis did not know stay in the queue, unless it is the last attempt. */
static void read_answers(struct commits *commits, bool last)
{
    size_t again = 0, i = 0;
    redisReply *reply = NULL;
    for (; i < commits->n && (reply = connection_answer(commits->connection, &commits->error)); i++) {
        if (!last && reply_is_no_script(reply))
            commits->queue[again++] = commits->queue[i];
        else
            read_answer(commits, commits->queue[i], reply);
        freeReplyObject(reply);
    }
    for (; i < commits->n; i++) settle_commit(commits, commits->queue[i], LOST);
    commits->n = again;
}

void commits_settle(struct commits *commits)
{
    if (commits->n == 0) return;
    read_answers(commits, false);
    if (commits->n) {
        commits->script.hash[0] = 0;
        load_and_send(commits);
        read_answers(commits, true);
    }
    connection_settle(commits->connection);
}

void commits_begin(struct commits *commits)
{
    commits_settle(commits);
    commits->failed = false;
    commits->error.text[0] = 0;
}

void commits_add(struct commits *commits, struct commit *commit)
{
    if (commits->n == commits->room) {
        commits->room = commits->room ? commits->room * 2 : 64;
        commits->queue = must_realloc(commits->queue, commits->room * sizeof *commits->queue);
    }
    commits->queue[commits->n++] = commit;
}

bool commits_send(struct commits *commits, struct error *error)
{
    load_and_send(commits);
    return commits->n || !commits->failed || fail(error, "%s", commits->error.text);
}

bool commits_end(struct commits *commits, struct error *error)
{
    commits_settle(commits);
    return !commits->failed || fail(error, "%s", commits->error.text);
}
