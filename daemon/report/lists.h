/* The single entities that reports list, kept by differences: the newest offenders of each finding of the audit, and of the open
 * deals of each currency, pipeline and stage (which share a win probability) those with the largest amounts. */
#pragma once

#include "daemon/report/figure.h"
#include "daemon/report/ranking.h"

enum {
    OPEN_DEALS_SHOWN = 20 /* of each currency */
};

/* Open deals that share currency, pipeline and stage. */
struct open_group {
    name_id key[3];
    struct ranking deals;
};

struct lists {
    struct ranking findings[N_FINDINGS];
    struct map groups; /* -> struct open_group */
};

void lists_init(struct lists *lists);
void lists_deinit(struct lists *lists); /* a zeroed one is fine */

/* A line comes (`after`), goes (`before`), or becomes another one; either may be NULL. */
void lists_take(struct lists *lists, enum list list, struct span id, const struct list_line *before,
                const struct list_line *after);

bool lists_are_short(const struct lists *lists); /* more was taken away than the reserve holds: read them again */
size_t lists_bytes(const struct lists *lists);

/* {"missing_values":[{"kind":"deal","id":"D-17","count":2}, …], …} of those that are kept. */
void lists_write_offenders(const struct lists *lists, uint16_t kept, struct buffer *out);

/* [{"deal":"D-17","owner":"u1",…,"amount":{"EUR":100.00},"win_probability":0.5,"expected_value":{"EUR":50.00}}, …]: by currency,
 * the tenant's first, and value. `weight`: the metric that says the probability; `evaluation` the rest of what it takes. */
void lists_write_open_deals(const struct lists *lists, const struct metric *weight, const struct evaluation *evaluation,
                            const struct names *names, struct span currency, struct buffer *out);
