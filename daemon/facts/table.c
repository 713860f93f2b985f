/* The rows of the contract's "Facts": one per fact, with its measures and dimensions in the order of a cell's values. */
#include "daemon/facts/table.h"

const char *const dimension_names[N_DIMENSIONS] = {
    [DIM_OWNER] = "owner",
    [DIM_TEAM] = "team",
    [DIM_SOURCE] = "source",
    [DIM_CAMPAIGN] = "campaign",
    [DIM_LIST] = "list",
    [DIM_PIPELINE] = "pipeline",
    [DIM_SALE] = "sale",
    [DIM_STAGE] = "stage",
    [DIM_CURRENCY] = "currency",
    [DIM_LOSS_REASON] = "loss_reason",
    [DIM_COMPETITOR] = "competitor",
    [DIM_EXPECTED_MONTH] = "expected_month",
    [DIM_PURPOSE] = "purpose",
    [DIM_DIRECTION] = "direction",
    [DIM_HOUR] = "hour",
    [DIM_ACTIVITY] = "activity",
    [DIM_CHANNEL] = "channel",
    [DIM_CASE_KIND] = "case_kind",
    [DIM_PRIORITY] = "priority",
    [DIM_PROMISE] = "promise",
    [DIM_PAGE] = "page",
    [DIM_USER] = "user",
    [DIM_KIND] = "kind",
    [DIM_ATTRIBUTE] = "attribute",
    [DIM_EVENT_SOURCE] = "event_source",
    [DIM_REASON] = "reason",
    [DIM_GOAL] = "goal",
    [DIM_METRIC] = "metric",
    [DIM_GOAL_PERIOD] = "goal_period",
    [DIM_TARGET] = "target",
    [DIM_UNIT] = "unit",
};

/* A row is read as a line. */
/* clang-format off */
#define ROW(fact, title, when, set, ...)                                                                                         \
    [fact] = { .name = title, .name_len = sizeof title - 1, .dating = when, .kinds = set, __VA_ARGS__ }
#define MEASURES(...)                                                                                                            \
    .measures = { __VA_ARGS__ }, .n_measures = sizeof((struct measure_row[]){ __VA_ARGS__ }) / sizeof(struct measure_row)
#define DIMS(...) .dims = { __VA_ARGS__ }, .n_dims = sizeof((int8_t[]){ __VA_ARGS__ })

#define NUMBER(title) { title, MEASURE_COUNT }
#define MONEY(title) { title, MEASURE_MONEY }
#define TIME(title) { title, MEASURE_DURATION }
#define COUNT NUMBER("count")
#define AMOUNT MONEY("amount")
#define SECONDS TIME("seconds")
#define BUSINESS TIME("business_seconds")

/* D of the contract: what every entity's facts can be asked by. */
#define D DIM_OWNER, DIM_TEAM, DIM_SOURCE, DIM_CAMPAIGN
#define D_CLOSED D, DIM_PIPELINE, DIM_SALE, DIM_CURRENCY, DIM_LOSS_REASON, DIM_COMPETITOR, DIM_STAGE
#define D_CASE D, DIM_CASE_KIND, DIM_PRIORITY, DIM_CHANNEL
#define D_PROMISE D, DIM_PROMISE, DIM_PRIORITY, DIM_CHANNEL, DIM_CASE_KIND

