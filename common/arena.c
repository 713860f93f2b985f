#include "common/arena.h"

#include "common/error.h"

#include <stdlib.h>

/* Most are small, and there are some per tenant: a block is as large as all before it together, within these. */
enum {
    BLOCK_BYTES_MIN = 1024,
    BLOCK_BYTES_MAX = 64 * 1024
};

void arena_grow(struct arena *arena, size_t bytes)
{
    size_t size = arena->bytes < BLOCK_BYTES_MIN   ? BLOCK_BYTES_MIN
                  : arena->bytes > BLOCK_BYTES_MAX ? BLOCK_BYTES_MAX
                                                   : arena->bytes;
    if (size < bytes) size = bytes;
    struct arena_block *block = arena->spare;
    if (block && block->bytes >= bytes) {
        arena->spare = block->older;
    } else {
        block = must_alloc(sizeof *block + size);
        block->bytes = size;
    }
    block->older = arena->block;
    arena->block = block;
    arena->used = 0;
    arena->bytes += block->bytes;
}

void *arena_zalloc(struct arena *arena, size_t bytes)
{
    return memset(arena_alloc(arena, bytes), 0, bytes);
}

struct span arena_copy(struct arena *arena, struct span text)
{
    if (!text.len) return NO_SPAN;
    return (struct span){ memcpy(arena_alloc(arena, text.len), text.at, text.len), text.len };
}

char *arena_text(struct arena *arena, struct span text)
{
    char *copy = arena_alloc(arena, text.len + 1);
    if (text.len) memcpy(copy, text.at, text.len);
    copy[text.len] = 0;
    return copy;
}

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_reset(struct arena *arena)
{
    if (!arena->block) return;
    free_blocks(arena->block->older);
    arena->block->older = NULL;
    arena->bytes = arena->block->bytes;
    arena->used = 0;
}

void arena_recycle(struct arena *arena)
{
    free_blocks(arena->spare);
#ifdef __SANITIZE_ADDRESS__ /* whoever still uses it is to be found */
    free_blocks(arena->block);
    arena->block = NULL;
#endif
    arena->spare = arena->block;
    arena->block = NULL;
    arena->used = arena->bytes = 0;
}

void arena_deinit(struct arena *arena)
{
    free_blocks(arena->block);
    free_blocks(arena->spare);
    *arena = (struct arena){ 0 };
}
