#include "daemon/facts/needs.h"

#define OF(kind) (1u << (kind))

enum {
    CONTACT = OF(KIND_CONTACT),
    ACCOUNT = OF(KIND_ACCOUNT),
    DEAL = OF(KIND_DEAL),
    CALL = OF(KIND_CALL),
    MEETING = OF(KIND_MEETING),
    EMAIL = OF(KIND_EMAIL),
    CASE = OF(KIND_CASE),
    TOUCH = CALL | MEETING | EMAIL,
    CUSTOMER = DEAL | ACCOUNT | CONTACT
};

/* The kinds whose events make the fact what it is: its own, and those that hand something to it. 0: every kind (the audit,
 * and whatever is not named here). A merged contact hands on what it was given, so a fact that goes by contacts needs them. */
static const uint16_t made_from[N_FACTS] = {
    [FACT_LEAD] = CONTACT,
    [FACT_LEAD_QUALIFIED] = CONTACT,
    [FACT_LEAD_CONVERTED] = CONTACT | DEAL,
    [FACT_CONVERSION] = CONTACT | DEAL,
    [FACT_LEAD_RESPONSE] = CONTACT | TOUCH,
    [FACT_LEAD_REVENUE] = CONTACT | DEAL,
    [FACT_LEAD_UNTOUCHED] = CONTACT | DEAL | TOUCH,
    [FACT_LIST_JOINED] = CONTACT,
    [FACT_LIST_LEFT] = CONTACT,
    [FACT_REFERRAL] = CONTACT,
    [FACT_DEAL_CREATED] = DEAL | CALL,
    [FACT_DEAL_WON] = DEAL | CALL,
    [FACT_DEAL_LOST] = DEAL | CALL,
    [FACT_DEAL_EXPECTED] = DEAL,
    [FACT_STAGE_ENTERED] = DEAL,
    [FACT_STAGE_LEFT] = DEAL,
    [FACT_STAGE_OUTCOME] = DEAL,
    [FACT_PROPOSAL] = DEAL,
    [FACT_CUSTOMER_NEW] = CUSTOMER,
    [FACT_CUSTOMER_ACTIVE] = CUSTOMER,
    [FACT_CUSTOMER_RETAINED] = CUSTOMER,
    [FACT_CUSTOMER_KEPT] = CUSTOMER,
    [FACT_PURCHASE] = CUSTOMER,
    [FACT_ACCOUNT_CHURNED] = ACCOUNT,
    [FACT_CALL] = CALL,
    [FACT_CALL_LOST] = CALL,
    [FACT_CALLBACK] = CALL,
    [FACT_ACTIVITY] = TOUCH,
    [FACT_ACTIVITY_DUE] = CALL | MEETING,
    [FACT_EMAIL_SENT] = EMAIL,
    [FACT_EMAIL_DELIVERED] = EMAIL,
    [FACT_EMAIL_OPENED] = EMAIL,
    [FACT_EMAIL_CLICKED] = EMAIL,
    [FACT_EMAIL_REPLIED] = EMAIL,
    [FACT_EMAIL_BOUNCED] = EMAIL,
    [FACT_EMAIL_COMPLAINED] = EMAIL,
    [FACT_CAMPAIGN_STARTED] = OF(KIND_CAMPAIGN),
    [FACT_CAMPAIGN_RESPONSE] = OF(KIND_RESPONSE) | EMAIL,
    [FACT_CASE_OPENED] = CASE,
    [FACT_CASE_RESOLVED] = CASE,
    [FACT_CASE_CLOSED] = CASE,
    [FACT_CASE_REOPENED] = CASE,
    [FACT_CASE_RESPONSE] = CASE,
    [FACT_CASE_OPEN] = CASE,
    [FACT_PROMISE_MET] = CASE,
    [FACT_PROMISE_MISSED] = CASE,
    [FACT_RATING] = CASE,
    [FACT_SERVICE_CONTACT] = OF(KIND_INTERACTION) | CALL,
    [FACT_VISIT] = OF(KIND_VISIT),
    [FACT_USER_ACTIVE] = OF(KIND_USER),
    [FACT_USER] = OF(KIND_USER),
    [FACT_GOAL] = OF(KIND_GOAL),
    [FACT_GOAL_TARGET] = OF(KIND_GOAL),
    [FACT_DUPLICATE_CONTACT] = CONTACT,
    [FACT_DOUBLE_SUBMISSION] = CONTACT,
    [FACT_OVERDUE_DEAL] = DEAL,
    [FACT_STALE_DEAL] = DEAL,
};

void kept_kinds(struct kept *kept)
{
    unsigned needed = 0;
    for (int fact = 0; fact < N_FACTS; fact++) {
        if (!kept->fact[fact].on || fact == FACT_REJECTED_EVENT) continue; /* what is rejected is no entity's */
        needed |= made_from[fact] ? made_from[fact] : ~0u;
    }
    for (int kind = 0; kind < N_KINDS; kind++) kept->kind[kind] = needed >> kind & 1;
}
