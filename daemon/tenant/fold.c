#include "daemon/tenant/fold.h"

#include "common/instant.h"
#include "common/period.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/fetch.h"
#include "daemon/tenant/folding.h"
#include "daemon/tenant/place.h"
#include "daemon/tenant/retired.h"
#include "daemon/tenant/retirement.h"

#include <stdlib.h>

enum {
    WORKS_MIN = 64
};

/* Who hands over comes before who receives, as far as that can be: fewer evaluations. */
static const uint8_t rank_of[N_ENTITY_KINDS] = {
    [KIND_CASE] = 1, [KIND_DEAL] = 1, [KIND_CONTACT] = 2, [KIND_ACCOUNT] = 3, [KIND_CAMPAIGN] = 3, [KIND_ADDRESS] = 4,
};

static void queue_add(struct work_queue *queue, struct work *work)
{
    if (queue->n == queue->room) {
        queue->room = queue->room ? queue->room * 2 : 64;
        queue->at = must_realloc(queue->at, queue->room * sizeof *queue->at);
    }
    queue->at[queue->n++] = work;
}

struct entity_context batch_entity_context(const struct batch *batch)
{
    return (struct entity_context){ .arena = batch->working,
                                    .names = &batch->tenant->names,
                                    .rules = batch->tenant->rules,
                                    .secret = batch->tenant->secret,
                                    .max_events = batch->settings->max_events };
}

static struct facts_context facts_context(const struct batch *batch, const struct generation *by, int64_t clock_us)
{
    struct facts_context context = tenant_facts_context(batch->tenant, by, batch->working, clock_us);
    context.scratch = batch->scratch;
    return context;
}

/* ---- one entity at work ---- */

static void fail_batch(struct batch *batch, enum outcome outcome)
{
    if (batch->outcome == DONE) batch->outcome = outcome;
}

void batch_doubt(struct batch *batch, const struct work *work, const char *what)
{
    fail(&batch->error, "the %s %.*s of tenant %.*s %s: it moved on while it was read, or it is damaged",
         work->entity.kind < N_KINDS ? kind_rows[work->entity.kind].name : "address", SPAN_ARG(work->entity.id),
         SPAN_ARG(batch->tenant->name), what);
    fail_batch(batch, REFUSED);
}

static char last_of(struct span id)
{
    return id.len ? id.at[id.len - 1] : 0;
}

/* About as many as there will be at work. */
static void make_room_for_works(struct batch *batch)
{
    batch->room_works = WORKS_MIN;
    while (batch->room_works < batch->n_entries + batch->n_timers) batch->room_works *= 2;
    batch->works = arena_zalloc(batch->working, batch->room_works * sizeof *batch->works);
}

static struct work **works_of(const struct batch *batch, uint64_t place, char last)
{
    return &batch->works[(place + (unsigned char)last) & (batch->room_works - 1)];
}

/* Ids lie elsewhere: only what can be it has its own looked at. */
static struct work *find_work(const struct batch *batch, const struct page *page, uint64_t place, struct span id)
{
    char last = last_of(id);
    if (page->batch != batch->number) return NULL;
    for (struct work *work = *works_of(batch, place, last); work; work = work->next)
        if (work->place == place && work->page == page && work->last == last && span_equal(work->entity.id, id)) return work;
    return NULL;
}

/* What stands on the page of it, be it under its id, as a grave, or its mark. */
static void find_stored(struct batch *batch, struct work *work)
{
    const struct tenant *tenant = batch->tenant;
    work->stored = page_find(work->page, work->entity.id);
    if (!work->stored.at && tenant->kind[work->entity.kind].retired)
        work->retired = retired_find(tenant, work->page, work->entity.id);
    if (work->stored.at || work->entity.kind != KIND_CONTACT || !tenant->graves) return;
    work->stored = page_find(work->page, place_grave_id(tenant, work->entity.id, batch->working));
    work->grave = work->stored.at;
}

bool batch_has_work(const struct batch *batch, const struct page *page, struct span id)
{
    return find_work(batch, page, place_hash(batch->tenant, id), id) != NULL;
}

