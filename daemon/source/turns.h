/* Of partitions far behind one is read at a time, in long turns; all others are read as their records come. What belongs together comes
 * together then: the events of few tenants fill a round, so each of their entities and counters is written once for many events; and
 * who has little to read does not wait for those who have much: not at all, or, with what fits a turn, for one turn. Pure. */
#pragma once

#include "daemon/source/owned.h"

enum {
    TURN_BEHIND = 16384, /* offsets to the end of the log from which on a partition waits for its turn */
    TURN_DONE = 1024,    /* … and at which its turn is over, if not after */
    TURN_OFFSETS = 131072,
    TURN_SILENT_MS = 500 /* … or when nothing came of it for so long: it has no turns then until something does */
};

/* A zeroed one: nobody waits. */
struct turns {
    struct partition_turn {
        bool waits;
        int64_t silent; /* at this offset nothing came of it */
    } * at;             /* by index of `owned` */
    size_t n, room;
    size_t holder; /* whose turn it is; n: nobody's */
    size_t last;   /* who was it before: the next one comes behind him */
    int64_t until; /* the offset at which it is over */
    int64_t seen;  /* where it stood … */
    int64_t seen_ms;
};

void turns_deinit(struct turns *turns);

/* What is owned, or where it is read, has changed: all turns are over, and what is fetched is asked for anew in any case. */
void turns_restart(struct turns *turns);

/* Follows where the partitions stand. True: others wait than before, what is fetched is to be asked for anew. */
bool turns_follow(struct turns *turns, const struct owned *owned, int64_t now_ms) MUST_USE;

static inline bool turns_waits(const struct turns *turns, size_t partition)
{
    return partition < turns->n && turns->at[partition].waits;
}
