/* The hot path with a clock at each of its stations: functions of the daemon are timed as they are called (the linker puts the
 * ones of stages.c around them), source and state where their tables are. */
#pragma once

#include "daemon/source/source.h"
#include "daemon/state/state.h"
#include "tests/bench/stage_clock.h"

/* What would have been sent to Redis. */
struct sent {
    uint64_t commits, commands, bytes;
};

void stages_time_source(struct source *source); /* from now on; one only */

/* From now on; one only. Commits are also put into the form in which Redis is sent them, which goes nowhere. */
void stages_time_state(struct state *state);
struct sent stages_sent(void); /* so far */

/* Every event is decoded twice: who compares must notice. */
void stages_slow_down(void);
