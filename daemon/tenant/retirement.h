/* Closed entities leave: now and then all pages of the kinds that close are gone through, some with each commit, and who is
 * closed and was left alone for longer than the tenant's `retire_after` becomes a mark (retired.h). What it said stays counted,
 * what it handed to others stays with them; what is handed to it from then on is dropped, its events are rejected. */
#pragma once

#include "daemon/tenant/fold.h"

/* Is there something to go through? The clock alone is asked: nothing else can make anybody leave. */
bool retirement_is_due(const struct tenant *tenant);

/* Stages of a batch that `retires`: asks for its pages; finds who leaves, and moves on. */
void retirement_begin(struct batch *batch);
void retirement_fold(struct batch *batch);

/* The rules have changed, or the tenant is new: when to begin. True: what is stored of it has changed. */
bool retirement_follow(struct tenant *tenant);

/* The state's field "retirement"; false: malformed. */
bool retirement_read(struct span value, struct retirement *retirement);
void retirement_write(const struct retirement *retirement, struct buffer *out);
