/* Reports printed from a state, a line each: what replay shows. */
#pragma once

#include "daemon/run/engine.h"

/* The report of each tenant, in the order given. `name` must be one of the catalogue's reports. */
bool reports_print(struct engine *engine, struct state *state, const char *name, const struct span *tenants, size_t n,
                   struct error *error) MUST_USE;
