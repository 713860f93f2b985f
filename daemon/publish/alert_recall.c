/* Alerts after Redis lost something: it may have forgotten what was told of them. What stands raised, and was told otherwise since,
 * is told once more, and what was told as raised and is not is told as cleared, so that the topic's last word of each row is how
 * it stands. A while later: most of what was lost has been counted again by then, and told anew. */
#include "daemon/publish/inner.h"

enum {
    RECALL_AFTER_US = 10 * 1000 * 1000
};

void recall_load(struct desk *desk, const struct span *rows, size_t n)
{
    struct desk_alerts *alerts = &desk->alerts;
    struct alert_book now = { 0 };
    alert_book_load(&now, rows, n);
    if (alerts->newest <= alerts->book.version) alerts->newest = alerts->book.version + 1;
    alerts->set_back |= alert_book_compare(&alerts->book, &now, &alerts->older);
    alert_book_keep_raised(&alerts->told, &alerts->book);
    alert_book_deinit(&alerts->book);
    alerts->book = now;
}

void recall_look(struct desk *desk)
{
    struct desk_alerts *alerts = &desk->alerts;
    if (!alerts->set_back) return;
    alerts->set_back = false;
    alerts->recall_us = publisher_monotonic() + RECALL_AFTER_US;
}

void recall_begin(struct desk *desk)
{
    struct desk_alerts *alerts = &desk->alerts;
    alerts->recalls = publisher_monotonic() >= alerts->recall_us;
    if (!alerts->recalls) return;
    alert_book_recall(&alerts->book, &alerts->told, &alerts->older);
    alerts->all = true;
}

static bool holds(const struct span *pairs, size_t n, struct span name)
{
    for (size_t i = 0; i + 1 < n; i += 2)
        if (span_equal(pairs[i], name)) return true;
    return false;
}

void recall_letters(struct desk *desk, const struct span *unsent, size_t n)
{
    struct desk_alerts *alerts = &desk->alerts;
    const struct alert_outbox *outbox = &alerts->outbox[ALERT_TO_TOPIC];
    for (size_t i = 0; i < outbox->n; i++)
        if (!holds(unsent, n, outbox->at[i]->name))
            alert_book_keep_event(&alerts->told, outbox->at[i]->field, outbox->at[i]->event);
    alert_outbox_replace(&alerts->outbox[ALERT_TO_TOPIC], unsent, n);
}

void recall_took(struct desk *desk, const struct alert_changes *changes)
{
    struct desk_alerts *alerts = &desk->alerts;
    for (size_t i = 0; i < changes->n; i++) {
        if (!changes->at[i].event.len) continue;
        alert_book_set(&alerts->told, changes->at[i].field, NO_SPAN);
        alert_book_set(&alerts->older, changes->at[i].field, NO_SPAN);
    }
    if (!alerts->recalls || changes->more) return;
    alert_book_deinit(&alerts->told);
    alert_book_deinit(&alerts->older);
    alerts->recalls = false;
    alerts->recall_us = NEVER;
}

void recall_wait(struct desk *desk)
{
    struct desk_alerts *alerts = &desk->alerts;
    bool told = alerts->book.n_raised || alerts->told.n_raised;
    alerts->due_us = told ? publisher_monotonic() + RECALL_AFTER_US : NEVER;
    alerts->set_back &= told; /* else there is nothing that the topic could be wrong about */
    if (told)
        desk->loaded = false;
    else
        alerts->recall_us = NEVER;
}
