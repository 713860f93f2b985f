#include "tests/sim/plan.h"

#include "common/instant.h"
#include "tests/sim/events.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    STEPS_MAX = 400,
    EVENTS_PER_FEED = 6,
    AGE_DAYS = 140 /* closed entities leave, days fold into their months */
};

/* ---- events ---- */

/* Of each step other numbers: leaving a step out leaves the others' events as they are. */
static int event_number(const struct plan *plan, const struct step *step, uint32_t i)
{
    return (int)((step - plan->steps) * EVENTS_PER_FEED + i);
}

static void feed(struct world *world, const struct plan *plan, const struct step *step)
{
    struct dice *dice = &world->dice;
    if (world->broker.away || world->aged) return;
    for (uint32_t i = 0; i < step->number; i++) {
        struct log_record record = event_make(plan->seed, event_number(plan, step, i), plan->timed, world->now_us, &world->arena);
        uint32_t copies = 1 + (dice_below(dice, 8) == 0);
        for (uint32_t copy = 0; copy < copies; copy++) {
            broker_append(&world->broker, (int)dice_below(dice, (uint32_t)world->broker.n_logs), &record);
        }
    }
}

/* Everything that was in the topic comes again, each record on any partition. */
static void feed_again(struct world *world, size_t first_buried)
{
    struct broker *broker = &world->broker;
    for (size_t b = first_buried; b < broker->n_buried; b++)
        for (size_t i = 0; i < broker->buried[b].n; i++) {
            struct log_record record = broker->buried[b].records[i];
            record.lettered = false;
            record.timestamp_us = world->now_us - world->now_us % 1000;
            broker_append(broker, (int)dice_below(&world->dice, (uint32_t)broker->n_logs), &record);
        }
}

static void rebirth(struct world *world)
{
    size_t first = world->broker.n_buried;
    if (world->broker.away || world->broker.cut) return;
    broker_rebirth(&world->broker, dice_below(&world->dice, 2));
    feed_again(world, first);
}

/* Only what a mark has left behind: below it all is counted. The offset in Kafka may lie before it, but there is one: no retention
 * is as short as the time between the two, and without an offset nobody could know that there was anything. */
static void cut(struct world *world)
{
    for (int p = 0; p < world->broker.n_logs; p++) {
        struct log *log = &world->broker.logs[p];
        int64_t safe = log->marked > log->committed ? log->marked : log->committed;
        if (world->broker.reborn || log->committed < 1 || safe <= log->low || dice_below(&world->dice, 2)) continue;
        log->low += 1 + dice_below(&world->dice, (uint32_t)(safe - log->low));
        world->broker.cut = true;
    }
}

/* ---- weather and time ---- */

static uint32_t some(struct dice *dice, uint32_t most)
{
    return dice_below(dice, 2) ? dice_below(dice, most) : 0;
}

static void storm(struct world *world)
{
    struct dice *dice = &world->dice;
    world->weather = (struct weather){ .cut = some(dice, 120),
                                       .refused = some(dice, 80),
                                       .late = some(dice, 900),
                                       .undelivered = some(dice, 300),
                                       .full = some(dice, 200),
                                       .slow = some(dice, 800),
                                       .unseen = some(dice, 300) };
}

static void age(struct world *world)
{
    world->aged = true;
    world->now_us += AGE_DAYS * MICROS_PER_DAY;
}

static void pass(struct world *world)
{
    static const int64_t longest_us[] = { 20 * 1000, 300 * 1000, 3 * 1000 * 1000, INT64_C(3600) * 1000 * 1000 };
    uint32_t chosen = dice_below(&world->dice, 20);
    int64_t longest = longest_us[chosen < 9 ? 0 : chosen < 15 ? 1 : chosen < 19 ? 2 : 3];
    int64_t us = 1 + (int64_t)dice_below(&world->dice, (uint32_t)(longest > 4000000000 ? 4000000000 : longest));
    world->now_us += us;
    world->monotonic_us += us;
}

/* ---- Redis ---- */

static void forget_tail(struct world *world, int64_t longest_us)
{
    size_t kept = store_steps_until(&world->store, world->now_us - longest_us);
    int64_t versions[TENANTS + 1];
    alerts_note(world, versions);
    store_set_back(&world->store, kept + dice_below(&world->dice, (uint32_t)(world->store.n_steps - kept) + 1));
    alerts_lost(world, versions);
    reports_lost(world);
    world->set_back = true;
}

