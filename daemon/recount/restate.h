/* Counts a tenant anew from its stored entities, where the topics no longer have its events: each is stated again, by the rules of
 * now; what they hand to each other is handed over again. What was not kept of events when they came in is not there. */
#pragma once

#include "daemon/recount/refold.h"
#include "daemon/tenant/stored.h"

/* `view`: the tenant as it stands, open. `into`: added to the refold by refold_add, of whom the state holds nothing; what it took
 * over from the tenant then is taken over from the view again. False: see `error`; view->moved: the tenant moved on meanwhile. */
typedef void (*tell_restated)(void *context, int64_t done, int64_t all);
bool restate(struct refold *refold, struct refold_tenant *into, struct view *view, tell_restated progress, void *context,
             struct error *error) MUST_USE;
