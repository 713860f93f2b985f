/* Records of a batch onto their pages, pages into the commit. */
#include "daemon/state/keys.h"
#include "daemon/tenant/place.h"
#include "daemon/tenant/retired.h"
#include "daemon/tenant/writer.h"

#include <stdlib.h>

enum {
    SPLITS_PER_COMMIT = 64 /* and a quarter of the entities at work */
};

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
    struct buffer stays = buffer_in(writer->batch->working, rest.len), goes = buffer_in(writer->batch->working, rest.len);
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
void batch_ask_for_pages(const struct batch *batch)
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

static void grow_pages(struct writer *writer)
{
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) {
        uint64_t *pages = &writer->tenant->kind[kind].pages, now = pages_now(writer->batch, (enum kind)kind);
        if (!*pages) *pages = now;
        for (; *pages < now; ++*pages) split_page(writer, (enum kind)kind, (uint32_t)*pages);
    }
}

/* Where it stands now; a page that is not in memory after growing is a new one. */
static struct page *page_now(struct writer *writer, struct page *before, uint64_t place)
{
    struct tenant *tenant = writer->tenant;
    enum kind kind = (enum kind)before->place.kind;
    uint32_t number = place_of_hash(place, tenant->kind[kind].pages);
    if (number == before->place.number) return before;
    struct page *page = tenant_page(tenant, kind, number);
    return page ? page : tenant_page_add(tenant, kind, number);
}

static void put_records(struct writer *writer)
{
    struct page_write *next = writer->batch->records;
    for (struct page_write *write = next; write; write = next) {
        struct page *page = page_now(writer, write->page, write->place);
        next = write->next;
        write->next = page->writes;
        page->writes = write;
        change_page(writer, page);
    }
    writer->batch->records = NULL;
}

/* Who leaves has a mark in its place. */
static void put_mark(struct writer *writer, const struct work *work)
{
    struct page *page = page_now(writer, work->page, work->place);
    retired_put(writer->tenant, page, work->entity.id);
    change_page(writer, page);
}

/* A page that was split, or has a new mark: what is to be replaced stands elsewhere on it. */
static void find_again(struct page *page)
{
    for (struct page_write *write = page->writes; write; write = write->next) write->old = page_find(page, write->id);
}

/* The pages that changed, and the days that go. */
static void put_pages(struct writer *writer)
{
    struct tenant *tenant = writer->tenant;
    const struct batch *batch = writer->batch;
    struct string_write *strings = arena_zalloc(writer->arena, (writer->n_pages + batch->n_gone + 1) * sizeof *strings);
    for (size_t i = 0; i < writer->n_pages; i++) {
        struct page *page = writer->pages[i];
        if (page->moved) find_again(page);
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
        if (!timer_member_read(member, &kind, &id)) batch_put_timer(writer->batch, member, NEVER);
    }
}

void write_pages(struct writer *writer)
{
    struct batch *batch = writer->batch;
    for (size_t i = 0; i < batch->n_raw_pages; i++) change_page(writer, batch->raw_pages[i]);
    grow_pages(writer);
    for (size_t i = 0; batch->n_retired && i < batch->all.n; i++)
        if (batch->all.at[i]->retires) put_mark(writer, batch->all.at[i]);
    put_records(writer);
    put_pages(writer);
    remove_unreadable_timers(writer);
}
