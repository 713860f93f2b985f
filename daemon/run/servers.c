#include "daemon/run/servers.h"

#include "daemon/clock.h"
#include "daemon/run/kafka.h"
#include "daemon/source/kafka.h"
#include "daemon/state/keys.h"
#include "daemon/state/marks.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PROGRESS_EVERY_S = 2
};

static bool open_topics(struct servers *servers, struct error *error)
{
    const struct settings *settings = servers->engine->settings;
    struct kafka_source_settings source = { .kafka = run_kafka_settings(servers->engine, &servers->arena),
                                            .topics = settings->topics.in.at,
                                            .n_topics = settings->topics.in.n,
                                            .workers = 1,
                                            .alone = true };
    servers->source = kafka_source_create(&source, error);
    return servers->source && topics_open(&servers->topics, servers->source, servers->marks, servers->n_marks, error);
}

bool servers_open(struct servers *servers, struct engine *engine, bool kafka, struct error *error)
{
    struct redis_settings redis = engine_redis(engine);
    enum outcome outcome = DONE;
    bool same;
    *servers = (struct servers){ .engine = engine, .state = state_redis_create(&redis) };
    servers->keeper = marks_redis_create(servers->state, engine->settings->prefix);
    const struct mark_keeper_ops *ops = servers->keeper->ops;
    return ops->connect(servers->keeper, &same, error) &&
           ops->read(servers->keeper, &servers->marks, &servers->n_marks, &servers->arena, &outcome, error) &&
           (!kafka || open_topics(servers, error));
}

void servers_close(struct servers *servers)
{
    topics_close(&servers->topics);
    source_destroy(servers->source);
    marks_redis_destroy(servers->keeper);
    servers->state->ops->destroy(servers->state);
    arena_deinit(&servers->arena);
}

static bool is_known(const struct span *all, size_t n, struct span name)
{
    return n && bsearch(&name, all, n, sizeof *all, spans_compare);
}

/* Those of the names that are known, in place of all; the others are told. */
static void choose(struct servers *servers, char *const *names, size_t n_names, struct span **tenants, size_t *n,
                   struct error *unknown)
{
    struct buffer others = { 0 };
    struct span *chosen = arena_alloc(&servers->arena, n_names * sizeof *chosen);
    size_t n_chosen = 0;
    for (size_t i = 0; i < n_names; i++) {
        if (is_known(*tenants, *n, span_of(names[i])))
            chosen[n_chosen++] = span_of(names[i]);
        else
            buffer_printf(&others, "%s\"%s\"", others.len ? ", " : "", names[i]);
    }
    if (others.len) fail(unknown, "Redis knows no tenant %.*s", SPAN_ARG(buffer_all(&others)));
    buffer_deinit(&others);
    *tenants = chosen;
    *n = n_chosen;
}

bool servers_tenants(struct servers *servers, char *const *names, size_t n_names, struct span **tenants, size_t *n,
                     struct error *unknown, struct error *error)
{
    enum outcome outcome = DONE;
    const char *prefix = servers->engine->settings->prefix;
    if (!tenants_all(servers->state, prefix, tenants, n, &servers->arena, &outcome, error)) return false;
    if (*n) qsort(*tenants, *n, sizeof **tenants, spans_compare);
    if (n_names) choose(servers, names, n_names, tenants, n, unknown);
    return true;
}

void progress_tell(void *context, int64_t done, int64_t all)
{
    struct progress *progress = context;
    int64_t now_s = clock_us(CLOCK_MONOTONIC) / MICROS_PER_SECOND;
    if (done < all && now_s - progress->told_s < PROGRESS_EVERY_S) return;
    progress->told_s = now_s;
    fprintf(stderr, "crm-reportd %s: %lld of %lld %s (%lld %%)\n", progress->command, (long long)done, (long long)all,
            progress->what, (long long)(all ? 100 * done / all : 100));
}
