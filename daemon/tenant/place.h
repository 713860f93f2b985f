/* Where an entity stands: on which page, and under which id there. */
#pragma once

#include "daemon/tenant/tenant.h"

enum {
    PAGE_BYTES = 768 /* of entities, on average */
};

/* Of so many pages, by linear hashing: they grow by one at a time, and each new one takes its share from exactly one old one.
 * Ids that differ in their last letter only are neighbours, on one page: most systems count, what they made at one time is also
 * changed at one time, and is then written as one. */
uint32_t place_number(const struct tenant *tenant, struct span id, uint64_t pages);
uint32_t place_of_record(const struct tenant *tenant, struct span record_id, uint64_t pages); /* an id or a grave's */
uint32_t place_split_from(uint64_t number); /* the old page that gives to this new one */

/* The hash that places an id; its low half is enough. */
uint64_t place_hash(const struct tenant *tenant, struct span id);
uint32_t place_of_hash(uint64_t hash, uint64_t pages);

/* How many pages are wanted for what the tenant has of a kind. */
uint64_t place_pages_wanted(const struct tenant *tenant, enum kind kind);

/* A deleted contact stands under the hash of its id. */
struct span place_grave_id(const struct tenant *tenant, struct span id, struct arena *arena);
bool place_is_grave(struct span record_id);
