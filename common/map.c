#include "common/map.h"

#include "common/error.h"

#include <stdlib.h>

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Fewer than eight bytes as one number, the first the lowest, without going byte by byte. */
static uint64_t short_word(const unsigned char *at, size_t len)
{
    uint32_t low, high;
    if (len < 4) return len ? at[0] | (uint64_t)at[len / 2] << len / 2 * 8 | (uint64_t)at[len - 1] << (len - 1) * 8 : 0;
    memcpy(&low, at, 4);
    memcpy(&high, at + len - 4, 4);
    return low | (uint64_t)high << (len - 4) * 8;
}

/* A multiply-and-fold hash, eight bytes a step. Tenants' states hold some (tenant_counted_by): it must stay as it is. */
uint64_t bytes_hash(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint64_t hash = 0x9e3779b97f4a7c15ULL ^ len, word;
    for (; len >= 8; len -= 8, at += 8) {
        memcpy(&word, at, 8);
        hash = mix(hash ^ word, 0xd6e8feb86659fd93ULL);
    }
    hash = mix(hash ^ short_word(at, len), 0xa0761d6478bd642fULL);
    return hash ^ (hash >> 29);
}

void map_deinit(struct map *map)
{
    free(map->slots);
    *map = (struct map){ 0 };
}

void map_clear(struct map *map)
{
    if (map->count) memset(map->slots, 0, map->room * sizeof *map->slots);
    map->count = 0;
}

/* The slot that holds the key, or the free one where it would go. */
static struct map_slot *find(const struct map *map, struct span key, uint64_t hash)
{
    size_t mask = map->room - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct map_slot *slot = &map->slots[i];
        if (!slot->value || (slot->hash == hash && span_equal(slot->key, key))) return slot;
    }
}

static void grow(struct map *map)
{
    struct map bigger = { .room = map->room ? map->room * 2 : 16, .count = map->count };
    bigger.slots = must_zalloc(bigger.room * sizeof *bigger.slots);
    for (size_t i = 0; i < map->room; i++) {
        struct map_slot *slot = &map->slots[i];
        if (slot->value) *find(&bigger, slot->key, slot->hash) = *slot;
    }
    free(map->slots);
    *map = bigger;
}

void *map_get_by(const struct map *map, struct span key, uint64_t hash)
{
    return map->count ? find(map, key, hash)->value : NULL;
}

void *map_get(const struct map *map, struct span key)
{
    return map->count ? find(map, key, bytes_hash(key.at, key.len))->value : NULL;
}

void *map_put(struct map *map, struct span key, void *value)
{
    return map_put_by(map, key, bytes_hash(key.at, key.len), value);
}

void *map_put_by(struct map *map, struct span key, uint64_t hash, void *value)
{
    REQUIRE(value != NULL);
    if (map->count * 4 >= map->room * 3) grow(map);
    struct map_slot *slot = find(map, key, hash);
    void *old = slot->value;
    *slot = (struct map_slot){ key, value, hash };
    map->count += !old;
    return old;
}

void *map_remove(struct map *map, struct span key)
{
    if (!map->count) return NULL;
    struct map_slot *slot = find(map, key, bytes_hash(key.at, key.len));
    void *old = slot->value;
    if (!old) return NULL;
    size_t mask = map->room - 1, hole = (size_t)(slot - map->slots);
    for (size_t i = (hole + 1) & mask; map->slots[i].value; i = (i + 1) & mask) {
        size_t home = map->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        map->slots[hole] = map->slots[i];
        hole = i;
    }
    map->slots[hole].value = NULL;
    map->count--;
    return old;
}

struct map_slot *map_next(const struct map *map, size_t *at)
{
    while (*at < map->room) {
        struct map_slot *slot = &map->slots[(*at)++];
        if (slot->value) return slot;
    }
    return NULL;
}
