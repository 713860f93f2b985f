/* Tenants whose desk had to go for want of memory: when an alert of theirs comes to its time, other rules hold, or Redis lost
 * something, they come back. */
#include "daemon/publish/inner.h"

#include <stdlib.h>

enum {
    LETTERS_US = 5 * 1000 * 1000
};

struct sleeper {
    int64_t due_us;          /* monotonic; NEVER */
    struct alert_book told;  /* what was raised when it went, as of a version of its alerts */
    struct alert_book older; /* as at its desk: what of it is to be told again */
    bool set_back;           /* Redis lost something since, or what it lost was not told again yet */
    bool doubted;            /* it may have, and what the topic has was not replaced yet */
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

static void sleeper_destroy(struct sleeper *sleeper)
{
    if (!sleeper) return;
    alert_book_deinit(&sleeper->told);
    alert_book_deinit(&sleeper->older);
    free(sleeper);
}

void sleepers_put(struct publisher *publisher, const struct desk *desk)
{
    struct sleeper *sleeper = must_alloc(sizeof *sleeper + desk->tenant.len);
    *sleeper = (struct sleeper){ .due_us = due_of(desk), .tenant_len = desk->tenant.len };
    sleeper->set_back = desk->alerts.set_back || desk->alerts.recall_us != NEVER;
    sleeper->doubted = desk->doubted;
    memcpy(sleeper->tenant, desk->tenant.at, desk->tenant.len);
    alert_book_keep_raised(&sleeper->told, &desk->alerts.told);
    alert_book_keep_raised(&sleeper->told, &desk->alerts.book);
    sleeper->told.version = desk->alerts.book.version;
    alert_book_keep_raised(&sleeper->older, &desk->alerts.older);
    if (sleeper->due_us < publisher->wake_us) publisher->wake_us = sleeper->due_us;
    sleeper_destroy(map_put(&publisher->sleepers, name_of(sleeper), sleeper));
}

void sleepers_take(struct publisher *publisher, struct desk *desk)
{
    struct sleeper *sleeper = map_remove(&publisher->sleepers, desk->tenant);
    if (!sleeper) return;
    desk->alerts.book = sleeper->told;
    desk->alerts.older = sleeper->older;
    sleeper->told = sleeper->older = (struct alert_book){ 0 };
    desk->alerts.set_back = sleeper->set_back;
    desk->doubted = sleeper->doubted;
    sleeper_destroy(sleeper);
}

/* Those with nothing raised are looked at when something happens to them. */
void sleepers_were_set_back(struct publisher *publisher, bool surely)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&publisher->sleepers, &at));) {
        struct sleeper *sleeper = slot->value;
        sleeper->doubted = true;
        if (!surely) continue;
        sleeper->set_back = true;
        if (sleeper->told.n_raised) sleeper->due_us = publisher->wake_us = 0;
    }
}

/* NULL: nobody's time has come. */
static struct sleeper **find_due(struct publisher *publisher, int64_t now_us, size_t *n)
{
    struct sleeper **due = NULL;
    size_t at = 0;
    *n = 0;
    publisher->wake_us = NEVER;
    for (struct map_slot *slot; (slot = map_next(&publisher->sleepers, &at));) {
        struct sleeper *sleeper = slot->value;
        if (sleeper->due_us > now_us) {
            if (sleeper->due_us < publisher->wake_us) publisher->wake_us = sleeper->due_us;
            continue;
        }
        if (!due) due = must_alloc(publisher->sleepers.count * sizeof(struct sleeper *));
        due[(*n)++] = sleeper;
    }
    return due;
}

/* They may be all: found first, since each leaves the map. */
void sleepers_wake(struct publisher *publisher, int64_t now_us)
{
    size_t n;
    if (now_us < publisher->wake_us) return; /* nearly always */
    struct sleeper **due = find_due(publisher, now_us, &n);
    for (size_t i = 0; i < n; i++) {
        struct desk *desk = publisher_desk(publisher, name_of(due[i])); /* which takes it from here */
        desk_mark_dirty(desk, publisher_monotonic());
    }
    free(due);
}

void sleepers_deinit(struct publisher *publisher)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&publisher->sleepers, &at));) sleeper_destroy(slot->value);
    map_deinit(&publisher->sleepers);
}