const struct fact_row fact_rows[N_FACTS] = {
    ROW(FACT_LEAD, "lead", DATED, KIND_CONTACT, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_LEAD_QUALIFIED, "lead_qualified", DATED, KIND_CONTACT, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_LEAD_CONVERTED, "lead_converted", DATED, KIND_CONTACT, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_CONVERSION, "conversion", DATED, KIND_CONTACT, MEASURES(COUNT, SECONDS), DIMS(D)),
    ROW(FACT_LEAD_RESPONSE, "lead_response", DATED, KIND_CONTACT, MEASURES(COUNT, SECONDS), DIMS(D)),
    ROW(FACT_LEAD_REVENUE, "lead_revenue", DATED, KIND_CONTACT, MEASURES(COUNT, AMOUNT), DIMS(D, DIM_CURRENCY)),
    ROW(FACT_LEAD_UNTOUCHED, "lead_untouched", UNDATED, KIND_CONTACT, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_LIST_JOINED, "list_joined", DATED, KIND_CONTACT, MEASURES(COUNT), DIMS(D, DIM_LIST)),
    ROW(FACT_LIST_LEFT, "list_left", DATED, KIND_CONTACT, MEASURES(COUNT), DIMS(D, DIM_LIST)),
    ROW(FACT_REFERRAL, "referral", DATED, KIND_CONTACT, MEASURES(COUNT), DIMS(D)),

    ROW(FACT_DEAL_CREATED, "deal_created", DATED, KIND_DEAL, MEASURES(COUNT, AMOUNT, NUMBER("calls")),
        DIMS(D, DIM_PIPELINE, DIM_SALE, DIM_STAGE, DIM_CURRENCY)),
    ROW(FACT_DEAL_WON, "deal_won", DATED, KIND_DEAL, MEASURES(COUNT, AMOUNT, MONEY("cost"), SECONDS, NUMBER("calls")),
        DIMS(D_CLOSED)),
    ROW(FACT_DEAL_LOST, "deal_lost", DATED, KIND_DEAL, MEASURES(COUNT, AMOUNT, MONEY("cost"), SECONDS, NUMBER("calls")),
        DIMS(D_CLOSED)),
    ROW(FACT_DEAL_EXPECTED, "deal_expected", DATED, KIND_DEAL, MEASURES(COUNT, AMOUNT),
        DIMS(D, DIM_PIPELINE, DIM_STAGE, DIM_CURRENCY)),
    ROW(FACT_STAGE_ENTERED, "stage_entered", DATED, KIND_DEAL, MEASURES(COUNT, AMOUNT),
        DIMS(D, DIM_PIPELINE, DIM_STAGE, DIM_CURRENCY, DIM_EXPECTED_MONTH)),
    ROW(FACT_STAGE_LEFT, "stage_left", DATED, KIND_DEAL, MEASURES(COUNT, AMOUNT, SECONDS),
        DIMS(D, DIM_PIPELINE, DIM_STAGE, DIM_CURRENCY, DIM_EXPECTED_MONTH)),
    ROW(FACT_STAGE_OUTCOME, "stage_outcome", DATED, KIND_DEAL, MEASURES(COUNT, NUMBER("won")), DIMS(D, DIM_PIPELINE, DIM_STAGE)),
    ROW(FACT_PROPOSAL, "proposal", DATED, KIND_DEAL, MEASURES(COUNT, AMOUNT), DIMS(D, DIM_PIPELINE, DIM_CURRENCY)),

    ROW(FACT_CUSTOMER_NEW, "customer_new", DATED, KIND_DEAL, MEASURES(COUNT), DIMS(D_CLOSED)),
    ROW(FACT_CUSTOMER_ACTIVE, "customer_active", DATED, KIND_DEAL, MEASURES(COUNT), DIMS(D, DIM_UNIT)),
    ROW(FACT_CUSTOMER_RETAINED, "customer_retained", DATED, KIND_DEAL, MEASURES(COUNT), DIMS(D, DIM_UNIT)),
    ROW(FACT_CUSTOMER_KEPT, "customer_kept", DATED, KIND_DEAL, MEASURES(COUNT), DIMS(D, DIM_UNIT)),
    ROW(FACT_PURCHASE, "purchase", DATED, KIND_DEAL, MEASURES(COUNT, AMOUNT), DIMS(D, DIM_CURRENCY, DIM_SALE)),
    ROW(FACT_ACCOUNT_CHURNED, "account_churned", DATED, KIND_ACCOUNT, MEASURES(COUNT), DIMS(D)),

    ROW(FACT_CALL, "call", DATED, KIND_CALL, MEASURES(COUNT, TIME("duration"), TIME("wait"), MONEY("cost")),
        DIMS(D, DIM_PURPOSE, DIM_DIRECTION, DIM_CURRENCY, DIM_HOUR)),
    ROW(FACT_CALL_LOST, "call_lost", DATED, KIND_CALL, MEASURES(COUNT, TIME("wait")), DIMS(D, DIM_PURPOSE, DIM_HOUR)),
    ROW(FACT_CALLBACK, "callback", DATED, KIND_CALL, MEASURES(COUNT), DIMS(D, DIM_PURPOSE)),
    ROW(FACT_ACTIVITY, "activity", DATED, KINDS_OF_ACTIVITY, MEASURES(COUNT), DIMS(D, DIM_ACTIVITY)),
    ROW(FACT_ACTIVITY_DUE, "activity_due", DATED, KINDS_OF_ACTIVITY_DUE, MEASURES(COUNT), DIMS(D, DIM_ACTIVITY)),

    ROW(FACT_EMAIL_SENT, "email_sent", DATED, KIND_EMAIL, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_EMAIL_DELIVERED, "email_delivered", DATED, KIND_EMAIL, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_EMAIL_OPENED, "email_opened", DATED, KIND_EMAIL, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_EMAIL_CLICKED, "email_clicked", DATED, KIND_EMAIL, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_EMAIL_REPLIED, "email_replied", DATED, KIND_EMAIL, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_EMAIL_BOUNCED, "email_bounced", DATED, KIND_EMAIL, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_EMAIL_COMPLAINED, "email_complained", DATED, KIND_EMAIL, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_CAMPAIGN_STARTED, "campaign_started", DATED, KIND_CAMPAIGN, MEASURES(COUNT, MONEY("cost"), MONEY("budget")),
        DIMS(D, DIM_CURRENCY, DIM_CHANNEL)),
    ROW(FACT_CAMPAIGN_RESPONSE, "campaign_response", DATED, KINDS_OF_CAMPAIGN_RESPONSE, MEASURES(COUNT), DIMS(D, DIM_CHANNEL)),

    ROW(FACT_CASE_OPENED, "case_opened", DATED, KIND_CASE, MEASURES(COUNT), DIMS(D_CASE)),
    ROW(FACT_CASE_RESOLVED, "case_resolved", DATED, KIND_CASE, MEASURES(COUNT, SECONDS, BUSINESS, NUMBER("same_day")),
        DIMS(D_CASE)),
    ROW(FACT_CASE_CLOSED, "case_closed", DATED, KIND_CASE, MEASURES(COUNT, SECONDS, BUSINESS, NUMBER("same_day")), DIMS(D_CASE)),
    ROW(FACT_CASE_REOPENED, "case_reopened", DATED, KIND_CASE, MEASURES(COUNT), DIMS(D_CASE)),
    ROW(FACT_CASE_RESPONSE, "case_response", DATED, KIND_CASE, MEASURES(COUNT, SECONDS, BUSINESS), DIMS(D_CASE)),
    ROW(FACT_CASE_OPEN, "case_open", DATED, KIND_CASE, MEASURES(COUNT), DIMS(D_CASE)),
    ROW(FACT_PROMISE_MET, "promise_met", DATED, KIND_CASE, MEASURES(COUNT), DIMS(D_PROMISE)),
    ROW(FACT_PROMISE_MISSED, "promise_missed", DATED, KIND_CASE, MEASURES(COUNT), DIMS(D_PROMISE)),
    ROW(FACT_RATING, "rating", DATED, KIND_CASE, MEASURES(COUNT, NUMBER("score"), NUMBER("satisfied")),
        DIMS(D, DIM_CHANNEL, DIM_CASE_KIND)),
    ROW(FACT_SERVICE_CONTACT, "service_contact", DATED, KINDS_OF_SERVICE_CONTACT, MEASURES(COUNT, NUMBER("costed"), MONEY("cost")),
        DIMS(D, DIM_CHANNEL, DIM_CURRENCY)),

    ROW(FACT_VISIT, "visit", DATED, KIND_VISIT, MEASURES(COUNT, NUMBER("pages"), SECONDS, NUMBER("with_goal")),
        DIMS(D, DIM_PAGE)),
    ROW(FACT_USER_ACTIVE, "user_active", DATED, KIND_USER, MEASURES(COUNT), DIMS(D, DIM_USER, DIM_UNIT)),
    ROW(FACT_USER, "user", DATED, KIND_USER, MEASURES(COUNT), DIMS(D, DIM_USER)),

    ROW(FACT_GOAL, "goal", UNDATED, KIND_GOAL, MEASURES(COUNT),
        DIMS(D, DIM_PIPELINE, DIM_CURRENCY, DIM_GOAL, DIM_METRIC, DIM_GOAL_PERIOD, DIM_TARGET)),
    ROW(FACT_GOAL_TARGET, "goal_target", DATED, KIND_GOAL, MEASURES(COUNT, AMOUNT),
        DIMS(D, DIM_PIPELINE, DIM_CURRENCY, DIM_GOAL, DIM_METRIC)),
    ROW(FACT_RECORD, "record", UNDATED, KINDS_NONE, MEASURES(COUNT, NUMBER("clean")), DIMS(DIM_KIND, DIM_OWNER, DIM_EVENT_SOURCE)),
    ROW(FACT_MISSING_VALUE, "missing_value", UNDATED, KINDS_NONE, MEASURES(COUNT), DIMS(DIM_KIND, DIM_ATTRIBUTE, DIM_OWNER)),
    ROW(FACT_UNLISTED_VALUE, "unlisted_value", UNDATED, KINDS_NONE, MEASURES(COUNT), DIMS(DIM_KIND, DIM_ATTRIBUTE, DIM_OWNER)),
    ROW(FACT_UNKNOWN_REFERENCE, "unknown_reference", UNDATED, KINDS_NONE, MEASURES(COUNT), DIMS(DIM_KIND)),
    ROW(FACT_IMPOSSIBLE_ORDER, "impossible_order", UNDATED, KINDS_NONE, MEASURES(COUNT), DIMS(DIM_KIND, DIM_OWNER)),
    ROW(FACT_DUPLICATE_CONTACT, "duplicate_contact", UNDATED, KIND_CONTACT, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_DOUBLE_SUBMISSION, "double_submission", UNDATED, KIND_CONTACT, MEASURES(COUNT), DIMS(D)),
    ROW(FACT_OVERDUE_DEAL, "overdue_deal", UNDATED, KIND_DEAL, MEASURES(COUNT), DIMS(D, DIM_PIPELINE, DIM_STAGE)),
    ROW(FACT_STALE_DEAL, "stale_deal", UNDATED, KIND_DEAL, MEASURES(COUNT), DIMS(D, DIM_PIPELINE, DIM_STAGE)),
    ROW(FACT_REJECTED_EVENT, "rejected_event", UNDATED, KINDS_NONE, MEASURES(COUNT), DIMS(DIM_REASON)),
    ROW(FACT_DUPLICATE_EVENT, "duplicate_event", UNDATED, KINDS_NONE, MEASURES(COUNT)),
};
/* clang-format on */

