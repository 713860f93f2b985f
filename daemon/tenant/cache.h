/* What is kept in memory of entities and cells, for all tenants of a worker: forgotten oldest first beyond a limit, and when it
 * was not used for long. */
#pragma once

#include "common/span.h"

/* First member of whatever is cached. */
struct cached {
    struct cached *older, *newer;
    size_t bytes;
    void (*forget)(struct cached *); /* takes it out of its map and frees it */
};

struct cache {
    struct cached *oldest, *newest;
    struct cached *unused; /* it and what is older were not used since cache_forget_unused; NULL: all was */
    size_t bytes, limit_bytes;
};

void cache_add(struct cache *cache, struct cached *cached); /* as the newest; `bytes` and `forget` are set */
void cache_use(struct cache *cache, struct cached *cached); /* becomes the newest */
void cache_resize(struct cache *cache, struct cached *cached, size_t bytes);
void cache_remove(struct cache *cache, struct cached *cached); /* without calling forget */
void cache_trim(struct cache *cache);                          /* forgets the oldest until the limit holds */
void cache_forget_unused(struct cache *cache);                 /* forgets what was not used since it was called last */
