/* By what a tenant was counted, from when on. It begins with what the catalogue needed then; what a catalogue needs beyond it opens
 * a further generation with the next commit, and counts from then on. An entity was counted by the one it names: so it can be
 * taken back exactly, and counts by the newest once it changes. None is ever given up, `rebuild` begins anew. */
#pragma once

#include "daemon/facts/kept.h"
#include "daemon/facts/lists.h"

struct generation {
    struct kept kept;
    int32_t since; /* local day of the commit that began it; NO_DAY: it is yet to be */
};

/* A zeroed one is empty. */
struct generations {
    struct generation *at; /* each has all that the one before has */
    uint32_t n, stored;    /* so many of them stand in the state */
};
void generations_deinit(struct generations *generations);

/* Begins the first, or a further one if `needed` is not all in the last. */
void generations_cover(struct generations *generations, const struct kept *needed);

static inline const struct kept *generations_now(const struct generations *generations)
{
    return &generations->at[generations->n - 1].kept;
}

/* What all of those stored have. There is one at least. */
struct kept generations_common(const struct generations *generations);

/* What the last has beyond the first of those stored (all: of those that are yet to be stored, too), as kept_write_added. */
void generations_write_added(const struct generations *generations, bool all, const struct rules *rules, size_t most,
                             struct buffer *out);

/* A field of the state hash, "kept:<number>": "2026-03-31 lists=… lead=…". Those read come in any order. */
void generation_write(const struct generation *generation, const struct rules *rules, struct buffer *out);
void generations_read(struct generations *generations, struct span number, struct span value, const struct rules *rules,
                      struct span *undeclared);
bool generations_whole(const struct generations *generations); /* none is missing or malformed of those read */
