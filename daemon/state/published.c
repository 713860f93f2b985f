/* Writes a publication as the arguments of publish.lua, and keeps note of what the topic has acknowledged. */
#include "daemon/state/published.h"

#include "common/map.h"
#include "common/number.h"
#include "daemon/state/keys.h"
#include "daemon/state/server.h"

#include <inttypes.h>
#include <stdlib.h>

/* Notes a version unless a higher one stands there; returns the highest that is noted or stored then. */
static const char note_text[] = "local stored = redis.call('HGET', KEYS[2], ARGV[1])\n"
                                "local found = redis.call('HGET', KEYS[1], ARGV[1])\n"
                                "if not found or tonumber(found) < tonumber(ARGV[2]) then\n"
                                "  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])\n"
                                "  found = ARGV[2]\n"
                                "end\n"
                                "if stored and tonumber(stored) > tonumber(found) then return stored end\n"
                                "return found\n";

enum {
    PIPELINE_NOTES = 1000
};

static size_t count_arguments(const struct publication *publication)
{
    size_t n = 7 + publication->n_reports * 5; /* EVALSHA, hash, number of keys, versions, state, channel, number of reports */
    for (size_t i = 0; i < publication->n_periods; i++) n += 4 + publication->periods[i].n * 2;
    return n;
}

static void ask_keys(struct connection *connection, const char *prefix, const struct publication *publication,
                     struct arena *arena)
{
    struct span tenant = publication->tenant;
    request_number(connection, (int64_t)(2 + publication->n_reports + publication->n_periods));
    request_argument(connection, key_versions(arena, prefix, tenant));
    request_argument(connection, key_state(arena, prefix, tenant));
    for (size_t i = 0; i < publication->n_reports; i++)
        request_argument(connection, key_report(arena, prefix, tenant, publication->reports[i].report));
    for (size_t i = 0; i < publication->n_periods; i++)
        request_argument(connection, key_metrics(arena, prefix, tenant, publication->periods[i].period));
}

static void ask_report(struct connection *connection, const struct publication_report *report)
{
    struct buffer hint = { 0 };
    buffer_printf(&hint, "{\"report\":\"%s\",\"version\":%" PRId64 "}", report->report, report->version);
    request_argument(connection, span_of(report->report));
    request_number(connection, report->version);
    request_argument(connection, report->document);
    request_argument(connection, buffer_all(&hint));
    buffer_deinit(&hint);
}

static void ask_period(struct connection *connection, const struct publication_period *period)
{
    request_number(connection, period->version);
    request_number(connection, period->changes);
    request_number(connection, (int64_t)period->n * 2);
    for (size_t i = 0; i < period->n; i++) {
        request_argument(connection, period->numbers[i].metric);
        request_argument(connection, period->numbers[i].value);
    }
}

static void ask_publish(struct server *server, const char *prefix, const struct publication *publication)
{
    struct connection *connection = server->connection;
    struct arena arena = { 0 };
    request_begin(connection, count_arguments(publication));
    request_argument(connection, SPAN("EVALSHA"));
    request_argument(connection, span_of(server->publish.hash));
    ask_keys(connection, prefix, publication, &arena);
    request_argument(connection, key_channel(&arena, prefix, publication->tenant));
    request_number(connection, (int64_t)publication->n_reports);
    for (size_t i = 0; i < publication->n_reports; i++) ask_report(connection, &publication->reports[i]);
    for (size_t i = 0; i < publication->n_periods; i++) ask_period(connection, &publication->periods[i]);
    arena_deinit(&arena);
}

static void take_answer(struct publication *publication, const redisReply *reply)
{
    size_t n = publication->n_reports;
    if (reply->elements != n + publication->n_periods + 1) return;
    for (size_t i = 0; i < n; i++) publication->reports[i].stored = reply->element[i]->integer == 1;
    for (size_t i = 0; i < publication->n_periods; i++) publication->periods[i].elsewhere = reply->element[n + i]->integer != 1;
    publication->tenant_now = reply->element[n + publication->n_periods]->integer;
}

static void settle(struct publication *const *publications, size_t n, enum outcome outcome)
{
    for (size_t i = 0; i < n; i++) publications[i]->outcome = outcome;
}

/* The server's answers, in the order of the questions. Of how many it did not know the script: they are moved to the front. Where it was
 * loaded a moment ago that is a refusal like others. */
static size_t take_answers(struct server *server, struct publication **asked, size_t n, bool loaded, struct error *error)
{
    size_t again = 0;
    for (size_t i = 0; i < n; i++) {
        struct publication *publication = asked[i];
        publication->outcome = LOST;
        redisReply *reply = connection_answer(server->connection, error);
        if (reply && !loaded && reply_is_no_script(reply))
            asked[again++] = publication;
        else if (reply && (reply = connection_checked(server->connection, reply, &publication->outcome, error)))
            take_answer(publication, reply);
        reply_free(reply);
    }
    return again;
}

/* The script is loaded where the server does not know it. */
static void run_publish(struct server *server, const char *prefix, struct publication **asked, size_t n, struct error *error)
{
    for (bool load = !server->publish.hash[0]; n; load = true) {
        enum outcome outcome;
        if (load && !script_load(server->connection, &server->publish, &outcome, error)) {
            settle(asked, n, outcome);
            return;
        }
        for (size_t i = 0; i < n; i++) ask_publish(server, prefix, asked[i]);
        n = take_answers(server, asked, n, load, error);
    }
}

