#include "daemon/state/steps.h"

#include <stdlib.h>

/* A script is told the number of a step's arguments in one byte. */
enum {
    STEP_ITEMS_MAX = 127
};

const struct span step_names[] = {
    [STEP_HSET] = SPAN("HSET"), [STEP_HDEL] = SPAN("HDEL"), [STEP_ZADD] = SPAN("ZADD"), [STEP_ZREM] = SPAN("ZREM")
};

static bool item_is(const struct commit *commit, enum step_command command, size_t i)
{
    switch (command) {
    case STEP_HSET:
        return commit->writes[i].value.at != NULL;
    case STEP_HDEL:
        return commit->writes[i].value.at == NULL;
    case STEP_ZADD:
        return commit->timers[i].at_us != NEVER;
    case STEP_ZREM:
        return commit->timers[i].at_us == NEVER;
    }
    return false;
}

static void item_write(struct connection *connection, const struct commit *commit, enum step_command command, size_t i)
{
    if (command == STEP_ZADD) request_number(connection, commit->timers[i].at_us);
    bool of_hash = command == STEP_HSET || command == STEP_HDEL;
    request_argument(connection, of_hash ? commit->writes[i].field : commit->timers[i].member);
    if (command == STEP_HSET) request_argument(connection, commit->writes[i].value);
}

static struct step *add_step(struct steps *steps, struct step step)
{
    if (steps->n == steps->room) {
        steps->room = steps->room ? steps->room * 2 : 64;
        steps->at = must_realloc(steps->at, steps->room * sizeof *steps->at);
    }
    struct step *at = &steps->at[steps->n++];
    *at = step;
    return at;
}

/* Of the items from…to, those of the command. */
static void plan_command(struct steps *steps, const struct commit *commit, enum step_command command, struct span key,
                         size_t from, size_t to)
{
    struct step *step = NULL;
    for (size_t i = from; i < to; i++) {
        if (!item_is(commit, command, i)) continue;
        if (!step || step->n_items == STEP_ITEMS_MAX)
            step = add_step(steps, (struct step){ .key = key, .from = i, .command = command });
        step->n_items++;
    }
}

void steps_plan(struct steps *steps, const struct commit *commit)
{
    steps->n = 0;
    for (size_t from = 0, to; from < commit->n_writes; from = to) {
        struct span key = commit->writes[from].key;
        for (to = from + 1; to < commit->n_writes && span_equal(key, commit->writes[to].key);) to++;
        plan_command(steps, commit, STEP_HSET, key, from, to);
        plan_command(steps, commit, STEP_HDEL, key, from, to);
    }
    plan_command(steps, commit, STEP_ZADD, commit->timers_key, 0, commit->n_timers);
    plan_command(steps, commit, STEP_ZREM, commit->timers_key, 0, commit->n_timers);
}

void steps_deinit(struct steps *steps)
{
    free(steps->at);
    *steps = (struct steps){ 0 };
}

size_t step_arguments(const struct step *step)
{
    return step->n_items * (step->command == STEP_HSET || step->command == STEP_ZADD ? 2u : 1u);
}

void step_write(struct connection *connection, const struct commit *commit, const struct step *step)
{
    size_t i = step->from;
    for (uint8_t n = 0; n < step->n_items; i++) {
        if (!item_is(commit, step->command, i)) continue;
        item_write(connection, commit, step->command, i);
        n++;
    }
}
