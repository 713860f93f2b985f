#include "tests/sim/world.h"

#include "common/instant.h"

#include <stdlib.h>
#include <time.h>

struct world *world_here;
const char world_topic[] = "t";
const char state_prefix[] = "crm";

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

/* Every look at the clock takes a microsecond: loops that wait for time to pass end. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    if (!world_here) return __real_clock_gettime(clock, time);
    int64_t us = clock == CLOCK_REALTIME ? world_here->now_us : ++world_here->monotonic_us;
    *time = (struct timespec){ us / MICROS_PER_SECOND, us % MICROS_PER_SECOND * 1000 };
    return 0;
}

struct alert_rules *world_rules(const struct world *world)
{
    struct problems problems = { 0 };
    struct alert_rules *rules = alert_rules_read(world->engine->settings, world->engine->catalogue, &problems, NULL);
    problems_print(&problems, "sim: ", stderr);
    REQUIRE(rules != NULL);
    if (world->unwatched) rules->n = 0;
    problems_deinit(&problems);
    return rules;
}

void world_init(struct world *world, struct engine *engine, int partitions)
{
    *world = (struct world){ .engine = engine, .monotonic_us = MICROS_PER_SECOND, .lag_us = 200 * MICROS_PER_MS };
    REQUIRE(instant_parse(SPAN("2026-03-31T20:00:00Z"), &world->now_us));
    world->store.clock_us = &world->now_us;
    world->store.run = 1;
    for (int i = 0; i < MEMBERS_MAX; i++) world->instances[i].number = i;
    broker_grow(&world->broker, partitions);
    world_here = world;
}

void world_deinit(struct world *world)
{
    world->weather = (struct weather){ 0 };
    for (int i = 0; i < MEMBERS_MAX; i++) instance_kill(&world->instances[i]);
    store_deinit(&world->store);
    broker_deinit(&world->broker);
    map_deinit(&world->topic);
    arena_deinit(&world->arena);
    free(world->strays);
    free(world->alerts);
    world_here = NULL;
}

bool world_partition(const struct world *world, struct partition partition, int *number)
{
    *number = partition.number;
    return span_is(partition.topic, world_topic) && partition.number >= 0 && partition.number < world->broker.n_logs;
}
