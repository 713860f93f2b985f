/* Timers of one tenant in memory: each member has one instant; the earliest are found first. */
#pragma once

#include "common/map.h"
#include "daemon/state/state.h"

struct due;
struct due_at {
    int64_t at_us;
    struct due *due;
};

/* A zeroed struct schedule is an empty one. */
struct schedule {
    struct map by_member; /* member -> struct due */
    struct due_at *heap;  /* the earliest on top; equal instants by member, as in a sorted set of Redis */
    size_t n, room;
};

void schedule_deinit(struct schedule *schedule);
void schedule_set(struct schedule *schedule, struct span member, int64_t at_us); /* NEVER: remove */

/* The earliest at or before `until_us`, in order, at most `limit`; in the arena. Returns how many. */
size_t schedule_due(struct schedule *schedule, int64_t until_us, size_t limit, struct arena *arena, struct timer **timers);
