/* Looks at one tenant's alerts after the other: has somebody else changed them? An instance that had the tenant before may have
 * ended before it sent what it told of; whoever has the tenant's numbers in memory then sends it. */
#include "daemon/publish/inner.h"
#include "daemon/state/alerts.h"

enum {
    LOOK_EVERY_US = 1000 * 1000
};

static bool is_to_look_at(const struct desk *desk)
{
    const struct desk_alerts *alerts = &desk->alerts;
    return alerts->known && !desk->dirty && (alerts->n_watched || alerts->book.rows.count);
}

static struct desk *looked_at_longest_ago(const struct publisher *publisher)
{
    struct desk *found = NULL;
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&publisher->desks, &at));) {
        struct desk *desk = slot->value;
        if (is_to_look_at(desk) && (!found || desk->alerts.looked_us < found->alerts.looked_us)) found = desk;
    }
    return found;
}

static bool is_other(const struct desk *desk, const struct alerts_stored *stored)
{
    struct alert_book book = { 0 };
    alert_book_load(&book, stored->rows, stored->n_rows);
    bool other = book.version != desk->alerts.book.version;
    alert_book_deinit(&book);
    return other;
}

/* Whatever cannot be read now is asked for by whoever publishes next. */
void look_at_alerts(struct publisher *publisher, int64_t now_us)
{
    struct alerts_stored stored;
    enum outcome outcome = DONE;
    struct error error = { "" };
    if (now_us < publisher->look_alerts_us || now_us < publisher->retry_at_us) return;
    publisher->look_alerts_us = now_us + LOOK_EVERY_US;
    struct desk *desk = looked_at_longest_ago(publisher);
    if (!desk || !publisher_connected(publisher, &error)) return;
    desk->alerts.looked_us = now_us;
    if (state_redis_alerts(publisher->state, publisher->engine->settings->prefix, desk->tenant, &stored, &publisher->arena,
                           &outcome, &error) &&
        is_other(desk, &stored)) {
        desk->alerts.known = false;
        desk->alerts.due_us = now_us;
        queue_place(desk);
    }
    arena_reset(&publisher->arena);
}
