/* Inner: a round is larger than the processor's cache, and so are pages and cells. While the one at `i` is looked at, what the next ones
 * need comes nearer.
 * Always inline: gcc takes such a function for one without effect, and its calls away. */
#pragma once

#include "daemon/tenant/fold.h"

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

enum {
    AHEAD = 4, /* entries, differences, entities */
    CACHE_LINE = 64,
    ATTRIBUTES_BYTES = 128, /* of most events, behind their entry */
    ENTITY_BYTES = 192,     /* of the first two events, the first four attributes */
    CELL_BYTES = 192,       /* of most, without their spreads */
    TEXTS_BYTES = 256       /* from an event's subject on: most have their data behind it */
};

/* NULL: nothing. What lies behind an object may be fetched as well: nothing is read. */
ALWAYS_INLINE void fetch(const void *object, size_t bytes)
{
    for (size_t at = 0; object && at < bytes; at += CACHE_LINE) __builtin_prefetch((const char *)object + at);
}

/* Entries, their attributes and texts. */
ALWAYS_INLINE void fetch_entries(const struct batch *batch, size_t i)
{
    const struct entry *far = i + 3 * AHEAD < batch->n_entries ? batch->entries[i + 3 * AHEAD] : NULL;
    const struct entry *near = i + AHEAD < batch->n_entries ? batch->entries[i + AHEAD] : NULL;
    fetch(far, sizeof *far + ATTRIBUTES_BYTES);
    if (!near || near->reason) return;
    fetch(near->event.id.at, 1);
    fetch(near->event.subject.at, TEXTS_BYTES);
}

/* Pages lie anywhere: those of the next entries. */
ALWAYS_INLINE void fetch_pages(const struct batch *batch, size_t i)
{
    const struct page *far = i + 2 * AHEAD < batch->n_entries ? batch->entries[i + 2 * AHEAD]->page : NULL;
    const struct page *near = i + AHEAD < batch->n_entries ? batch->entries[i + AHEAD]->page : NULL;
    if (far) fetch(&far->batch, sizeof *far - offsetof(struct page, batch));
    if (near) fetch(near->bytes.at, near->bytes.len);
}

/* Entities at work, then the first of their events and attributes, and their bytes on the page. */
ALWAYS_INLINE void fetch_works(const struct work_queue *works, size_t i)
{
    const struct work *far = i + 2 * AHEAD < works->n ? works->at[i + 2 * AHEAD] : NULL;
    const struct work *near = i + AHEAD < works->n ? works->at[i + AHEAD] : NULL;
    fetch(far, sizeof *far);
    if (!near) return;
    fetch(near->entity.events, ENTITY_BYTES);
    fetch(near->entity.attributes, ENTITY_BYTES);
    fetch(near->stored.at, near->stored.len);
}

/* Where a cell of this hash stands in the table, if it is there; then the cell there. Most are the first that is looked at. */
ALWAYS_INLINE void fetch_place(const struct cell_table *table, uint32_t hash)
{
    if (!table->room) return;
    fetch(&table->cells[hash & (table->room - 1)], 1);
    fetch(&table->hashes[hash & (table->room - 1)], 1);
}
ALWAYS_INLINE void fetch_cell(const struct stored_cell *cell)
{
    fetch(cell, CELL_BYTES);
}
ALWAYS_INLINE void fetch_cell_at(const struct cell_table *table, uint32_t hash)
{
    if (table->room) fetch_cell(table->cells[hash & (table->room - 1)]);
}
