#include "daemon/run/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

enum {
    ROUND_PARTS = 8, /* of the limit */
    BOARDS_PARTS = 6,
    INBOX_PARTS = 24,
    LEAST_PARTS = 16,    /* as much stays for the caches, whatever is resident */
    FIRST_PARTS = 8,     /* they begin with it */
    SPARE_PARTS = 6,     /* is left free below the limit: what comes between two looks */
    STEP_PARTS = 32,     /* of what is free is given at a time: what is given away comes back late */
    UNUSED_BYTES = 8192, /* of the limit, for each record that may pass without a use */
    HEAPS = 4
};

void memory_share(struct memory *memory, size_t limit, size_t workers)
{
    memory->limit = limit;
    memory->round = limit / ROUND_PARTS / workers;
    memory->boards = limit / BOARDS_PARTS;
    memory->inbox = limit / INBOX_PARTS;
    memory->cache = limit / FIRST_PARTS;
    memory->unused = limit / UNUSED_BYTES / workers;
}

void memory_balance(struct memory *memory, size_t resident)
{
    size_t wanted = memory->limit - memory->limit / SPARE_PARTS, least = memory->limit / LEAST_PARTS, cache = memory->cache;
    if (!resident) return;
    if (resident > wanted) {
        size_t excess = resident - wanted;
        memory->cache = cache > least + excess ? cache - excess : least;
        malloc_trim(0);
    } else {
        size_t more = cache + (wanted - resident) / STEP_PARTS;
        memory->cache = more < wanted ? more : wanted;
    }
}

size_t memory_resident(void)
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm && fscanf(statm, "%*s %ld", &pages) != 1) pages = 0;
    if (statm) fclose(statm);
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

void memory_prepare(void)
{
    mallopt(M_ARENA_MAX, HEAPS);
}
