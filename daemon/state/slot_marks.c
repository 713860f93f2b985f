/* Known marks by slot, and their lowest. */
#include "daemon/state/slot_marks.h"

#include "common/instant.h"

#include <stdlib.h>

struct known {
    struct mark mark;
    char partition[];
};

void slot_marks_set(struct slot_marks *slot, const struct mark *mark)
{
    struct known *known = map_get(&slot->marks, mark->partition);
    if (!known) {
        struct span partition = mark->partition;
        known = must_alloc(sizeof *known + partition.len);
        partition.at = memcpy(known->partition, partition.at, partition.len);
        map_put(&slot->marks, partition, known);
    }
    struct span partition = { known->partition, mark->partition.len };
    known->mark = *mark;
    known->mark.partition = partition;
}

const struct mark *slot_marks_get(const struct slot_marks *slot, struct span partition)
{
    const struct known *known = map_get(&slot->marks, partition);
    return known ? &known->mark : NULL;
}

void slot_marks_deinit(struct slot_marks *slot)
{
    size_t at = 0;
    for (struct map_slot *each; (each = map_next(&slot->marks, &at));) free(each->value);
    map_deinit(&slot->marks);
}

bool slot_lacks_marks(const struct slot_marks *slot, const struct slot_marks *home)
{
    size_t at = 0;
    for (struct map_slot *each; (each = map_next(&home->marks, &at));)
        if (!slot_marks_get(slot, each->key)) return true;
    return false;
}

/* ---- the lowest ---- */

static void lower(struct mark *all, const struct mark *one)
{
    bool differ = all->life != one->life || all->last_timestamp_us == INT64_MAX;
    if (one->next < all->next) *all = *one;
    if (!differ) return;
    all->last = all->last < 0 ? 0 : all->last; /* a record that is nowhere to be found as it was */
    all->last_timestamp_us = INT64_MAX;
}

static struct mark merge(struct slot_marks *const *slots, size_t n, const struct mark *first)
{
    struct mark all = *first;
    bool lost = false;
    for (size_t i = 0; i < n; i++) {
        const struct mark *mark = slot_marks_get(slots[i], first->partition);
        if (mark)
            lower(&all, mark);
        else
            lost |= !slots[i]->is_new;
    }
    if (lost) all.next = 0;
    return all;
}

void slot_marks_merge(struct slot_marks *const *slots, size_t n, struct mark **marks, size_t *n_marks, struct arena *arena)
{
    struct map seen = { 0 };
    size_t room = 0;
    for (size_t i = 0; i < n; i++) room += slots[i]->marks.count;
    *marks = arena_alloc(arena, room * sizeof **marks);
    *n_marks = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        for (struct map_slot *each; (each = map_next(&slots[i]->marks, &at));) {
            if (map_get(&seen, each->key)) continue;
            map_put(&seen, each->key, each->value);
            struct mark mark = merge(slots, n, each->value);
            mark.partition = arena_copy(arena, each->key);
            (*marks)[(*n_marks)++] = mark;
        }
    }
    map_deinit(&seen);
}
