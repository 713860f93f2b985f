/* Marks as text, read and moved by compare-and-set; the set of tenants. */
#include "daemon/state/marks.h"

#include "common/map.h"
#include "daemon/state/keys.h"
#include "daemon/state/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A script with a single write stands in an append-only file as that write alone, others as a transaction, which Redis leaves out when it
 * loads the file and its user "default" may not write (config/users.acl). A mark without the commits below it would be a loss, so it
 * is written twice: it comes and goes as they do.
 * ARGV: partition, "1" if a mark is expected there, that mark, the new one; the next four … Returns 1 for each that moved, else 0. */
static const char move_text[] = "local moved = {}\n"
                                "for i = 1, #ARGV, 4 do\n"
                                "  local found = redis.call('HGET', KEYS[1], ARGV[i])\n"
                                "  local same = found == (ARGV[i + 1] == '1' and ARGV[i + 2])\n"
                                "  if same then\n"
                                "    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 3])\n"
                                "    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 3])\n"
                                "  end\n"
                                "  moved[#moved + 1] = same and 1 or 0\n"
                                "end\n"
                                "return moved\n";

enum {
    MOVES_MAX = 1000,
    TENANTS_MAX = 1000
};

struct keeper {
    struct mark_keeper base;
    struct server *server;
    char *prefix;
    struct redis_identity identity; /* of the last connection; run_id empty: there was none */
    bool identified;                /* since it was connected */
};

static struct keeper *keeper_of(const struct mark_keeper *base)
{
    return (struct keeper *)base;
}

static struct state *state_of(const struct mark_keeper *base)
{
    return &keeper_of(base)->server->state;
}

void mark_write(const struct mark *mark, struct buffer *out)
{
    buffer_printf(out, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRIu64, mark->next, mark->last, mark->last_timestamp_us,
                  mark->life);
}

bool mark_parse(struct span text, struct mark *mark)
{
    char line[100], end;
    if (text.len >= sizeof line) return false;
    snprintf(line, sizeof line, "%.*s", SPAN_ARG(text));
    return sscanf(line, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNu64 "%c", &mark->next, &mark->last, &mark->last_timestamp_us,
                  &mark->life, &end) == 4;
}

static bool keeper_read(struct mark_keeper *keeper, struct mark **marks, size_t *n, struct arena *arena, enum outcome *outcome,
                        struct error *error)
{
    struct hash_read read = { .key = key_marks(arena, keeper_of(keeper)->prefix) };
    if (!server_ops.read(state_of(keeper), &read, 1, arena, outcome, error)) return false;
    *n = read.n_values / 2;
    *marks = arena_zalloc(arena, *n * sizeof **marks);
    for (size_t i = 0; i < *n; i++) {
        (*marks)[i].partition = read.values[i * 2];
        if (mark_parse(read.values[i * 2 + 1], &(*marks)[i])) continue;
        *outcome = REFUSED;
        return fail(error, "redis %s: the mark of %.*s cannot be read", state_redis_where(state_of(keeper)),
                    SPAN_ARG(read.values[i * 2]));
    }
    return true;
}

static void ask_move(struct connection *connection, const struct mark *old, const struct mark *new, struct buffer *text)
{
    request_argument(connection, new->partition);
    request_number(connection, old->next >= 0);
    buffer_clear(text);
    mark_write(old, text);
    request_argument(connection, buffer_all(text));
    buffer_clear(text);
    mark_write(new, text);
    request_argument(connection, buffer_all(text));
}

void marks_ask_move(struct connection *connection, struct span key, const struct mark *old, const struct mark *new, size_t n)
{
    struct buffer text = { 0 };
    request_begin(connection, 4 + n * 4);
    request_argument(connection, SPAN("EVAL"));
    request_argument(connection, span_of(move_text));
    request_number(connection, 1);
    request_argument(connection, key);
    for (size_t i = 0; i < n; i++) ask_move(connection, &old[i], &new[i], &text);
    buffer_deinit(&text);
}

static bool move_some(struct mark_keeper *keeper, const struct mark *old, const struct mark *new, bool *moved, size_t n,
                      enum outcome *outcome, struct error *error)
{
    struct arena arena = { 0 };
    marks_ask_move(server_ask(state_of(keeper)), key_marks(&arena, keeper_of(keeper)->prefix), old, new, n);
    arena_deinit(&arena);
    redisReply *reply = server_answer(state_of(keeper), outcome, error);
    if (!reply) return false;
    for (size_t i = 0; i < reply->elements && i < n; i++) moved[i] = reply->element[i]->integer == 1;
    reply_free(reply);
    return true;
}

static bool keeper_move(struct mark_keeper *keeper, const struct mark *old, const struct mark *new, bool *moved, size_t n,
                        enum outcome *outcome, struct error *error)
{
    *outcome = DONE;
    for (size_t at = 0; at < n; at += MOVES_MAX) {
        size_t some = n - at < MOVES_MAX ? n - at : MOVES_MAX;
        if (!move_some(keeper, old + at, new + at, moved + at, some, outcome, error)) return false;
    }
    return true;
}