static const uint16_t members[N_KIND_SETS - KINDS_NONE] = {
    [KINDS_OF_ACTIVITY - KINDS_NONE] = 1u << KIND_CALL | 1u << KIND_MEETING | 1u << KIND_EMAIL,
    [KINDS_OF_ACTIVITY_DUE - KINDS_NONE] = 1u << KIND_CALL | 1u << KIND_MEETING,
    [KINDS_OF_CAMPAIGN_RESPONSE - KINDS_NONE] = 1u << KIND_RESPONSE | 1u << KIND_EMAIL,
    [KINDS_OF_SERVICE_CONTACT - KINDS_NONE] = 1u << KIND_CALL | 1u << KIND_INTERACTION,
};
_Static_assert((int)N_KIND_SETS <= KIND_SETS_MAX, "rules have a place for each set");

unsigned kind_set_members(unsigned set)
{
    return set < N_KINDS ? 1u << set : members[set - KINDS_NONE];
}

/* Puts it among the others, sorted, if it is not there yet and there is room. */
static void add_custom(struct rules *rules, unsigned set, const char *name, int *n)
{
    const char **at = rules->customs[set].at;
    int i = rules->customs[set].n;
    while (i && strcmp(at[i - 1], name) > 0) i--;
    if (i && !strcmp(at[i - 1], name)) return;
    if (++*n > CUSTOM_SHARED_MAX) return;
    memmove(&at[i + 1], &at[i], (size_t)(rules->customs[set].n++ - i) * sizeof *at);
    at[i] = name;
}