/* All of them are this server's. Those that are too large for a request are not asked for. */
static void publish_on(struct state *state, const char *prefix, struct publication *const *publications, size_t n,
                       struct error *error)
{
    struct connection *connection = server_ask(state);
    struct publication **asked = must_alloc(n * sizeof *asked);
    size_t n_asked = 0;
    settle(publications, n, REFUSED);
    for (size_t i = 0; i < n; i++) {
        size_t arguments = count_arguments(publications[i]);
        if (arguments <= REQUEST_ARGUMENTS_MAX)
            asked[n_asked++] = publications[i];
        else
            fail(error, "a publication of %zu arguments is more than Redis takes", arguments);
    }
    run_publish(server_of(state), prefix, asked, n_asked, error);
    connection_settle(connection);
    free(asked);
}

void state_redis_publish(struct state *state, const char *prefix, struct publication *const *publications, size_t n,
                         struct error *error)
{
    for (size_t i = 0, together; i < n; i += together) {
        struct state *server = state_of_tenant(state, publications[i]->tenant);
        together = 1;
        while (i + together < n && state_of_tenant(state, publications[i + together]->tenant) == server) together++;
        publish_on(server, prefix, &publications[i], together, error);
    }
}

static void ask_note(struct connection *connection, const char *prefix, const struct acknowledgement *acknowledgement)
{
    struct arena arena = { 0 };
    request_begin(connection, 7);
    request_argument(connection, SPAN("EVAL"));
    request_argument(connection, span_of(note_text));
    request_number(connection, 2);
    request_argument(connection, key_published(&arena, prefix, acknowledgement->tenant));
    request_argument(connection, key_versions(&arena, prefix, acknowledgement->tenant));
    request_argument(connection, span_of(acknowledgement->report));
    request_number(connection, acknowledgement->version);
    arena_deinit(&arena);
}

/* All of them on this server. */
static enum outcome acknowledge(struct state *server, const char *prefix, struct acknowledgement *acknowledgements, size_t n,
                                struct error *error)
{
    struct connection *connection = server_ask(server);
    enum outcome worst = DONE, this;
    for (size_t asked = 0, answered = 0; answered < n && worst == DONE;) {
        for (; asked < n && asked - answered < PIPELINE_NOTES; asked++) ask_note(connection, prefix, &acknowledgements[asked]);
        for (; answered < asked && worst != LOST; answered++) {
            redisReply *reply = connection_answer_ok(connection, &this, error);
            if (this != DONE) worst = this;
            if (!reply) continue;
            acknowledgements[answered].highest = reply_number(reply);
            reply_free(reply);
        }
    }
    connection_settle(connection);
    return worst;
}

bool state_redis_acknowledge(struct state *state, const char *prefix, struct acknowledgement *acknowledgements, size_t n,
                             enum outcome *outcome, struct error *error)
{
    *outcome = DONE;
    for (size_t i = 0, together; i < n && *outcome == DONE; i += together) {
        together = is_server(state) ? n : 1;
        *outcome = acknowledge(state_of_tenant(state, acknowledgements[i].tenant), prefix, &acknowledgements[i], together, error);
    }
    return *outcome == DONE;
}

static struct published_report *find_report(struct map *by_name, struct published_report *reports, size_t *n, struct span name)
{
    struct published_report *report = map_get(by_name, name);
    if (report) return report;
    report = &reports[(*n)++];
    *report = (struct published_report){ .report = name };
    map_put(by_name, name, report);
    return report;
}

bool state_redis_published(struct state *state, const char *prefix, struct span tenant, struct published_report **reports,
                           size_t *n, struct arena *arena, enum outcome *outcome, struct error *error)
{
    struct hash_read reads[] = { { .key = key_versions(arena, prefix, tenant) },
                                 { .key = key_published(arena, prefix, tenant) } };
    *n = 0;
    if (!state->ops->read(state, reads, 2, arena, outcome, error)) return false;
    *reports = arena_alloc(arena, (reads[0].n_values + reads[1].n_values) / 2 * sizeof **reports);
    struct map by_name = { 0 };
    for (size_t i = 0; i < reads[0].n_values; i += 2)
        find_report(&by_name, *reports, n, reads[0].values[i])->stored = number_or_zero(reads[0].values[i + 1]);
    for (size_t i = 0; i < reads[1].n_values; i += 2)
        find_report(&by_name, *reports, n, reads[1].values[i])->acknowledged = number_or_zero(reads[1].values[i + 1]);
    map_deinit(&by_name);
    return true;
}

bool state_redis_documents(struct state *state, const char *prefix, struct span tenant, const char *const *reports, size_t n,
                           struct span *documents, struct arena *arena, enum outcome *outcome, struct error *error)
{
    struct hash_read *reads = arena_zalloc(arena, (n + 1) * sizeof *reads);
    for (size_t i = 0; i < n; i++)
        reads[i] = (struct hash_read){ .key = key_report(arena, prefix, tenant, reports[i]), .is_string = true };
    if (!state->ops->read(state, reads, n, arena, outcome, error)) return false;
    for (size_t i = 0; i < n; i++) documents[i] = reads[i].values[0];
    return true;
}
