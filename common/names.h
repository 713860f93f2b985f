/* A tenant's dictionary: short numbers for the names that dimensions take (owners, sources, stages, currencies …).
 * 0 stands for "missing". Numbers are given out in order, 1, 2, 3 … and never change. */
#pragma once

#include "common/arena.h"
#include "common/map.h"

typedef uint32_t name_id;

struct names {
    struct arena arena;
    struct map by_text; /* text -> struct name entry */
    struct span *texts; /* by number; texts[0] is empty */
    uint32_t n, room;   /* n: the next number to give out (1 in an empty dictionary: call names_init) */
};

void names_init(struct names *names);
void names_deinit(struct names *names);
name_id names_intern(struct names *names, struct span text);     /* 0 for the empty text */
name_id names_find(const struct names *names, struct span text); /* 0: unknown (or empty) */
struct span names_text(const struct names *names, name_id id);   /* empty for 0 */

/* Loading: the next number must be `id`, else false. */
bool names_restore(struct names *names, name_id id, struct span text);

size_t names_bytes(const struct names *names); /* of memory */
