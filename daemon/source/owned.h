/* The partitions that are a source's, how far each was handed over, and the changes the caller is still to be told. Pure. */
#pragma once

#include "daemon/source/source.h"

struct owned_change {
    struct owned_change *next;
    enum change_type type;
    size_t n;
    struct partition partitions[];
};

/* A zeroed struct owned is an empty one. */
struct owned {
    struct map topics; /* name -> itself, in `names`: partitions' topics stay as long as this does */
    struct arena names;
    struct position *positions;
    size_t n, room;
    struct owned_change *first, **last; /* to be told, oldest first; last == NULL: none yet */
    struct owned_change *told;          /* what the caller looks at */
};

void owned_deinit(struct owned *owned);

void owned_clear(struct owned *owned);
/* Not started, end of the log unknown. */
void owned_add(struct owned *owned, struct span topic, int32_t number);
struct position *owned_find(const struct owned *owned, struct span topic, int32_t number); /* NULL: not ours */

/* Queues a change of all partitions, or of one (NULL: of none). */
void owned_change_all(struct owned *owned, enum change_type type);
void owned_change_one(struct owned *owned, enum change_type type, const struct partition *partition);

static inline bool owned_has_change(const struct owned *owned)
{
    return owned->first != NULL;
}
bool owned_next_change(struct owned *owned, struct change *change); /* false: none */

size_t owned_positions(const struct owned *owned, struct position *positions, size_t room);
