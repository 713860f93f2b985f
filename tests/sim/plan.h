/* A history as a list of steps, each with a seed of its own: any of them can be left out without changing the others. */
#pragma once

#include "tests/sim/world.h"

/* In the order of their first line in plan.c. */
enum step_type {
    STEP_FEED, /* events arrive */
    STEP_TURN, /* an instance works */
    STEP_PUBLISH,
    STEP_WAIT, /* time passes */
    STEP_STORM,
    STEP_CALM,
    STEP_KILL,
    STEP_TERMINATE,
    STEP_START,
    STEP_SLEEP, /* SIGSTOP */
    STEP_WAKE,
    STEP_EXPIRE,     /* its session is over */
    STEP_REBALANCE,  /* partitions change hands for no reason */
    STEP_STRAY,      /* what was sent over connections that are gone is carried out */
    STEP_REDIS_KILL, /* restarted, without its last second */
    STEP_REDIS_SET_BACK,
    STEP_REDIS_EMPTY,
    STEP_REDIS_AWAY,
    STEP_REDIS_REFUSES,
    STEP_REDIS_FINE,
    STEP_BROKER_AWAY,
    STEP_BROKER_BACK,
    STEP_OUTPUTS_AWAY,
    STEP_OUTPUTS_BACK,
    STEP_GROW,
    STEP_CUT,     /* retention removes what is marked */
    STEP_REBIRTH, /* the topic is created anew and filled again */
    STEP_AGE,     /* months pass, no event comes any more: once, in histories that are chosen for it */
    N_STEPS,
    N_CHOSEN_STEPS = STEP_AGE
};

struct step {
    enum step_type type;
    uint32_t number; /* of an instance, of events … */
    uint64_t seed;
    bool left_out; /* while a failure is made smaller */
};

struct plan {
    uint64_t seed;
    int partitions;
    bool timed; /* every event names its time: the topic is filled again, with other timestamps */
    bool ages;  /* it has a STEP_AGE, and one partition throughout: whoever lets entities go has read all */
    struct step *steps;
    size_t n;
};

void plan_make(struct plan *plan, uint64_t seed);
void plan_deinit(struct plan *plan);

void step_do(struct world *world, const struct plan *plan, const struct step *step);
void step_print(const struct plan *plan, const struct step *step, FILE *out);
