/* Removes tenants from Redis, for a rebuild from the topics. */
#include "daemon/state/keys.h"
#include "daemon/state/server.h"

enum {
    PAGE_KEYS = 1000
};

/* What was published stays until something newer replaces it: a dashboard shows the last known numbers, not none; an alert
 * that is raised is not raised once more. */
static const char *const published[] = { "report:", "metrics:", "versions", "published", "alerts" };

/* prefix:{tenant}:what */
static bool is_published(struct span key)
{
    const char *end = key.len ? memchr(key.at, '}', key.len) : NULL;
    struct span what = end ? (struct span){ end + 2, key.len - (size_t)(end + 2 - key.at) } : NO_SPAN;
    for (size_t i = 0; end && i < sizeof published / sizeof published[0]; i++) {
        size_t len = strlen(published[i]);
        if (what.len >= len && memcmp(what.at, published[i], len) == 0) return true;
    }
    return false;
}

/* One by one: they may lie in several slots. */
static bool unlink_keys(struct state *server, const struct span *keys, size_t n, enum outcome *outcome, struct error *error)
{
    struct connection *connection = server_ask(server);
    *outcome = DONE;
    for (size_t i = 0; i < n; i++) {
        request_begin(connection, 2);
        request_argument(connection, SPAN("UNLINK"));
        request_argument(connection, keys[i]);
    }
    for (size_t i = 0; i < n && *outcome != LOST; i++) {
        enum outcome this;
        redisReply *reply = connection_answer_ok(connection, &this, error);
        reply_free(reply);
        if (this != DONE) *outcome = this;
    }
    connection_settle(connection);
    return *outcome == DONE;
}

static size_t keys_to_remove(const redisReply *page, struct span *keys)
{
    size_t n = 0;
    for (size_t i = 0; i < page->elements; i++) {
        struct span key = reply_text(page->element[i]);
        if (!is_published(key)) keys[n++] = key;
    }
    return n;
}

/* Removes what one page of the scan finds; `at` moves on. */
static bool forget_page(struct state *state, struct span pattern, struct span *at, struct arena *arena, enum outcome *outcome,
                        struct error *error)
{
    struct connection *connection = server_ask(state);
    request_begin(connection, 6);
    request_argument(connection, SPAN("SCAN"));
    request_argument(connection, *at);
    request_argument(connection, SPAN("MATCH"));
    request_argument(connection, pattern);
    request_argument(connection, SPAN("COUNT"));
    request_number(connection, PAGE_KEYS);
    redisReply *reply = server_answer(state, outcome, error);
    if (!reply) return false;
    arena_reset(arena);
    *at = reply_copy(reply->element[0], arena);
    struct span *keys = arena_alloc(arena, reply->element[1]->elements * sizeof *keys);
    bool good = unlink_keys(state, keys, keys_to_remove(reply->element[1], keys), outcome, error);
    reply_free(reply);
    return good;
}

static bool forget_all(struct state *state, struct span pattern, enum outcome *outcome, struct error *error)
{
    struct arena arena = { 0 };
    struct span at = SPAN("0");
    bool good = true;
    do good = forget_page(state, pattern, &at, &arena, outcome, error);
    while (good && !span_is(at, "0"));
    arena_deinit(&arena);
    return good;
}

static bool forget_on(struct state *server, const char *prefix, struct span tenant, enum outcome *outcome, struct error *error)
{
    struct arena arena = { 0 };
    struct buffer pattern = { 0 };
    buffer_printf(&pattern, "%s:{%.*s}:*", prefix, tenant.at ? (int)tenant.len : 1, tenant.at ? tenant.at : "*");
    struct span state_key = key_state(&arena, prefix, tenant);
    bool good = (!tenant.at || unlink_keys(server, &state_key, 1, outcome, error)) &&
                forget_all(server, buffer_all(&pattern), outcome, error);
    buffer_deinit(&pattern);
    arena_deinit(&arena);
    return good;
}

bool state_redis_forget(struct state *state, const char *prefix, struct span tenant, enum outcome *outcome, struct error *error)
{
    if (tenant.at) return forget_on(state_of_tenant(state, tenant), prefix, tenant, outcome, error);
    struct state *server;
    for (size_t i = 0; (server = state_redis_server(state, i)); i++)
        if (!forget_on(server, prefix, tenant, outcome, error)) return false;
    return true;
}
