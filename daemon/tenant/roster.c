#include "daemon/tenant/roster.h"

#include <stdlib.h>

enum {
    FIRST_ROOM = 64,
    FIELDS_PER_QUESTION = 8,   /* cost as much to read, all at once, as to ask for a cell that is not there */
    FIELDS_MAX = 4096,         /* are read at once: a millisecond of the server's, a megabyte of ours */
    ROSTER_OVERHEAD_BYTES = 64 /* of a slot in the map, and of two allocations */
};

static void destroy(struct roster *roster)
{
    free(roster->marks);
    free(roster);
}

static void forget(struct cached *cached)
{
    struct roster *roster = (struct roster *)cached;
    map_remove(&roster->tenant->rosters, bucket_bytes(&roster->bucket));
    destroy(roster);
}

struct roster *tenant_roster(const struct tenant *tenant, struct bucket bucket)
{
    struct roster *roster = map_get(&tenant->rosters, bucket_bytes(&bucket));
    if (roster) cache_use(tenant->cache, &roster->cached);
    return roster;
}

struct roster *tenant_roster_add(struct tenant *tenant, struct bucket bucket)
{
    struct roster *roster = must_zalloc(sizeof *roster);
    *roster = (struct roster){ .tenant = tenant, .bucket = bucket };
    roster->cached = (struct cached){ .bytes = sizeof *roster + ROSTER_OVERHEAD_BYTES, .forget = forget };
    map_put(&tenant->rosters, bucket_bytes(&roster->bucket), roster);
    cache_add(tenant->cache, &roster->cached);
    return roster;
}

static void set_room(struct roster *roster, size_t room)
{
    roster->room = room;
    cache_resize(roster->tenant->cache, &roster->cached, sizeof *roster + ROSTER_OVERHEAD_BYTES + room * sizeof *roster->marks);
}

static uint32_t *find(uint32_t *marks, size_t room, uint32_t mark)
{
    size_t at = mark & (room - 1);
    while (marks[at] && marks[at] != mark) at = (at + 1) & (room - 1);
    return &marks[at];
}

static void make_room(struct roster *roster, size_t n)
{
    size_t room = roster->room ? roster->room : FIRST_ROOM;
    while (n * 4 >= room * 3) room *= 2;
    if (room == roster->room) return;
    uint32_t *marks = must_zalloc(room * sizeof *marks);
    for (size_t i = 0; i < roster->room; i++)
        if (roster->marks[i]) *find(marks, room, roster->marks[i]) = roster->marks[i];
    free(roster->marks);
    roster->marks = marks;
    set_room(roster, room);
}

static uint32_t mark_of(uint32_t cell_hash)
{
    return cell_hash ? cell_hash : 1;
}

static void note(struct roster *roster, uint32_t cell_hash)
{
    make_room(roster, roster->n);
    uint32_t *place = find(roster->marks, roster->room, mark_of(cell_hash));
    roster->n += !*place;
    *place = mark_of(cell_hash);
}

void roster_settle(struct roster *roster, size_t n_stored)
{
    roster->whole = n_stored == 0;
    roster->n_stored = n_stored;
}

bool roster_wants_fields(const struct roster *roster)
{
    return !roster->whole && roster->n_stored <= FIELDS_MAX && roster->n_unsure * FIELDS_PER_QUESTION >= roster->n_stored;
}

void roster_settle_fields(struct roster *roster, const struct span *fields, size_t n)
{
    struct cell_key key;
    if (n) make_room(roster, n);
    for (size_t i = 0; i < n; i++)
        if (cell_field_parse(fields[2 * i], roster->tenant->rules, &key))
            note(roster, (uint32_t)cell_hash(roster->bucket, cell_key_hash(&key)));
    roster->whole = true;
}

bool roster_may_hold(struct roster *roster, uint32_t cell_hash)
{
    if (roster->whole) return roster->n && *find(roster->marks, roster->room, mark_of(cell_hash));
    roster->n_unsure++;
    return true;
}

void tenant_note_cell(struct tenant *tenant, struct bucket bucket, uint32_t cell_hash)
{
    struct roster *roster = map_get(&tenant->rosters, bucket_bytes(&bucket));
    if (roster && roster->whole) note(roster, cell_hash);
}

void tenant_forget_rosters(struct tenant *tenant)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&tenant->rosters, &at));) {
        struct roster *roster = slot->value;
        cache_remove(tenant->cache, &roster->cached);
        destroy(roster);
    }
    map_deinit(&tenant->rosters);
}
