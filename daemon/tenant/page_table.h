/* The pages of a kind that are in memory, by number. Of a large company's few are at work: the table takes room for those that are
 * there and their neighbours, and a pointer for each PAGE_BLOCK numbers. A zeroed one is empty. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    PAGE_BLOCK = 32
};

struct page;
struct page_block {
    size_t n; /* that are there */
    struct page *at[PAGE_BLOCK];
};

struct page_table {
    struct page_block **blocks; /* NULL: none of it is there */
    size_t room;
};

static inline struct page *page_table_get(const struct page_table *table, uint32_t number) /* NULL: not there */
{
    const struct page_block *block = number / PAGE_BLOCK < table->room ? table->blocks[number / PAGE_BLOCK] : NULL;
    return block ? block->at[number % PAGE_BLOCK] : NULL;
}

void page_table_put(struct page_table *table, uint32_t number, struct page *page); /* it is not there yet */
void page_table_remove(struct page_table *table, uint32_t number);                 /* it is there */

/* Walks over all that are there: `size_t at = 0; while ((page = page_table_next(table, &at)))`. The table must not change. */
struct page *page_table_next(const struct page_table *table, size_t *at);

size_t page_table_bytes(const struct page_table *table); /* of memory, without the blocks */
void page_table_deinit(struct page_table *table);        /* the pages are the caller's */
