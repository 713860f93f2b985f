/* Tenants that were counted by other rules than ours, and those of which a dead letter was not taken: their events are passed over,
 * nothing is committed to them, the others go on. Once `rebuild` has counted one anew, or the letter is to be sent again, it is
 * read again, its events from where it stands. */
#include "common/instant.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/terms.h"
#include "daemon/worker/inner.h"

#include <stdlib.h>

enum {
    ADDED_BYTES = 1000, /* of what is counted anew, in the log */
    LOOKED_AT = 1000    /* tenants, at a time, that nothing waits for */
};

#define LOOK_EVERY_US (1000 * MICROS_PER_MS)

/* ---- holding ---- */

void worker_say_held(struct tenant *tenant)
{
    struct buffer changed = { 0 };
    if (tenant->told_held == tenant->version) return;
    tenant->told_held = tenant->version;
    terms_write_changed(tenant, &changed);
    log_event(LEVEL_ERROR, "tenant_held", "tenant=%.*s changed=%.*s meaning=%s", SPAN_ARG(tenant->name),
              SPAN_ARG(buffer_all(&changed)),
              "it was counted by others: its events wait and its numbers stay as they are, until crm-reportd rebuild counts it "
              "anew, or it gets back what it had; the other tenants go on");
    buffer_deinit(&changed);
}

void worker_say_widened(const struct tenant *tenant)
{
    struct buffer added = { 0 };
    const struct generations *generations = &tenant->generations;
    const struct generation *last = generations_last(generations);
    generation_write_added(last - 1, last, ADDED_BYTES, &added);
    log_event(
        LEVEL_WARN, "tenant_counts_more", "tenant=%.*s added=%.*s meaning=%s", SPAN_ARG(tenant->name),
        SPAN_ARG(buffer_all(&added)),
        "it is needed, and was not there before: it counts from now on, of what changes, until crm-reportd rebuild counts the "
        "tenant anew");
    buffer_deinit(&added);
}

static void pass(struct worker *worker, struct tenant *tenant, const struct entry *entry)
{
    struct tenant_position *position = tenant_position(tenant, entry->partition);
    struct lane *lane = lane_of_key(&worker->lanes, entry->partition);
    if (position->life == entry->life && entry->offset < position->next) return;
    if (entry->offset < position->passed) position->passed = entry->offset;
    if (lane && entry->offset < lane->passed) lane->passed = entry->offset;
}

/* Does something of it wait? It comes first: what is behind it waits, too, until all is read again (worker_look_at_held). */
static bool waits(const struct tenant *tenant)
{
    for (size_t i = 0; i < tenant->n_positions; i++)
        if (tenant->positions[i].passed != INT64_MAX) return true;
    return false;
}

static void pass_batch(struct worker *worker, struct round *round, size_t i)
{
    struct batch *batch = round->batches[i];
    struct tenant *tenant = batch->tenant;
    for (size_t e = 0; e < batch->n_entries; e++)
        if (!batch->entries[e]->skipped) pass(worker, tenant, batch->entries[e]);
    batch_deinit(batch);
    tenant->batch = NULL;
    round->batches[i] = round->batches[--round->n_batches];
}

void worker_pass_over(struct worker *worker, struct round *round)
{
    for (size_t i = 0; i < round->n_batches;) {
        struct tenant *tenant = round->batches[i]->tenant;
        if (!tenant->held && !waits(tenant) && worker_reaches(worker, tenant)) {
            i++;
            continue;
        }
        if (tenant->held) worker_say_held(tenant);
        pass_batch(worker, round, i);
    }
}

/* Its letters that were not taken count as failed: when they are to be sent again, all of it is read again. */
static bool fail_letters(struct worker *worker, const struct batch *batch)
{
    bool any = false;
    for (size_t i = 0; i < batch->n_refused; i++) {
        struct lane *lane = lane_of_key(&worker->lanes, batch->refused[i]->partition);
        if (!lane || !lane_letter_waits(lane, batch->refused[i]->offset)) continue;
        lane_letter_failed(lane, batch->refused[i]->offset, worker_monotonic());
        any = true;
    }
    return any;
}

void worker_pass_unheard(struct worker *worker, struct round *round)
{
    for (size_t i = 0; i < round->n_batches;) {
        struct tenant *tenant = round->batches[i]->tenant;
        if (!fail_letters(worker, round->batches[i])) {
            i++;
            continue;
        }
        log_event(LEVEL_WARN, "tenant_waits", "tenant=%.*s meaning=%s", SPAN_ARG(tenant->name),
                  "the dead letter of an event that it refuses was not taken: what came with it waits until it is sent again, "
                  "the other tenants go on");
        tenant_drop(tenant); /* it was folded */
        tenant->unheard = tenant->awaited = worker->any_awaited = true;
        pass_batch(worker, round, i);
    }
}

void worker_forget_passed(struct worker *worker)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&worker->tenants, &at));) {
        struct tenant *tenant = slot->value;
        for (size_t i = 0; i < tenant->n_positions; i++) tenant->positions[i].passed = INT64_MAX;
        tenant->unheard = false;
    }
    for (size_t i = 0; i < worker->lanes.n; i++) worker->lanes.at[i]->passed = INT64_MAX;
}

/* ---- going on ---- */

/* No mark beyond what is still passed over. */
static void lower_marks(struct worker *worker)
{
    size_t at = 0;
    for (size_t i = 0; i < worker->lanes.n; i++) worker->lanes.at[i]->passed = INT64_MAX;
    for (struct map_slot *slot; (slot = map_next(&worker->tenants, &at));) {
        const struct tenant *tenant = slot->value;
        for (size_t i = 0; i < tenant->n_positions; i++) {
            struct lane *lane = lane_of_key(&worker->lanes, tenant->positions[i].partition);
            if (lane && tenant->positions[i].passed < lane->passed) lane->passed = tenant->positions[i].passed;
        }
    }
}