static void empty(struct world *world)
{
    int64_t versions[TENANTS + 1];
    alerts_note(world, versions);
    store_empty(&world->store);
    alerts_lost(world, versions);
    reports_lost(world);
    if (dice_below(&world->dice, 2)) store_restart(&world->store);
    world->set_back = true;
}

/* ---- instances ---- */

static void sleep_over(struct world *world, struct instance *instance)
{
    struct member *member = &world->broker.members[instance->number];
    if (!member->joined || (instance->alive && !instance->asleep)) return;
    broker_leave(&world->broker, instance->number);
    member->expired = instance->alive;
}

/* ---- the steps ---- */

/* What a step does. Small ones are written here, in one line each. */
#define ACT(name, code)                                                                                                          \
    static void name(struct world *world, const struct plan *plan, const struct step *step)                                      \
    {                                                                                                                            \
        struct instance *instance = &world->instances[step->number % MEMBERS_MAX];                                               \
        (void)plan, (void)instance;                                                                                              \
        code;                                                                                                                    \
    }

ACT(do_feed, feed(world, plan, step))
ACT(do_turn, instance_turn(instance))
ACT(do_publish, instance_publish(instance))
ACT(do_wait, pass(world))
ACT(do_storm, storm(world))
ACT(do_calm, world->weather = (struct weather){ 0 })
ACT(do_kill, instance_kill(instance))
ACT(do_terminate, instance_terminate(instance))
ACT(do_start, instance_start(world, instance->number))
ACT(do_sleep, instance->asleep = instance->alive)
ACT(do_wake, instance->asleep = false)
ACT(do_expire, sleep_over(world, instance))
ACT(do_rebalance, world->broker.turn++; broker_grow(&world->broker, world->broker.n_logs))
ACT(do_stray, strays_arrive(world, dice_below(&world->dice, 4) == 0))
ACT(do_redis_kill, forget_tail(world, MICROS_PER_SECOND))
ACT(do_redis_set_back, forget_tail(world, INT64_C(1) << 50))
ACT(do_redis_empty, empty(world))
ACT(do_redis_away, world->store.away = true)
ACT(do_redis_refuses, world->store.refuses = true)
ACT(do_redis_fine, world->store.away = world->store.refuses = false)
ACT(do_broker_away, world->broker.away = true)
ACT(do_broker_back, world->broker.away = false)
ACT(do_outputs_away, world->broker.outputs_away = true)
ACT(do_outputs_back, world->broker.outputs_away = false)
ACT(do_grow, if (world->broker.n_logs < PARTITIONS_MAX && !plan->ages) broker_grow(&world->broker, world->broker.n_logs + 1))
ACT(do_cut, cut(world))
ACT(do_rebirth, rebirth(world))
ACT(do_age, age(world))

