/* Who the server is and how it is set up, from INFO and CONFIG GET. */
#include "common/map.h"
#include "daemon/state/server.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum info_type {
    INFO_TEXT,
    INFO_NUMBER,
    INFO_IS /* a flag: the value is `means` */
};

struct info_row {
    const char *name, *means;
    enum info_type type;
    size_t offset, bytes;
};
#define AT(member) offsetof(struct redis_identity, member), sizeof(((struct redis_identity *)0)->member)

static const struct info_row info_rows[] = {
    { "run_id", NULL, INFO_TEXT, AT(run_id) },
    { "master_replid", NULL, INFO_TEXT, AT(replication_id) },
    { "redis_version", NULL, INFO_TEXT, AT(version) },
    { "role", "master", INFO_IS, AT(is_master) },
    { "cluster_enabled", "1", INFO_IS, AT(is_cluster) },
    { "aof_enabled", "1", INFO_IS, AT(aof_enabled) },
    { "maxmemory", NULL, INFO_NUMBER, AT(maxmemory_bytes) },
    { "maxmemory_policy", NULL, INFO_TEXT, AT(maxmemory_policy) },
};
enum {
    N_INFO_ROWS = sizeof info_rows / sizeof info_rows[0]
};

/* A line "name:value" of INFO. */
static void take_line(struct redis_identity *identity, struct span line)
{
    const char *colon = line.len ? memchr(line.at, ':', line.len) : NULL;
    if (!colon) return;
    struct span name = { line.at, (size_t)(colon - line.at) }, value = { colon + 1, line.len - name.len - 1 };
    const struct info_row *row = info_rows;
    while (row < info_rows + N_INFO_ROWS && !span_is(name, row->name)) row++;
    if (row == info_rows + N_INFO_ROWS) return;
    void *at = (char *)identity + row->offset;
    switch (row->type) {
    case INFO_TEXT:
        snprintf(at, row->bytes, "%.*s", SPAN_ARG(value));
        break;
    case INFO_NUMBER:
        *(int64_t *)at = strtoll(value.at, NULL, 10);
        break;
    case INFO_IS:
        *(bool *)at = span_is(value, row->means);
        break;
    }
}

static void take_info(struct redis_identity *identity, struct span info)
{
    while (info.len) {
        const char *end = memchr(info.at, '\n', info.len);
        size_t len = end ? (size_t)(end - info.at) : info.len, next = end ? len + 1 : len;
        if (len && info.at[len - 1] == '\r') len--;
        take_line(identity, (struct span){ info.at, len });
        info = (struct span){ info.at + next, info.len - next };
    }
}

/* The first value of CONFIG GET (an older server knows another name of it, hence the pattern), as text; none where this user may
 * not ask. */
static bool config_get(struct state *state, const char *pattern, char *text, size_t bytes, enum outcome *outcome,
                       struct error *error)
{
    struct error refusal = { 0 };
    text[0] = 0;
    request_texts(server_ask(state), 3, "CONFIG", "GET", pattern);
    redisReply *reply = server_answer(state, outcome, &refusal);
    if (*outcome == LOST) return fail(error, "%s", refusal.text);
    if (reply && reply->elements >= 2) snprintf(text, bytes, "%.*s", SPAN_ARG(reply_text(reply->element[1])));
    reply_free(reply);
    *outcome = DONE;
    return true;
}

static bool config_number(struct state *state, const char *pattern, int64_t *number, enum outcome *outcome, struct error *error)
{
    char text[24];
    if (!config_get(state, pattern, text, sizeof text, outcome, error)) return false;
    *number = text[0] ? strtoll(text, NULL, 10) : -1;
    return true;
}

static bool config_yes(struct state *state, const char *name, bool *yes, enum outcome *outcome, struct error *error)
{
    char text[8];
    if (!config_get(state, name, text, sizeof text, outcome, error)) return false;
    *yes = strcmp(text, "yes") == 0;
    return true;
}

bool state_redis_identity(struct state *state, struct redis_identity *identity, enum outcome *outcome, struct error *error)
{
    *identity = (struct redis_identity){ 0 };
    request_texts(server_ask(state), 1, "INFO");
    redisReply *reply = server_answer(state, outcome, error);
    if (!reply) return false;
    take_info(identity, reply_text(reply));
    reply_free(reply);
    return config_number(state, "hash-max-*-entries", &identity->hash_max_listpack_entries, outcome, error) &&
           config_number(state, "hash-max-*-value", &identity->hash_max_listpack_value_bytes, outcome, error) &&
           (!identity->is_cluster ||
            config_yes(state, "cluster-require-full-coverage", &identity->wants_all_shards, outcome, error));
}

bool redis_identity_same(const struct redis_identity *a, const struct redis_identity *b)
{
    return strcmp(a->run_id, b->run_id) == 0 && strcmp(a->replication_id, b->replication_id) == 0;
}

uint64_t redis_identity_hash(const struct redis_identity *identity)
{
    char both[sizeof identity->run_id + sizeof identity->replication_id];
    int len = snprintf(both, sizeof both, "%s %s", identity->run_id, identity->replication_id);
    return bytes_hash(both, (size_t)len) | 1;
}

bool state_redis_history(struct state *state, uint64_t *history, struct error *error)
{
    struct state *server;
    *history = 0;
    for (size_t i = 0; (server = state_redis_server(state, i)); i++) {
        struct redis_identity identity;
        enum outcome outcome;
        if (!state_redis_connected(server)) continue;
        if (!state_redis_identity(server, &identity, &outcome, error)) return false;
        *history += redis_identity_hash(&identity); /* in whatever order they come */
    }
    return true;
}
