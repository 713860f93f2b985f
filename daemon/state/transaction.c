#include "daemon/state/transaction.h"

#include "daemon/state/refusals.h"

#include <string.h>

/* ---- what is watched and looked at ---- */

/* A step whose key no step before it had; of the state the version is asked. */
static bool is_looked_at(const struct commits *commits, const struct commit *commit, size_t i)
{
    const struct step *step = &commits->steps.at[i];
    return !span_equal(step->key, commit->state_key) && (i == 0 || !span_equal(step->key, commits->steps.at[i - 1].key));
}

/* By commands that the daemon needs anyhow. */
static void ask_type(struct connection *connection, const struct step *step)
{
    bool timers = step->command == STEP_ZADD || step->command == STEP_ZREM;
    request_begin(connection, timers ? 4 : 2);
    request_argument(connection, timers ? SPAN("ZRANGEBYSCORE") : SPAN("HLEN"));
    request_argument(connection, step->key);
    if (timers) request_number(connection, 1);
    if (timers) request_number(connection, 0);
}

static void ask(struct commits *commits, const struct commit *commit)
{
    struct connection *connection = commits->connection;
    size_t n = 0;
    steps_plan(&commits->steps, commit);
    for (size_t i = 0; i < commits->steps.n; i++) n += is_looked_at(commits, commit, i);
    request_begin(connection, 2 + n);
    request_argument(connection, SPAN("WATCH"));
    request_argument(connection, commit->state_key);
    for (size_t i = 0; i < commits->steps.n; i++)
        if (is_looked_at(commits, commit, i)) request_argument(connection, commits->steps.at[i].key);
    request_begin(connection, 3);
    request_argument(connection, SPAN("HGET"));
    request_argument(connection, commit->state_key);
    request_argument(connection, SPAN("version"));
    for (size_t i = 0; i < commits->steps.n; i++)
        if (is_looked_at(commits, commit, i)) ask_type(connection, &commits->steps.at[i]);
}

/* What looking came to. */
struct look {
    bool lost;
    bool denied, hindered; /* this user, or what stands between, allows no such thing; Redis is busy, or no longer ours */
    int64_t now_us;
};

/* Is it a refusal of the command by whoever stands there, as long as he stands there? */
static bool is_for_good(const redisReply *refusal)
{
    const char *code = refusal_find(reply_text(refusal))->code;
    return !code[0] || !strcmp(code, "NOPERM");
}

/* An answer; NULL when it was lost, or is an error: that is noted in `denied` (may be NULL) when it is for good, else in `refused`. */
static redisReply *take(struct commits *commits, struct look *look, bool *refused, bool *denied)
{
    redisReply *reply = look->lost ? NULL : connection_answer(commits->connection, &commits->error);
    look->lost |= !reply;
    if (!reply || reply->type != REDIS_REPLY_ERROR) return reply;
    *(denied && is_for_good(reply) ? denied : refused) = true;
    connection_refused(commits->connection, reply, &commits->error);
    reply_free(reply);
    return NULL;
}

static void pass_over(struct commits *commits, struct look *look, bool *refused, bool *denied)
{
    redisReply *reply = take(commits, look, refused, denied);
    reply_free(reply);
}

static void take_clock(struct commits *commits, struct look *look)
{
    redisReply *reply = take(commits, look, &look->hindered, &look->denied);
    if (!reply) return;
    if (reply_is_list(reply, 2))
        look->now_us = reply_number(reply->element[0]) * MICROS_PER_SECOND + reply_number(reply->element[1]);
    else
        look->denied = true;
    reply_free(reply);
}

/* The answers for one, in the order in which `ask` asked. Its outcome is DONE when it can take place. */
static void look_at(struct commits *commits, struct commit *commit, struct look *look)
{
    bool refused = false;
    pass_over(commits, look, &look->hindered, &look->denied); /* WATCH */
    redisReply *reply = take(commits, look, &refused, NULL);
    int64_t found = reply ? reply_number(reply) : 0;
    reply_free(reply);
    steps_plan(&commits->steps, commit);
    for (size_t i = 0; i < commits->steps.n; i++)
        if (is_looked_at(commits, commit, i)) pass_over(commits, look, &refused, NULL);
    commit->outcome = refused ? REFUSED : found != commit->version ? CONFLICT : DONE;
    commit->version_new = found;
    if (commit->outcome == DONE) commit->version_new = found < look->now_us ? look->now_us : found + 1;
}

/* Whether MULTI was allowed or not. */
static void give_up(struct commits *commits)
{
    struct look look = { 0 };
    struct error error = commits->error;
    bool refused = false;
    request_texts(commits->connection, 1, "DISCARD");
    request_texts(commits->connection, 1, "UNWATCH");
    pass_over(commits, &look, &refused, NULL);
    pass_over(commits, &look, &refused, NULL);
    commits->error = error;
}

/* Those that can take place stay. */
static void settle_others(struct commits *commits)
{
    size_t n = 0;
    for (size_t i = 0; i < commits->n; i++) {
        struct commit *commit = commits->queue[i];
        if (commit->outcome == DONE)
            commits->queue[n++] = commit;
        else
            commits_settle_one(commits, commit, commit->outcome);
    }
    commits->n = n;
    if (!n) give_up(commits);
}

/* In several commands what a script has in one. */
static bool fits(const struct commit *commit)
{
    return 2 * (commit->n_strings + commit->n_writes + commit->n_timers) < REQUEST_ARGUMENTS_MAX / 2;
}

