#include "daemon/tenant/place.h"

#include <stdlib.h>

static uint64_t level_of(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n));
}

uint32_t place_of_hash(uint64_t hash, uint64_t pages)
{
    if (pages <= 1) return 0;
    uint64_t level = level_of(pages), number = hash & (2 * level - 1);
    return (uint32_t)(number < pages ? number : hash & (level - 1));
}

uint32_t place_split_from(uint64_t number)
{
    return (uint32_t)(number - level_of(number));
}

uint64_t place_hash(const struct tenant *tenant, struct span id)
{
    return siphash(tenant->secret, (struct span){ id.at, id.len > 1 ? id.len - 1 : id.len });
}

uint32_t place_number(const struct tenant *tenant, struct span id, uint64_t pages)
{
    return place_of_hash(place_hash(tenant, id), pages);
}

uint64_t place_pages_wanted(const struct tenant *tenant, enum kind kind)
{
    uint64_t wanted = tenant->kind[kind].bytes / PAGE_BYTES, most = tenant->kind[kind].entities + tenant->kind[kind].retired;
    if (wanted > most) wanted = most; /* large entities: one on each, on average */
    return wanted ? wanted : 1;
}

enum {
    GRAVE_BYTES = 1 + 16 + 16
};

/* "\1", the hash that places it, and that of the id, in hexadecimal digits: no id begins so, as ids are texts that people and
 * programs give. */
struct span place_grave_id(const struct tenant *tenant, struct span id, struct arena *arena)
{
    struct buffer text = buffer_in(arena, GRAVE_BYTES);
    buffer_byte(&text, 1);
    buffer_hex(&text, place_hash(tenant, id));
    buffer_hex(&text, siphash(tenant->secret, id));
    return buffer_all(&text);
}

bool place_is_grave(struct span id)
{
    return id.len == GRAVE_BYTES && id.at[0] == 1;
}

uint32_t place_of_record(const struct tenant *tenant, struct span id, uint64_t pages)
{
    if (!place_is_grave(id)) return place_number(tenant, id, pages);
    char hex[17];
    memcpy(hex, id.at + 1, 16);
    hex[16] = 0;
    return place_of_hash(strtoull(hex, NULL, 16), pages);
}
