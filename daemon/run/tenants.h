/* Which tenants in Redis were counted by other settings than these, or count some of it from some day on only: for `check`. */
#pragma once

#include "daemon/run/engine.h"

/* Adds a problem or an advice for each, saying what has changed and what helps. Where Redis does not answer it says nothing: others do. */
void tenants_probe(struct engine *engine, struct findings *findings);
