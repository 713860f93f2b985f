/* The end of a history: everything is allowed to settle, then compared with a plain fold of all events. */
#pragma once

#include "tests/sim/world.h"

/* Faults end, time goes on until nothing moves any more. False: it does not settle (world->wrong says what waits), or an
 * instance stopped (world->stopped). */
bool check_settle(struct world *world);

/* Compares; the first difference goes to world->wrong. */
bool check_equal(struct world *world);
