/* The hash slots of a Redis Cluster: in which one a key lies, and which server has which. */
#pragma once

#include "daemon/state/address.h"

#include <hiredis/hiredis.h>

enum {
    N_SLOTS = 16384,
    NO_OWNER = UINT16_MAX
};

/* CRC-16 of the key, or of what stands between its first { and the next }, if that is anything. */
uint16_t slot_of(struct span key);

/* For each slot a number whose decimal text lies in it. */
void slot_tags(uint32_t tags[N_SLOTS]);

/* Who serves the slots. A zeroed one is empty; to be given back with slot_map_deinit. */
struct slot_map {
    struct endpoint *nodes; /* primaries, each once */
    size_t n_nodes;
    uint16_t owner[N_SLOTS]; /* index into nodes; NO_OWNER */
};

/* From the answer to CLUSTER SLOTS; `asked` is the host that gave it: a node that does not know its own address leaves it out.
 * False: the answer has another form; the map is then empty. */
bool slot_map_read(struct slot_map *map, const redisReply *reply, const char *asked, struct error *error) MUST_USE;
void slot_map_deinit(struct slot_map *map);
size_t slot_map_unserved(const struct slot_map *map); /* slots without owner */
