/* Where the time and the allocations of a run go: one stage is on at any moment, entering another one stops its clock. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum stage {
    STAGE_REST, /* nothing of the below: lanes, rounds, bookkeeping of the worker */
    STAGE_SOURCE,
    STAGE_DECODE,
    STAGE_LOOK_UP,
    STAGE_STATE,
    STAGE_ENTITY,
    STAGE_FOLD,
    STAGE_FACTS,
    STAGE_DIFFERENCE,
    STAGE_COUNTER,
    STAGE_ENCODE,
    STAGE_BODY,
    STAGE_BOARD,
    STAGE_RENDER,
    STAGE_YARDSTICK,
    N_STAGES
};

struct stage_sum {
    double ns; /* without what the clock itself costs */
    uint64_t calls, allocations, bytes;
};

void stage_clock_start(void); /* from zero, in STAGE_REST; before the first time it finds out what it costs */
void stage_clock_stop(void);
enum stage stage_enter(enum stage stage); /* returns the one that was on, to be given to stage_leave */
void stage_leave(enum stage before);
struct stage_sum stage_sum(enum stage stage); /* of a stopped clock */
