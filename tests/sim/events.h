/* What happens in a CRM within one history: few tenants, few entities, so that everything meets everything. */
#pragma once

#include "common/arena.h"
#include "tests/sim/broker.h"

enum {
    TENANTS = 3
};

/* The event of that number in the history of that seed, as a record; equal arguments, equal bytes. Now and then it is one that
 * cannot be read, is not valid, or is null. */
struct log_record event_make(uint64_t seed, int number, bool timed, int64_t now_us, struct arena *arena);
struct span event_tenant(int tenant);
