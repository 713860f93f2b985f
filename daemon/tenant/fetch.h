/* Inner: a round is larger than the processor's cache, and so are pages and cells. While the one at `i` is looked at, what the next ones
 * need comes nearer.
 * Always inline: gcc takes such a function for one without effect, and its calls away. */
#pragma once

#include "daemon/tenant/fold.h"

enum {
    AHEAD = 4, /* entries, differences */
    CACHE_LINE = 64,
    ATTRIBUTES_BYTES = 128, /* of most events, behind their entry */
    CELL_BYTES = 192,       /* of most, without their spreads */
    TEXTS_BYTES = 256       /* from an event's subject on: most have their data behind it */
};

/* Entries, their attributes and texts. */
__attribute__((always_inline)) static inline void fetch_entries(const struct batch *batch, size_t i)
{
    const struct entry *far = i + 3 * AHEAD < batch->n_entries ? batch->entries[i + 3 * AHEAD] : NULL;
    const struct entry *near = i + AHEAD < batch->n_entries ? batch->entries[i + AHEAD] : NULL;
    for (size_t at = 0; far && at < sizeof *far + ATTRIBUTES_BYTES; at += CACHE_LINE) __builtin_prefetch((const char *)far + at);
    if (!near || near->reason) return;
    __builtin_prefetch(near->event.id.at);
    for (size_t at = 0; at < TEXTS_BYTES; at += CACHE_LINE) __builtin_prefetch(near->event.subject.at + at);
}

/* Pages lie anywhere: those of the next entries come nearer. */
__attribute__((always_inline)) static inline void fetch_pages(const struct batch *batch, size_t i)
{
    const struct page *far = i + 2 * AHEAD < batch->n_entries ? batch->entries[i + 2 * AHEAD]->page : NULL;
    const struct page *near = i + AHEAD < batch->n_entries ? batch->entries[i + AHEAD]->page : NULL;
    if (far) __builtin_prefetch(&far->batch);
    if (far) __builtin_prefetch(&far->bytes);
    for (size_t at = 0; near && at < near->bytes.len; at += CACHE_LINE) __builtin_prefetch(near->bytes.at + at);
}

/* Where a cell of this hash stands in the table, if it is there; then the cell there. Most are the first that is looked at. */
__attribute__((always_inline)) static inline void fetch_place(const struct cell_table *table, uint32_t hash)
{
    if (!table->room) return;
    __builtin_prefetch(&table->cells[hash & (table->room - 1)]);
    __builtin_prefetch(&table->hashes[hash & (table->room - 1)]);
}
__attribute__((always_inline)) static inline void fetch_cell(const struct stored_cell *cell)
{
    for (size_t at = 0; at < CELL_BYTES; at += CACHE_LINE) __builtin_prefetch((const char *)cell + at);
}
__attribute__((always_inline)) static inline void fetch_cell_at(const struct cell_table *table, uint32_t hash)
{
    if (table->room) fetch_cell(table->cells[hash & (table->room - 1)]);
}
