/* Slots as the Redis Cluster specification has them; the answer to CLUSTER SLOTS. */
#include "daemon/state/slots.h"

#include <stdio.h>
#include <stdlib.h>

/* CRC-16/XMODEM, half a byte at a time: what a half byte adds is a multiple of the polynomial. */
static uint16_t crc16(struct span text)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint32_t byte = (unsigned char)text.at[i];
        crc = (crc << 4 & 0xffff) ^ (crc >> 12 ^ byte >> 4) * 0x1021;
        crc = (crc << 4 & 0xffff) ^ (crc >> 12 ^ (byte & 15)) * 0x1021;
    }
    return (uint16_t)crc;
}

uint16_t slot_of(struct span key)
{
    const char *open = key.len ? memchr(key.at, '{', key.len) : NULL;
    size_t behind = open ? key.len - (size_t)(open + 1 - key.at) : 0;
    const char *close = behind ? memchr(open + 1, '}', behind) : NULL;
    if (close && close > open + 1) key = (struct span){ open + 1, (size_t)(close - open - 1) };
    return crc16(key) % N_SLOTS;
}

void slot_tags(uint32_t tags[N_SLOTS])
{
    static const uint32_t none = UINT32_MAX;
    for (int i = 0; i < N_SLOTS; i++) tags[i] = none;
    char text[12];
    for (uint32_t number = 0, found = 0; found < N_SLOTS; number++) {
        int len = snprintf(text, sizeof text, "%u", number);
        uint32_t *tag = &tags[slot_of((struct span){ text, (size_t)len })];
        if (*tag != none) continue;
        *tag = number;
        found++;
    }
}

/* ---- who serves them ---- */

static uint16_t node_index(struct slot_map *map, struct span host, int port)
{
    for (size_t i = 0; i < map->n_nodes; i++)
        if (map->nodes[i].port == port && span_is(host, map->nodes[i].host)) return (uint16_t)i;
    map->nodes = must_realloc(map->nodes, (map->n_nodes + 1) * sizeof *map->nodes);
    struct endpoint *node = &map->nodes[map->n_nodes];
    node->port = port;
    snprintf(node->host, sizeof node->host, "%.*s", SPAN_ARG(host));
    return (uint16_t)map->n_nodes++;
}

/* [host, port, …]; the host may be nil or empty: the one that was asked. False: it is not known ("?"), or is none. */
static bool read_node(const redisReply *reply, const char *asked, struct span *host, int *port)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2) return false;
    const redisReply *name = reply->element[0], *number = reply->element[1];
    if (name->type != REDIS_REPLY_STRING && name->type != REDIS_REPLY_NIL) return false;
    *host = name->type == REDIS_REPLY_STRING && name->len ? (struct span){ name->str, name->len } : span_of(asked);
    if (host->len >= sizeof(((struct endpoint *)0)->host) || span_is(*host, "?") || memchr(host->at, 0, host->len)) return false;
    if (number->type != REDIS_REPLY_INTEGER || number->integer < 1 || number->integer > 65535) return false;
    *port = (int)number->integer;
    return true;
}

/* [from, to, primary, replica …] */
static bool read_range(struct slot_map *map, const redisReply *range, const char *asked)
{
    struct span host;
    int port;
    if (range->type != REDIS_REPLY_ARRAY || range->elements < 3) return false;
    const redisReply *from = range->element[0], *to = range->element[1];
    if (from->type != REDIS_REPLY_INTEGER || to->type != REDIS_REPLY_INTEGER) return false;
    if (from->integer < 0 || to->integer < from->integer || to->integer >= N_SLOTS) return false;
    if (!read_node(range->element[2], asked, &host, &port) || map->n_nodes > N_SLOTS) return false;
    uint16_t owner = node_index(map, host, port);
    for (long long slot = from->integer; slot <= to->integer; slot++) map->owner[slot] = owner;
    return true;
}

bool slot_map_read(struct slot_map *map, const redisReply *reply, const char *asked, struct error *error)
{
    *map = (struct slot_map){ 0 };
    for (int slot = 0; slot < N_SLOTS; slot++) map->owner[slot] = NO_OWNER;
    bool good = reply->type == REDIS_REPLY_ARRAY;
    for (size_t i = 0; good && i < reply->elements; i++) good = read_range(map, reply->element[i], asked);
    if (good) return true;
    slot_map_deinit(map);
    return fail(error, "redis %s answered CLUSTER SLOTS in a form of its own", asked);
}

void slot_map_deinit(struct slot_map *map)
{
    free(map->nodes);
    map->nodes = NULL;
    map->n_nodes = 0;
    for (int slot = 0; slot < N_SLOTS; slot++) map->owner[slot] = NO_OWNER;
}

size_t slot_map_unserved(const struct slot_map *map)
{
    size_t n = 0;
    for (int slot = 0; slot < N_SLOTS; slot++) n += map->owner[slot] == NO_OWNER;
    return n;
}
