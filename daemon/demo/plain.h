/* The demo without a screen: a line per update, and reports as text. */
#pragma once

#include "daemon/demo/notes.h"
#include "daemon/demo/status.h"

enum {
    PLAIN_TENANTS_MAX = 8,
    PLAIN_NUMBERS_MAX = 16
};

/* What was written last, so that only what is new is written. */
struct plain {
    int64_t line_us;
    char numbers[PLAIN_TENANTS_MAX][PLAIN_NUMBERS_MAX][NUMBER_TEXT_BYTES];
};

/* What changed of the three numbers of each tenant, at most once a second; and what was of note. */
void plain_update(struct plain *plain, const struct status *status, struct wall *wall, struct notes *notes);

/* All reports of all tenants: the first grouping, this month where there is one. */
void plain_reports(struct wall *wall);
