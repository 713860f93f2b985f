/* Struct state over Redis: reads in bounded pipelines, timers, the server's clock; commits are in commit.c. */
#include "daemon/state/redis.h"

#include "daemon/state/cluster.h"
#include "daemon/state/server.h"
#include "daemon/state/slots.h"

#include <math.h>
#include <stdlib.h>

extern const char embedded_publish_lua[];
extern const unsigned long embedded_publish_lua_bytes;
extern const char embedded_alerts_lua[];
extern const unsigned long embedded_alerts_lua_bytes;

/* So much is asked before answers are taken: neither side has to hold more. */
enum {
    PIPELINE_BYTES = 1024 * 1024,
    PIPELINE_READS = 10000,
    STRINGS_AT_ONCE = 256
};

struct connection *server_ask(struct state *state)
{
    struct server *server = server_of(state);
    commits_settle(&server->commits);
    return server->connection;
}

redisReply *server_answer(struct state *state, enum outcome *outcome, struct error *error)
{
    struct connection *connection = server_of(state)->connection;
    redisReply *reply = connection_answer_ok(connection, outcome, error);
    connection_settle(connection);
    return reply;
}

static bool fail_form(const struct connection *connection, struct error *error)
{
    return fail(error, "redis %s answered in a form of its own", connection_where(connection));
}

bool server_refuse(struct state *state, enum outcome *outcome, struct error *error)
{
    *outcome = REFUSED;
    return fail_form(server_of(state)->connection, error);
}

redisReply *server_answer_pair(struct state *state, enum outcome *outcome, struct error *error)
{
    redisReply *reply = server_answer(state, outcome, error);
    if (!reply || reply_is_list(reply, 2)) return reply;
    reply_free(reply);
    server_refuse(state, outcome, error);
    return NULL;
}

static bool reads_fit(const struct hash_read *reads, size_t n, struct error *error)
{
    for (size_t i = 0; i < n; i++)
        if (reads[i].n_fields + 2 > REQUEST_ARGUMENTS_MAX)
            return fail(error, "a read of %zu fields is more than Redis takes", reads[i].n_fields);
    return true;
}

static size_t tag_bytes(struct span key)
{
    const char *end = key.len ? memchr(key.at, '}', key.len) : NULL;
    return end ? (size_t)(end - key.at) : 0;
}

/* How many reads from the first one on go into one command: strings under one hash tag. */
static size_t reads_together(const struct hash_read *reads, size_t n)
{
    size_t tag = tag_bytes(reads[0].key), together = 1;
    if (!reads[0].is_string || !tag) return 1;
    while (together < n && together < STRINGS_AT_ONCE && reads[together].is_string && reads[together].key.len > tag &&
           memcmp(reads[together].key.at, reads[0].key.at, tag + 1) == 0)
        together++;
    return together;
}

static void ask_strings(struct connection *connection, const struct hash_read *reads, size_t n)
{
    request_begin(connection, n + 1);
    request_argument(connection, SPAN("MGET"));
    for (size_t i = 0; i < n; i++) request_argument(connection, reads[i].key);
}

static void ask_hash(struct connection *connection, const struct hash_read *read)
{
    bool whole = !read->fields, nothing = read->fields && !read->n_fields;
    request_begin(connection, 2 + read->n_fields);
    request_argument(connection, whole ? SPAN("HGETALL") : nothing ? SPAN("HLEN") : SPAN("HMGET"));
    request_argument(connection, read->key);
    for (size_t i = 0; i < read->n_fields; i++) request_argument(connection, read->fields[i]);
}

/* Asks for as many as go together; returns how many. */
static size_t ask_reads(struct connection *connection, const struct hash_read *reads, size_t n)
{
    size_t together = reads_together(reads, n);
    if (reads[0].is_string)
        ask_strings(connection, reads, together);
    else
        ask_hash(connection, reads);
    return together;
}

/* Of the form that so many reads ask for: what stands between may answer with something else than Redis does. */
static bool is_answer(const redisReply *reply, const struct hash_read *read, size_t together)
{
    if (read->is_string) return reply_is_list(reply, together);
    if (!read->fields) return reply->type == REDIS_REPLY_ARRAY && reply->elements % 2 == 0;
    return read->n_fields ? reply_is_list(reply, read->n_fields) : reply->type == REDIS_REPLY_INTEGER;
}

static void take_reads(const redisReply *reply, struct hash_read *read, struct arena *arena)
{
    for (size_t i = 0; read->is_string && i < reply->elements; i++) {
        read[i].n_values = 1;
        read[i].values = arena_alloc(arena, sizeof *read->values);
        read[i].values[0] = reply_copy(reply->element[i], arena);
    }
    if (read->is_string) return;
    read->n_stored = reply->type == REDIS_REPLY_INTEGER ? (size_t)reply->integer : 0;
    read->n_values = reply->elements;
    read->values = arena_alloc(arena, reply->elements * sizeof *read->values);
    for (size_t i = 0; i < reply->elements; i++) read->values[i] = reply_copy(reply->element[i], arena);
}