static struct work *add_work(struct batch *batch, struct page *page, uint64_t place, struct span id)
{
    struct work *work = arena_zalloc(batch->working, sizeof *work);
    work->page = page;
    work->place = place;
    work->last = last_of(id);
    work->entity = (struct entity){ .kind = (enum kind)page->place.kind, .wake_us = NEVER };
    work->entity.id = arena_copy(batch->working, id);
    find_stored(batch, work);
    bool readable = !work->stored.at || entity_decode(&work->entity, work->stored, batch->working, &batch->tenant->names);
    if (!readable || !tenant_generation(batch->tenant, &work->entity)) batch_doubt(batch, work, "cannot be read");
    work->old_wake_us = work->entity.wake_us;
    if (page->batch != batch->number) {
        cache_use(batch->tenant->cache, &page->cached);
        page->moved = false;
        page->batch = batch->number;
    }
    if (!batch->works) make_room_for_works(batch);
    struct work **works = works_of(batch, place, work->last);
    work->next = *works;
    *works = work;
    queue_add(&batch->all, work);
    return work;
}

struct work *batch_work_on(struct batch *batch, struct page *page, uint64_t place, struct span id)
{
    struct work *work = find_work(batch, page, place, id);
    return work ? work : add_work(batch, page, place, id);
}

/* A page that nobody foresaw: of a merged contact's target, of the end of a chain. */
static struct page *read_now(struct batch *batch, enum kind kind, uint32_t number)
{
    enum outcome outcome = DONE;
    struct page *page = loading_add_page(batch->loading, batch->tenant, kind, number);
    if (batch->outcome == DONE && !loading_run(batch->loading, batch->settings, &outcome, &batch->error))
        fail_batch(batch, outcome);
    return page;
}

struct work *batch_work(struct batch *batch, enum kind kind, struct span id)
{
    uint64_t place = place_hash(batch->tenant, id);
    uint32_t number = place_of_hash(place, batch->tenant->kind[kind].pages);
    struct page *page = tenant_page(batch->tenant, kind, number);
    return batch_work_on(batch, page ? page : read_now(batch, kind, number), place, id);
}

bool batch_is_folded(const struct batch *batch, const struct entry *entry)
{
    return !entry->skipped && !entry->reason && batch->tenant->kept->kind[entry->event.kind];
}

void batch_add(struct batch *batch, struct entry *entry)
{
    if (batch->n_entries == batch->room_entries) {
        batch->room_entries = batch->room_entries ? batch->room_entries * 2 : 32;
        batch->entries = must_realloc(batch->entries, batch->room_entries * sizeof(struct entry *));
    }
    batch->entries[batch->n_entries++] = entry;
}

/* ---- as it was, and as it is ---- */

/* As it was counted: by what it was, everything before its wake-up had come, nothing from there on. */
void batch_evaluate_before(struct batch *batch, struct work *work)
{
    const struct generation *by = tenant_generation(batch->tenant, &work->entity);
    if (by && !entity_is_empty(&work->entity)) {
        struct facts_context context = facts_context(batch, by, counted_clock_us(&work->entity));
        facts_of(&work->entity, &context, &work->before);
    }
    work->said = work->before;
}

void batch_touch(struct batch *batch, struct work *work)
{
    if (!work->changed) batch_evaluate_before(batch, work);
    work->changed = true;
    if (work->dirty) return;
    work->dirty = true;
    queue_add(&batch->queues[rank_of[work->entity.kind]], work);
}

/* ---- events ---- */

static struct entity_event *copy_link(struct batch *batch, const struct work *work)
{
    const struct entity_event *link = work->entity.kind == KIND_CONTACT ? contact_link(&work->entity) : NULL;
    if (!link) return NULL;
    struct entity_event *copy = arena_alloc(batch->working, sizeof *copy);
    *copy = *link;
    return copy;
}

static bool same_link(const struct entity_event *a, const struct entity_event *b)
{
    if (!a || !b) return a == b;
    return event_compare(a, b) == 0 && span_equal(a->text, b->text);
}

static void count_undated(struct batch *batch, enum fact fact, enum reason reason)
{
    if (!batch->tenant->kept->fact[fact].on) return;
    struct fact_entry entry = { .key = { .fact = (uint16_t)fact, .n = (uint16_t)cell_dims(batch->tenant->rules, fact) } };
    entry.measures[0] = 1;
    if (reason && batch->tenant->kept->fact[fact].dims & 1)
        entry.key.dims[0] = names_intern(&batch->tenant->names, span_of(reason_names[reason]));
    ledger_add(&batch->ledger, &entry, 1);
}

