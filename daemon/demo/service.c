/* The service side of a demo company: cases from their opening to their closing, calls, other contacts. */
#include "common/instant.h"
#include "daemon/demo/post.h"

static const char *const case_kinds[] = { "question", "question", "incident", "incident", "complaint", "request" };
static const char *const priorities[] = { "normal", "normal", "normal", "high", "low", "urgent" };
static const char *const channels[] = { "email", "email", "phone", "web", "chat" };

enum {
    OPEN_TICKETS = 4,     /* that there are on average */
    OPENING_PERCENT = 46, /* of all steps, were none open; half as many with as many open as on average */
    RESPONSE_HOURS = 4,
    RESOLVE_HOURS = 24
};
#define HOUR_US (3600 * MICROS_PER_SECOND)
#define PICK(draw, of) (of)[draw_below(draw, sizeof(of) / sizeof(of)[0])]

static bool open_ticket(struct company *company)
{
    struct draw *draw = &company->draw;
    const char *channel = PICK(draw, channels), *kind = PICK(draw, case_kinds), *priority = PICK(draw, priorities);
    struct ticket ticket = { .number = ++company->numbers,
                             .helper = draw_below(draw, CAST_HELPERS),
                             .opened_us = company->at_us };
    post_begin(company, "case.opened", post_id('S', ticket.number).text, company->at_us);
    post_text(company, "owner", company->cast->helpers[ticket.helper]);
    post_text(company, "case_kind", kind);
    post_text(company, "priority", priority);
    post_text(company, "channel", channel);
    if (company->n_leads)
        post_text(company, "contact", post_id('C', company->leads[draw_below(draw, company->n_leads)].number).text);
    post_instant(company, "response_due", company->at_us + RESPONSE_HOURS * HOUR_US);
    post_instant(company, "resolve_due", company->at_us + RESOLVE_HOURS * HOUR_US);
    post_end(company, "case S-%d opened by %s: %s", ticket.number, channel, kind);
    company->tickets[company->n_tickets++] = ticket;
    return true;
}

static void answer(struct company *company, struct ticket *ticket)
{
    ticket->state = TICKET_ANSWERED;
    post_begin(company, "case.responded", post_id('S', ticket->number).text, company->at_us);
    post_end(company, "case S-%d answered by %s", ticket->number, company->cast->helpers[ticket->helper]);
}

static void resolve(struct company *company, struct ticket *ticket)
{
    ticket->state = TICKET_RESOLVED;
    post_begin(company, "case.resolved", post_id('S', ticket->number).text, company->at_us);
    post_end(company, "case S-%d resolved by %s", ticket->number, company->cast->helpers[ticket->helper]);
}

static void rate(struct company *company, const struct ticket *ticket)
{
    int score = 5 - (int)draw_wait(&company->draw, 2) % 5;
    post_begin(company, "case.rated", post_id('S', ticket->number).text, company->at_us + MICROS_PER_SECOND);
    post_number(company, "score", score);
    post_end(company, "case S-%d rated %d of 5", ticket->number, score);
}

static void close_ticket(struct company *company, int at)
{
    struct ticket *ticket = &company->tickets[at];
    ticket->closed_us = company->at_us;
    bool same_day = company_day(company, ticket->opened_us) == company_day(company, ticket->closed_us);
    post_begin(company, "case.closed", post_id('S', ticket->number).text, company->at_us);
    ticket->closing = company->events;
    post_end(company, "case S-%d closed%s", ticket->number, same_day ? " the same day" : "");
    if (draw_percent(&company->draw, 30)) rate(company, ticket);
    if (same_day && company->n_closed < ARCHIVE_MAX) company->closed[company->n_closed++] = *ticket;
    memmove(ticket, ticket + 1, (--company->n_tickets - at) * sizeof *ticket);
}

/* The older ones first, mostly. */
static bool work(struct company *company)
{
    if (!company->n_tickets) return false;
    int a = draw_below(&company->draw, company->n_tickets), b = draw_below(&company->draw, company->n_tickets);
    int at = a < b ? a : b;
    struct ticket *ticket = &company->tickets[at];
    if (ticket->state == TICKET_NEW)
        answer(company, ticket);
    else if (ticket->state == TICKET_ANSWERED && draw_percent(&company->draw, 75))
        resolve(company, ticket);
    else
        close_ticket(company, at);
    return true;
}

bool service_case(struct company *company)
{
    int percent = OPENING_PERCENT * (2 * OPEN_TICKETS - company->n_tickets) / (2 * OPEN_TICKETS);
    if (company->n_tickets < TICKETS_MAX && draw_percent(&company->draw, percent)) return open_ticket(company);
    return work(company);
}

bool service_call(struct company *company)
{
    struct draw *draw = &company->draw;
    bool missed = draw_percent(draw, 12);
    const char *helper = PICK(draw, company->cast->helpers);
    post_begin(company, missed ? "call.missed" : "call.completed", post_id('P', ++company->numbers).text, company->at_us);
    post_text(company, "owner", helper);
    post_text(company, "direction", "inbound");
    post_text(company, "purpose", "service");
    if (company->n_tickets)
        post_text(company, "case", post_id('S', company->tickets[draw_below(draw, company->n_tickets)].number).text);
    post_number(company, "wait_s", (long)draw_wait(draw, missed ? 90 : 25));
    if (!missed) post_number(company, "duration_s", draw_between(draw, 60, 900));
    if (draw_percent(draw, 20)) post_flag(company, "callback", true);
    if (missed)
        post_end(company, "a call for service is lost");
    else
        post_end(company, "%s helps on the phone", helper);
    return true;
}

bool service_interaction(struct company *company)
{
    struct draw *draw = &company->draw;
    const char *channel = PICK(draw, channels);
    int64_t cost = company->cast->amount_scale / 100 * draw_between(draw, 1, 4);
    post_begin(company, "interaction.logged", post_id('I', ++company->numbers).text, company->at_us);
    post_text(company, "owner", PICK(draw, company->cast->helpers));
    post_text(company, "channel", channel);
    post_money(company, "cost", cost);
    post_end(company, "service by %s, %s", channel, post_price(company, cost).text);
    return true;
}
