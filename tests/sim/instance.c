/* One instance of the daemon in the simulated world: the worker and the publisher of the real one, without their threads. */
#include "daemon/report/board.h"
#include "daemon/worker/inner.h"
#include "tests/sim/world.h"

#include <stdlib.h>

static int64_t instance_clock(void *context)
{
    return ((struct instance *)context)->world->now_us;
}

static void hand_over(void *context, struct committed *committed)
{
    struct instance *instance = context;
    if (committed->set_back) instance->losses = instance->world->losses;
    publisher_take(instance->publisher, committed);
}

static void letters_acknowledged(void *context, void *tag, enum delivery delivery, const char *why)
{
    worker_acknowledged(((struct instance *)context)->worker, tag, delivery, why);
}

/* The same secrets in the same history. */
static struct hash_key fresh_secret(void)
{
    return (struct hash_key){ dice_throw(&world_here->dice), dice_throw(&world_here->dice) };
}

/* Most have too little memory for all that they count: what they forget is read again. Told by the dice without a throw. */
static size_t cache_bytes(const struct world *world)
{
    static const size_t choices[] = { 1 << 30, 1 << 15, 1 << 13, 1 << 11 };
    return choices[world->dice.state >> 40 & 3];
}

static void open_worker(struct instance *instance)
{
    struct world *world = instance->world;
    struct worker_parts parts = engine_parts(world->engine);
    link_init(&instance->worker_link, world, &world->store);
    outlet_init(&instance->letters, world, (struct acknowledged){ letters_acknowledged, instance });
    parts.source = &instance->reader.base;
    parts.state = &instance->worker_link.base;
    parts.marks = &instance->worker_link.marks;
    parts.dead_letters = &instance->letters.base;
    parts.clock = instance_clock;
    parts.clock_is_set = false;
    parts.committed = hand_over;
    parts.context = instance;
    parts.tenants.fresh_secret = fresh_secret;
    parts.batch_records = 32;
    parts.cache_bytes = cache_bytes(world);
    parts.durability_lag_us = &world->lag_us;
    instance->worker = worker_create(&parts);
    if (instance->number % 2) instance->worker->adoption.at_once = 1;
}

void instance_start(struct world *world, int number)
{
    struct instance *instance = &world->instances[number];
    if (instance->alive) return;
    *instance = (struct instance){ .world = world, .number = number, .alive = true, .losses = world->losses };
    reader_init(&instance->reader, world, number);
    world->engine->alerts = world_rules(world);
    instance->publisher = publisher_create(world->engine);
    link_init(&instance->publisher_link, world, &world->store);
    outlet_init(&instance->reports, world, (struct acknowledged){ topic_acknowledged, instance->publisher });
    instance->publisher->state = &instance->publisher_link.base;
    instance->publisher->sink = &instance->reports.base;
    if (world->floods) instance->publisher->flood_turn_us = -1;
    open_worker(instance);
    struct member *member = &world->broker.members[number];
    if (member->joined && !member->expired) return; /* a static member takes its partitions back at once */
    broker_join(&world->broker, number);
}

static void close_instance(struct instance *instance)
{
    instance->world->alerts_forgotten |= instance->publisher->desks.count && !alerts_all_told(instance);
    sink_destroy(&instance->letters.base);
    worker_destroy(instance->worker);
    publisher_destroy(instance->publisher);
    instance->alive = instance->asleep = false;
    instance->world->forgotten |= instance->world->set_back;
}

void instance_kill(struct instance *instance)
{
    if (instance->alive) close_instance(instance);
}

void instance_terminate(struct instance *instance)
{
    if (!instance->alive || instance->asleep) return;
    worker_drain(instance->worker, 2000);
    publisher_drain(instance->publisher, 2000);
    close_instance(instance);
    broker_leave(&instance->world->broker, instance->number);
}

void instance_turn(struct instance *instance)
{
    struct error error = { "" };
    if (!instance->alive || instance->asleep || worker_turn(instance->worker, 0, &error)) return;
    instance->world->stopped = error;
    instance_terminate(instance);
}

void instance_publish(struct instance *instance)
{
    if (instance->alive && !instance->asleep) publisher_turn(instance->publisher, 0);
}
