/* A tenant of whom entities have left: its counters cannot be held against its entities one by one. Together they must weigh what
 * those that are there and those that have left said, and the days of a month must add up to it. */
#pragma once

#include "daemon/recount/differences.h"

/* Like differences_find. `comparison`: of Redis and its entities. */
size_t balance_find(const struct comparison *comparison, const struct tenant *tenant, size_t most);
