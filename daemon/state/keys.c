/* The keys of Redis, put together from prefix, tenant and what they are for. */
#include "daemon/state/keys.h"

#include "common/buffer.h"
#include "common/period.h"

#include <stdio.h>

static struct span join(struct arena *arena, const struct span *parts, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) len += parts[i].len;
    char *at = arena_alloc(arena, len), *end = at;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].len) memcpy(end, parts[i].at, parts[i].len);
        end += parts[i].len;
    }
    return (struct span){ at, len };
}

static struct span of_all(struct arena *arena, const char *prefix, struct span what)
{
    const struct span parts[] = { span_of(prefix), SPAN(":"), what };
    return join(arena, parts, 3);
}

/* prefix:{tenant}:what:which; without `which` its colon is left out, too. */
static struct span of_tenant(struct arena *arena, const char *prefix, struct span tenant, const char *what, const char *which)
{
    const struct span parts[] = { span_of(prefix), SPAN(":{"), tenant, SPAN("}:"), span_of(what), SPAN(":"), span_of(which) };
    return join(arena, parts, which ? 7 : 5);
}

struct span key_tenants(struct arena *arena, const char *prefix)
{
    return of_all(arena, prefix, SPAN("tenants"));
}

struct span key_marks(struct arena *arena, const char *prefix)
{
    return of_all(arena, prefix, SPAN("marks"));
}

struct span key_slots(struct arena *arena, const char *prefix)
{
    const struct span parts[] = { span_of(prefix), SPAN(":slots:{"), span_of(prefix), SPAN(":tenants}") };
    return join(arena, parts, 4);
}

struct span key_slot_marks(struct arena *arena, const char *prefix, uint32_t tag)
{
    char text[12];
    snprintf(text, sizeof text, "%u", tag);
    const struct span parts[] = { span_of(prefix), SPAN(":marks:{"), span_of(text), SPAN("}") };
    return join(arena, parts, 4);
}

struct span key_state(struct arena *arena, const char *prefix, struct span tenant)
{
    return of_tenant(arena, prefix, tenant, "state", NULL);
}

struct span key_names(struct arena *arena, const char *prefix, struct span tenant)
{
    return of_tenant(arena, prefix, tenant, "names", NULL);
}

struct span key_timers(struct arena *arena, const char *prefix, struct span tenant)
{
    return of_tenant(arena, prefix, tenant, "timers", NULL);
}

struct span key_months(struct arena *arena, const char *prefix, struct span tenant)
{
    return of_tenant(arena, prefix, tenant, "months", NULL);
}

struct span key_now(struct arena *arena, const char *prefix, struct span tenant)
{
    return of_tenant(arena, prefix, tenant, "now", NULL);
}

struct span key_day(struct arena *arena, const char *prefix, struct span tenant, int32_t day)
{
    char text[DAY_TEXT_BYTES];
    day_format(day, text);
    return of_tenant(arena, prefix, tenant, "day", text);
}

struct span key_month(struct arena *arena, const char *prefix, struct span tenant, int32_t month)
{
    char label[LABEL_BYTES];
    month_label(month, label);
    return of_tenant(arena, prefix, tenant, "month", label);
}

static const char *kind_name(enum kind kind)
{
    return kind < N_KINDS ? kind_rows[kind].name : "address";
}

struct span key_page(struct arena *arena, const char *prefix, struct span tenant, enum kind kind, uint32_t number)
{
    struct buffer text = buffer_in(arena, sizeof "4294967295");
    buffer_decimal(&text, number);
    buffer_byte(&text, 0);
    return of_tenant(arena, prefix, tenant, kind_name(kind), text.at);
}

struct span key_list(struct arena *arena, const char *prefix, struct span tenant, const char *list)
{
    return of_tenant(arena, prefix, tenant, "list", list);
}

struct span key_report(struct arena *arena, const char *prefix, struct span tenant, const char *report)
{
    return of_tenant(arena, prefix, tenant, "report", report);
}

struct span key_metrics(struct arena *arena, const char *prefix, struct span tenant, const char *period)
{
    return of_tenant(arena, prefix, tenant, "metrics", period);
}

struct span key_channel(struct arena *arena, const char *prefix, struct span tenant)
{
    return of_tenant(arena, prefix, tenant, "reports", NULL);
}

struct span key_published(struct arena *arena, const char *prefix, struct span tenant)
{
    return of_tenant(arena, prefix, tenant, "published", NULL);
}

struct span key_versions(struct arena *arena, const char *prefix, struct span tenant)
{
    return of_tenant(arena, prefix, tenant, "versions", NULL);
}

struct span timer_member(struct arena *arena, enum kind kind, struct span id)
{
    const struct span parts[] = { span_of(kind_name(kind)), SPAN(":"), id };
    return join(arena, parts, 3);
}

bool timer_member_read(struct span member, enum kind *kind, struct span *id)
{
    const char *colon = member.len ? memchr(member.at, ':', member.len) : NULL;
    if (!colon) return false;
    struct span name = { member.at, (size_t)(colon - member.at) };
    *id = (struct span){ colon + 1, member.len - name.len - 1 };
    for (int each = 0; each < N_ENTITY_KINDS; each++) {
        *kind = (enum kind)each;
        if (span_is(name, kind_name(*kind))) return id->len > 0;
    }
    return false;
}

struct span key_alerts(struct arena *arena, const char *prefix, struct span tenant)
{
    return of_tenant(arena, prefix, tenant, "alerts", NULL);
}

struct span key_alerts_unsent(struct arena *arena, const char *prefix, struct span tenant)
{
    return of_tenant(arena, prefix, tenant, "alerts", "unsent");
}

struct span key_alerts_unposted(struct arena *arena, const char *prefix, struct span tenant)
{
    return of_tenant(arena, prefix, tenant, "alerts", "unposted");
}
