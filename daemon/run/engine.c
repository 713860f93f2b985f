#include "daemon/run/engine.h"

#include "daemon/clock.h"
#include "daemon/report/query.h"
#include "daemon/tenant/view.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
    ANSWER_ATTEMPTS = 20
};

bool engine_init(struct engine *engine, const struct settings *settings, const struct catalogue *catalogue, struct error *error)
{
    memset(engine, 0, sizeof *engine);
    engine->settings = settings;
    engine->catalogue = catalogue;
    engine->set_clock_us = NO_INSTANT;
    memory_share(&engine->memory, (size_t)settings->cache_mb << 20, (size_t)settings->workers);
    engine_retune(engine, settings);
    catalogue_kept(catalogue, &engine->kept);
    const char *clock = getenv("CRM_REPORTD_CLOCK");
    if (!clock || !*clock) return true;
    if (instant_parse(span_of(clock), &engine->set_clock_us) && instant_is_possible(engine->set_clock_us)) return true;
    return fail(error, "CRM_REPORTD_CLOCK is \"%s\", expected an instant like 2026-03-31T12:00:00Z", clock);
}

void engine_retune(struct engine *engine, const struct settings *fresh)
{
    engine->snapshot_interval_us = fresh->snapshot_interval_ms * MICROS_PER_MS;
    engine->durability_lag_us = fresh->durability_lag_ms * MICROS_PER_MS;
    engine->max_rows = fresh->max_rows;
}

int64_t engine_clock(void *context)
{
    const struct engine *engine = context;
    return engine->set_clock_us != NO_INSTANT ? engine->set_clock_us : clock_us(CLOCK_REALTIME);
}

static struct hash_key fresh_secret(void)
{
    struct hash_key key = { 0 };
    ssize_t got = getrandom(&key, sizeof key, 0);
    REQUIRE(got == (ssize_t)sizeof key);
    return key;
}

struct worker_parts engine_parts(struct engine *engine)
{
    const struct settings *settings = engine->settings;
    return (struct worker_parts){ .clock = engine_clock,
                                  .clock_is_set = engine->set_clock_us != NO_INSTANT,
                                  .context = engine,
                                  .decode = { .type_prefix = settings->type_prefix,
                                              .max_ahead_us = settings->max_ahead_s * MICROS_PER_SECOND,
                                              .max_event_bytes = (size_t)settings->max_event_bytes,
                                              .rules_of = settings_rules_of,
                                              .context = (void *)settings },
                                  .tenants = { .prefix = settings->prefix,
                                               .needed = &engine->kept,
                                               .max_events = (uint32_t)settings->max_events,
                                               .fresh_secret = fresh_secret },
                                  .dead_letter_topic = span_of(settings->topics.dead_letter),
                                  .cache_bytes = (size_t)settings->cache_mb << 20,
                                  .batch_records = BATCH_RECORDS,
                                  .midnight_spread_us = settings->midnight_spread_s * MICROS_PER_SECOND,
                                  .durability_lag_us = &engine->durability_lag_us };
}

struct redis_settings engine_redis(const struct engine *engine)
{
    const struct settings *settings = engine->settings;
    return (struct redis_settings){ .url = settings->redis.url,
                                    .user = settings->redis.user,
                                    .password = settings->redis.password,
                                    .ca_file = settings->redis.ca_file,
                                    .connect_timeout_ms = settings->redis.connect_timeout_ms,
                                    .command_timeout_ms = settings->redis.command_timeout_ms };
}

/* ---- answers ---- */

static bool answer_from(struct engine *engine, struct view *view, const struct query *query, struct buffer *out,
                        struct error *error)
{
    const struct tenant *tenant = view->tenant;
    struct cell_reader reader = view_reader(view);
    int64_t now_us = engine_clock(engine);
    if (tenant->clock_us > now_us) now_us = tenant->clock_us;
    struct query_tenant asked = { .rules = tenant->rules, .names = &tenant->names, .reader = &reader };
    asked.today = local_day(now_us, zone_offset(tenant->rules->zone, now_us));
    if (tenant->version || settings_knows_tenant(engine->settings, query->tenant))
        return query_answer(query, engine->catalogue, &asked, out, error);
    struct query_error unknown = query_unknown_tenant(query->tenant);
    query_error_write(&unknown, out);
    return true;
}

/* One attempt. `again`: the tenant moved on while it was read; then `wanted` are the buckets to be read with it. */
static bool answer_once(struct engine *engine, struct state *state, const struct query *query, struct buffer *wanted,
                        struct buffer *out, bool *again, struct error *error)
{
    struct view view = { 0 };
    struct worker_parts parts = engine_parts(engine);
    const struct rules *rules = settings_rules(engine->settings, query->tenant);
    bool fine = view_open_with(&view, state, &parts.tenants, query->tenant, rules, (const void *)wanted->at,
                               wanted->len / sizeof(struct bucket), error) &&
                answer_from(engine, &view, query, out, error);
    *again = !fine && view.moved;
    buffer_clear(wanted);
    if (*again) buffer_put(wanted, view.buckets, view.n_wanted * sizeof *view.buckets);
    view_close(&view);
    return fine;
}

bool engine_answer_for(struct engine *engine, struct state *state, struct span tenant, struct span request, struct buffer *out,
                       struct error *error)
{
    struct arena arena = { 0 };
    struct buffer wanted = { 0 };
    struct query query;
    struct query_error wrong;
    bool fine = true, again = true;
    if (!query_parse(&query, request, &arena, &wrong) || !query_for_tenant(&query, tenant, &wrong)) {
        query_error_write(&wrong, out);
        again = false;
    }
    for (int attempt = 0; again && attempt < ANSWER_ATTEMPTS; attempt++) {
        error->text[0] = 0;
        fine = answer_once(engine, state, &query, &wanted, out, &again, error);
    }
    buffer_deinit(&wanted);
    arena_deinit(&arena);
    return fine;
}

bool engine_answer(struct engine *engine, struct state *state, struct span request, struct buffer *out, struct error *error)
{
    return engine_answer_for(engine, state, NO_SPAN, request, out, error);
}
