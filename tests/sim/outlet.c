/* A producer to the modelled topics: struct sink. A record may arrive and its acknowledgement not, or the other way round never. */
#include "daemon/state/keys.h"
#include "tests/sim/world.h"

#include <stdlib.h>

static struct outlet *of(struct sink *sink)
{
    return (struct outlet *)sink;
}

static bool header_number(const struct outgoing *outgoing, const char *name, int64_t *value)
{
    for (size_t i = 0; i < outgoing->n_headers; i++) {
        if (!span_is(outgoing->headers[i].name, name)) continue;
        char text[24] = "";
        if (outgoing->headers[i].value.len < sizeof text)
            memcpy(text, outgoing->headers[i].value.at, outgoing->headers[i].value.len);
        *value = strtoll(text, NULL, 10);
        return true;
    }
    return false;
}

static bool outlet_produce(struct sink *sink, const struct outgoing *outgoing)
{
    struct outlet *outlet = of(sink);
    struct arena *arena = &outlet->world->arena;
    int64_t partition = -1, offset = -1;
    if (dice_permille(&outlet->world->dice, outlet->world->weather.full)) return false;
    if (header_number(outgoing, "__connect.errors.partition", &partition))
        REQUIRE(header_number(outgoing, "__connect.errors.offset", &offset));
    if (outlet->n == outlet->room) {
        outlet->room = outlet->room ? outlet->room * 2 : 16;
        outlet->waiting = must_realloc(outlet->waiting, outlet->room * sizeof *outlet->waiting);
    }
    outlet->waiting[outlet->n++] = (struct outlet_record){
        .key = outgoing->key.at ? arena_copy(arena, outgoing->key) : NO_SPAN,
        .value = partition < 0 ? arena_copy(arena, outgoing->value) : NO_SPAN,
        .partition = (int)partition,
        .offset = offset,
        .tag = outgoing->tag,
        .alert = span_is(outgoing->topic, outlet->world->engine->settings->topics.alerts),
    };
    return true;
}

int64_t record_version(struct span record)
{
    static const char mark[] = "\"version\":";
    const char *at = record.len ? memmem(record.at, record.len, mark, sizeof mark - 1) : NULL;
    return at ? strtoll(at + sizeof mark - 1, NULL, 10) : 0;
}

static void put_over(struct outlet *outlet, const struct outlet_record *record)
{
    struct world *world = outlet->world;
    struct topic_record *last = arena_zalloc(&world->arena, sizeof *last);
    const struct topic_record *before = map_get(&world->topic, record->key);
    *last = (struct topic_record){ .value = record->value, .from = outlet };
    if (before && before->over) before = before->over;
    if (before && record_version(before->value) > record_version(record->value)) last->over = before;
    map_put(&world->topic, record->key, last);
}

static void deliver(struct outlet *outlet, const struct outlet_record *record)
{
    struct log *log = record->partition < 0 ? NULL : &outlet->world->broker.logs[record->partition];
    if (record->alert)
        alerts_arrive(outlet->world, record->value);
    else if (!log)
        put_over(outlet, record);
    else if (record->offset < (int64_t)log->n)
        log->records[record->offset].lettered = true;
}

void outlet_gone(struct outlet *outlet)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&outlet->world->topic, &at));) {
        const struct topic_record *last = slot->value;
        if (last->from == outlet && last->over) slot->value = (void *)last->over;
    }
}

/* Has anybody alive sent or seen this version of a report? `key`: tenant/report. */
static bool is_known(const struct world *world, struct span key, int64_t version)
{
    const char *slash = memchr(key.at, '/', key.len);
    struct span tenant = { key.at, (size_t)(slash - key.at) }, report = { slash + 1, key.len - tenant.len - 1 };
    const struct catalogue *catalogue = world->engine->catalogue;
    size_t number = 0;
    bool known = false;
    while (!span_is(report, catalogue->reports[number].name)) number++;
    for (int i = 0; i < MEMBERS_MAX; i++) {
        const struct instance *instance = &world->instances[i];
        const struct desk *desk = instance->alive ? map_get(&instance->publisher->desks, tenant) : NULL;
        known |= desk && (desk->reports[number].sent >= version || desk->reports[number].version >= version);
    }
    return known;
}

static int64_t stored_version(const struct world *world, struct span key)
{
    struct arena arena = { 0 };
    const char *slash = memchr(key.at, '/', key.len);
    struct span tenant = { key.at, (size_t)(slash - key.at) };
    struct span report = { slash + 1, key.len - tenant.len - 1 };
    struct span text = store_get(&world->store, key_report(&arena, state_prefix, tenant, arena_text(&arena, report)), NO_SPAN);
    arena_deinit(&arena);
    return record_version(text);
}

void reports_lost(struct world *world)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&world->topic, &at));) {
        int64_t version = record_version(((const struct topic_record *)slot->value)->value);
        world->forgotten |= stored_version(world, slot->key) < version && !is_known(world, slot->key, version);
    }
}

static bool is_down(const struct outlet *outlet)
{
    return outlet->world->broker.away || outlet->world->broker.outputs_away;
}

static void acknowledge(struct outlet *outlet, struct outlet_record record)
{
    struct world *world = outlet->world;
    bool doubted = is_down(outlet) || dice_permille(&world->dice, world->weather.undelivered);
    if (!record.arrived && !is_down(outlet) && (!doubted || dice_below(&world->dice, 2))) deliver(outlet, &record);
    outlet->acknowledged.call(outlet->acknowledged.context, record.tag, doubted ? UNDELIVERED : DELIVERED,
                              doubted ? "timed out" : "");
}

/* Those before the first that has to wait, in order. It may have arrived, though nobody hears of it yet. */
static void outlet_poll(struct sink *sink, int timeout_ms)
{
    struct outlet *outlet = of(sink);
    struct world *world = outlet->world;
    size_t done = 0, n = outlet->n;
    world->monotonic_us += timeout_ms * 1000;
    while (done < n && !dice_permille(&world->dice, world->weather.slow)) acknowledge(outlet, outlet->waiting[done++]);
    if (done < n && !outlet->waiting[done].arrived && !is_down(outlet) && dice_below(&world->dice, 2)) {
        deliver(outlet, &outlet->waiting[done]);
        outlet->waiting[done].arrived = true;
    }
    outlet->n -= done;
    if (outlet->n) memmove(outlet->waiting, outlet->waiting + done, outlet->n * sizeof *outlet->waiting);
}

static bool outlet_flush(struct sink *sink, int timeout_ms)
{
    outlet_poll(sink, timeout_ms);
    return of(sink)->n == 0;
}

/* What is on its way arrives at once, or does not. */
static void outlet_destroy(struct sink *sink)
{
    struct outlet *outlet = of(sink);
    struct world *world = outlet->world;
    size_t arrive = is_down(outlet) ? 0 : dice_below(&world->dice, (uint32_t)outlet->n + 1);
    for (size_t i = 0; i < outlet->n; i++) {
        if (i < arrive && !outlet->waiting[i].arrived) deliver(outlet, &outlet->waiting[i]);
        outlet->acknowledged.call(outlet->acknowledged.context, outlet->waiting[i].tag, UNDELIVERED, "the end");
    }
    outlet_gone(outlet);
    free(outlet->waiting);
    outlet->waiting = NULL;
    outlet->n = outlet->room = 0;
}

static const struct sink_ops table = { outlet_produce, outlet_poll, outlet_flush, outlet_destroy };

void outlet_init(struct outlet *outlet, struct world *world, struct acknowledged acknowledged)
{
    *outlet = (struct outlet){ .base = { &table }, .world = world, .acknowledged = acknowledged };
}
