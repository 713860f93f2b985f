/* Explains a number: the entities behind it, and what each adds. All stored entities of the tenant are folded again, so that the
 * total is an independent check of the counters. Whoever has settings and a state calls engine_explain (run/explanation.h). */
#pragma once

#include "daemon/report/query.h"
#include "daemon/tenant/stored.h"

/* Whose number it is. The view is open; its names may grow. */
struct explain_tenant {
    struct view *view;
    int32_t today; /* the clock's local day */
};

/* Appends the answer, without its end, or an error of the request; config/README.md shows its forms. `limit`: how many entities
 * are listed at most, of each sum and of all rows together (of each row at least one). False only when the state could not be
 * read, or moved on (view->moved); then nothing is appended and `error` says why. */
bool explain_answer(const struct query *query, size_t limit, const struct catalogue *catalogue,
                    const struct explain_tenant *tenant, struct buffer *out, struct error *error) MUST_USE;
