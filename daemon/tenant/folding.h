/* Days fold into their months: what is longer ago than the tenant's `fold_after` stands in the cells of its month only. Whole
 * months at a time, when a month has become old enough; never back. */
#pragma once

#include "daemon/tenant/fold.h"

/* Moves the tenant's `days_from` on, if it is time to, before anything of the batch is written: the keys of the days that go are
 * removed by its commit. */
void folding_move(struct batch *batch);