/* The answer to a command. After a refusal the others' answers still have to be taken. Returns how many reads it was for. */
static size_t answer_reads(struct connection *connection, struct hash_read *reads, size_t n, struct arena *arena,
                           enum outcome *outcome, struct error *error)
{
    enum outcome this;
    size_t together = reads_together(reads, n);
    redisReply *reply = connection_answer_ok(connection, &this, error);
    bool fine = reply && (is_answer(reply, reads, together) || fail_form(connection, error));
    if (fine) take_reads(reply, reads, arena);
    if (reply && !fine) this = REFUSED;
    reply_free(reply);
    if (this != DONE) *outcome = this;
    return together;
}

struct server_reading server_reading_begin(struct server *server, struct hash_read *reads, size_t n, struct error *error)
{
    struct server_reading reading = { .connection = server_ask(&server->state), .reads = reads, .n = n };
    reading.outcome = reads_fit(reads, n, error) ? DONE : REFUSED;
    return reading;
}

bool server_reading_is_over(const struct server_reading *reading)
{
    return reading->answered == reading->n || reading->outcome != DONE;
}

/* Written at once as far as the socket takes it: other servers may be asked before the answers are taken. */
void server_reading_ask(struct server_reading *reading, struct error *error)
{
    struct connection *connection = reading->connection;
    while (reading->asked < reading->n && reading->asked - reading->answered < PIPELINE_READS &&
           connection_unsent_bytes(connection) < PIPELINE_BYTES)
        reading->asked += ask_reads(connection, &reading->reads[reading->asked], reading->n - reading->asked);
    if (!connection_flush(connection, error)) reading->outcome = LOST;
}

void server_reading_answer(struct server_reading *reading, struct arena *arena, struct error *error)
{
    while (reading->answered < reading->asked && reading->outcome != LOST)
        reading->answered += answer_reads(reading->connection, &reading->reads[reading->answered], reading->n - reading->answered,
                                          arena, &reading->outcome, error);
    if (server_reading_is_over(reading)) connection_settle(reading->connection);
}

static bool redis_read(struct state *state, struct hash_read *reads, size_t n, struct arena *arena, enum outcome *outcome,
                       struct error *error)
{
    struct server_reading reading = server_reading_begin(server_of(state), reads, n, error);
    while (!server_reading_is_over(&reading)) {
        server_reading_ask(&reading, error);
        server_reading_answer(&reading, arena, error);
    }
    *outcome = reading.outcome;
    return *outcome == DONE;
}

/* MULTI and one QUEUED per command; a refusal here makes EXEC refuse, too. */
static bool answers_queued(struct connection *connection, size_t n, struct error *error)
{
    for (size_t i = 0; i <= n; i++) {
        redisReply *reply = connection_answer(connection, error);
        if (!reply) return false;
        if (reply->type == REDIS_REPLY_ERROR) connection_refused(connection, reply, error);
        reply_free(reply);
    }
    return true;
}

static bool take_all(struct connection *connection, const redisReply *all, size_t n_commands, struct hash_read *reads, size_t n,
                     struct arena *arena, struct error *error)
{
    if (all->type != REDIS_REPLY_ARRAY || all->elements != n_commands)
        return fail(error, "redis %s answered EXEC in a form of its own", connection_where(connection));
    for (size_t i = 0; i < n_commands; i++)
        if (all->element[i]->type == REDIS_REPLY_ERROR) return connection_refused(connection, all->element[i], error);
    for (size_t i = 0, at = 0, together; i < n_commands; at += together, i++) {
        together = reads_together(&reads[at], n - at);
        if (!is_answer(all->element[i], &reads[at], together)) return fail_form(connection, error);
        take_reads(all->element[i], &reads[at], arena);
    }
    return true;
}

static bool redis_read_atomic(struct state *state, struct hash_read *reads, size_t n, struct arena *arena, enum outcome *outcome,
                              struct error *error)
{
    struct connection *connection = server_ask(state);
    *outcome = REFUSED;
    if (!reads_fit(reads, n, error)) return false;
    request_texts(connection, 1, "MULTI");
    size_t n_commands = 0;
    for (size_t asked = 0; asked < n; n_commands++) asked += ask_reads(connection, &reads[asked], n - asked);
    request_texts(connection, 1, "EXEC");
    redisReply *all = NULL;
    *outcome = LOST;
    if (answers_queued(connection, n_commands, error)) all = connection_answer_ok(connection, outcome, error);
    if (all && !take_all(connection, all, n_commands, reads, n, arena, error)) *outcome = REFUSED;
    reply_free(all);
    connection_settle(connection);
    return *outcome == DONE;
}

