/* The partitions that are a source's, how far each was handed over, and the changes the caller is still to be told. Pure. */
#include "daemon/source/owned.h"

#include <stdlib.h>

void owned_deinit(struct owned *owned)
{
    struct change change;
    while (owned_next_change(owned, &change)) continue;
    free(owned->positions);
    map_deinit(&owned->topics);
    arena_deinit(&owned->names);
    *owned = (struct owned){ 0 };
}

/* A copy that stays, terminated. */
static struct span owned_topic(struct owned *owned, struct span topic)
{
    struct span *known = map_get(&owned->topics, topic);
    if (!known) {
        known = arena_alloc(&owned->names, sizeof *known);
        *known = span_of(arena_text(&owned->names, topic));
        map_put(&owned->topics, *known, known);
    }
    return *known;
}

void owned_clear(struct owned *owned)
{
    owned->n = 0;
}

void owned_add(struct owned *owned, struct span topic, int32_t number)
{
    if (owned->n == owned->room) {
        owned->room = owned->room ? 2 * owned->room : 16;
        owned->positions = must_realloc(owned->positions, owned->room * sizeof *owned->positions);
    }
    struct partition partition = { owned_topic(owned, topic), number };
    owned->positions[owned->n++] = (struct position){ partition, NO_OFFSET, NO_OFFSET };
}

struct position *owned_find(const struct owned *owned, struct span topic, int32_t number)
{
    for (size_t i = 0; i < owned->n; i++) {
        const struct partition *partition = &owned->positions[i].partition;
        if (partition->number == number && span_equal(partition->topic, topic)) return &owned->positions[i];
    }
    return NULL;
}

static struct owned_change *change_queue(struct owned *owned, enum change_type type, size_t n)
{
    struct owned_change *change = must_alloc(sizeof *change + n * sizeof *change->partitions);
    change->next = NULL;
    change->type = type;
    change->n = n;
    *(owned->first ? owned->last : &owned->first) = change;
    owned->last = &change->next;
    return change;
}

void owned_change_all(struct owned *owned, enum change_type type)
{
    struct owned_change *change = change_queue(owned, type, owned->n);
    for (size_t i = 0; i < owned->n; i++) change->partitions[i] = owned->positions[i].partition;
}

void owned_change_one(struct owned *owned, enum change_type type, const struct partition *partition)
{
    struct owned_change *change = change_queue(owned, type, partition ? 1 : 0);
    if (partition) change->partitions[0] = *partition;
}

bool owned_next_change(struct owned *owned, struct change *change)
{
    free(owned->told);
    owned->told = owned->first;
    if (!owned->told) return false;
    owned->first = owned->told->next;
    *change = (struct change){ owned->told->type, owned->told->partitions, owned->told->n };
    return true;
}

size_t owned_positions(const struct owned *owned, struct position *positions, size_t room)
{
    for (size_t i = 0; i < owned->n && i < room; i++) positions[i] = owned->positions[i];
    return owned->n;
}
