/* The plain answer: all events of a history, folded one after the other in one go, with nothing in the way. */
#pragma once

#include "tests/sim/world.h"

/* Into an empty store. The tenants get the names and the secret that they have in the world's store, so that both can be
 * compared byte by byte. */
void fold_plainly(struct world *world, struct store *into);
