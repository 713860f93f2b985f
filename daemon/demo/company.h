/* One tenant of the demo at work: whom it knows, what is open, what it has to send. Inner to the feed. */
#pragma once

#include "common/instant.h"
#include "daemon/demo/cast.h"
#include "daemon/demo/draw.h"
#include "daemon/demo/feed.h"

enum {
    LEADS_MAX = 64,
    DEALS_MAX = 64,
    TICKETS_MAX = 32,
    ARCHIVE_MAX = 512,
    OUTBOX_MAX = 24
};

struct lead {
    int number, source, seller, campaign; /* campaign < 0: none */
    int64_t created_us;
};

struct deal {
    int number, contact, source, seller, campaign, stage;
    int64_t amount; /* whole units of the currency */
    int64_t created_us, won_us;
};

enum ticket_state {
    TICKET_NEW,
    TICKET_ANSWERED,
    TICKET_RESOLVED
};

struct ticket {
    int number, helper;
    enum ticket_state state;
    int64_t opened_us, closed_us;
    long closing; /* the number of the event that closed it */
};

struct company {
    const struct tenant_cast *cast;
    const struct zone *zone;
    struct draw draw;
    int64_t at_us;                      /* where its history stands; the clock, once live */
    long events;                        /* numbers given out */
    int numbers;                        /* of entities, likewise */
    int mishap;                         /* which kind comes next */
    struct lead leads[LEADS_MAX];       /* that may still become a deal */
    struct lead old_leads[ARCHIVE_MAX]; /* some that never will */
    struct deal deals[DEALS_MAX];       /* open */
    struct deal won[ARCHIVE_MAX];
    struct ticket tickets[TICKETS_MAX]; /* open */
    struct ticket closed[ARCHIVE_MAX];
    int n_leads, n_old_leads, n_deals, n_won, n_tickets, n_closed;
    struct feed_event outbox[OUTBOX_MAX]; /* a ring: written, not yet taken */
    int first_out, n_out;
};

/* Days of the tenant. */
static inline int32_t company_day(const struct company *company, int64_t at_us)
{
    return local_day(at_us, zone_offset(company->zone, at_us));
}
/* So many days before its now, at this time of the tenant's day. */
int64_t company_instant(const struct company *company, int days_ago, int hour, int minute);

/* The standard period that holds the instant, of today, yesterday, this_month and last_month; NULL: none does. */
const char *company_period(const struct company *company, int64_t at_us);
bool company_last_month(const struct company *company, int64_t at_us);

/* What happens, in one call an event or two. False: there is nothing of the kind to do now. */
bool sales_lead(struct company *company);
bool sales_open(struct company *company);
bool sales_work(struct company *company);
bool sales_call(struct company *company);
bool sales_meeting(struct company *company);
bool service_case(struct company *company);
bool service_call(struct company *company);
bool service_interaction(struct company *company);
bool marketing_email(struct company *company);
bool marketing_response(struct company *company);
bool marketing_visit(struct company *company);
bool staff_sign_in(struct company *company);

/* Before the first event of all: users, campaigns, goals. */
void company_founded(struct company *company, int64_t now_us);

/* One event, or several, of note; false: none is possible yet. Every kind gets its turn. */
bool mishap_next(struct company *company);
