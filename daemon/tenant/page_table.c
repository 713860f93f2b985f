#include "daemon/tenant/page_table.h"

#include "common/error.h"

#include <stdlib.h>
#include <string.h>

static void make_room(struct page_table *table, size_t block)
{
    if (block < table->room) return;
    size_t room = block + block / 2 + 1;
    table->blocks = must_realloc(table->blocks, room * sizeof(struct page_block *));
    memset(table->blocks + table->room, 0, (room - table->room) * sizeof(struct page_block *));
    table->room = room;
}

void page_table_put(struct page_table *table, uint32_t number, struct page *page)
{
    make_room(table, number / PAGE_BLOCK);
    struct page_block **block = &table->blocks[number / PAGE_BLOCK];
    if (!*block) *block = must_zalloc(sizeof **block);
    (*block)->at[number % PAGE_BLOCK] = page;
    (*block)->n++;
}

void page_table_remove(struct page_table *table, uint32_t number)
{
    struct page_block **block = &table->blocks[number / PAGE_BLOCK];
    (*block)->at[number % PAGE_BLOCK] = NULL;
    if (--(*block)->n) return;
    free(*block);
    *block = NULL;
}

struct page *page_table_next(const struct page_table *table, size_t *at)
{
    while (*at < table->room * PAGE_BLOCK) {
        const struct page_block *block = table->blocks[*at / PAGE_BLOCK];
        if (!block) {
            *at += PAGE_BLOCK;
            continue;
        }
        struct page *page = block->at[(*at)++ % PAGE_BLOCK];
        if (page) return page;
    }
    return NULL;
}

size_t page_table_bytes(const struct page_table *table)
{
    return table->room * sizeof(struct page_block *);
}

void page_table_deinit(struct page_table *table)
{
    for (size_t i = 0; i < table->room; i++) free(table->blocks[i]);
    free(table->blocks);
    *table = (struct page_table){ 0 };
}
