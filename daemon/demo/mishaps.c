/* What goes wrong in every CRM, on purpose: events that are late, out of order, repeated, taken back, merged, moved. */
#include "common/instant.h"
#include "daemon/demo/post.h"

#define SPOT(report_, by_, row_, period_, metric_, label_)                                                                       \
    (struct feed_spot)                                                                                                           \
    {                                                                                                                            \
        .report = report_, .by = by_, .row = row_, .period = period_, .metric = metric_, .label = label_                         \
    }

static const struct feed_spot nowhere = { 0 };

static struct feed_spot same_day_spot(const struct company *company, int64_t closed_us)
{
    return SPOT("service", NULL, NULL, company_period(company, closed_us), "cases_closed_same_day", "closed same day");
}

static int pick(struct company *company, int n)
{
    return draw_below(&company->draw, n);
}

/* A branch that was offline: what happened there yesterday arrives now. */
static void yesterdays_case(struct company *company, bool closing_first, enum feed_mark mark)
{
    int number = ++company->numbers;
    struct short_text id = post_id('S', number);
    int64_t opened_us = company_instant(company, 1, draw_between(&company->draw, 8, 11), pick(company, 60));
    int64_t closed_us = company_instant(company, 1, draw_between(&company->draw, 13, 17), pick(company, 60));
    for (int i = 0; i < 2; i++) {
        bool closing = closing_first == !i;
        post_begin(company, closing ? "case.closed" : "case.opened", id.text, closing ? closed_us : opened_us);
        if (!closing) {
            post_text(company, "owner", company->cast->helpers[pick(company, CAST_HELPERS)]);
            post_text(company, "case_kind", "incident");
            post_text(company, "priority", "normal");
            post_text(company, "channel", "phone");
        }
        post_mark(company, mark, i ? same_day_spot(company, closed_us) : nowhere);
        if (closing_first && i)
            post_end(company, "case %s, its opening arrives after its closing", id.text);
        else
            post_end(company, "case %s was %s yesterday, known only now", id.text, closing ? "closed" : "opened");
    }
}

static bool late_case(struct company *company)
{
    yesterdays_case(company, false, FEED_LATE);
    return true;
}

static bool unordered_case(struct company *company)
{
    yesterdays_case(company, true, FEED_UNORDERED);
    return true;
}

/* A deal won last month, NULL: none. */
static struct deal *last_months_deal(struct company *company)
{
    for (int tries = 0; tries < ARCHIVE_MAX && company->n_won; tries++) {
        struct deal *deal = &company->won[pick(company, company->n_won)];
        if (company_last_month(company, deal->won_us)) return deal;
    }
    return NULL;
}

/* A call that was written down on paper counts for its opportunity, in the month of that. */
static bool late_call(struct company *company)
{
    const struct deal *deal = last_months_deal(company);
    if (!deal || !company_last_month(company, deal->created_us)) return false;
    struct feed_spot spot =
        SPOT("sales_activity", NULL, NULL, "last_month", "sales_calls_per_opportunity", "calls per opportunity");
    post_begin(company, "call.completed", post_id('P', ++company->numbers).text, deal->created_us + 3600 * MICROS_PER_SECOND);
    post_text(company, "owner", company->cast->sellers[deal->seller].name);
    post_text(company, "purpose", "sales");
    post_text(company, "deal", post_id('D', deal->number).text);
    post_number(company, "duration_s", 300);
    post_mark(company, FEED_LATE, spot);
    post_end(company, "a call about deal D-%d, %d days ago", deal->number,
             company_day(company, company->at_us) - company_day(company, deal->created_us));
    return true;
}

/* Nothing else moves a number of these any more, so that what an event moves can be seen. */
static bool is_quiet(const char *period)
{
    return period && (!strcmp(period, "yesterday") || !strcmp(period, "last_month"));
}

