/* From a folded batch to the one commit that moves entities, counters, names, timers and positions together. */
#include "common/instant.h"
#include "common/period.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/fold.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SPLITS_PER_COMMIT = 16
};

struct writer {
    struct batch *batch;
    struct tenant *tenant;
    struct arena *arena;
    struct buffer scratch;
    struct hash_write *writes;
    struct timer_write *timers;
    struct stored_cell **changed; /* cells, each once */
    size_t n_changed;
    uint64_t old_buckets[N_ENTITY_KINDS]; /* before this commit */
    size_t n_writes, room_writes, n_timers, room_timers;
};

static void put(struct writer *writer, struct span key, struct span field, struct span value)
{
    if (writer->n_writes == writer->room_writes) {
        writer->room_writes = writer->room_writes ? writer->room_writes * 2 : 64;
        writer->writes = must_realloc(writer->writes, writer->room_writes * sizeof *writer->writes);
    }
    writer->writes[writer->n_writes++] = (struct hash_write){ key, field, value };
}

/* What stands in the scratch buffer, as a text that stays; the buffer is empty again. */
static struct span take_scratch(struct writer *writer)
{
    struct span text = arena_copy(writer->arena, buffer_all(&writer->scratch));
    if (!text.at) text.at = "";
    buffer_clear(&writer->scratch);
    return text;
}

/* ---- entities ---- */

static struct span entities_key(struct writer *writer, enum kind kind, uint32_t bucket)
{
    return key_entities(writer->arena, writer->batch->settings->prefix, writer->tenant->name, kind, bucket);
}

static void put_timer(struct writer *writer, struct span member, int64_t at_us)
{
    if (writer->n_timers == writer->room_timers) {
        writer->room_timers = writer->room_timers ? writer->room_timers * 2 : 64;
        writer->timers = must_realloc(writer->timers, writer->room_timers * sizeof *writer->timers);
    }
    writer->timers[writer->n_timers++] = (struct timer_write){ member, at_us };
}

static void put_wake_up(struct writer *writer, const struct work *work)
{
    if (work->entity.wake_us == work->old_wake_us && !work->rang) return;
    put_timer(writer, timer_member(writer->arena, work->stored->kind, work->stored->id), work->entity.wake_us);
    if (work->entity.wake_us < writer->tenant->next_timer_us) writer->tenant->next_timer_us = work->entity.wake_us;
}

/* A deleted contact stands under the hash of its id, and is moved there and back. */
static bool is_grave(const struct entity *entity)
{
    int64_t deleted = entity->kind == KIND_CONTACT ? entity_last_deleted(entity) : -1;
    return deleted >= 0 && deleted + 1 == entity->n_events && !entity->n_items;
}

static struct span field_of(struct writer *writer, const struct stored_entity *stored, bool grave)
{
    return grave ? entity_grave_field(writer->tenant, stored->id, writer->arena) : stored->id;
}

/* Takes it away from where it stood, if it is to stand elsewhere, or nowhere. */
static void leave_place(struct writer *writer, struct stored_entity *stored, bool stays, bool grave)
{
    uint32_t old = entity_bucket(writer->tenant, stored->id, writer->old_buckets[stored->kind]);
    uint32_t now = entity_bucket(writer->tenant, stored->id, writer->tenant->kind[stored->kind].buckets);
    if (!stored->placed || (stays && old == now && stored->grave == grave)) return;
    put(writer, entities_key(writer, stored->kind, old), field_of(writer, stored, stored->grave), NO_SPAN);
}

static void put_entity(struct writer *writer, struct work *work)
{
    struct stored_entity *stored = work->stored;
    struct tenant *tenant = writer->tenant;
    bool stays = !entity_is_empty(&work->entity), grave = stays && is_grave(&work->entity);
    bool grown = writer->old_buckets[stored->kind] != tenant->kind[stored->kind].buckets;
    if (!grown && stored->grave == grave && span_equal(work->encoded, stored->bytes)) return;
    leave_place(writer, stored, stays, grave);
    tenant->graves += (uint64_t)(grave - stored->grave);
    stored->placed = stays;
    stored->grave = grave;
    stored_entity_set(stored, work->encoded);
    uint32_t bucket = entity_bucket(tenant, stored->id, tenant->kind[stored->kind].buckets);
    if (stays) put(writer, entities_key(writer, stored->kind, bucket), field_of(writer, stored, grave), work->encoded);
}

/* All of them before any is stored: what one hands on to another may still lie in the bytes of the first. */
static void encode_entities(struct writer *writer)
{
    struct batch *batch = writer->batch;
    for (size_t i = 0; i < batch->all.n; i++) {
        struct work *work = batch->all.at[i];
        if (!work->changed || entity_is_empty(&work->entity)) continue;
        if (!entity_is_settled(&work->entity)) {
            batch_doubt(batch, work, "was handed what nobody hands over");
            continue;
        }
        entity_encode(&work->entity, &writer->tenant->names, &writer->scratch);
        work->encoded = take_scratch(writer);
    }
}

