/* An arena: memory that is given out in one direction and taken back all at once, e.g. per batch. */
#pragma once

#include "common/span.h"

struct arena_block {
    struct arena_block *older;
    size_t bytes;
    _Alignas(16) char data[];
};
struct arena {
    struct arena_block *block; /* the one being filled; older ones behind it */
    struct arena_block *spare; /* to be filled next */
    size_t used, bytes;        /* of this block; of all but the spare ones */
};

void arena_grow(struct arena *arena, size_t bytes); /* inner: a new block with room for so many */

/* A zeroed struct arena is an empty one. What it gives is 8-byte aligned, not zeroed, never NULL. */
static inline void *arena_alloc(struct arena *arena, size_t bytes)
{
    bytes = (bytes + 7) & ~(size_t)7;
    if (!arena->block || arena->block->bytes - arena->used < bytes) arena_grow(arena, bytes);
    void *p = arena->block->data + arena->used;
    arena->used += bytes;
    return p;
}
void *arena_zalloc(struct arena *arena, size_t bytes); /* zeroed */
struct span arena_copy(struct arena *arena, struct span text);
char *arena_text(struct arena *arena, struct span text); /* a terminated copy */

/* Forgets everything; keeps the newest block for reuse. */
void arena_reset(struct arena *arena);

/* Forgets everything; keeps all that was used since the last time. For what is filled and emptied all the time: the system is not asked
 * for the same memory over and over, and what comes next lies where the last still is in the processor's cache. */
void arena_recycle(struct arena *arena);
void arena_deinit(struct arena *arena);
