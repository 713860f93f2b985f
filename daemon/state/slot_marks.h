/* Marks of the slots of a cluster as they are known to stand, and the one mark per partition that speaks for all of them. */
#pragma once

#include "common/map.h"
#include "daemon/state/slots.h"
#include "daemon/worker/worker.h"

/* The marks of one slot in use. A zeroed one has none. */
struct slot_marks {
    uint16_t slot;
    bool is_new;      /* announced, but no tenant was ever committed to it: what it lacks says nothing */
    struct map marks; /* partition -> struct mark, own memory */
};
void slot_marks_set(struct slot_marks *slot, const struct mark *mark);                   /* copies */
const struct mark *slot_marks_get(const struct slot_marks *slot, struct span partition); /* NULL: there is none */
bool slot_lacks_marks(const struct slot_marks *slot, const struct slot_marks *home);     /* any that the other one has */
void slot_marks_deinit(struct slot_marks *slot);

/* Per partition, in the arena: below its `next` all is committed in every slot. Where slots differ that is the lowest; where a slot
 * has lost its mark, the beginning; where they are of different lives, one by which no partition is recognised. */
void slot_marks_merge(struct slot_marks *const *slots, size_t n, struct mark **marks, size_t *n_marks, struct arena *arena);
