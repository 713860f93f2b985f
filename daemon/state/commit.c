/* Writes a commit as the arguments of commit.lua, and reads what became of it; large ones go the way of transaction.c. */
#include "daemon/state/transaction.h"

#include <stdlib.h>

extern const char embedded_commit_lua[];
extern const unsigned long embedded_commit_lua_bytes;

enum {
    TRANSACTION_BYTES = 16 * 1024, /* less than so much keeps its one round trip: chosen, not measured */
    TRANSACTION_KEYS = 1024        /* watched at most: for each of them Redis goes through those before it */
};

void commits_init(struct commits *commits, struct connection *connection)
{
    *commits = (struct commits){ .connection = connection, .way = COMMIT_BY_SCRIPT };
    commits->script = (struct script){ .text = embedded_commit_lua, .bytes = embedded_commit_lua_bytes };
}

void commits_deinit(struct commits *commits)
{
    free(commits->queue);
    steps_deinit(&commits->steps);
}

static size_t count_arguments(const struct commits *commits, const struct commit *commit)
{
    size_t n = 7 + 2 * commit->n_strings; /* EVALSHA, hash, number of keys, state, timers, version, plan */
    for (size_t i = 0; i < commits->steps.n; i++) n += 1 + step_arguments(&commits->steps.at[i]);
    return n;
}

static void write_plan(struct commits *commits)
{
    uint8_t *bytes = must_alloc(commits->steps.n * 2);
    for (size_t i = 0; i < commits->steps.n; i++) {
        bytes[i * 2] = (uint8_t)commits->steps.at[i].command;
        bytes[i * 2 + 1] = (uint8_t)step_arguments(&commits->steps.at[i]);
    }
    request_argument(commits->connection, (struct span){ (const char *)bytes, commits->steps.n * 2 });
    free(bytes);
}

/* The steps are planned. */
static void write_commit(struct commits *commits, const struct commit *commit)
{
    struct connection *connection = commits->connection;
    request_begin(connection, count_arguments(commits, commit));
    request_argument(connection, SPAN("EVALSHA"));
    request_argument(connection, span_of(commits->script.hash));
    request_number(connection, (int64_t)(2 + commit->n_strings + commits->steps.n));
    request_argument(connection, commit->state_key);
    request_argument(connection, commit->timers_key);
    for (size_t i = 0; i < commit->n_strings; i++) request_argument(connection, commit->strings[i].key);
    for (size_t i = 0; i < commits->steps.n; i++) request_argument(connection, commits->steps.at[i].key);
    request_number(connection, commit->version);
    write_plan(commits);
    for (size_t i = 0; i < commit->n_strings; i++) request_argument(connection, commit->strings[i].value);
    for (size_t i = 0; i < commits->steps.n; i++) step_write(connection, commit, &commits->steps.at[i]);
}

void commits_settle_one(struct commits *commits, struct commit *commit, enum outcome outcome)
{
    commit->outcome = outcome;
    commits->failed |= outcome == LOST || outcome == REFUSED;
}

void commits_settle_all(struct commits *commits, enum outcome outcome)
{
    for (size_t i = 0; i < commits->n; i++) commits_settle_one(commits, commits->queue[i], outcome);
    commits->n = 0;
}

/* Sends what is queued; one that is too large is taken out. */
static void send_queue(struct commits *commits)
{
    size_t sent = 0;
    bool flows = true;
    for (size_t i = 0; i < commits->n && flows; i++) {
        struct commit *commit = commits->queue[i];
        steps_plan(&commits->steps, commit);
        size_t n = count_arguments(commits, commit);
        if (n > REQUEST_ARGUMENTS_MAX) {
            fail(&commits->error, "a commit of %zu arguments is more than Redis takes (%d)", n, REQUEST_ARGUMENTS_MAX);
            commits_settle_one(commits, commit, REFUSED);
            continue;
        }
        write_commit(commits, commit);
        commits->queue[sent++] = commit;
        if (connection_unsent_bytes(commits->connection) > COMMITS_FLUSH_BYTES)
            flows = connection_flush(commits->connection, &commits->error);
    }
    if (flows) commits->n = sent;
    if (!flows || !connection_flush(commits->connection, &commits->error)) commits_settle_all(commits, LOST);
}

/* Few and large, all together. */
static bool suits_transaction(const struct commits *commits)
{
    size_t bytes = 0, keys = 0;
    for (size_t i = 0; i < commits->n && keys <= TRANSACTION_KEYS; i++) {
        const struct commit *commit = commits->queue[i];
        keys += 1 + (commit->n_timers > 0);
        for (size_t s = 0; s < commit->n_strings; s++) bytes += commit->strings[s].value.len;
        for (size_t w = 0; w < commit->n_writes; w++) {
            const struct hash_write *write = &commit->writes[w];
            bytes += write->field.len + write->value.len;
            keys += !w || !span_equal(write->key, write[-1].key);
        }
    }
    return bytes >= TRANSACTION_BYTES && keys <= TRANSACTION_KEYS;
}

static void load_and_send(struct commits *commits)
{
    enum outcome outcome;
    if (commits->script.hash[0] || script_load(commits->connection, &commits->script, &outcome, &commits->error))
        send_queue(commits);
    else
        commits_settle_all(commits, outcome);
}

static void read_answer(struct commits *commits, struct commit *commit, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        connection_refused(commits->connection, reply, &commits->error);
        commits_settle_one(commits, commit, REFUSED);
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        fail(&commits->error, "redis %s answered a commit in a form of its own", connection_where(commits->connection));
        commits_settle_one(commits, commit, REFUSED);
        return;
    }
    commit->version_new = reply_number(reply->element[1]);
    commits_settle_one(commits, commit, reply->element[0]->integer == 1 ? DONE : CONFLICT);
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
        reply_free(reply);
    }
    for (; i < commits->n; i++) commits_settle_one(commits, commits->queue[i], LOST);
    commits->n = again;
}

void commits_settle(struct commits *commits)
{
    if (commits->n == 0) return;
    if (commits->in_transaction)
        transaction_read(commits);
    else
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
    bool together = commits->way == COMMIT_IN_TRANSACTION || (commits->way == COMMIT_BY_SIZE && suits_transaction(commits));
    commits->in_transaction = together && commits->n && transaction_begin(commits);
    if (commits->in_transaction)
        transaction_send(commits);
    else
        load_and_send(commits);
    if (!commits->n) connection_settle(commits->connection);
    return commits->n || !commits->failed || fail(error, "%s", commits->error.text);
}

bool commits_end(struct commits *commits, struct error *error)
{
    commits_settle(commits);
    return !commits->failed || fail(error, "%s", commits->error.text);
}
