/* Faults end, and the daemon is given time: does it come to rest, with nothing left to do? */
#include "common/instant.h"
#include "daemon/state/keys.h"
#include "daemon/state/marks.h"
#include "tests/sim/check.h"
#include "tests/sim/events.h"

enum {
    ROUNDS_MAX = 900,
    ROUND_US = 60 * 1000,
    LOOK_EVERY = 5,
    CALM_ROUNDS = 100 /* longer than any wait of the daemon's own */
};

static void clear_up(struct world *world)
{
    world->weather = (struct weather){ 0 };
    world->broker.away = world->broker.outputs_away = false;
    world->store.away = world->store.refuses = false;
    strays_arrive(world, true);
    int alive = 0;
    for (int i = 0; i < MEMBERS_MAX; i++) {
        struct instance *instance = &world->instances[i];
        instance->asleep = false;
        alive += instance->alive;
        if (!instance->alive && world->broker.members[i].joined) broker_leave(&world->broker, i);
    }
    if (!alive) instance_start(world, 0);
}

/* ---- what may still have to be done ---- */

static bool partition_waits(struct world *world, int p, struct arena *arena)
{
    const struct log *log = &world->broker.logs[p];
    struct buffer field = { 0 };
    struct mark mark;
    buffer_printf(&field, "%s:%d", world_topic, p);
    struct span text = store_get(&world->store, key_marks(arena, state_prefix), buffer_all(&field));
    bool done = text.at && mark_parse(text, &mark) && mark.next == (int64_t)log->n && log->committed == (int64_t)log->n;
    if (!done)
        snprintf(world->waits.text, sizeof world->waits.text, "partition %d of %zu records: mark %.*s, committed %lld", p, log->n,
                 SPAN_ARG(text), (long long)log->committed);
    buffer_deinit(&field);
    return !done;
}

static bool tenant_waits(struct world *world, struct span tenant, struct arena *arena)
{
    const struct rules *rules = settings_rules(world->engine->settings, tenant);
    const struct store_hash *timers = store_hash(&world->store, key_timers(arena, state_prefix, tenant));
    struct span state = key_state(arena, state_prefix, tenant);
    if (!store_number(&world->store, state, SPAN("version"))) return false;
    int64_t clock_us = store_number(&world->store, state, SPAN("clock")), now_us = world->now_us;
    size_t at = 0;
    bool late = local_day(clock_us, zone_offset(rules->zone, clock_us)) != local_day(now_us, zone_offset(rules->zone, now_us));
    for (struct map_slot *slot; timers && !late && (slot = map_next(&timers->fields, &at));)
        late = store_number(&world->store, timers->key, slot->key) <= now_us;
    if (late)
        snprintf(world->waits.text, sizeof world->waits.text, "tenant %.*s, %slisted: a timer is due, or its day is over",
                 SPAN_ARG(tenant), store_get(&world->store, key_tenants(arena, state_prefix), tenant).at ? "" : "not ");
    return late;
}

/* It has a turn, again and again. What became due since the last one waits for the wall clock, which stands. */
static bool is_due(const struct world *world, const struct desk *desk)
{
    return desk->alerts.due_us <= world->two_turns_us;
}

static bool desk_waits(const struct world *world, const struct desk *desk)
{
    return desk->dirty || is_due(world, desk) || desk->alerts.outbox[ALERT_TO_TOPIC].n || desk->alerts.behind ||
           !alerts_told_again(world, desk);
}

static void say_what_waits(struct world *world, const struct instance *instance, const struct desk *desk)
{
    struct span tenant = desk ? desk->tenant : SPAN("");
    snprintf(world->waits.text, sizeof world->waits.text,
             "instance %d publishes: %zu reports, %zu letters on their way, %zu to do; desk of '%.*s'%s%s%s%s, %zu alerts unsent",
             instance->number, instance->publisher->unacknowledged, instance->letters.n, instance->publisher->n_inbox,
             SPAN_ARG(tenant), desk && desk->dirty ? " dirty" : "", desk && desk->loaded ? "" : " not loaded",
             desk && desk->alerts.behind ? " behind" : "", desk && is_due(world, desk) ? " due" : "",
             desk ? desk->alerts.outbox[ALERT_TO_TOPIC].n : 0);
}

static bool publisher_waits(struct world *world, const struct instance *instance)
{
    size_t at = 0;
    bool waits = instance->alive && (instance->publisher->unacknowledged || instance->letters.n || instance->publisher->n_inbox);
    const struct desk *desk = NULL;
    for (struct map_slot *slot; instance->alive && !waits && (slot = map_next(&instance->publisher->desks, &at));)
        waits = desk_waits(world, desk = slot->value);
    if (waits) say_what_waits(world, instance, desk);
    return waits;
}

static bool something_waits(struct world *world)
{
    struct arena arena = { 0 };
    bool waits = false;
    for (int p = 0; p < world->broker.n_logs && !waits; p++) waits = partition_waits(world, p, &arena);
    for (int t = 0; t <= TENANTS && !waits; t++) waits = tenant_waits(world, event_tenant(t), &arena);
    for (int i = 0; i < MEMBERS_MAX && !waits; i++) waits = publisher_waits(world, &world->instances[i]);
    arena_deinit(&arena);
    return waits;
}

/* The wall clock stands: what is compared has one clock. */
bool check_settle(struct world *world)
{
    clear_up(world);
    int calm = 0;
    int64_t before_us = world->monotonic_us;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        world->two_turns_us = before_us;
        before_us = world->monotonic_us;
        for (int i = 0; i < MEMBERS_MAX; i++) {
            instance_turn(&world->instances[i]);
            instance_publish(&world->instances[i]);
        }
        if (world->stopped.text[0]) return false;
        world->monotonic_us += ROUND_US;
        if (round % LOOK_EVERY) continue;
        calm = something_waits(world) ? 0 : calm + LOOK_EVERY;
        if (calm < CALM_ROUNDS) continue;
        return true;
    }
    return fail(&world->wrong, "it does not come to rest: %.400s", world->waits.text);
}