/* How often each step is chosen, once the history has it at all; and in how many of a hundred histories it is. */
static const struct {
    const char *name;
    void (*act)(struct world *, const struct plan *, const struct step *);
    uint16_t weight, histories;
} rows[N_STEPS] = {
    [STEP_FEED] = { "events arrive", do_feed, 60, 100 },
    [STEP_TURN] = { "a turn of instance", do_turn, 500, 100 },
    [STEP_PUBLISH] = { "instance publishes", do_publish, 150, 100 },
    [STEP_WAIT] = { "time passes", do_wait, 90, 100 },
    [STEP_STORM] = { "the weather turns bad", do_storm, 12, 70 },
    [STEP_CALM] = { "the weather clears", do_calm, 12, 100 },
    [STEP_KILL] = { "kill -9 of instance", do_kill, 12, 60 },
    [STEP_TERMINATE] = { "SIGTERM to instance", do_terminate, 8, 40 },
    [STEP_START] = { "start of instance", do_start, 50, 100 },
    [STEP_SLEEP] = { "SIGSTOP to instance", do_sleep, 10, 40 },
    [STEP_WAKE] = { "SIGCONT to instance", do_wake, 12, 100 },
    [STEP_EXPIRE] = { "the session is over of instance", do_expire, 15, 60 },
    [STEP_REBALANCE] = { "partitions change hands", do_rebalance, 10, 50 },
    [STEP_STRAY] = { "what lay in dead connections is carried out", do_stray, 25, 80 },
    [STEP_REDIS_KILL] = { "Redis is killed and comes back without its last second", do_redis_kill, 8, 40 },
    [STEP_REDIS_SET_BACK] = { "Redis is set back", do_redis_set_back, 5, 30 },
    [STEP_REDIS_EMPTY] = { "Redis is emptied", do_redis_empty, 4, 20 },
    [STEP_REDIS_AWAY] = { "Redis goes away", do_redis_away, 6, 40 },
    [STEP_REDIS_REFUSES] = { "Redis refuses writes", do_redis_refuses, 6, 40 },
    [STEP_REDIS_FINE] = { "Redis is back and fine", do_redis_fine, 25, 100 },
    [STEP_BROKER_AWAY] = { "the broker goes away", do_broker_away, 5, 30 },
    [STEP_BROKER_BACK] = { "the broker is back", do_broker_back, 20, 100 },
    [STEP_OUTPUTS_AWAY] = { "the output topics go away", do_outputs_away, 6, 30 },
    [STEP_OUTPUTS_BACK] = { "the output topics are back", do_outputs_back, 20, 100 },
    [STEP_GROW] = { "a partition is added", do_grow, 4, 20 },
    [STEP_CUT] = { "retention removes records", do_cut, 5, 15 },
    [STEP_REBIRTH] = { "the topic is deleted and created anew", do_rebirth, 4, 12 },
    [STEP_AGE] = { "months pass", do_age, 0, 0 },
};

/* ---- making ---- */

static enum step_type choose(struct dice *dice, const bool *has, uint32_t total)
{
    uint32_t at = dice_below(dice, total);
    int type = 0;
    for (;; type++) {
        if (!has[type]) continue;
        if (at < rows[type].weight) return (enum step_type)type;
        at -= rows[type].weight;
    }
}

void plan_make(struct plan *plan, uint64_t seed)
{
    struct dice dice = { seed };
    bool has[N_STEPS] = { false };
    uint32_t total = 0, instances = 1 + dice_below(&dice, MEMBERS_MAX);
    *plan = (struct plan){ .seed = seed, .partitions = 1 + (int)dice_below(&dice, 4) };
    for (int type = 0; type < N_CHOSEN_STEPS; type++) {
        has[type] = dice_below(&dice, 100) < rows[type].histories;
        if (has[type]) total += rows[type].weight;
    }
    plan->timed = has[STEP_REBIRTH];
    plan->n = 60 + dice_below(&dice, STEPS_MAX - 60);
    plan->steps = must_alloc(plan->n * sizeof *plan->steps);
    for (size_t i = 0; i < plan->n; i++) {
        enum step_type type = i == 0 ? STEP_START : choose(&dice, has, total);
        uint32_t number = type == STEP_FEED ? 1 + dice_below(&dice, EVENTS_PER_FEED) : dice_below(&dice, instances);
        plan->steps[i] = (struct step){ .type = type, .number = number, .seed = dice_throw(&dice) };
    }
    plan->ages = plan->partitions == 1 && seed % 2;
    if (plan->ages) plan->steps[plan->n * 2 / 3].type = STEP_AGE;
}

void plan_deinit(struct plan *plan)
{
    free(plan->steps);
    *plan = (struct plan){ 0 };
}

void step_do(struct world *world, const struct plan *plan, const struct step *step)
{
    if (step->left_out) return;
    world->dice.state = step->seed;
    world->now_us += 50;
    world->monotonic_us += 50;
    rows[step->type].act(world, plan, step);
}

void step_print(const struct plan *plan, const struct step *step, FILE *out)
{
    bool numbered =
        step->type == STEP_TURN || step->type == STEP_PUBLISH || (step->type >= STEP_KILL && step->type <= STEP_EXPIRE);
    fprintf(out, "%4td  %s", step - plan->steps, rows[step->type].name);
    if (numbered) fprintf(out, " %u", step->number % MEMBERS_MAX);
    if (step->type == STEP_FEED)
        fprintf(out, " (%d to %d)", event_number(plan, step, 0), event_number(plan, step, step->number) - 1);
    fputc('\n', out);
}
