/* How the publisher stands, for others to see: made anew now and then in its own thread. */
#include "common/instant.h"
#include "daemon/publish/inner.h"

#include <stdio.h>

enum {
    RENEW_US = 500 * 1000
};

static int64_t waiting_us(const struct desk *desk, int64_t now_us)
{
    return desk->dirty ? now_us - desk->waiting_since_us : 0;
}

/* Whether `desk` is to be shown rather than `other`: who waits longer, else who was published later. */
static bool before(const struct desk *desk, const struct desk *other, int64_t now_us)
{
    int64_t a = waiting_us(desk, now_us), b = waiting_us(other, now_us);
    return a != b ? a > b : desk->next_at_us > other->next_at_us;
}

static size_t insert(const struct desk **shown, size_t n, const struct desk *desk, int64_t now_us)
{
    size_t at = n;
    while (at && before(desk, shown[at - 1], now_us)) at--;
    if (at == WAITING_SHOWN_MAX) return n;
    if (n == WAITING_SHOWN_MAX) n--;
    memmove(shown + at + 1, shown + at, (n - at) * sizeof *shown);
    shown[at] = desk;
    return n + 1;
}

static void note_trouble(const struct publisher *publisher, struct publisher_sight *sight)
{
    const struct log_cause *causes[] = { &publisher->cause, &publisher->unsent_reports, &publisher->unsent_alerts };
    for (size_t i = 0; i < sizeof causes / sizeof *causes && !sight->trouble[0]; i++)
        snprintf(sight->trouble, sizeof sight->trouble, "%s", causes[i]->text);
}

void publisher_renew_sight(struct publisher *publisher, int64_t now_us)
{
    const struct desk *shown[WAITING_SHOWN_MAX + 1];
    size_t n = 0, at = 0;
    if (now_us < publisher->look_at_us) return;
    publisher->look_at_us = now_us + RENEW_US;
    struct publisher_sight fresh = { .n_tenants = publisher->desks.count, .n_unacknowledged = publisher->unacknowledged };
    for (struct map_slot *slot; (slot = map_next(&publisher->desks, &at));) {
        const struct desk *desk = slot->value;
        fresh.n_waiting += desk->dirty;
        n = insert(shown, n, desk, now_us);
    }
    for (size_t i = 0; i < n; i++) {
        snprintf(fresh.shown[i].name, TENANT_NAME_BYTES, "%.*s", SPAN_ARG(shown[i]->tenant));
        fresh.shown[i].waiting_us = waiting_us(shown[i], now_us);
    }
    fresh.n_shown = n;
    fresh.longest_us = n ? fresh.shown[0].waiting_us : 0;
    note_trouble(publisher, &fresh);
    pthread_mutex_lock(&publisher->sight_lock);
    publisher->sight = fresh;
    pthread_mutex_unlock(&publisher->sight_lock);
}

void publisher_look(struct publisher *publisher, struct publisher_sight *sight)
{
    pthread_mutex_lock(&publisher->sight_lock);
    *sight = publisher->sight;
    pthread_mutex_unlock(&publisher->sight_lock);
}
