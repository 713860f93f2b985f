#include "tests/sim/fold.h"

#include "daemon/state/keys.h"
#include "tests/sim/events.h"

struct script {
    struct source base;
    const struct log *logs[PARTITIONS_MAX * 64];
    struct partition partitions[PARTITIONS_MAX * 64];
    size_t n, at, next;
    bool told, ended;
};

static struct script *of(struct source *source)
{
    return (struct script *)source;
}

static size_t script_receive(struct source *base, struct record *records, size_t room, int timeout_ms)
{
    struct script *script = of(base);
    size_t n = 0;
    (void)timeout_ms;
    while (n < room && script->at < script->n) {
        const struct log *log = script->logs[script->at];
        if (script->next == log->n) {
            script->at++;
            script->next = 0;
            continue;
        }
        records[n++] = (struct record){ .value = log->records[script->next].value,
                                        .topic = span_of(world_topic),
                                        .partition = (int32_t)script->at,
                                        .offset = (int64_t)script->next,
                                        .timestamp_us = log->records[script->next].timestamp_us };
        script->next++;
    }
    return n;
}

static bool script_change(struct source *base, struct change *change)
{
    struct script *script = of(base);
    bool last = script->at == script->n && script->told && !script->ended;
    if (script->told && !last) return false;
    *change = (struct change){ last ? CHANGE_ENDED : CHANGE_ASSIGNED, script->partitions, last ? 0 : script->n };
    script->told = true;
    script->ended = last;
    return true;
}

static void script_nothing(struct source *base)
{
    (void)base;
}
static void script_idle(struct source *base, int timeout_ms)
{
    (void)base, (void)timeout_ms;
}
static void script_start(struct source *base, struct partition partition, int64_t offset)
{
    (void)base, (void)partition, (void)offset;
}
static const char *script_trouble(struct source *base)
{
    (void)base;
    return NULL;
}

static const struct source_ops table = { .receive = script_receive,
                                         .release = script_nothing,
                                         .idle = script_idle,
                                         .next_change = script_change,
                                         .confirm = script_nothing,
                                         .start = script_start,
                                         .trouble = script_trouble,
                                         .destroy = script_nothing };

static void add_log(struct script *script, const struct log *log)
{
    REQUIRE(script->n < sizeof script->logs / sizeof *script->logs);
    script->partitions[script->n] = (struct partition){ span_of(world_topic), (int32_t)script->n };
    script->logs[script->n++] = log;
}

static void copy_field(const struct store *from, struct store *to, struct span key, struct span field)
{
    struct span value = store_get(from, key, field);
    if (value.at) store_put(to, key, field, value);
}

static void copy_beginnings(const struct store *from, struct store *to)
{
    struct arena arena = { 0 };
    for (int t = 0; t <= TENANTS; t++) {
        struct span state = key_state(&arena, state_prefix, event_tenant(t)),
                    names = key_names(&arena, state_prefix, event_tenant(t));
        const struct store_hash *hash = store_hash(from, names);
        size_t at = 0;
        if (!store_number(from, state, SPAN("version"))) continue;
        store_put_number(to, state, SPAN("version"), 1);
        copy_field(from, to, state, SPAN("counted_by"));
        copy_field(from, to, state, SPAN("kept:0"));
        copy_field(from, to, state, SPAN("secret"));
        for (struct map_slot *slot; hash && (slot = map_next(&hash->fields, &at));) copy_field(from, to, names, slot->key);
    }
    arena_deinit(&arena);
}

static int64_t world_clock(void *world)
{
    return ((struct world *)world)->now_us;
}

void fold_plainly(struct world *world, struct store *into)
{
    struct worker_parts parts = engine_parts(world->engine);
    struct script script = { .base = { &table } };
    struct link link;
    bool same;
    struct error error = { "" };
    for (size_t i = 0; i < world->broker.n_buried; i++) add_log(&script, &world->broker.buried[i]);
    for (int p = 0; p < world->broker.n_logs; p++) add_log(&script, &world->broker.logs[p]);
    copy_beginnings(&world->store, into);
    link_init(&link, world, into);
    REQUIRE(link.marks.ops->connect(&link.marks, &same, &error));
    parts.source = &script.base;
    parts.state = &link.base;
    parts.clock = world_clock;
    parts.context = world;
    parts.batch_records = 64;
    struct worker *worker = worker_create(&parts);
    while (worker_turn(worker, 0, &error)) continue;
    worker_drain(worker, 0);
    if (error.text[0]) fail(&world->wrong, "the plain fold: %s", error.text);
    worker_destroy(worker);
}
