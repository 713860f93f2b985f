#include "daemon/demo/post.h"

#include "common/decimal.h"
#include "common/error.h"
#include "common/instant.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *kind, *topic;
} topics[] = {
    { "deal", "crm.deals" },         { "call", "crm.calls" },         { "meeting", "crm.calls" },
    { "email", "crm.emails" },       { "case", "crm.support" },       { "interaction", "crm.support" },
    { "campaign", "crm.marketing" }, { "response", "crm.marketing" }, { "visit", "crm.marketing" },
    { "goal", "crm.goals" },         { NULL, "crm.contacts" },
};

static const char *topic_of(const char *type)
{
    size_t i = 0;
    while (topics[i].kind && strncmp(topics[i].kind, type, strcspn(type, ".")) != 0) i++;
    return topics[i].topic;
}

struct short_text post_id(char letter, int number)
{
    struct short_text id;
    snprintf(id.text, sizeof id.text, "%c-%d", letter, number);
    return id;
}

struct short_text post_price(const struct company *company, int64_t whole)
{
    struct short_text price;
    if (whole < 1000)
        snprintf(price.text, sizeof price.text, "%" PRId64 " %s", whole, company->cast->currency);
    else
        snprintf(price.text, sizeof price.text, "%" PRId64 ",%03" PRId64 " %s", whole / 1000, whole % 1000,
                 company->cast->currency);
    return price;
}

static struct feed_event *draft(struct company *company)
{
    return &company->outbox[(company->first_out + company->n_out) % OUTBOX_MAX];
}

void post_begin(struct company *company, const char *type, const char *subject, int64_t at_us)
{
    post_again(company, type, subject, at_us, ++company->events);
}

void post_again(struct company *company, const char *type, const char *subject, int64_t at_us, long event_number)
{
    char time[INSTANT_TEXT_BYTES];
    const char *tenant = company->cast->name;
    REQUIRE(company->n_out < OUTBOX_MAX);
    struct feed_event *event = draft(company);
    *event = (struct feed_event){ .tenant = tenant, .topic = topic_of(type), .time_us = at_us };
    instant_format(at_us, time);
    buffer_printf(&event->value,
                  "{\"specversion\":\"1.0\",\"id\":\"%s-%ld\",\"source\":\"/crm/%s\",\"type\":\"crm.%s\",\"subject\":\"%s\","
                  "\"tenantid\":\"%s\",\"time\":\"%s\",\"data\":{",
                  tenant, event_number, tenant, type, subject, tenant, time);
}

static struct buffer *part(struct company *company, const char *name)
{
    struct buffer *value = &draft(company)->value;
    buffer_printf(value, "%s\"%s\":", value->at[value->len - 1] == '{' ? "" : ",", name);
    return value;
}

void post_text(struct company *company, const char *name, const char *value)
{
    if (value) buffer_printf(part(company, name), "\"%s\"", value);
}

void post_number(struct company *company, const char *name, long value)
{
    buffer_printf(part(company, name), "%ld", value);
}

void post_flag(struct company *company, const char *name, bool value)
{
    buffer_str(part(company, name), value ? "true" : "false");
}

void post_money(struct company *company, const char *name, int64_t whole)
{
    buffer_printf(part(company, name), "\"%" PRId64 "%s\"", whole, company->cast->decimals ? ".00" : "");
    post_text(company, "currency", company->cast->currency);
}

void post_instant(struct company *company, const char *name, int64_t at_us)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(at_us, text);
    post_text(company, name, text);
}

void post_day(struct company *company, const char *name, int32_t day)
{
    char text[DAY_TEXT_BYTES];
    day_format(day, text);
    post_text(company, name, text);
}

void post_mark(struct company *company, enum feed_mark mark, struct feed_spot spot)
{
    draft(company)->mark = mark;
    draft(company)->spot = spot;
}

void post_end(struct company *company, const char *format, ...)
{
    struct feed_event *event = draft(company);
    va_list args;
    va_start(args, format);
    vsnprintf(event->headline, sizeof event->headline, format, args);
    va_end(args);
    buffer_str(&event->value, "}}");
    company->n_out++;
}
