/* The facts, their measures and dimensions, as a table: what the contract's metrics.md lists under "Facts", row by row.
 * Names are what the catalogue's formulas and the fields in Redis are made of. Stored nowhere by number. */
#pragma once

#include "common/rules.h"
#include "daemon/intake/kinds.h"

enum dimension {
    DIM_OWNER,
    DIM_TEAM,
    DIM_SOURCE,
    DIM_CAMPAIGN,
    DIM_LIST,
    DIM_PIPELINE,
    DIM_SALE,
    DIM_STAGE,
    DIM_CURRENCY,
    DIM_LOSS_REASON,
    DIM_COMPETITOR,
    DIM_EXPECTED_MONTH,
    DIM_PURPOSE,
    DIM_DIRECTION,
    DIM_HOUR,
    DIM_ACTIVITY,
    DIM_CHANNEL,
    DIM_CASE_KIND,
    DIM_PRIORITY,
    DIM_PROMISE,
    DIM_PAGE,
    DIM_USER,
    DIM_KIND,
    DIM_ATTRIBUTE,
    DIM_EVENT_SOURCE,
    DIM_REASON,
    DIM_GOAL, /* its id */
    DIM_METRIC,
    DIM_GOAL_PERIOD, /* "2026-Q1", "2026" … (inner) */
    DIM_TARGET,      /* a decimal number (inner) */
    DIM_UNIT,        /* of customer_active … and user_active: "day", "week", "month", "quarter", "year" (inner) */
    N_DIMENSIONS
};
extern const char *const dimension_names[N_DIMENSIONS];
int dimension_find(struct span name);              /* -1: no such */
bool dimension_is_inner(enum dimension dimension); /* nobody can ask by it */

enum measure_type {
    MEASURE_COUNT,   /* whole number; measure 0 of every fact is its count */
    MEASURE_MONEY,   /* smallest units of the fact's currency */
    MEASURE_DURATION /* milliseconds, with a histogram; a fact may lack it */
};

enum {
    MEASURES_MAX = 6,
    FACT_DIMS_MAX = 12,
    CELL_DIMS_MAX = FACT_DIMS_MAX + CUSTOM_MAX
};

/* Whose declared custom attributes are further dimensions of a fact: those of the kind that says it, or of any of the kinds that do.
 * The number of a kind stands for itself. */
enum kind_set {
    KINDS_NONE = N_KINDS, /* a fact without D: of the audit, of the intake */
    KINDS_OF_ACTIVITY,
    KINDS_OF_ACTIVITY_DUE,
    KINDS_OF_CAMPAIGN_RESPONSE,
    KINDS_OF_SERVICE_CONTACT,
    N_KIND_SETS
};
unsigned kind_set_members(unsigned set); /* a bit per kind */
/* Fills rules->customs of the set from what its kinds declare, as far as there is room; how many there are. */
int kind_set_customs(struct rules *rules, unsigned set);

enum fact_dating {
    DATED,  /* counted on its local day, and in that day's month */
    UNDATED /* a level of now: one cell without a day */
};

enum fact {
    FACT_LEAD,
    FACT_LEAD_QUALIFIED,
    FACT_LEAD_CONVERTED,
    FACT_CONVERSION,
    FACT_LEAD_RESPONSE,
    FACT_LEAD_REVENUE,
    FACT_LEAD_UNTOUCHED,
    FACT_LIST_JOINED,
    FACT_LIST_LEFT,
    FACT_REFERRAL,
    FACT_DEAL_CREATED,
    FACT_DEAL_WON,
    FACT_DEAL_LOST,
    FACT_DEAL_EXPECTED,
    FACT_STAGE_ENTERED,
    FACT_STAGE_LEFT,
    FACT_STAGE_OUTCOME,
    FACT_PROPOSAL,
    FACT_CUSTOMER_NEW,
    FACT_CUSTOMER_ACTIVE,
    FACT_CUSTOMER_RETAINED,
    FACT_CUSTOMER_KEPT,
    FACT_PURCHASE,
    FACT_ACCOUNT_CHURNED,
    FACT_CALL,
    FACT_CALL_LOST,
    FACT_CALLBACK,
    FACT_ACTIVITY,
    FACT_ACTIVITY_DUE,
    FACT_EMAIL_SENT,
    FACT_EMAIL_DELIVERED,
    FACT_EMAIL_OPENED,
    FACT_EMAIL_CLICKED,
    FACT_EMAIL_REPLIED,
    FACT_EMAIL_BOUNCED,
    FACT_EMAIL_COMPLAINED,
    FACT_CAMPAIGN_STARTED,
    FACT_CAMPAIGN_RESPONSE,
    FACT_CASE_OPENED,
    FACT_CASE_RESOLVED,
    FACT_CASE_CLOSED,
    FACT_CASE_REOPENED,
    FACT_CASE_RESPONSE,
    FACT_CASE_OPEN, /* +1 entered by opening or reopening, -1 left by resolving: a level is its sum to a day */
    FACT_PROMISE_MET,
    FACT_PROMISE_MISSED,
    FACT_RATING,
    FACT_SERVICE_CONTACT,
    FACT_VISIT,
    FACT_USER_ACTIVE,
    FACT_USER,        /* +1 opened or created again, -1 deactivated: a level, as case_open */
    FACT_GOAL,        /* undated: one for each, with all that it says */
    FACT_GOAL_TARGET, /* on the first day of its period */
    FACT_RECORD,
    FACT_MISSING_VALUE,
    FACT_UNLISTED_VALUE,
    FACT_UNKNOWN_REFERENCE,
    FACT_IMPOSSIBLE_ORDER,
    FACT_DUPLICATE_CONTACT,
    FACT_DOUBLE_SUBMISSION,
    FACT_OVERDUE_DEAL,
    FACT_STALE_DEAL,
    FACT_REJECTED_EVENT,
    FACT_DUPLICATE_EVENT,
    N_FACTS
};

struct measure_row {
    const char *name; /* NULL: end of the list */
    enum measure_type type;
};

struct fact_row {
    const char *name;
    uint8_t name_len;
    enum fact_dating dating;
    uint8_t kinds; /* enum kind_set */
    struct measure_row measures[MEASURES_MAX];
    int n_measures;
    int8_t dims[FACT_DIMS_MAX]; /* in the order of a cell's values */
    int n_dims;
};
extern const struct fact_row fact_rows[N_FACTS];

int fact_find(struct span name);                                          /* -1 */
int fact_measure(const struct fact_row *row, struct span name);           /* index, -1 */
int fact_dimension(const struct fact_row *row, enum dimension dimension); /* index in dims, -1 */

/* The two facts that no entity says: what the intake saw. Their number is that of the counters. */
bool fact_is_of_intake(enum fact fact);
