/* Which tenants in Redis were counted by other settings or another catalogue than these: for `check`. */
#pragma once

#include "daemon/run/engine.h"

/* Adds a problem for each, saying what has changed and what helps. Where Redis does not answer it says nothing: others do. */
void held_probe(struct engine *engine, struct findings *findings);
