/* Lists of single entities that reports show: the offenders of each finding of the audit, and the open deals. An entity has one
 * line in a list, like its facts a pure function of its events and the clock. */
#pragma once

#include "common/buffer.h"
#include "daemon/facts/table.h"

/* In Redis a hash each, crm:{acme}:list:<name>: "<kind> <id>" -> the line's numbers. Findings in the order of their facts. */
enum list {
    LIST_MISSING_VALUES,
    LIST_UNLISTED_VALUES,
    LIST_UNKNOWN_REFERENCES,
    LIST_IMPOSSIBLE_ORDER,
    LIST_DUPLICATE_CONTACTS,
    LIST_DOUBLE_SUBMISSIONS,
    LIST_OVERDUE_DEALS,
    LIST_STALE_DEALS,
    LIST_OPEN_DEALS,
    N_LISTS,
    N_FINDINGS = LIST_OPEN_DEALS
};
_Static_assert(FACT_STALE_DEAL - FACT_MISSING_VALUE + 1 == N_FINDINGS, "a list for each finding's fact, in their order");
extern const char *const list_names[N_LISTS]; /* those of the metrics that count the findings */

enum {
    LINE_NUMBERS_MAX = 6,
    /* of a finding: how often the entity has it, and the instant it was created (or first heard of), in microseconds */
    OFFENDER_COUNT = 0,
    OFFENDER_CREATED,
    OFFENDER_NUMBERS,
    /* of an open deal: smallest units, numbers of names (0: missing), a day (NO_DAY: none) */
    OPEN_AMOUNT = 0,
    OPEN_CURRENCY,
    OPEN_PIPELINE,
    OPEN_STAGE,
    OPEN_OWNER,
    OPEN_EXPECTED_CLOSE,
    OPEN_NUMBERS
};
#define NO_DAY INT32_MIN

struct list_line {
    int64_t at[LINE_NUMBERS_MAX]; /* unused ones are 0 */
};

/* "12 1772323200000000" */
void list_line_write(enum list list, const struct list_line *line, struct buffer *out);
bool list_line_read(enum list list, struct span text, struct list_line *line); /* false: it is none */

/* "deal D-17": kind and id. False: it is not of that form. */
bool list_id_split(struct span line_id, struct span *kind, struct span *id);

/* Are the numbers that stand for names below `n`? */
bool list_line_names_below(enum list list, const struct list_line *line, uint32_t n);

/* What stands in a list of an entity, or is to stand there. */
struct listing {
    enum list list;
    struct list_line line;
};