int kind_set_customs(struct rules *rules, unsigned set)
{
    int n = rules->customs[set].n = 0;
    for (int kind = 0; kind < N_KINDS; kind++)
        for (int i = 0; kind_set_members(set) >> kind & 1 && i < rules->kind[kind].n_custom; i++)
            add_custom(rules, set, rules->kind[kind].custom[i], &n);
    return n;
}

int dimension_find(struct span name)
{
    for (int i = 0; i < N_DIMENSIONS; i++)
        if (span_is(name, dimension_names[i])) return i;
    return -1;
}

bool dimension_is_inner(enum dimension dimension)
{
    return dimension == DIM_UNIT || dimension == DIM_GOAL_PERIOD || dimension == DIM_TARGET;
}

int fact_find(struct span name)
{
    for (int i = 0; i < N_FACTS; i++)
        if (span_equal((struct span){ fact_rows[i].name, fact_rows[i].name_len }, name)) return i;
    return -1;
}

int fact_measure(const struct fact_row *row, struct span name)
{
    for (int i = 0; i < row->n_measures; i++)
        if (span_is(name, row->measures[i].name)) return i;
    return -1;
}

bool fact_is_of_intake(enum fact fact)
{
    return fact == FACT_REJECTED_EVENT || fact == FACT_DUPLICATE_EVENT;
}

int fact_dimension(const struct fact_row *row, enum dimension dimension)
{
    const int8_t *at = row->n_dims ? memchr(row->dims, (int)dimension, (size_t)row->n_dims) : NULL;
    return at ? (int)(at - row->dims) : -1;
}