/* Member, score, member, score … False: it is something else. */
static bool take_timers(const redisReply *reply, struct arena *arena, struct timer **timers, size_t *n)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 2) return false;
    *n = reply->elements / 2;
    *timers = arena_alloc(arena, *n * sizeof **timers);
    for (size_t i = 0; i < *n; i++) {
        if (!reply_text(reply->element[i * 2 + 1]).len) return false;
        double score = strtod(reply->element[i * 2 + 1]->str, NULL); /* whole, and exact up to 2^53: the year 2255 */
        (*timers)[i] = (struct timer){ reply_copy(reply->element[i * 2], arena), llrint(score) };
    }
    return true;
}

static bool redis_timers(struct state *state, struct span timers_key, int64_t until_us, size_t limit, struct arena *arena,
                         struct timer **timers, size_t *n, enum outcome *outcome, struct error *error)
{
    struct connection *connection = server_ask(state);
    request_begin(connection, 8);
    request_argument(connection, SPAN("ZRANGEBYSCORE"));
    request_argument(connection, timers_key);
    request_argument(connection, SPAN("-inf"));
    request_number(connection, until_us);
    request_argument(connection, SPAN("WITHSCORES"));
    request_argument(connection, SPAN("LIMIT"));
    request_number(connection, 0);
    request_number(connection, (int64_t)limit);
    redisReply *reply = server_answer(state, outcome, error);
    if (!reply) return false;
    bool fine = take_timers(reply, arena, timers, n) || server_refuse(state, outcome, error);
    reply_free(reply);
    return fine;
}

static bool redis_clock(struct state *state, int64_t *now_us, enum outcome *outcome, struct error *error)
{
    request_texts(server_ask(state), 1, "TIME");
    redisReply *reply = server_answer_pair(state, outcome, error);
    if (!reply) return false;
    *now_us = reply_number(reply->element[0]) * MICROS_PER_SECOND + reply_number(reply->element[1]);
    reply_free(reply);
    return true;
}

static bool redis_commit_begin(struct state *state, struct commit *commits, size_t n, struct error *error)
{
    struct commits *under_way = &server_of(state)->commits;
    commits_begin(under_way);
    for (size_t i = 0; i < n; i++) commits_add(under_way, &commits[i]);
    return commits_send(under_way, error);
}

static bool redis_commit_end(struct state *state, struct error *error)
{
    return commits_end(&server_of(state)->commits, error);
}

static void redis_destroy(struct state *state)
{
    struct server *server = server_of(state);
    commits_deinit(&server->commits);
    connection_destroy(server->connection);
    free(server);
}

const struct state_ops server_ops = {
    .read = redis_read,
    .read_atomic = redis_read_atomic,
    .timers = redis_timers,
    .commit_begin = redis_commit_begin,
    .commit_end = redis_commit_end,
    .clock = redis_clock,
    .destroy = redis_destroy,
};

struct server *server_create(struct connection *connection)
{
    struct server *server = must_zalloc(sizeof *server);
    server->state.ops = &server_ops;
    server->connection = connection;
    commits_init(&server->commits, connection);
    server->publish = (struct script){ .text = embedded_publish_lua, .bytes = embedded_publish_lua_bytes };
    server->alerts = (struct script){ .text = embedded_alerts_lua, .bytes = embedded_alerts_lua_bytes };
    return server;
}

/* ---- one server, or several ---- */

struct state *state_redis_create(const struct redis_settings *settings)
{
    struct connection *connection = connection_create(settings);
    if (connection_address(connection)->kind == ADDRESS_CLUSTER) return cluster_create(connection);
    struct server *server = server_create(connection);
    server->commits.way = settings->commit_way;
    return &server->state;
}

struct state *state_of_tenant(struct state *state, struct span tenant)
{
    return is_server(state) ? state : cluster_server(state, slot_of(tenant));
}

struct state *state_of_key(struct state *state, struct span key)
{
    return is_server(state) ? state : cluster_server(state, slot_of(key));
}

struct state *state_redis_server(struct state *state, size_t i)
{
    if (!is_server(state)) return cluster_node(state, i);
    return i == 0 ? state : NULL;
}

bool state_redis_connect(struct state *state, struct error *error)
{
    return is_server(state) ? connection_open(server_of(state)->connection, error) : cluster_connect(state, error);
}

bool state_redis_connected(const struct state *state)
{
    if (!is_server(state)) return cluster_connected(state);
    return connection_is_open(((const struct server *)state)->connection);
}

const char *state_redis_where(const struct state *state)
{
    return is_server(state) ? connection_where(((const struct server *)state)->connection) : cluster_where(state);
}