bool tenants_add(struct state *redis, const char *prefix, const struct span *tenants, size_t n, enum outcome *outcome,
                 struct error *error)
{
    struct arena arena = { 0 };
    struct span key = key_tenants(&arena, prefix);
    struct state *server = state_of_key(redis, key);
    *outcome = DONE;
    for (size_t at = 0; at < n && *outcome == DONE; at += TENANTS_MAX) {
        size_t some = n - at < TENANTS_MAX ? n - at : TENANTS_MAX;
        struct connection *connection = server_ask(server);
        request_begin(connection, 2 + some);
        request_argument(connection, SPAN("SADD"));
        request_argument(connection, key);
        for (size_t i = 0; i < some; i++) request_argument(connection, tenants[at + i]);
        redisReply *reply = server_answer(server, outcome, error);
        reply_free(reply);
    }
    arena_deinit(&arena);
    return *outcome == DONE;
}

static bool keeper_add_tenants(struct mark_keeper *keeper, const struct span *tenants, size_t n, enum outcome *outcome,
                               struct error *error)
{
    return tenants_add(state_of(keeper), keeper_of(keeper)->prefix, tenants, n, outcome, error);
}

static void ask_page(struct connection *connection, struct span key, struct span at)
{
    request_begin(connection, 5);
    request_argument(connection, SPAN("SSCAN"));
    request_argument(connection, key);
    request_argument(connection, at);
    request_argument(connection, SPAN("COUNT"));
    request_number(connection, TENANTS_MAX);
}

/* A scan may give a member twice. */
static bool scan_tenants(struct state *redis, struct span key, struct map *found, struct arena *arena, enum outcome *outcome,
                         struct error *error)
{
    struct span at = SPAN("0");
    do {
        ask_page(server_ask(redis), key, at);
        redisReply *reply = server_answer_pair(redis, outcome, error);
        if (!reply) return false;
        at = reply_copy(reply->element[0], arena);
        const redisReply *page = reply->element[1];
        for (size_t i = 0; i < page->elements; i++)
            if (!map_get(found, reply_text(page->element[i]))) map_put(found, reply_copy(page->element[i], arena), found);
        reply_free(reply);
    } while (!span_is(at, "0"));
    return true;
}

bool tenants_all(struct state *redis, const char *prefix, struct span **tenants, size_t *n, struct arena *arena,
                 enum outcome *outcome, struct error *error)
{
    struct map found = { 0 };
    struct span key = key_tenants(arena, prefix);
    bool good = scan_tenants(state_of_key(redis, key), key, &found, arena, outcome, error);
    *tenants = arena_alloc(arena, found.count * sizeof **tenants);
    *n = found.count;
    struct map_slot *slot;
    for (size_t i = 0, j = 0; (slot = map_next(&found, &i));) (*tenants)[j++] = slot->key;
    map_deinit(&found);
    return good;
}

static bool keeper_tenants(struct mark_keeper *keeper, struct span **tenants, size_t *n, struct arena *arena,
                           enum outcome *outcome, struct error *error)
{
    return tenants_all(state_of(keeper), keeper_of(keeper)->prefix, tenants, n, arena, outcome, error);
}

static bool keeper_connect(struct mark_keeper *base, bool *same, struct error *error)
{
    struct keeper *keeper = keeper_of(base);
    struct redis_identity identity;
    enum outcome outcome;
    keeper->identified = false;
    if (!state_redis_connect(&keeper->server->state, error)) return false;
    if (!state_redis_identity(&keeper->server->state, &identity, &outcome, error)) return false;
    *same = !keeper->identity.run_id[0] || redis_identity_same(&identity, &keeper->identity);
    keeper->identity = identity;
    return keeper->identified = true;
}

static bool keeper_connected(const struct mark_keeper *keeper)
{
    return keeper_of(keeper)->identified && state_redis_connected(state_of(keeper));
}

static const struct mark_keeper_ops keeper_ops = {
    .read = keeper_read,
    .move = keeper_move,
    .add_tenants = keeper_add_tenants,
    .tenants = keeper_tenants,
    .connect = keeper_connect,
    .connected = keeper_connected,
};

struct mark_keeper *marks_redis_create(struct state *redis, const char *prefix)
{
    if (!is_server(redis)) return marks_cluster_create(redis, prefix);
    struct keeper *keeper = must_zalloc(sizeof *keeper);
    *keeper = (struct keeper){ .base = { &keeper_ops }, .server = server_of(redis), .prefix = strdup(prefix) };
    REQUIRE(keeper->prefix != NULL);
    return &keeper->base;
}

void marks_redis_destroy(struct mark_keeper *keeper)
{
    if (!keeper) return;
    if (keeper->ops != &keeper_ops) {
        marks_cluster_destroy(keeper);
        return;
    }
    free(keeper_of(keeper)->prefix);
    free(keeper);
}
