/* What the publisher asks of Redis, answered by the model: the linker puts these in the place of the adapter's functions. */
#include "daemon/state/keys.h"
#include "daemon/state/published.h"
#include "tests/sim/world.h"

bool __wrap_state_redis_connect(struct state *state, struct error *error);
bool __wrap_state_redis_connected(const struct state *state);
bool __wrap_state_redis_history(struct state *state, uint64_t *history, struct error *error);
void __wrap_state_redis_publish(struct state *state, const char *prefix, struct publication *const *publications, size_t n,
                                struct error *error);
bool __wrap_state_redis_acknowledge(struct state *state, const char *prefix, struct acknowledgement *acknowledgements, size_t n,
                                    enum outcome *outcome, struct error *error);

static struct link *link_of(const struct state *state)
{
    return (struct link *)state;
}

bool __wrap_state_redis_connect(struct state *state, struct error *error)
{
    bool same;
    struct link *link = link_of(state);
    return link->marks.ops->connect(&link->marks, &same, error);
}

bool __wrap_state_redis_connected(const struct state *state)
{
    return link_of(state)->connected;
}

bool __wrap_state_redis_history(struct state *state, uint64_t *history, struct error *error)
{
    (void)error;
    *history = (uint64_t)link_of(state)->run + 1;
    return true;
}

static void store_report(struct store *store, struct arena *arena, const char *prefix, struct span tenant,
                         struct publication_report *report)
{
    struct span versions = key_versions(arena, prefix, tenant), name = span_of(report->report);
    report->stored = report->version > store_number(store, versions, name);
    if (!report->stored) return;
    store_put_number(store, versions, name, report->version);
    store_put(store, key_report(arena, prefix, tenant, report->report), NO_SPAN, report->document);
}

static void store_period(struct store *store, struct span key, struct publication_period *period)
{
    int64_t stands = store_number(store, key, SPAN("version"));
    period->elsewhere = period->version > stands && period->changes && period->changes != stands;
    if (period->version <= stands || period->elsewhere) return;
    const struct store_hash *hash = store_hash(store, key);
    /* all but the version go, which keeps the hash */
    for (size_t at = 0; !period->changes && hash && hash->fields.count > 1; at = 0) {
        struct map_slot *slot = map_next(&hash->fields, &at);
        if (span_is(slot->key, "version")) slot = map_next(&hash->fields, &at);
        store_put(store, key, slot->key, NO_SPAN);
    }
    store_put_number(store, key, SPAN("version"), period->version);
    for (size_t i = 0; i < period->n; i++) store_put(store, key, period->numbers[i].metric, period->numbers[i].value);
}

/* What publish.lua does. */
static void carry_out(struct store *store, const char *prefix, struct publication *publication)
{
    struct arena arena = { 0 };
    for (size_t i = 0; i < publication->n_reports; i++)
        store_report(store, &arena, prefix, publication->tenant, &publication->reports[i]);
    for (size_t i = 0; i < publication->n_periods; i++)
        store_period(store, key_metrics(&arena, prefix, publication->tenant, publication->periods[i].period),
                     &publication->periods[i]);
    publication->tenant_now = store_number(store, key_state(&arena, prefix, publication->tenant), SPAN("version"));
    store_step(store);
    arena_deinit(&arena);
}

/* Where the connection is lost some of those that were sent are carried out and the others not. */
void __wrap_state_redis_publish(struct state *state, const char *prefix, struct publication *const *publications, size_t n,
                                struct error *error)
{
    struct link *link = link_of(state);
    bool sent = link->connected;
    for (size_t i = 0; i < n; i++) {
        enum outcome *outcome = &publications[i]->outcome;
        bool alive = link_alive(link, true, outcome, error);
        bool lost = sent && *outcome == LOST && !link->store->away && link->run == link->store->run;
        if (alive || (lost && dice_below(&link->world->dice, 2))) carry_out(link->store, prefix, publications[i]);
        if (alive) (void)!link_alive(link, false, outcome, error); /* the answer may be lost */
    }
}

bool __wrap_state_redis_acknowledge(struct state *state, const char *prefix, struct acknowledgement *acknowledgements, size_t n,
                                    enum outcome *outcome, struct error *error)
{
    struct link *link = link_of(state);
    struct arena arena = { 0 };
    if (!link_alive(link, true, outcome, error)) return false;
    for (size_t i = 0; i < n; i++) {
        struct span key = key_published(&arena, prefix, acknowledgements[i].tenant), name = span_of(acknowledgements[i].report);
        int64_t stands = store_number(link->store, key, name);
        if (stands < acknowledgements[i].version) store_put_number(link->store, key, name, acknowledgements[i].version);
        int64_t stored = store_number(link->store, key_versions(&arena, prefix, acknowledgements[i].tenant), name);
        acknowledgements[i].highest = acknowledgements[i].version;
        if (stands > acknowledgements[i].highest) acknowledgements[i].highest = stands;
        if (stored > acknowledgements[i].highest) acknowledgements[i].highest = stored;
        store_step(link->store);
    }
    arena_deinit(&arena);
    return link_alive(link, false, outcome, error);
}
