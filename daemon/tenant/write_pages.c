/* Entities of a batch onto their pages, pages into the commit. */
#include "daemon/state/keys.h"
#include "daemon/tenant/place.h"
#include "daemon/tenant/retired.h"
#include "daemon/tenant/writer.h"

#include <stdlib.h>

enum {
    SPLITS_PER_COMMIT = 64 /* and a quarter of the entities at work */
};

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
    work->encoded = writer_take(writer);
    work->same = work->stored.at && work->grave == is_grave(&work->entity) && span_equal(work->encoded, work->stored);
}

static void encode_entities(struct writer *writer)
{
    const struct batch *batch = writer->batch;
    for (size_t i = 0; i < batch->all.n; i++) {
        struct work *work = batch->all.at[i];
        if (!work->changed && !work->retires) continue;
        if (work->changed) encode_entity(writer, work);
        writer->tenant->kind[work->entity.kind].entities += (uint64_t)((work->encoded.at != NULL) - (work->stored.at != NULL));
        writer->tenant->kind[work->entity.kind].bytes += work->encoded.len - work->stored.len;
        writer->tenant->kind[work->entity.kind].bytes += work->retires ? RETIRED_MARK_BYTES : 0;
        writer->tenant->kind[work->entity.kind].retired += work->retires;
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
static uint64_t pages_now(const struct batch *batch, enum kind kind)
{
    const struct tenant *tenant = batch->tenant;
    uint64_t old = tenant->kind[kind].pages, wanted = place_pages_wanted(tenant, kind);
    uint64_t most = old + SPLITS_PER_COMMIT + batch->all.n / 4;
    if (!tenant->kind[kind].entities || wanted <= old) return old;
    return old && wanted > most ? most : wanted;
}

/* A page gives a new one its share. */
static void split_page(struct writer *writer, enum kind kind, uint32_t number)
{
    struct tenant *tenant = writer->tenant;
    struct page *from = tenant_page(tenant, kind, place_split_from(number));
    struct page *to = tenant_page(tenant, kind, number);
    REQUIRE(from && !to);
    to = tenant_page_add(tenant, kind, number);
    struct span rest = buffer_all(&from->bytes), id, bytes;
    struct buffer stays = buffer_in(writer->arena, rest.len), goes = buffer_in(writer->arena, rest.len);
    for (struct span record = rest; page_next(&rest, &id, &bytes); record = rest) {
        bool moves = id.len && place_of_record(tenant, id, number + 1) == number;
        buffer_put(moves ? &goes : &stays, record.at, record.len - rest.len);
    }
    page_set(from, buffer_all(&stays));
    page_set(to, buffer_all(&goes));
    bool marks_moved = tenant->kind[kind].retired && retired_split(from, to);
    if (!goes.len && !marks_moved) return;
    change_page(writer, from);
    change_page(writer, to);
}

/* Pages that are to be split must be there. Nothing is stored of a kind that has no page yet. */
static void ask_for_pages(const struct batch *batch)
{
    struct tenant *tenant = batch->tenant;
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) {
        uint64_t old = tenant->kind[kind].pages, now = pages_now(batch, (enum kind)kind);
        for (uint64_t number = old; old && number < now; number++) {
            uint32_t from = place_split_from(number);
            if (from < old) loading_add_page(batch->loading, tenant, (enum kind)kind, from);
        }
    }
}

void batch_encode(struct batch *batch)
{
    struct writer writer = { .batch = batch, .tenant = batch->tenant, .arena = batch->arena };
    encode_entities(&writer);
    if (batch->outcome == DONE) ask_for_pages(batch);
    buffer_deinit(&writer.scratch);
}

static void grow_pages(struct writer *writer)
{
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) {
        uint64_t *pages = &writer->tenant->kind[kind].pages, now = pages_now(writer->batch, (enum kind)kind);
        if (!*pages) *pages = now;
        for (; *pages < now; ++*pages) split_page(writer, (enum kind)kind, (uint32_t)*pages);
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

static void put_record(struct writer *writer, struct page *page, struct span id, struct span bytes)
{
    struct page_write *write = arena_alloc(writer->arena, sizeof *write);
    *write = (struct page_write){ page->writes, id, bytes };
    page->writes = write;
}

static void put_entity(struct writer *writer, struct work *work)
{
    if (work->same || (!work->stored.at && !work->encoded.at)) return;
    struct page *page = page_of(writer, work);
    struct span grave_id = NO_SPAN;
    bool grave = work->encoded.at && is_grave(&work->entity);
    if (grave || work->grave) grave_id = place_grave_id(writer->tenant, work->entity.id, writer->arena);
    if (work->grave != grave) put_record(writer, page, work->grave ? grave_id : work->entity.id, NO_SPAN);
    put_record(writer, page, grave ? grave_id : work->entity.id, work->encoded);
    change_page(writer, page);
    writer->tenant->graves += (uint64_t)(grave - work->grave);
}

/* Its mark in its place. */
static void retire_entity(struct writer *writer, struct work *work)
{
    struct page *page = page_of(writer, work);
    page_put(page, work->entity.id, NO_SPAN);
    retired_put(writer->tenant, page, work->entity.id);
    if (work->old_wake_us != NEVER) put_timer(writer, timer_member(writer->arena, work->entity.kind, work->entity.id), NEVER);
    change_page(writer, page);
}

/* The pages that changed, and the days that go. */
static void put_pages(struct writer *writer)
{
    struct tenant *tenant = writer->tenant;
    const struct batch *batch = writer->batch;
    struct string_write *strings = arena_zalloc(writer->arena, (writer->n_pages + batch->n_gone + 1) * sizeof *strings);
    for (size_t i = 0; i < writer->n_pages; i++) {
        struct page *page = writer->pages[i];
        if (page->writes) page_put_all(page, page->writes, &writer->scratch);
        page->writes = NULL;
        page->changed = false;
        strings[i].key = key_page(writer->arena, writer->batch->settings->prefix, tenant->name, (enum kind)page->place.kind,
                                  page->place.number);
        strings[i].value = buffer_all(&page->bytes); /* stays until the commit is answered */
    }
    for (size_t i = 0; i < batch->n_gone; i++) strings[writer->n_pages + i].key = batch->gone[i];
    writer->batch->commit.strings = strings;
    writer->batch->commit.n_strings = writer->n_pages + batch->n_gone;
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

void write_pages(struct writer *writer)
{
    struct batch *batch = writer->batch;
    for (size_t i = 0; i < batch->n_raw_pages; i++) change_page(writer, batch->raw_pages[i]);
    grow_pages(writer);
    for (size_t i = 0; i < batch->all.n && batch->outcome == DONE; i++) {
        struct work *work = batch->all.at[i];
        if (work->retires) retire_entity(writer, work);
        if (!work->changed) continue;
        put_wake_up(writer, work);
        put_entity(writer, work);
    }
    put_pages(writer);
    remove_unreadable_timers(writer);
}
