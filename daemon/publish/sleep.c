/* Tenants whose desk had to go for want of memory: when an alert of theirs comes to its time, or other rules hold, they come
 * back. */
#include "daemon/publish/inner.h"

#include <stdlib.h>

enum {
    LETTERS_US = 5 * 1000 * 1000
};

struct sleeper {
    int64_t due_us; /* monotonic; NEVER */
    size_t tenant_len;
    char tenant[];
};

static struct span name_of(const struct sleeper *sleeper)
{
    return (struct span){ sleeper->tenant, sleeper->tenant_len };
}

/* With letters on their way it comes back to look after them, and those behind them. */
static int64_t due_of(const struct desk *desk)
{
    int64_t soon_us = publisher_monotonic() + LETTERS_US;
    bool letters = desk->alerts.outbox[ALERT_TO_TOPIC].n || desk->alerts.outbox[ALERT_TO_WEBHOOK].n;
    return letters && soon_us < desk->alerts.due_us ? soon_us : desk->alerts.due_us;
}

void sleepers_put(struct publisher *publisher, const struct desk *desk)
{
    struct sleeper *sleeper = must_alloc(sizeof *sleeper + desk->tenant.len);
    *sleeper = (struct sleeper){ .due_us = due_of(desk), .tenant_len = desk->tenant.len };
    memcpy(sleeper->tenant, desk->tenant.at, desk->tenant.len);
    free(map_put(&publisher->sleepers, name_of(sleeper), sleeper));
}

static struct sleeper *next_due(const struct publisher *publisher, int64_t now_us)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&publisher->sleepers, &at));)
        if (((struct sleeper *)slot->value)->due_us <= now_us) return slot->value;
    return NULL;
}

void sleepers_wake(struct publisher *publisher, int64_t now_us)
{
    for (struct sleeper *sleeper; (sleeper = next_due(publisher, now_us));) {
        map_remove(&publisher->sleepers, name_of(sleeper));
        publisher_desk(publisher, name_of(sleeper))->dirty = true;
        free(sleeper);
    }
}

void sleepers_deinit(struct publisher *publisher)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&publisher->sleepers, &at));) free(slot->value);
    map_deinit(&publisher->sleepers);
}