/* Its events are read again, from the first one that was passed over. False: there is none. */
static bool read_again(struct worker *worker, struct tenant *tenant)
{
    bool any = false;
    for (size_t i = 0; i < tenant->n_positions; i++) {
        struct tenant_position *position = &tenant->positions[i];
        struct lane *lane = lane_of_key(&worker->lanes, position->partition);
        if (position->passed == INT64_MAX) continue;
        if (lane) lane_lower(lane, position->passed);
        any = true;
        position->passed = INT64_MAX;
    }
    return any;
}

static void go_on(struct worker *worker, struct tenant *tenant)
{
    bool again = read_again(worker, tenant);
    if (!tenant->unheard)
        log_event(LEVEL_INFO, "tenant_counted_anew", "tenant=%.*s version=%lld", SPAN_ARG(tenant->name),
                  (long long)tenant->version);
    tenant->unheard = false;
    if (worker->parts.committed && worker_is_ours(worker, tenant)) worker_tell_publisher(worker, tenant);
    if (!again) return;
    struct error error = { "" };
    lower_marks(worker);
    worker_set_back(worker, DONE, &error);
    for (size_t i = 0; i < worker->lanes.n; i++)
        worker->lanes.at[i]->started = false; /* nothing of it before what was passed over */
    worker->lanes_pending = true;
}

/* ---- looking ---- */

static int64_t number_of(struct worker *worker, struct span text)
{
    return text.at ? strtoll(arena_text(&worker->scratch, text), NULL, 10) : 0;
}

static bool read_versions(struct worker *worker, struct tenant *const *tenants, size_t n, struct hash_read *reads)
{
    static const struct span fields[] = { { "version", sizeof "version" - 1 }, { "rebuilt", sizeof "rebuilt" - 1 } };
    enum outcome outcome = DONE;
    struct error error = { "" };
    for (size_t i = 0; i < n; i++)
        reads[i] = (struct hash_read){ .key = key_state(&worker->scratch, worker->parts.tenants.prefix, tenants[i]->name),
                                       .fields = fields,
                                       .n_fields = 2 };
    if (worker->parts.state->ops->read(worker->parts.state, reads, n, &worker->scratch, &outcome, &error)) return true;
    worker_set_back(worker, outcome, &error);
    return false;
}

/* Those that somebody counted anew since they were read, or before, while nobody looked. */
static size_t find_changed(struct worker *worker, struct tenant **tenants, size_t n)
{
    struct hash_read *reads = arena_zalloc(&worker->scratch, (n + 1) * sizeof *reads);
    size_t changed = 0;
    if (!n || !read_versions(worker, tenants, n, reads)) return 0;
    for (size_t i = 0; i < n; i++) {
        int64_t version = number_of(worker, reads[i].values[0]), rebuilt = number_of(worker, reads[i].values[1]);
        bool other = tenants[i]->held ? version != tenants[i]->version : rebuilt != tenants[i]->rebuilt;
        if (other || (!tenants[i]->held && waits(tenants[i]))) tenants[changed++] = tenants[i];
    }
    return changed;
}

/* They could not be read: somebody must look after them, and tell of them, as soon as that can be done. */
static void await_all(struct worker *worker, struct tenant *const *tenants, size_t n)
{
    for (size_t i = 0; i < n; i++) tenants[i]->awaited = tenants[i]->perhaps = worker->any_awaited = true;
}

/* Is a letter of it to be sent again later? */
static bool awaits_letters(const struct worker *worker, const struct tenant *tenant)
{
    for (size_t i = 0; tenant->unheard && i < tenant->n_positions; i++) {
        const struct lane *lane = lane_of_key(&worker->lanes, tenant->positions[i].partition);
        if (lane && lane->resend_from != NO_OFFSET) return true;
    }
    return false;
}

/* Those whose events wait, and of the others so many that however many tenants there are, Redis is asked for few at a time: each has
 * its turn. Who has events finds out by his next commit. */
static size_t choose_to_look_at(struct worker *worker, struct tenant **tenants)
{
    size_t n = 0, at = 0, number = 0, parts = worker->tenants.count / LOOKED_AT + 1, part = worker->looks_at_held++ % parts;
    for (struct map_slot *slot; (slot = map_next(&worker->tenants, &at)); number++) {
        struct tenant *tenant = slot->value;
        bool has_turn = tenant->held || number % parts == part;
        if (awaits_letters(worker, tenant)) continue;
        if ((has_turn && tenant_is_known(tenant) && tenant->version) || (waits(tenant) && worker_reaches(worker, tenant)))
            tenants[n++] = tenant;
    }
    return n;
}

void worker_look_at_held(struct worker *worker)
{
    struct tenant **tenants = arena_alloc(&worker->scratch, (worker->tenants.count + 1) * sizeof(struct tenant *));
    worker->look_held_us = worker_monotonic() + LOOK_EVERY_US;
    size_t n = find_changed(worker, tenants, choose_to_look_at(worker, tenants));
    for (size_t i = 0; i < n; i++) {
        tenant_drop(tenants[i]);
        loading_add_tenant(&worker->loading, tenants[i]);
    }
    if (n && !worker_read_all(worker)) {
        await_all(worker, tenants, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (tenants[i]->held)
            worker_say_held(tenants[i]);
        else
            go_on(worker, tenants[i]);
    }
}
