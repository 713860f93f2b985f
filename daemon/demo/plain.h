/* The demo without a screen: a line per update, and reports as text. */
#pragma once

#include "daemon/demo/notes.h"
#include "daemon/demo/status.h"

/* Which lines were written last, so that only what is new is written. */
struct plain {
    int64_t line_us; /* when numbers were written last */
    char lines[8][320];
};

/* The three numbers of the tenants whose numbers changed, at most once a second; and what was of note. */
void plain_update(struct plain *plain, const struct status *status, struct wall *wall, struct notes *notes);

/* All reports of all tenants: the first grouping, this month where there is one. */
void plain_reports(struct wall *wall);
