/* The alerts of a tenant as they stand, for whoever shows them: HTTP, the dashboard, tests. */
#pragma once

#include "common/buffer.h"
#include "daemon/state/state.h"

/* Appends {"tenant":"acme","version":1842,"alerts":[…],"pending":[…]}: each alert is the data of its crm.alert.raised event, each
 * pending one (a breach whose `for` is not over) the same without a version; both sorted by rule and row. A tenant without
 * any, known or not, has version 0 and empty lists. `version` grows with each change of the alerts. False: see `outcome`. */
bool alerts_active(struct state *state, const char *prefix, struct span tenant, struct buffer *out, enum outcome *outcome,
                   struct error *error) MUST_USE;
