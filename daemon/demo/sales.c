/* The sales side of a demo company: leads, deals on their way, calls, meetings. */
#include "common/instant.h"
#include "daemon/demo/post.h"

#include <stdio.h>

static const char *const loss_reasons[] = { "price", "no budget", "competitor", "no need", "timing" };
static const char *const competitors[] = { "hooli", "umbrella", "stark" };
static const char *const sales[] = { "new", "new", "new", "new", "new", "renewal", "renewal", "cross_sell", "up_sell", "new" };

enum {
    FIRST_NUMBER = 1000,
    OPEN_DEALS = 40, /* about so many there are */
    CAMPAIGN_PERCENT = 35,
    SUBSCRIBER_PERCENT = 40,
    NO_ADDRESS_PERCENT = 3,
    DOUBLE_PERCENT = 1 /* have the address of another: somebody typed them in twice */
};

static int pick_source(struct company *company)
{
    int at = draw_below(&company->draw, 100), source = 0;
    while (source < CAST_SOURCES - 1 && at >= company->cast->sources[source].share) at -= company->cast->sources[source++].share;
    return source;
}

static const char *campaign_of(const struct company *company, int campaign)
{
    return campaign < 0 ? NULL : company->cast->campaigns[campaign];
}

static void post_who(struct company *company, int seller)
{
    post_text(company, "owner", company->cast->sellers[seller].name);
    post_text(company, "team", company->cast->sellers[seller].team);
}

/* The lead that waited longest gives up when there is no room: it is kept among the old ones. */
static void keep_lead(struct company *company, struct lead lead)
{
    if (company->n_leads == LEADS_MAX) {
        if (company->n_old_leads < ARCHIVE_MAX) company->old_leads[company->n_old_leads++] = company->leads[0];
        memmove(company->leads, company->leads + 1, --company->n_leads * sizeof *company->leads);
    }
    company->leads[company->n_leads++] = lead;
}

/* Its e-mail address; empty: nobody knows it. */
static struct short_text address_of(struct company *company, int number)
{
    struct short_text address = { "" };
    int of = draw_percent(&company->draw, DOUBLE_PERCENT) && number > FIRST_NUMBER + 9 ? number - 9 : number;
    if (!draw_percent(&company->draw, NO_ADDRESS_PERCENT)) snprintf(address.text, sizeof address.text, "c%d@mail.example", of);
    return address;
}

bool sales_lead(struct company *company)
{
    struct draw *draw = &company->draw;
    struct lead lead = { .number = FIRST_NUMBER + ++company->numbers,
                         .source = pick_source(company),
                         .seller = draw_below(draw, CAST_SELLERS),
                         .campaign = draw_percent(draw, CAMPAIGN_PERCENT) ? draw_below(draw, CAST_CAMPAIGNS) : -1,
                         .created_us = company->at_us };
    const char *source = company->cast->sources[lead.source].name, *subject;
    struct short_text id = post_id('C', lead.number);
    subject = id.text;
    post_begin(company, "contact.created", subject, company->at_us);
    post_who(company, lead.seller);
    post_text(company, "source", source);
    post_text(company, "campaign", campaign_of(company, lead.campaign));
    struct short_text address = address_of(company, lead.number);
    post_text(company, "email", address.text[0] ? address.text : NULL);
    post_end(company, "lead %s from %s", subject, source);
    if (draw_percent(draw, SUBSCRIBER_PERCENT)) {
        post_begin(company, "contact.subscribed", subject, company->at_us);
        post_end(company, "%s takes the newsletter", subject);
    }
    keep_lead(company, lead);
    return true;
}

static struct lead take_lead(struct company *company, int at)
{
    struct lead lead = company->leads[at];
    memmove(company->leads + at, company->leads + at + 1, (--company->n_leads - at) * sizeof lead);
    return lead;
}

static int64_t draw_amount(struct company *company)
{
    int64_t scale = company->cast->amount_scale;
    return (scale + draw_wait(&company->draw, scale * 6)) / (scale / 20) * (scale / 20);
}

static void post_deal(struct company *company, const struct deal *deal)
{
    struct draw *draw = &company->draw;
    post_who(company, deal->seller);
    post_text(company, "source", company->cast->sources[deal->source].name);
    post_text(company, "campaign", campaign_of(company, deal->campaign));
    post_text(company, "contact", post_id('C', deal->contact).text);
    post_text(company, "stage", cast_stages[0]);
    post_text(company, "sale", sales[draw_below(draw, sizeof sales / sizeof sales[0])]);
    post_money(company, "amount", deal->amount);
    post_day(company, "expected_close", company_day(company, company->at_us) + draw_between(draw, 5, 40));
}

