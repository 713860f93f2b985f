#include "daemon/tenant/cache.h"

static void unlink_cached(struct cache *cache, struct cached *cached)
{
    *(cached->older ? &cached->older->newer : &cache->oldest) = cached->newer;
    *(cached->newer ? &cached->newer->older : &cache->newest) = cached->older;
}

static void link_newest(struct cache *cache, struct cached *cached)
{
    cached->newer = NULL;
    cached->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = cached;
    cache->newest = cached;
}

void cache_add(struct cache *cache, struct cached *cached)
{
    link_newest(cache, cached);
    cache->bytes += cached->bytes;
}

void cache_use(struct cache *cache, struct cached *cached)
{
    if (cache->newest == cached) return;
    unlink_cached(cache, cached);
    link_newest(cache, cached);
}

void cache_resize(struct cache *cache, struct cached *cached, size_t bytes)
{
    cache->bytes += bytes - cached->bytes;
    cached->bytes = bytes;
}

void cache_remove(struct cache *cache, struct cached *cached)
{
    unlink_cached(cache, cached);
    cache->bytes -= cached->bytes;
}

void cache_trim(struct cache *cache)
{
    while (cache->bytes > cache->limit_bytes && cache->oldest) {
        struct cached *oldest = cache->oldest;
        cache_remove(cache, oldest);
        oldest->forget(oldest);
    }
}