bool transaction_begin(struct commits *commits)
{
    struct look look = { 0 };
    struct error error_before = commits->error;
    for (size_t i = 0; i < commits->n; i++)
        if (!fits(commits->queue[i])) return false;
    request_texts(commits->connection, 1, "TIME");
    for (size_t i = 0; i < commits->n; i++) ask(commits, commits->queue[i]);
    request_texts(commits->connection, 1, "MULTI"); /* where it is refused nothing must follow: each would be done at once */
    take_clock(commits, &look);
    for (size_t i = 0; i < commits->n; i++) look_at(commits, commits->queue[i], &look);
    pass_over(commits, &look, &look.hindered, &look.denied); /* MULTI */
    if (look.lost) {
        commits_settle_all(commits, LOST);
    } else if (look.hindered) {
        give_up(commits);
        commits_settle_all(commits, REFUSED);
    } else if (look.denied) {
        commits->error = error_before;
        give_up(commits);
        commits->way = COMMIT_BY_SCRIPT;
        return false;
    } else {
        settle_others(commits);
    }
    return true;
}

/* ---- what is written ---- */

static void command(struct commits *commits, struct span name, size_t n_arguments)
{
    request_begin(commits->connection, 1 + n_arguments);
    request_argument(commits->connection, name);
    commits->n_commands++;
}

static size_t count_gone(const struct commit *commit)
{
    size_t n = 0;
    for (size_t i = 0; i < commit->n_strings; i++) n += !commit->strings[i].value.len;
    return n;
}

static void write_strings(struct commits *commits, const struct commit *commit)
{
    size_t n_gone = count_gone(commit);
    if (n_gone < commit->n_strings) command(commits, SPAN("MSET"), 2 * (commit->n_strings - n_gone));
    for (size_t i = 0; i < commit->n_strings; i++) {
        if (!commit->strings[i].value.len) continue;
        request_argument(commits->connection, commit->strings[i].key);
        request_argument(commits->connection, commit->strings[i].value);
    }
    if (n_gone) command(commits, SPAN("DEL"), n_gone);
    for (size_t i = 0; i < commit->n_strings; i++)
        if (!commit->strings[i].value.len) request_argument(commits->connection, commit->strings[i].key);
}

static void write_commit(struct commits *commits, const struct commit *commit)
{
    struct connection *connection = commits->connection;
    command(commits, SPAN("HSET"), 3);
    request_argument(connection, commit->state_key);
    request_argument(connection, SPAN("version"));
    request_number(connection, commit->version_new);
    write_strings(commits, commit);
    steps_plan(&commits->steps, commit);
    for (size_t i = 0; i < commits->steps.n; i++) {
        const struct step *step = &commits->steps.at[i];
        command(commits, step_names[step->command], 1 + step_arguments(step));
        request_argument(connection, step->key);
        step_write(connection, commit, step);
    }
}

void transaction_send(struct commits *commits)
{
    bool flows = true;
    commits->n_commands = 0;
    if (!commits->n) return;
    for (size_t i = 0; i < commits->n && flows; i++) {
        write_commit(commits, commits->queue[i]);
        flows = connection_unsent_bytes(commits->connection) < COMMITS_FLUSH_BYTES ||
                connection_flush(commits->connection, &commits->error);
    }
    if (flows) request_texts(commits->connection, 1, "EXEC");
    if (!flows || !connection_flush(commits->connection, &commits->error)) commits_settle_all(commits, LOST);
}

/* ---- what became of it ---- */

static size_t count_commands(struct commits *commits, const struct commit *commit)
{
    size_t n_gone = count_gone(commit);
    steps_plan(&commits->steps, commit);
    return 1 + (n_gone < commit->n_strings) + (n_gone > 0) + commits->steps.n;
}

/* A right was withdrawn in the middle. */
static void say_half(struct commits *commits, const struct commit *commit, const redisReply *refusal)
{
    fail(&commits->error, "redis %s did a commit of tenant %.*s in part, and refused the rest (%.100s): rebuild the tenant",
         connection_where(commits->connection), SPAN_ARG(commit->tenant), refusal->str);
}

static void read_each(struct commits *commits, const redisReply *all)
{
    const redisReply *const *element = (const redisReply *const *)all->element;
    for (size_t i = 0; i < commits->n; i++) {
        struct commit *commit = commits->queue[i];
        const redisReply *refusal = NULL;
        for (size_t n = count_commands(commits, commit); n; n--, element++)
            if ((*element)->type == REDIS_REPLY_ERROR) refusal = *element;
        if (refusal) say_half(commits, commit, refusal);
        commits_settle_one(commits, commit, refusal ? REFUSED : DONE);
    }
    commits->n = 0;
}

/* EXEC's answer; the error is that of the command that was not queued, if there is one. */
static void read_all(struct commits *commits, const redisReply *all, bool refused)
{
    for (size_t i = 0; i < commits->n && all->type == REDIS_REPLY_NIL; i++) commits->queue[i]->version_new = 0;
    if (all->type == REDIS_REPLY_NIL) {
        commits_settle_all(commits, CONFLICT);
    } else if (all->type == REDIS_REPLY_ARRAY && all->elements == commits->n_commands) {
        read_each(commits, all);
    } else {
        if (all->type == REDIS_REPLY_ERROR && !refused) connection_refused(commits->connection, all, &commits->error);
        if (all->type != REDIS_REPLY_ERROR)
            fail(&commits->error, "redis %s answered EXEC in a form of its own", connection_where(commits->connection));
        commits_settle_all(commits, REFUSED);
    }
}

void transaction_read(struct commits *commits)
{
    struct look look = { 0 };
    bool refused = false;
    for (size_t i = 0; i < commits->n_commands; i++) pass_over(commits, &look, &refused, NULL);
    redisReply *all = look.lost ? NULL : connection_answer(commits->connection, &commits->error);
    if (all)
        read_all(commits, all, refused);
    else
        commits_settle_all(commits, LOST);
    reply_free(all);
}
