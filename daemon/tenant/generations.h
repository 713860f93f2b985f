/* By what a tenant was counted, from when on. It begins with what the catalogue needed then, and the time zone data as they were; what
 * a catalogue needs beyond it, or other time zone data, opens a further generation with the next commit, and counts from then on. An
 * entity was counted by the one it names: so it can be taken back exactly, and counts by the newest once it changes. None is ever
 * given up, `rebuild` begins anew. */
#pragma once

#include "daemon/facts/kept.h"
#include "daemon/facts/lists.h"

struct generation {
    struct kept kept;
    uint64_t zone;             /* fingerprint of the time zone data */
    const struct rules *rules; /* the tenant's, with these time zone data */
    int32_t since;             /* local day of the commit that began it; NO_DAY: it is yet to be */
};

/* A zeroed one is empty. */
struct generations {
    struct generation *at;    /* each has all that the one before has */
    uint32_t n, stored;       /* so many of them stand in the state */
    struct older_zone *zones; /* time zone data that are not those of the tenant's rules */
    struct arena arena;       /* of them */
};
void generations_deinit(struct generations *generations);
size_t generations_bytes(const struct generations *generations); /* of memory */

/* Begins the first, or a further one if `needed` is not all in the last, or the rules have time zone data that none has: those of an
 * earlier one are older ones, it goes on by the last. */
void generations_cover(struct generations *generations, const struct kept *needed, const struct rules *rules);

static inline const struct generation *generations_last(const struct generations *generations)
{
    return &generations->at[generations->n - 1];
}

/* What all of those stored have. There is one at least. */
struct kept generations_common(const struct generations *generations);
bool generations_share_zone(const struct generations *generations); /* all, also those yet to be stored */

/* What a later one has beyond the other: as kept_write_added, and "time zone data". */
void generation_write_added(const struct generation *before, const struct generation *after, size_t most, struct buffer *out);

/* Fields of the state hash. "kept:<number>": "2026-03-31 zone=<fingerprint> lists=… lead=…"; "zone:<fingerprint>": zone_write. */
void generation_write(const struct generation *generation, struct buffer *out);

/* Reading them, in any order; then generations_settle. False: one is missing or malformed. */
void generations_read(struct generations *generations, struct span number, struct span value, const struct rules *rules,
                      struct span *undeclared);
void generations_read_zone(struct generations *generations, struct span fingerprint, struct span value,
                           const struct rules *rules);
bool generations_settle(struct generations *generations, const struct rules *rules);
