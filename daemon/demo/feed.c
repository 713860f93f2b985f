#include "daemon/demo/feed.h"

#include "common/error.h"
#include "common/instant.h"
#include "daemon/demo/company.h"

#include <stdlib.h>

enum {
    OPENS_AT = 8, /* hours of the local day */
    CLOSES_AT = 18,
    DAYS_BEFORE = 10, /* the last month began */
    WEEKEND_SLOWER = 4,
    MISHAP_EVERY_MS = 2000, /* at most … */
    MISHAP_EVERY = 8        /* … and one in so many, so that there is time to see what it did */
};

const char *const feed_mark_names[N_FEED_MARKS] = { "", "late", "out of order", "repeated", "reopened", "merged", "moved" };

/* What happens how often. */
static const struct {
    bool (*act)(struct company *);
    int weight;
} acts[] = {
    { sales_lead, 12 },      { sales_open, 6 },         { sales_work, 16 },     { sales_call, 16 },
    { sales_meeting, 4 },    { service_case, 26 },      { service_call, 8 },    { service_interaction, 3 },
    { marketing_email, 10 }, { marketing_response, 2 }, { marketing_visit, 5 }, { staff_sign_in, 3 },
};

struct feed {
    struct draw draw;
    struct company *companies;
    int64_t now_us, mishap_us; /* of the last one */
};

void feed_event_deinit(struct feed_event *event)
{
    buffer_deinit(&event->value);
}

int64_t company_instant(const struct company *company, int days_ago, int hour, int minute)
{
    return zone_instant(company->zone, company_day(company, company->at_us) - days_ago, hour * 3600 + minute * 60);
}

static int months_ago(const struct company *company, int64_t at_us)
{
    struct civil now = civil_of_day(company_day(company, company->at_us)), then = civil_of_day(company_day(company, at_us));
    return (now.year - then.year) * 12 + now.month - then.month;
}

bool company_last_month(const struct company *company, int64_t at_us)
{
    return months_ago(company, at_us) == 1;
}

const char *company_period(const struct company *company, int64_t at_us)
{
    static const char *const days[] = { "today", "yesterday" }, *const months[] = { "this_month", "last_month" };
    int days_ago = company_day(company, company->at_us) - company_day(company, at_us), months_gone = months_ago(company, at_us);
    return days_ago < 2 ? days[days_ago] : months_gone < 2 ? months[months_gone] : NULL;
}

static void act(struct company *company)
{
    int total = 0;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) total += acts[i].weight;
    do {
        size_t i = 0;
        int at = draw_below(&company->draw, total);
        while (at >= acts[i].weight) at -= acts[i++].weight;
        acts[i].act(company);
    } while (!company->n_out);
}

/* The next instant at which this company works. */
static void pass_time(struct company *company)
{
    int64_t hours_us = (CLOSES_AT - OPENS_AT) * 3600 * MICROS_PER_SECOND;
    int32_t day = company_day(company, company->at_us);
    bool weekend = day_weekday(day) >= 5;
    company->at_us += draw_wait(&company->draw, hours_us / company->cast->events_a_day * (weekend ? WEEKEND_SLOWER : 1));
    if (company->at_us >= zone_instant(company->zone, day, CLOSES_AT * 3600))
        company->at_us = zone_instant(company->zone, day + 1, OPENS_AT * 3600);
}

/* In time before the first of last month, as its people see it. */
static int64_t beginning(const struct zone *zone, int64_t now_us)
{
    struct civil first = civil_of_day(local_day(now_us, zone_offset(zone, now_us)));
    first.day = 1;
    first.month--;
    if (!first.month) first.month = 12, first.year--;
    return zone_instant(zone, day_of_civil(first) - DAYS_BEFORE, OPENS_AT * 3600);
}

struct feed *feed_create(uint64_t seed, int64_t now_us, const struct zone *const *zones)
{
    struct feed *feed = must_zalloc(sizeof *feed);
    feed->draw.state = seed;
    feed->now_us = now_us;
    feed->companies = must_zalloc(n_cast * sizeof *feed->companies);
    for (size_t i = 0; i < n_cast; i++) {
        struct company *company = &feed->companies[i];
        company->cast = &cast[i];
        company->zone = zones[i];
        company->draw.state = draw_next(&feed->draw);
        company->at_us = beginning(zones[i], now_us);
        company_founded(company, now_us);
    }
    return feed;
}

void feed_destroy(struct feed *feed)
{
    if (!feed) return;
    for (size_t i = 0; i < n_cast; i++)
        for (int j = 0; j < OUTBOX_MAX; j++) feed_event_deinit(&feed->companies[i].outbox[j]);
    free(feed->companies);
    free(feed);
}

static void take(struct company *company, struct feed_event *event)
{
    struct feed_event *first = &company->outbox[company->first_out];
    *event = *first;
    *first = (struct feed_event){ 0 };
    company->first_out = (company->first_out + 1) % OUTBOX_MAX;
    company->n_out--;
}

static struct company *with_something_out(struct feed *feed)
{
    for (size_t i = 0; i < n_cast; i++)
        if (feed->companies[i].n_out) return &feed->companies[i];
    return NULL;
}

/* The company whose clock is behind the others'. */
static struct company *earliest(struct feed *feed)
{
    struct company *first = &feed->companies[0];
    for (size_t i = 1; i < n_cast; i++)
        if (feed->companies[i].at_us < first->at_us) first = &feed->companies[i];
    return first;
}

bool feed_history(struct feed *feed, struct feed_event *event)
{
    struct company *company = with_something_out(feed);
    if (!company) {
        company = earliest(feed);
        if (company->at_us >= feed->now_us) return false;
        act(company);
        pass_time(company);
    }
    take(company, event);
    return true;
}

static struct company *pick_company(struct feed *feed)
{
    int total = 0;
    size_t i = 0;
    for (size_t j = 0; j < n_cast; j++) total += cast[j].weight;
    for (int at = draw_below(&feed->draw, total); at >= cast[i].weight; i++) at -= cast[i].weight;
    return &feed->companies[i];
}

void feed_live(struct feed *feed, int64_t now_us, struct feed_event *event)
{
    struct company *company = with_something_out(feed);
    if (!company) {
        company = pick_company(feed);
        company->at_us = now_us;
        bool may = now_us - feed->mishap_us >= MISHAP_EVERY_MS * MICROS_PER_MS && !draw_below(&feed->draw, MISHAP_EVERY);
        if (may && mishap_next(company))
            feed->mishap_us = now_us;
        else
            act(company);
    }
    take(company, event);
}