/* A lead turns into a deal, those of good sources rather than the others. */
bool sales_open(struct company *company)
{
    if (!company->n_leads || company->n_deals == DEALS_MAX) return false;
    int at = draw_below(&company->draw, company->n_leads);
    if (!draw_percent(&company->draw, company->cast->sources[company->leads[at].source].quality)) return false;
    struct lead lead = take_lead(company, at);
    struct deal *deal = &company->deals[company->n_deals++];
    *deal = (struct deal){ .number = FIRST_NUMBER + ++company->numbers,
                           .contact = lead.number,
                           .source = lead.source,
                           .seller = lead.seller,
                           .campaign = lead.campaign,
                           .amount = draw_amount(company),
                           .created_us = company->at_us };
    struct short_text id = post_id('D', deal->number);
    post_begin(company, "contact.qualified", post_id('C', lead.number).text, company->at_us);
    post_end(company, "lead C-%d is worth a deal", lead.number);
    post_begin(company, "deal.created", id.text, company->at_us);
    post_deal(company, deal);
    post_end(company, "deal %s, %s (%s)", id.text, post_price(company, deal->amount).text,
             company->cast->sellers[deal->seller].name);
    return true;
}

static void lose(struct company *company, int at)
{
    struct deal *deal = &company->deals[at];
    struct draw *draw = &company->draw;
    const char *reason = loss_reasons[draw_below(draw, sizeof loss_reasons / sizeof loss_reasons[0])];
    post_begin(company, "deal.lost", post_id('D', deal->number).text, company->at_us);
    post_text(company, "loss_reason", reason);
    if (!strcmp(reason, "competitor"))
        post_text(company, "competitor", competitors[draw_below(draw, sizeof competitors / sizeof competitors[0])]);
    post_end(company, "deal D-%d lost: %s", deal->number, reason);
    *deal = company->deals[--company->n_deals];
}

static void win(struct company *company, int at)
{
    struct deal *deal = &company->deals[at];
    deal->won_us = company->at_us;
    post_begin(company, "deal.won", post_id('D', deal->number).text, company->at_us);
    post_money(company, "cost", deal->amount * draw_between(&company->draw, 35, 80) / 100);
    post_end(company, "deal D-%d won, %s (%s)", deal->number, post_price(company, deal->amount).text,
             company->cast->sellers[deal->seller].name);
    if (company->n_won < ARCHIVE_MAX) company->won[company->n_won++] = *deal;
    *deal = company->deals[--company->n_deals];
}

static void advance(struct company *company, struct deal *deal)
{
    struct short_text id = post_id('D', deal->number);
    const char *stage = cast_stages[++deal->stage];
    post_begin(company, "deal.stage_changed", id.text, company->at_us);
    post_text(company, "stage", stage);
    post_end(company, "deal %s to %s (%s)", id.text, stage, company->cast->sellers[deal->seller].name);
    if (strcmp(stage, "offer") != 0) return;
    post_begin(company, "deal.proposal_sent", id.text, company->at_us);
    post_end(company, "deal %s: proposal sent", id.text);
}

/* The fewer are open the less is done. Of three open deals the oldest moves on, is won, or is lost. */
bool sales_work(struct company *company)
{
    if (draw_below(&company->draw, OPEN_DEALS) >= company->n_deals) return false;
    int at = draw_below(&company->draw, company->n_deals);
    for (int i = 0; i < 2; i++) {
        int other = draw_below(&company->draw, company->n_deals);
        if (company->deals[other].created_us < company->deals[at].created_us) at = other;
    }
    struct deal *deal = &company->deals[at];
    if (!draw_percent(&company->draw, company->cast->sources[deal->source].quality))
        lose(company, at);
    else if (deal->stage == CAST_STAGES - 1)
        win(company, at);
    else
        advance(company, deal);
    return true;
}

bool sales_call(struct company *company)
{
    struct draw *draw = &company->draw;
    if (!company->n_deals) return false;
    const struct deal *deal = &company->deals[draw_below(draw, company->n_deals)];
    const char *seller = company->cast->sellers[deal->seller].name;
    post_begin(company, "call.completed", post_id('P', ++company->numbers).text, company->at_us);
    post_who(company, deal->seller);
    post_text(company, "direction", draw_percent(draw, 80) ? "outbound" : "inbound");
    post_text(company, "purpose", "sales");
    post_text(company, "deal", post_id('D', deal->number).text);
    post_text(company, "contact", post_id('C', deal->contact).text);
    post_number(company, "duration_s", draw_between(draw, 40, 1500));
    post_end(company, "%s calls about deal D-%d", seller, deal->number);
    return true;
}

/* Arranged for one of the next days, or held now. */
bool sales_meeting(struct company *company)
{
    struct draw *draw = &company->draw;
    if (!company->n_deals) return false;
    const struct deal *deal = &company->deals[draw_below(draw, company->n_deals)];
    bool held = draw_percent(draw, 40);
    post_begin(company, held ? "meeting.held" : "meeting.scheduled", post_id('M', ++company->numbers).text, company->at_us);
    post_who(company, deal->seller);
    post_text(company, "deal", post_id('D', deal->number).text);
    if (held)
        post_number(company, "duration_s", draw_between(draw, 900, 5400));
    else
        post_instant(company, "due", company_instant(company, -draw_between(draw, 1, 12), draw_between(draw, 9, 16), 0));
    post_end(company, "meeting about deal D-%d %s", deal->number, held ? "held" : "arranged");
    return true;
}