static void count_entities(struct batch *batch)
{
    for (size_t i = 0; i < batch->all.n; i++) {
        const struct work *work = batch->all.at[i];
        if (!work->changed) continue;
        bool was = work->stored->placed, is = !entity_is_empty(&work->entity);
        batch->tenant->kind[work->stored->kind].entities += (uint64_t)(is - was);
    }
}

/* Is the entity of this field one that the batch changed? Then put_entity places it. */
static bool is_changed(struct writer *writer, enum kind kind, struct span field)
{
    struct batch *batch = writer->batch;
    if (!field_is_grave(field)) {
        struct stored_entity *stored = tenant_entity(writer->tenant, kind, field);
        struct work *work = stored ? map_get(&batch->works, stored->map_key) : NULL;
        return work && work->changed;
    }
    for (size_t i = 0; i < batch->all.n; i++) {
        const struct work *work = batch->all.at[i];
        if (work->changed && work->stored->grave && span_equal(field_of(writer, work->stored, true), field)) return true;
    }
    return false;
}

/* An old hash gives away what stands elsewhere by the new number of them. */
static void split_bucket(struct writer *writer, enum kind kind, uint32_t from, const struct hash_read *read)
{
    uint64_t buckets = writer->tenant->kind[kind].buckets;
    for (size_t i = 0; i + 1 < read->n_values; i += 2) {
        struct span field = read->values[i];
        uint32_t to = field_bucket(writer->tenant, field, buckets);
        if (to == from || is_changed(writer, kind, field)) continue;
        put(writer, read->key, field, NO_SPAN);
        put(writer, entities_key(writer, kind, to), field, read->values[i + 1]);
    }
}

/* One hash up to 64 entities, then 64 hashes, then four times as many whenever they hold 64 each: an entity moves seldom. */
static uint64_t wanted_buckets(uint64_t entities)
{
    uint64_t buckets = 1;
    while (entities > buckets * ENTITIES_PER_BUCKET) buckets *= buckets == 1 ? 64 : 4;
    return buckets;
}

/* Hashes that are split by going from so many to so many. In one commit only few are, and each once. */
static uint64_t next_buckets(uint64_t old, uint64_t wanted, uint64_t *first, uint64_t *n)
{
    if (old == 1) {
        *first = 0;
        *n = 1;
        return wanted < 64 ? wanted : 64;
    }
    uint64_t level = UINT64_C(1) << (63 - __builtin_clzll(old)), now = old + SPLITS_PER_COMMIT;
    if (now > 2 * level) now = 2 * level;
    if (now > wanted) now = wanted;
    *first = old - level;
    *n = now - old;
    return now;
}

static void grow_buckets(struct writer *writer, enum kind kind)
{
    struct tenant *tenant = writer->tenant;
    uint64_t old = writer->old_buckets[kind] = tenant->kind[kind].buckets;
    uint64_t wanted = wanted_buckets(tenant->kind[kind].entities), first, n;
    if (wanted <= old) return;
    if (!old || !tenant->version) {
        tenant->kind[kind].buckets = wanted;
        return;
    }
    tenant->kind[kind].buckets = next_buckets(old, wanted, &first, &n);
    struct hash_read *reads = arena_zalloc(writer->arena, n * sizeof *reads);
    for (size_t i = 0; i < n; i++) reads[i].key = entities_key(writer, kind, (uint32_t)(first + i));
    enum outcome outcome = DONE;
    struct state *state = writer->batch->loading->state;
    if (!state->ops->read(state, reads, n, writer->arena, &outcome, &writer->batch->error)) {
        writer->batch->outcome = outcome;
        return;
    }
    for (size_t i = 0; i < n; i++) split_bucket(writer, kind, (uint32_t)(first + i), &reads[i]);
}

static void put_entities(struct writer *writer)
{
    struct batch *batch = writer->batch;
    count_entities(batch);
    encode_entities(writer);
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) grow_buckets(writer, (enum kind)kind);
    for (size_t i = 0; i < batch->all.n; i++) {
        struct work *work = batch->all.at[i];
        if (!work->changed) continue;
        put_wake_up(writer, work);
        put_entity(writer, work);
    }
}

/* What names no entity would ring for ever. */
static void remove_unreadable_timers(struct writer *writer)
{
    enum kind kind;
    struct span id;
    for (size_t i = 0; i < writer->batch->n_timers; i++) {
        struct span member = writer->batch->timers[i].member;
        if (!timer_member_read(member, &kind, &id)) put_timer(writer, member, NEVER);
    }
}

