/* The entities of a tenant in two stores, compared one by one, wherever they stand. */
#pragma once

#include "tests/sim/world.h"

/* Has the entity left the tenant, leaving its mark? */
bool entity_has_left(const struct store *store, struct span tenant, enum kind kind, struct span id);

/* Those of the world's store: as in `want`, but for the wake-up, which may be kept early; each on the page where it is looked for,
 * its timer standing, and as many as the state says. Who has left is not asked for. The first difference goes to world->wrong. */
bool entities_equal(struct world *world, const struct store *want, struct span tenant, const struct names *names);
