/* What goes out to many and comes back from some: e-mails, answers to campaigns, visits; and who signs in. */
#include "common/instant.h"
#include "daemon/demo/post.h"

#include <stdio.h>

static const char *const pages[] = { "/", "/prices", "/product", "/blog", "/contact" };

static int pick_contact(struct company *company)
{
    return company->leads[draw_below(&company->draw, company->n_leads)].number;
}

/* One step further with the e-mail, if it gets so far. */
static bool follow(struct company *company, const char *type, struct short_text id, int seconds, int percent)
{
    int64_t at_us = company->at_us + seconds * MICROS_PER_SECOND;
    if (!draw_percent(&company->draw, percent)) return false;
    post_begin(company, type, id.text, at_us);
    post_end(company, "e-mail %s %s", id.text, strchr(type, '.') + 1);
    return true;
}

bool marketing_email(struct company *company)
{
    struct draw *draw = &company->draw;
    if (!company->n_leads) return false;
    struct short_text id = post_id('E', ++company->numbers);
    const struct seller *seller = &company->cast->sellers[draw_below(draw, CAST_SELLERS)];
    post_begin(company, "email.sent", id.text, company->at_us);
    post_text(company, "owner", seller->name);
    post_text(company, "team", seller->team);
    post_text(company, "contact", post_id('C', pick_contact(company)).text);
    if (draw_percent(draw, 60)) post_text(company, "campaign", company->cast->campaigns[draw_below(draw, CAST_CAMPAIGNS)]);
    post_end(company, "e-mail %s sent by %s", id.text, seller->name);
    if (follow(company, "email.bounced", id, 1, 4)) return true;
    follow(company, "email.delivered", id, 1, 100);
    if (follow(company, "email.opened", id, 2, 38) && follow(company, "email.clicked", id, 3, 30))
        follow(company, "email.replied", id, 4, 35);
    return true;
}

bool marketing_response(struct company *company)
{
    struct draw *draw = &company->draw;
    if (!company->n_leads) return false;
    const char *campaign = company->cast->campaigns[draw_below(draw, CAST_CAMPAIGNS)];
    post_begin(company, "response.received", post_id('R', ++company->numbers).text, company->at_us);
    post_text(company, "campaign", campaign);
    post_text(company, "contact", post_id('C', pick_contact(company)).text);
    post_text(company, "channel", draw_percent(draw, 70) ? "web" : "phone");
    post_end(company, "an answer to %s", campaign);
    return true;
}

bool marketing_visit(struct company *company)
{
    struct draw *draw = &company->draw;
    struct short_text id = post_id('V', ++company->numbers);
    const char *source = company->cast->sources[draw_below(draw, CAST_SOURCES)].name;
    int64_t at_us = company->at_us;
    post_begin(company, "visit.started", id.text, at_us);
    post_text(company, "source", source);
    post_text(company, "page", pages[draw_below(draw, sizeof pages / sizeof pages[0])]);
    post_end(company, "a visitor from %s", source);
    for (int left = draw_below(draw, 3); left > 0; left--) {
        at_us += draw_between(draw, 5, 40) * MICROS_PER_SECOND;
        post_begin(company, "visit.page_viewed", id.text, at_us);
        post_text(company, "page", pages[draw_below(draw, sizeof pages / sizeof pages[0])]);
        post_end(company, "the visitor looks on");
    }
    if (!draw_percent(draw, 12)) return true;
    post_begin(company, "visit.goal_completed", id.text, at_us + MICROS_PER_SECOND);
    post_text(company, "goal", "newsletter");
    post_end(company, "the visitor subscribes");
    return true;
}

bool staff_sign_in(struct company *company)
{
    struct draw *draw = &company->draw;
    int who = draw_below(draw, CAST_SELLERS + CAST_HELPERS);
    const char *name = who < CAST_SELLERS ? company->cast->sellers[who].name : company->cast->helpers[who - CAST_SELLERS];
    post_begin(company, "user.signed_in", name, company->at_us);
    post_end(company, "%s signs in", name);
    return true;
}

static void hire(struct company *company, const char *name, const char *team)
{
    post_begin(company, "user.created", name, company->at_us);
    post_text(company, "team", team);
    post_end(company, "%s joins", name);
}

/* Opens a goal for the month that now is in. */
static void begin_goal(struct company *company, const char *id, const char *metric, int64_t now_us)
{
    struct civil civil = civil_of_day(company_day(company, now_us));
    char month[16];
    snprintf(month, sizeof month, "%04d-%02d", civil.year, civil.month);
    post_begin(company, "goal.set", id, company->at_us);
    post_text(company, "metric", metric);
    post_text(company, "period", month);
}

/* What each seller is to sell, and how many cases are to be closed on the same day. */
static void set_goals(struct company *company, int64_t now_us)
{
    char id[64];
    for (int i = 0; i < CAST_SELLERS; i++) {
        const char *seller = company->cast->sellers[i].name;
        snprintf(id, sizeof id, "revenue-%s", seller);
        begin_goal(company, id, "revenue", now_us);
        post_money(company, "target", company->cast->amount_scale * INT64_C(60) + company->cast->amount_scale * INT64_C(8) * i);
        post_text(company, "owner", seller);
        post_end(company, "a goal for %s", seller);
    }
    begin_goal(company, "same-day-help", "cases_closed_same_day", now_us);
    post_number(company, "target", company->cast->events_a_day * 3 / 4);
    post_end(company, "a goal for the service");
}

void company_founded(struct company *company, int64_t now_us)
{
    for (int i = 0; i < CAST_SELLERS; i++) hire(company, company->cast->sellers[i].name, company->cast->sellers[i].team);
    for (int i = 0; i < CAST_HELPERS; i++) hire(company, company->cast->helpers[i], "service");
    for (int i = 0; i < CAST_CAMPAIGNS; i++) {
        post_begin(company, "campaign.started", company->cast->campaigns[i], company->at_us);
        post_text(company, "channel", i ? "event" : "email");
        post_money(company, "cost", company->cast->amount_scale * INT64_C(8));
        post_end(company, "campaign %s started", company->cast->campaigns[i]);
    }
    set_goals(company, now_us);
}
