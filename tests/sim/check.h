/* The end of a history: everything is allowed to settle, then compared with a plain fold of all events. */
#pragma once

#include "tests/sim/world.h"

/* Faults end, time goes on until nothing moves any more. False: it does not settle (world->wrong says what waits), or an
 * instance stopped (world->stopped). */
bool check_settle(struct world *world);

/* Do a tenant's alerts stand as its numbers say, and was all told of them, in turns? `desk`: loaded, with the rules. */
bool alerts_right(struct world *world, struct desk *desk);

/* Compares; the first difference goes to world->wrong. */
bool check_equal(struct world *world);
