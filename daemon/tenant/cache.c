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

/* What is marked as the newest of the unused ones is so no more: now the one before it is. */
static void leave_unused(struct cache *cache, const struct cached *cached)
{
    if (cache->unused == cached) cache->unused = cached->older;
}

void cache_add(struct cache *cache, struct cached *cached)
{
    link_newest(cache, cached);
    cache->bytes += cached->bytes;
}

void cache_use(struct cache *cache, struct cached *cached)
{
    leave_unused(cache, cached);
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
    leave_unused(cache, cached);
    unlink_cached(cache, cached);
    cache->bytes -= cached->bytes;
}

static void forget_oldest(struct cache *cache)
{
    struct cached *oldest = cache->oldest;
    cache_remove(cache, oldest);
    oldest->forget(oldest);
}

void cache_trim(struct cache *cache)
{
    while (cache->bytes > cache->limit_bytes && cache->oldest) forget_oldest(cache);
}

void cache_forget_unused(struct cache *cache)
{
    while (cache->unused) forget_oldest(cache);
    cache->unused = cache->newest;
}
