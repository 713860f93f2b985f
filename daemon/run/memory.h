/* The memory of the daemon. One setting (`cache_mb`) bounds all that is resident; what comes first gets a share of it, and the
 * workers' caches what the rest leaves, by what the system says is resident. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

struct memory {
    size_t limit;         /* bytes of the whole process */
    size_t round;         /* of one round of events, of one worker; there are two under way */
    size_t boards;        /* of the publisher's reports at hand */
    size_t inbox;         /* of commits that the publisher has not seen yet */
    _Atomic size_t cache; /* of entities and counters at hand, of all workers together */
    size_t unused;        /* records of one worker: what none of them used is not kept, though there is room */
};

void memory_share(struct memory *memory, size_t limit, size_t workers);

/* Gives the caches more or less, so that what is resident stays below the limit. Now and then, from one thread. */
void memory_balance(struct memory *memory, size_t resident);

size_t memory_resident(void); /* bytes, of this process; 0: not known */

/* Once, before there are threads: few of them have a heap of their own, so that what one gives back others can take. */
void memory_prepare(void);
