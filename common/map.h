/* A hash map from bytes to pointers. Keys are not copied: they live in the value or an arena of the caller. */
#pragma once

#include "common/span.h"

struct map_slot {
    struct span key;
    void *value; /* NULL: free */
    uint64_t hash;
};

/* A zeroed struct map is an empty one. */
struct map {
    struct map_slot *slots;
    size_t count, room; /* room: a power of two, or 0 */
};

void map_deinit(struct map *map); /* frees the slots, not the values */
void map_clear(struct map *map);  /* forgets all, keeps the room */

void *map_get(const struct map *map, struct span key); /* NULL: not there */

/* The same by a hash that the caller worked out: all entries of the map must then come by it, and map_remove does not find them. */
void *map_get_by(const struct map *map, struct span key, uint64_t hash);
void *map_put_by(struct map *map, struct span key, uint64_t hash, void *value);

/* Sets or replaces (the key, too). `value` must not be NULL. Returns the value that stood there, or NULL. */
void *map_put(struct map *map, struct span key, void *value);
void *map_remove(struct map *map, struct span key); /* returns the value that stood there, or NULL */

/* Walks over all entries in no particular order: `size_t i = 0; while ((slot = map_next(map, &i)))`. Do not change the map meanwhile. */
struct map_slot *map_next(const struct map *map, size_t *at);

/* The (unkeyed, fast) hash the map uses; equal bytes, equal hash, within this process. */
uint64_t bytes_hash(const void *bytes, size_t len);