/* ---- cells ---- */

static void put_month(struct writer *writer, int32_t month)
{
    char text[DAY_TEXT_BYTES];
    day_format(month_period(month).from, text);
    struct span name = { text, sizeof "2026-03" - 1 };
    if (map_get(&writer->tenant->months, name)) return;
    name = arena_copy(&writer->tenant->months_arena, name);
    map_put(&writer->tenant->months, name, (void *)name.at);
    put(writer, key_months(writer->arena, writer->batch->settings->prefix, writer->tenant->name), name, SPAN("1"));
}

static struct span bucket_key(struct writer *writer, struct bucket bucket)
{
    const char *prefix = writer->batch->settings->prefix;
    if (bucket.type == BUCKET_DAY) return key_day(writer->arena, prefix, writer->tenant->name, bucket.number);
    if (bucket.type == BUCKET_MONTH) return key_month(writer->arena, prefix, writer->tenant->name, bucket.number);
    return key_now(writer->arena, prefix, writer->tenant->name);
}

/* Adds the difference; the cell is noted when it changes first. */
static void change_cell(struct writer *writer, struct stored_cell *cell, const struct difference *difference)
{
    if (!cell_value_add(&cell->value, &difference->value, 1)) {
        writer->batch->overflows++; /* reported by the caller; the cell keeps its value */
        return;
    }
    stored_cell_resized(cell);
    if (!cell->changed) writer->changed[writer->n_changed++] = cell;
    cell->changed = true;
}

static int compare_buckets(const void *a, const void *b)
{
    const struct stored_cell *x = *(struct stored_cell *const *)a, *y = *(struct stored_cell *const *)b;
    if (x->bucket.type != y->bucket.type) return (int)x->bucket.type - (int)y->bucket.type;
    return (x->bucket.number > y->bucket.number) - (x->bucket.number < y->bucket.number);
}

static void put_cell(struct writer *writer, struct span key, struct stored_cell *cell)
{
    cell->changed = false;
    cell_field_write(&cell->key, writer->tenant->rules, &writer->scratch);
    struct span field = take_scratch(writer), value = NO_SPAN;
    if (!cell_value_is_zero(&cell->value)) {
        cell_value_write(cell->key.fact, &cell->value, &writer->scratch);
        value = take_scratch(writer);
    }
    put(writer, key, field, value);
}

static void put_cells(struct writer *writer)
{
    const struct ledger *ledger = &writer->batch->ledger;
    writer->changed = arena_alloc(writer->arena, (2 * ledger->n + 1) * sizeof(struct stored_cell *));
    for (size_t i = 0; i < ledger->n; i++) {
        const struct difference *difference = ledger->differences[i];
        change_cell(writer, difference->cell, difference);
        if (difference->month) change_cell(writer, difference->month, difference);
    }
    qsort(writer->changed, writer->n_changed, sizeof(struct stored_cell *), compare_buckets);
    struct span key = NO_SPAN;
    for (size_t i = 0; i < writer->n_changed; i++) {
        struct stored_cell **cell = &writer->changed[i];
        bool another = !i || compare_buckets(cell, cell - 1) != 0;
        if (another) key = bucket_key(writer, (*cell)->bucket);
        if (another && (*cell)->bucket.type == BUCKET_MONTH) put_month(writer, (*cell)->bucket.number);
        put_cell(writer, key, *cell);
    }
}

/* ---- lists ---- */

static void put_lists(struct writer *writer)
{
    const struct batch *batch = writer->batch;
    struct span keys[N_LISTS] = { { 0 } };
    for (size_t i = 0; i < batch->n_list_changes; i++) {
        const struct list_change *change = &batch->list_changes[i];
        struct span *key = &keys[change->list], value = NO_SPAN;
        if (!key->at) *key = key_list(writer->arena, batch->settings->prefix, writer->tenant->name, list_names[change->list]);
        if (change->is) list_line_write(change->list, &change->after, &writer->scratch);
        if (change->is) value = take_scratch(writer);
        put(writer, *key, change->id, value);
    }
}

/* ---- the tenant itself ---- */

static void put_state(struct writer *writer, const char *field, int64_t value)
{
    buffer_decimal(&writer->scratch, value);
    put(writer, writer->batch->commit.state_key, span_of(field), take_scratch(writer));
}

static void put_positions(struct writer *writer)
{
    for (size_t i = 0; i < writer->tenant->n_positions; i++) {
        struct tenant_position *position = &writer->tenant->positions[i];
        if (!position->changed) continue;
        buffer_str(&writer->scratch, "position:");
        buffer_span(&writer->scratch, position->partition);
        struct span field = take_scratch(writer);
        buffer_printf(&writer->scratch, "%lld %lld", (long long)position->next, (long long)position->life);
        put(writer, writer->batch->commit.state_key, field, take_scratch(writer));
        position->changed = false;
    }
}