/* The newest, of so many tries, of the cases closed in a quiet period: its index in `closed`; -1: none. */
static int closed_before(struct company *company, int tries)
{
    int found = -1;
    for (int at; tries > 0 && company->n_closed; tries--) {
        int64_t closed_us = company->closed[at = pick(company, company->n_closed)].closed_us;
        if (!is_quiet(company_period(company, closed_us))) continue;
        if (found < 0 || closed_us > company->closed[found].closed_us) found = at;
    }
    return found;
}

/* It was closed too early: it leaves the number of that day. */
static bool reopened_case(struct company *company)
{
    int at = company->n_tickets < TICKETS_MAX ? closed_before(company, ARCHIVE_MAX) : -1;
    if (at < 0) return false;
    struct ticket ticket = company->closed[at];
    company->closed[at] = company->closed[--company->n_closed];
    post_begin(company, "case.reopened", post_id('S', ticket.number).text, company->at_us);
    post_mark(company, FEED_REOPENED, same_day_spot(company, ticket.closed_us));
    post_end(company, "case S-%d was not solved after all", ticket.number);
    ticket.state = TICKET_ANSWERED;
    company->tickets[company->n_tickets++] = ticket;
    return true;
}

/* The sender did not see the acknowledgement, and sends again. */
static bool repeated_closing(struct company *company)
{
    static const char *const times[] = { "a second", "a third", "a fourth" };
    int at = closed_before(company, 40);
    if (at < 0) return false;
    const struct ticket *ticket = &company->closed[at];
    for (int i = 0; i < 3; i++) {
        post_again(company, "case.closed", post_id('S', ticket->number).text, ticket->closed_us, ticket->closing);
        post_mark(company, FEED_REPEATED, i == 2 ? same_day_spot(company, ticket->closed_us) : nowhere);
        post_end(company, "case S-%d closed, sent %s time", ticket->number, times[i]);
    }
    return true;
}

/* A lead of last month, by its index; -1: none. */
static int last_months_lead(struct company *company)
{
    for (int tries = 0; tries < ARCHIVE_MAX && company->n_old_leads > 1; tries++) {
        int at = pick(company, company->n_old_leads);
        if (company_last_month(company, company->old_leads[at].created_us)) return at;
    }
    return -1;
}

static bool merged_leads(struct company *company)
{
    int at = last_months_lead(company);
    if (at < 0) return false;
    int number = company->old_leads[at].number;
    company->old_leads[at] = company->old_leads[--company->n_old_leads];
    int into = company->old_leads[pick(company, company->n_old_leads)].number;
    post_begin(company, "contact.merged", post_id('C', number).text, company->at_us);
    post_text(company, "into", post_id('C', into).text);
    post_mark(company, FEED_MERGED, SPOT("conversion", NULL, NULL, "last_month", "leads", "leads"));
    post_end(company, "lead C-%d is C-%d, too", number, into);
    return true;
}

/* A deal won last month is somebody else's: the revenue goes along. */
static bool moved_deal(struct company *company)
{
    struct deal *deal = last_months_deal(company);
    if (!deal) return false;
    const struct seller *from = &company->cast->sellers[deal->seller];
    deal->seller = (deal->seller + 1 + pick(company, CAST_SELLERS - 1)) % CAST_SELLERS;
    const struct seller *to = &company->cast->sellers[deal->seller];
    post_begin(company, "deal.updated", post_id('D', deal->number).text, company->at_us);
    post_text(company, "owner", to->name);
    post_text(company, "team", to->team);
    post_mark(company, FEED_MOVED, SPOT("sales_performance", "owner", to->name, "last_month", "revenue", to->name));
    post_end(company, "deal D-%d of last month, from %s to %s", deal->number, from->name, to->name);
    return true;
}

static bool (*const mishaps[])(struct company *) = { late_case,      repeated_closing, reopened_case, late_call,
                                                     unordered_case, moved_deal,       merged_leads };

bool mishap_next(struct company *company)
{
    enum {
        N = sizeof mishaps / sizeof mishaps[0]
    };
    for (int i = 0; i < N; i++)
        if (mishaps[company->mishap++ % N](company)) return true;
    return false;
}
