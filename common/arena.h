/* An arena: memory that is given out in one direction and taken back all at once, e.g. per batch. */
#pragma once

#include "common/span.h"

struct arena_block;
struct arena {
    struct arena_block *block; /* the one being filled; older ones behind it */
    size_t used, bytes;        /* of this block; of all blocks */
};

/* A zeroed struct arena is an empty one. */
void *arena_alloc(struct arena *arena, size_t bytes);  /* 8-byte aligned, not zeroed, never NULL */
void *arena_zalloc(struct arena *arena, size_t bytes); /* zeroed */
struct span arena_copy(struct arena *arena, struct span text);
char *arena_text(struct arena *arena, struct span text); /* a terminated copy */

/* Forgets everything; keeps the newest block for reuse. */
void arena_reset(struct arena *arena);
void arena_deinit(struct arena *arena);