static void put_kinds(struct writer *writer)
{
    const struct tenant *tenant = writer->tenant;
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) {
        if (!tenant->kind[kind].entities) continue;
        char field[16];
        snprintf(field, sizeof field, "kind:%d", kind);
        buffer_printf(&writer->scratch, "%llu %llu", (unsigned long long)tenant->kind[kind].entities,
                      (unsigned long long)tenant->kind[kind].buckets);
        put(writer, writer->batch->commit.state_key, arena_copy(writer->arena, span_of(field)), take_scratch(writer));
    }
}

static void put_names(struct writer *writer)
{
    struct tenant *tenant = writer->tenant;
    struct span key = key_names(writer->arena, writer->batch->settings->prefix, tenant->name);
    writer->batch->first_name = tenant->names_stored;
    for (; tenant->names_stored < tenant->names.n; tenant->names_stored++) {
        buffer_decimal(&writer->scratch, tenant->names_stored);
        put(writer, key, take_scratch(writer), arena_copy(writer->arena, names_text(&tenant->names, tenant->names_stored)));
    }
}

static bool has_entries(const struct batch *batch)
{
    for (size_t i = 0; i < batch->n_entries; i++)
        if (!batch->entries[i]->skipped) return true;
    return false;
}

/* Once a day: who has events goes first when the day is over. */
static void put_busy_day(struct writer *writer)
{
    struct tenant *tenant = writer->tenant;
    char text[DAY_TEXT_BYTES];
    if (tenant->busy_day == tenant->today || !has_entries(writer->batch)) return;
    tenant->busy_day = tenant->today;
    day_format(tenant->today, text);
    put(writer, writer->batch->commit.state_key, SPAN("busy_day"), arena_copy(writer->arena, span_of(text)));
}

static void put_tenant(struct writer *writer)
{
    struct tenant *tenant = writer->tenant;
    put_state(writer, "clock", tenant->clock_us);
    put_busy_day(writer);
    if (tenant->graves) put_state(writer, "graves", (int64_t)tenant->graves);
    if (!tenant->version) {
        put_state(writer, "counted_by", (int64_t)tenant_counted_by(tenant, writer->batch->settings));
        buffer_printf(&writer->scratch, "%lld %lld", (long long)tenant->secret.k0, (long long)tenant->secret.k1);
        put(writer, writer->batch->commit.state_key, SPAN("secret"), take_scratch(writer));
    }
    put_positions(writer);
    put_kinds(writer);
    put_names(writer);
}

static int compare_writes(const void *a, const void *b)
{
    const struct hash_write *x = a, *y = b;
    int c = x->key.at == y->key.at ? 0 : span_compare(x->key, y->key);
    return c ? c : (x->value.at != NULL) - (y->value.at != NULL);
}

static bool has_something(const struct batch *batch)
{
    return batch->new_day || batch->n_timers || has_entries(batch);
}

bool batch_write(struct batch *batch)
{
    if (batch->outcome != DONE || !has_something(batch)) return false;
    const char *prefix = batch->settings->prefix;
    struct tenant *tenant = batch->tenant;
    struct writer writer = { .batch = batch, .tenant = tenant, .arena = batch->arena };
    batch->commit = (struct commit){ .tenant = tenant->name, .version = tenant->version };
    batch->commit.state_key = key_state(batch->arena, prefix, tenant->name);
    batch->commit.timers_key = key_timers(batch->arena, prefix, tenant->name);
    put_entities(&writer);
    remove_unreadable_timers(&writer);
    put_cells(&writer);
    put_lists(&writer);
    put_tenant(&writer);
    qsort(writer.writes, writer.n_writes, sizeof *writer.writes, compare_writes);
    struct hash_write *writes = arena_alloc(batch->arena, writer.n_writes * sizeof *writes);
    memcpy(writes, writer.writes, writer.n_writes * sizeof *writes);
    struct timer_write *timers = arena_alloc(batch->arena, writer.n_timers * sizeof *timers);
    if (writer.n_timers) memcpy(timers, writer.timers, writer.n_timers * sizeof *timers);
    batch->commit.writes = writes;
    batch->commit.n_writes = writer.n_writes;
    batch->commit.timers = timers;
    batch->commit.n_timers = writer.n_timers;
    free(writer.writes);
    free(writer.timers);
    buffer_deinit(&writer.scratch);
    return batch->outcome == DONE;
}

void batch_done(struct batch *batch)
{
    struct tenant *tenant = batch->tenant;
    tenant->version = batch->commit.version_new;
    batch->committed = true;
    for (size_t i = 0; i < tenant->n_positions; i++) tenant->positions[i].confirmed = tenant->positions[i].next;
}
