#include "daemon/facts/needs.h"

#include "daemon/facts/table.h"

#define OF(kind) (1u << (kind))

enum {
    DEAL = OF(KIND_DEAL),
    CALL = OF(KIND_CALL),
    TOUCH = CALL | OF(KIND_MEETING) | OF(KIND_EMAIL),
    CUSTOMER = OF(KIND_ACCOUNT) | OF(KIND_CONTACT)
};

/* The kinds that hand something to the one that says the fact. A merged contact hands on what it was given, so a fact that goes by
 * contacts needs them. */
static const uint16_t handed_by[N_FACTS] = {
    [FACT_LEAD_CONVERTED] = DEAL,
    [FACT_CONVERSION] = DEAL,
    [FACT_LEAD_RESPONSE] = TOUCH,
    [FACT_LEAD_REVENUE] = DEAL,
    [FACT_LEAD_UNTOUCHED] = DEAL | TOUCH,
    [FACT_DEAL_CREATED] = CALL,
    [FACT_DEAL_WON] = CALL,
    [FACT_DEAL_LOST] = CALL,
    [FACT_CUSTOMER_NEW] = CUSTOMER,
    [FACT_CUSTOMER_ACTIVE] = CUSTOMER,
    [FACT_CUSTOMER_RETAINED] = CUSTOMER,
    [FACT_CUSTOMER_KEPT] = CUSTOMER,
    [FACT_PURCHASE] = CUSTOMER,
};

/* The kinds whose events make the fact what it is. */
static unsigned made_from(enum fact fact)
{
    if (fact == FACT_REJECTED_EVENT) return 0; /* what is rejected is no entity's */
    unsigned own = kind_set_members(fact_rows[fact].kinds);
    return own ? own | handed_by[fact] : ~0u; /* no kind's own: the audit's, of every kind */
}

void kept_kinds(struct kept *kept)
{
    unsigned needed = 0;
    for (int fact = 0; fact < N_FACTS; fact++)
        if (kept->fact[fact].on) needed |= made_from((enum fact)fact);
    for (int kind = 0; kind < N_KINDS; kind++) kept->kind[kind] = needed >> kind & 1;
}
