/* From a folded batch to the one commit that moves entities, counters, names, timers and positions together. */
#include "common/instant.h"
#include "common/period.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/fold.h"
#include "daemon/tenant/place.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SPLITS_PER_COMMIT = 64 /* and a quarter of the entities at work */
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
    struct page **pages; /* changed, each once */
    size_t n_pages, room_pages;
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
    put_timer(writer, timer_member(writer->arena, work->entity.kind, work->entity.id), work->entity.wake_us);
    if (work->entity.wake_us < writer->tenant->next_timer_us) writer->tenant->next_timer_us = work->entity.wake_us;
}

/* A deleted contact stands under the hash of its id, and is moved there and back. */
static bool is_grave(const struct entity *entity)
{
    int64_t deleted = entity->kind == KIND_CONTACT ? entity_last_deleted(entity) : -1;
    return deleted >= 0 && deleted + 1 == entity->n_events && !entity->n_items;
}

/* All of them before any is put on a page: what one hands on to another may still lie in the bytes of the first. */
static void encode_entity(struct writer *writer, struct work *work)
{
    if (entity_is_empty(&work->entity)) return;
    if (!entity_is_settled(&work->entity)) {
        batch_doubt(writer->batch, work, "was handed what nobody hands over");
        return;
    }
    entity_encode(&work->entity, &writer->scratch);
    work->encoded = take_scratch(writer);
    work->same = work->stored.at && work->grave == is_grave(&work->entity) && span_equal(work->encoded, work->stored);
}

static void encode_entities(struct writer *writer)
{
    struct batch *batch = writer->batch;
    for (size_t i = 0; i < batch->all.n; i++) {
        struct work *work = batch->all.at[i];
        if (!work->changed) continue;
        encode_entity(writer, work);
        writer->tenant->kind[work->entity.kind].entities += (uint64_t)((work->encoded.at != NULL) - (work->stored.at != NULL));
        writer->tenant->kind[work->entity.kind].bytes += work->encoded.len - work->stored.len;
    }
}

static void change_page(struct writer *writer, struct page *page)
{
    if (page->changed) return;
    page->changed = true;
    if (writer->n_pages == writer->room_pages) {
        writer->room_pages = writer->room_pages ? writer->room_pages * 2 : 64;
        writer->pages = must_realloc(writer->pages, writer->room_pages * sizeof(struct page *));
    }
    writer->pages[writer->n_pages++] = page;
}

/* As the entities of a kind grow, so do its pages; in one commit only by so many. */
static uint64_t pages_now(const struct writer *writer, enum kind kind)
{
    uint64_t old = writer->tenant->kind[kind].pages, wanted = place_pages_wanted(writer->tenant, kind);
    uint64_t most = old + SPLITS_PER_COMMIT + writer->batch->all.n / 4;
    if (!writer->tenant->kind[kind].entities || wanted <= old) return old;
    return old && wanted > most ? most : wanted;
}

/* A page gives a new one its share. */
static void split_page(struct writer *writer, enum kind kind, uint32_t number)
{
    struct page *from = tenant_page(writer->tenant, kind, place_split_from(number));
    struct page *to = tenant_page(writer->tenant, kind, number);
    REQUIRE(from && !to);
    to = tenant_page_add(writer->tenant, kind, number);
    struct span old = arena_copy(writer->arena, buffer_all(&from->bytes)), id, bytes;
    while (page_next(&old, &id, &bytes)) {
        if (place_of_record(writer->tenant, id, number + 1) != number) continue;
        page_put(to, id, bytes);
        page_put(from, id, NO_SPAN);
        change_page(writer, from);
        change_page(writer, to);
    }
}

/* Pages that are to be split must be there. Nothing is stored of a kind that has no page yet. */
static bool read_pages(struct writer *writer, const uint64_t *now)
{
    struct batch *batch = writer->batch;
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) {
        uint64_t old = writer->tenant->kind[kind].pages;
        for (uint64_t number = old; old && number < now[kind]; number++) {
            uint32_t from = place_split_from(number);
            if (from < old) loading_add_page(batch->loading, writer->tenant, (enum kind)kind, from);
        }
    }
    return batch->outcome == DONE && loading_run(batch->loading, batch->settings, &batch->outcome, &batch->error);
}

static void grow_pages(struct writer *writer)
{
    uint64_t now[N_ENTITY_KINDS];
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) now[kind] = pages_now(writer, (enum kind)kind);
    if (!read_pages(writer, now)) return;
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) {
        uint64_t *pages = &writer->tenant->kind[kind].pages;
        if (!*pages) *pages = now[kind];
        for (; *pages < now[kind]; ++*pages) split_page(writer, (enum kind)kind, (uint32_t)*pages);
    }
}

/* Where it stands now; a page that is not in memory after growing is a new one. */
static struct page *page_of(struct writer *writer, const struct work *work)
{
    enum kind kind = work->entity.kind;
    uint32_t number = place_number(writer->tenant, work->entity.id, writer->tenant->kind[kind].pages);
    if (number == work->page->place.number) return work->page;
    struct page *page = tenant_page(writer->tenant, kind, number);
    return page ? page : tenant_page_add(writer->tenant, kind, number);
}

static void put_entity(struct writer *writer, struct work *work)
{
    if (work->same || (!work->stored.at && !work->encoded.at)) return;
    struct page *page = page_of(writer, work);
    struct span grave_id = NO_SPAN;
    bool grave = work->encoded.at && is_grave(&work->entity);
    if (grave || work->grave) grave_id = place_grave_id(writer->tenant, work->entity.id, writer->arena);
    if (work->grave != grave) page_put(page, work->grave ? grave_id : work->entity.id, NO_SPAN);
    page_put(page, grave ? grave_id : work->entity.id, work->encoded);
    change_page(writer, page);
    writer->tenant->graves += (uint64_t)(grave - work->grave);
}

static void put_pages(struct writer *writer)
{
    struct tenant *tenant = writer->tenant;
    struct string_write *strings = arena_alloc(writer->arena, writer->n_pages * sizeof *strings);
    for (size_t i = 0; i < writer->n_pages; i++) {
        struct page *page = writer->pages[i];
        page->changed = false;
        strings[i].key = key_page(writer->arena, writer->batch->settings->prefix, tenant->name, (enum kind)page->place.kind,
                                  page->place.number);
        strings[i].value = buffer_all(&page->bytes); /* stays until the commit is answered */
    }
    writer->batch->commit.strings = strings;
    writer->batch->commit.n_strings = writer->n_pages;
    free(writer->pages);
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

static void put_entities(struct writer *writer)
{
    struct batch *batch = writer->batch;
    encode_entities(writer);
    grow_pages(writer);
    for (size_t i = 0; i < batch->all.n && batch->outcome == DONE; i++) {
        struct work *work = batch->all.at[i];
        if (!work->changed) continue;
        put_wake_up(writer, work);
        put_entity(writer, work);
    }
    put_pages(writer);
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
        if (!tenant->kind[kind].pages) continue;
        char field[16];
        snprintf(field, sizeof field, "kind:%d", kind);
        buffer_printf(&writer->scratch, "%llu %llu %llu", (unsigned long long)tenant->kind[kind].entities,
                      (unsigned long long)tenant->kind[kind].bytes, (unsigned long long)tenant->kind[kind].pages);
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