static void reject_event(struct batch *batch, struct entry *entry, enum reason reason)
{
    if (!batch->refused) batch->refused = arena_alloc(batch->working, batch->n_entries * sizeof(struct entry *));
    batch->refused[batch->n_refused++] = entry;
    entry->refused = reason;
    count_undated(batch, FACT_REJECTED_EVENT, reason);
}

static void apply_event(struct batch *batch, struct entry *entry)
{
    struct entity_context context = batch_entity_context(batch);
    struct work *work = entry->work;
    if (work->retired) {
        reject_event(batch, entry, REASON_AFTER_RETENTION);
        return;
    }
    struct entity_event *link = copy_link(batch, work);
    bool was_changed = work->changed;
    if (!was_changed) batch_evaluate_before(batch, work);
    switch (entity_apply(&work->entity, &context, &entry->event)) {
    case TOO_MANY:
        reject_event(batch, entry, REASON_TOO_MANY_EVENTS);
        return;
    case DUPLICATE:
        batch->duplicates++;
        batch->results[entry->event.kind][EVENT_REPEATED]++;
        count_undated(batch, FACT_DUPLICATE_EVENT, REASON_NONE);
        return;
    case APPLIED_TIME_ONLY:
        batch->duplicates++;
        batch->results[entry->event.kind][EVENT_REPEATED]++;
        count_undated(batch, FACT_DUPLICATE_EVENT, REASON_NONE);
        break;
    case APPLIED:
        batch->applied++;
        batch->results[entry->event.kind][EVENT_COUNTED]++;
        if (entry->event.traceparent.len) batch->traced = entry;
        break;
    }
    work->changed = work->heard = true; /* evaluated before, above */
    batch_touch(batch, work);
    if (work->entity.kind == KIND_CONTACT && !same_link(link, contact_link(&work->entity))) batch_relink(batch, work, link);
}

static void apply_entry(struct batch *batch, struct entry *entry)
{
    struct tenant_position *position = &batch->tenant->positions[entry->position];
    if (entry->skipped) return;
    if (entry->reason)
        count_undated(batch, FACT_REJECTED_EVENT, entry->reason);
    else if (batch_is_folded(batch, entry))
        apply_event(batch, entry);
    if (position->life != entry->life)
        *position = (struct tenant_position){ .partition = position->partition, .life = entry->life, .passed = INT64_MAX };
    if (entry->offset >= position->next) position->next = entry->offset + 1;
    position->changed = true;
}

/* A chain of merges may need as many as it is long; more than this is a circle that was not cut. */
enum {
    EVALUATIONS_PER_ENTITY = 256
};

/* ---- handing over, until nothing moves any more ---- */

static int compare_handovers(const void *a, const void *b)
{
    const struct handover *x = *(const struct handover *const *)a, *y = *(const struct handover *const *)b;
    int c = (int)x->to - (int)y->to;
    if (!c) c = span_compare(x->id, y->id);
    if (!c) c = (int)x->is_sum - (int)y->is_sum;
    if (!c && x->is_sum) return (int)x->sum - (int)y->sum;
    if (!c) c = (int)x->item.type - (int)y->item.type;
    if (!c) c = span_compare(x->item.key, y->item.key);
    return c ? c : span_compare(x->item.payload, y->item.payload);
}

static void deliver(struct batch *batch, const struct handover *handover, int factor)
{
    struct work *target = batch_work(batch, handover->to, handover->id);
    if (target->retired) return; /* it stays as it was counted */
    batch_touch(batch, target);
    target->heard = true;
    if (handover->is_sum)
        target->entity.sums[handover->sum] += factor * handover->amount;
    else
        entity_hand_item(&target->entity, batch->working, &handover->item, factor);
}

static const struct handover **sorted_handovers(struct batch *batch, const struct statement *statement)
{
    const struct handover **sorted = arena_alloc(batch->working, (statement->n_handovers + 1) * sizeof(struct handover *));
    for (uint32_t i = 0; i < statement->n_handovers; i++) sorted[i] = &statement->handovers[i];
    if (statement->n_handovers > 1) qsort(sorted, statement->n_handovers, sizeof *sorted, compare_handovers);
    return sorted;
}

/* Takes back what is no longer said, gives what is new. */
static void deliver_changes(struct batch *batch, const struct statement *old, const struct statement *new)
{
    if (!old->n_handovers && !new->n_handovers) return;
    const struct handover **before = sorted_handovers(batch, old), **after = sorted_handovers(batch, new);
    uint32_t i = 0, j = 0;
    while (i < old->n_handovers || j < new->n_handovers) {
        int c = i == old->n_handovers ? 1 : j == new->n_handovers ? -1 : compare_handovers(&before[i], &after[j]);
        if (c < 0) deliver(batch, before[i], -1);
        if (c > 0) deliver(batch, after[j], 1);
        i += c <= 0;
        j += c >= 0;
    }
}

static void evaluate(struct batch *batch, struct work *work)
{
    struct facts_context context = facts_context(batch, generations_last(&batch->tenant->generations), batch->tenant->clock_us);
    struct statement before = work->said;
    if (++batch->evaluations > EVALUATIONS_PER_ENTITY * (batch->all.n + 16)) batch_doubt(batch, work, "hands on in a circle");
    work->dirty = false;
    facts_of(&work->entity, &context, &work->said);
    deliver_changes(batch, &before, &work->said);
}

static struct work *next_dirty(struct batch *batch)
{
    for (int rank = 0; rank < RANKS; rank++)
        if (batch->queues[rank].n) return batch->queues[rank].at[--batch->queues[rank].n];
    return NULL;
}

/* The wake-up is kept when it is still to come and early enough: it will be moved when it rings. */
static void settle(struct batch *batch, struct work *work)
{
    int64_t old_us = work->entity.wake_us, wanted_us = work->said.wake_us;
    if (old_us <= batch->tenant->clock_us || old_us > wanted_us || old_us == NEVER) work->entity.wake_us = wanted_us;
    work->entity.generation = batch->tenant->generations.n - 1;
    if (work->heard) work->entity.touched_day = batch->tenant->rules->retire_after_days ? batch->tenant->today : 0;
    ledger_replace(&batch->ledger, &work->before, &work->said);
    if (work->before.n_listings || work->said.n_listings) batch_list(batch, work);
}

static void settle_all(struct batch *batch)
{
    struct buffer scratch = { 0 };
    for (size_t i = 0; i < batch->all.n; i++) {
        fetch_works(&batch->all, i);
        if (!batch->all.at[i]->changed) continue;
        settle(batch, batch->all.at[i]);
        batch_encode(batch, batch->all.at[i], &scratch);
    }
    buffer_deinit(&scratch);
}

/* ---- the whole ---- */

static void move_clock(struct batch *batch)
{
    struct tenant *tenant = batch->tenant;
    int32_t before = tenant->today;
    if (batch->now_us > tenant->clock_us) tenant->clock_us = batch->now_us;
    tenant->today = local_day(tenant->clock_us, zone_offset(tenant->rules->zone, tenant->clock_us));
    if (tenant->version && tenant->today != before) batch->new_day = true; /* else nobody would look for its midnight again */
}

static void ring(struct batch *batch, struct span member)
{
    enum kind kind;
    struct span id;
    if (!timer_member_read(member, &kind, &id)) return;
    struct work *work = batch_work(batch, kind, id);
    batch_touch(batch, work);
    work->rang = true;
}

void batch_fold(struct batch *batch)
{
    move_clock(batch);
    folding_move(batch);
    for (size_t i = 0; i < batch->n_entries; i++) {
        fetch_entries(batch, i);
        apply_entry(batch, batch->entries[i]);
    }
    if (batch->traced) batch->traceparent = arena_copy(batch->arena, batch->traced->event.traceparent);
    for (size_t i = 0; i < batch->n_timers; i++) ring(batch, batch->timers[i].member);
    for (struct work *work; batch->outcome == DONE && (work = next_dirty(batch));) evaluate(batch, work);
    if (batch->outcome != DONE) return;
    settle_all(batch);
    if (batch->retires) retirement_fold(batch);
    arena_recycle(batch->scratch); /* no statement is looked at again */
    if (batch->outcome == DONE) batch_ask_for_pages(batch);
    ledger_settle(&batch->ledger);
    batch_ask_for_cells(batch);
}

void batch_deinit(struct batch *batch)
{
    free(batch->all.at);
    for (int i = 0; i < RANKS; i++) free(batch->queues[i].at);
    ledger_deinit(&batch->ledger);
    free(batch->timer_writes);
    free(batch->list_changes);
    free(batch->entries);
    *batch = (struct batch){ 0 };
}
