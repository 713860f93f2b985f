/* Marks in every slot in use of a cluster, since each can be set back alone. One slot is home: that of the list of tenants. There
 * crm:slots names the slots in use. A slot comes into use so: it is announced there ("new"), gets a copy of home's marks – none
 * of its tenants has an event below them, else it would be in use –, is noted as "used", and then its first tenant is committed.
 * So one that is "used" and lacks a mark has lost it.
 *
 * Whoever brings a new partition puts its mark home first and looks then which slots there are; whoever brings a new slot
 * announces it first and looks then which marks are home: one of the two sees the other. */
#include "daemon/state/cluster.h"
#include "daemon/state/keys.h"
#include "daemon/state/marks.h"
#include "daemon/state/server.h"
#include "daemon/state/slots_in_use.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SLOTS_AT_ONCE = 256
};

struct keeper {
    struct mark_keeper base;
    struct slots_in_use used;
    size_t n_uneven;         /* so many slots may stand beyond what they were merged to: read, but not yet moved together */
    bool identified;         /* since it was connected */
    uint64_t owner[N_SLOTS]; /* of the last connection: who served the slot, by run id and replication id; see NOT_SEEN */
};

static struct keeper *keeper_of(const struct mark_keeper *base)
{
    return (struct keeper *)base;
}

static struct connection *connection_of(const struct keeper *keeper, const struct slot_marks *slot)
{
    return server_of(cluster_server(keeper->used.state, slot->slot))->connection;
}

/* ---- reading ---- */

/* Those whose servers can be reached now, in the arena. Of the others nothing is known, and nothing is done to them: once they can
 * be reached all is read again. */
static size_t reachable(const struct keeper *keeper, size_t from, struct slot_marks ***slots, struct arena *arena)
{
    size_t n = 0;
    *slots = arena_alloc(arena, (keeper->used.n + 1) * sizeof(struct slot_marks *));
    for (size_t i = from; i < keeper->used.n; i++)
        if (cluster_reaches(keeper->used.state, keeper->used.at[i]->slot)) (*slots)[n++] = keeper->used.at[i];
    return n;
}

static bool keeper_read(struct mark_keeper *base, struct mark **marks, size_t *n, struct arena *arena, enum outcome *outcome,
                        struct error *error)
{
    struct keeper *keeper = keeper_of(base);
    slots_forget(&keeper->used);
    if (!slots_read(&keeper->used, arena, outcome, error)) return false;
    struct slot_marks **slots;
    size_t n_slots = reachable(keeper, 0, &slots, arena);
    if (!slots_read_marks(&keeper->used, slots, n_slots, arena, outcome, error)) return false;
    keeper->n_uneven = keeper->used.n;
    slot_marks_merge(slots, n_slots, marks, n, arena);
    return true;
}

/* ---- moving ---- */

/* What a slot's marks are to become; `moved` of each is cleared where it was not so. */
struct moving {
    struct keeper *keeper;
    const struct mark *new; /* the old ones: as they are known to stand in each slot */
    bool *moved;
    size_t n;
    bool uneven; /* out: some slot stands beyond */
};

/* One that has just come into use may be behind the others, for it began with what stood elsewhere a moment before. Those who are
 * further stay there: of their tenants everything below is committed. */
static const struct mark *mark_for(struct moving *moving, const struct slot_marks *slot, const struct mark *new)
{
    const struct mark *known = slot_marks_get(slot, new->partition);
    bool stays = known && known->life == new->life && known->next > new->next;
    moving->uneven |= stays;
    return stays ? known : new;
}

static void ask_slot(struct moving *moving, const struct slot_marks *slot)
{
    struct arena arena = { 0 };
    struct mark *old = arena_alloc(&arena, moving->n * sizeof *old), *new = arena_alloc(&arena, moving->n * sizeof *new);
    for (size_t i = 0; i < moving->n; i++) {
        const struct mark *known = slot_marks_get(slot, moving->new[i].partition);
        old[i] = known ? *known : (struct mark){ .next = -1 };
        new[i] = *mark_for(moving, slot, &moving->new[i]);
    }
    struct span key = key_slot_marks(&arena, moving->keeper->used.prefix, moving->keeper->used.tags[slot->slot]);
    marks_ask_move(server_ask(cluster_server(moving->keeper->used.state, slot->slot)), key, old, new, moving->n);
    arena_deinit(&arena);
}

static void take_slot(struct moving *moving, struct slot_marks *slot, const redisReply *reply)
{
    for (size_t i = 0; i < moving->n; i++) {
        bool moved = reply->type == REDIS_REPLY_ARRAY && i < reply->elements && reply->element[i]->integer == 1;
        moving->moved[i] &= moved;
        const struct mark *set = mark_for(moving, slot, &moving->new[i]);
        if (moved && set == &moving->new[i]) slot_marks_set(slot, set);
    }
}

/* All slots at once, whatever servers they lie on; every answer is taken. */
static bool move_group(struct moving *moving, struct slot_marks **slots, size_t n, enum outcome *outcome, struct error *error)
{
    *outcome = DONE;
    for (size_t i = 0; i < n; i++) ask_slot(moving, slots[i]);
    for (size_t i = 0; i < n; i++)
        if (!connection_flush(connection_of(moving->keeper, slots[i]), error)) *outcome = LOST;
    for (size_t i = 0; i < n; i++) {
        enum outcome this;
        struct connection *connection = connection_of(moving->keeper, slots[i]);
        redisReply *reply = connection_answer_ok(connection, &this, error);
        if (reply) take_slot(moving, slots[i], reply);
        reply_free(reply);
        if (*outcome != LOST && this != DONE) *outcome = this;
    }
    for (size_t i = 0; i < n; i++) connection_settle(connection_of(moving->keeper, slots[i]));
    return *outcome == DONE;
}

static bool move_slots(struct moving *moving, struct slot_marks **slots, size_t n, enum outcome *outcome, struct error *error)
{
    *outcome = DONE;
    for (size_t at = 0; at < n; at += SLOTS_AT_ONCE) {
        size_t some = n - at < SLOTS_AT_ONCE ? n - at : SLOTS_AT_ONCE;
        if (!move_group(moving, slots + at, some, outcome, error)) return false;
    }
    return true;
}

/* ---- slots that come into use ---- */

/* Those that others brought into use since: their marks become known. CONFLICT: one has lost some (`all`: it must have what is
 * known to be home). */
static bool meet_slots(struct keeper *keeper, bool all, enum outcome *outcome, struct error *error)
{
    struct arena arena = { 0 };
    size_t before = keeper->used.n, n = 0;
    struct slot_marks **slots;
    bool good = slots_read(&keeper->used, &arena, outcome, error);
    if (good) n = reachable(keeper, before, &slots, &arena);
    good = good && slots_read_marks(&keeper->used, slots, n, &arena, outcome, error);
    for (size_t i = 0; i < n && good && all; i++)
        if (!slots[i]->is_new && slot_lacks_marks(slots[i], keeper->used.at[0])) *outcome = CONFLICT;
    arena_deinit(&arena);
    return good;
}

static bool meet_if_any(struct keeper *keeper, bool all, enum outcome *outcome, struct error *error)
{
    int64_t registered;
    if (!slots_count(&keeper->used, &registered, outcome, error)) return false;
    return registered == keeper->used.n_registered || meet_slots(keeper, all, outcome, error);
}

static bool is_placing(const struct keeper *keeper, const struct mark *marks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!slot_marks_get(keeper->used.at[0], marks[i].partition)) return true;
    return false;
}

static bool all_moved(const bool *moved, size_t n)
{
    return n == 0 || !memchr(moved, false, n);
}

static bool move_others(struct moving *moving, enum outcome *outcome, struct error *error)
{
    struct keeper *keeper = moving->keeper;
    struct arena arena = { 0 };
    struct slot_marks **slots;
    size_t n = reachable(keeper, 1, &slots, &arena);
    bool good = move_slots(moving, slots, n, outcome, error);
    if (good && all_moved(moving->moved, moving->n))
        good = slots_note_used(&keeper->used, slots, n, outcome, error) &&
               slots_note_used(&keeper->used, keeper->used.at, 1, outcome, error);
    arena_deinit(&arena);
    return good;
}

/* Does a slot stand beyond what the worker knows, or in another life? Then somebody else has the partition, or had it meanwhile. A
 * slot that was met just now tells so by its marks alone: to compare and set them would take them back. */
static bool anyone_was_beyond(const struct keeper *keeper, size_t from, const struct mark *old, size_t n)
{
    for (size_t s = from; s < keeper->used.n; s++)
        for (size_t i = 0; i < n; i++) {
            const struct mark *known = slot_marks_get(keeper->used.at[s], old[i].partition);
            if (known && (known->next > old[i].next || known->life != old[i].life)) return true;
        }
    return false;
}

static bool move_all(struct moving *moving, const struct mark *old, bool placing, enum outcome *outcome, struct error *error)
{
    struct keeper *keeper = moving->keeper;
    size_t before = keeper->used.n;
    if (!move_slots(moving, keeper->used.at, 1, outcome, error)) return false;
    if (placing && !meet_if_any(keeper, false, outcome, error)) return false;
    if (placing && anyone_was_beyond(keeper, before, old, moving->n)) {
        memset(moving->moved, false, moving->n);
        return true;
    }
    if (!move_others(moving, outcome, error)) return false;
    if (all_moved(moving->moved, moving->n)) keeper->n_uneven = moving->uneven ? keeper->used.n : 0;
    return true;
}

/* Home first, then whatever other slots there are by then. */
static bool keeper_move(struct mark_keeper *base, const struct mark *old, const struct mark *new, bool *moved, size_t n,
                        enum outcome *outcome, struct error *error)
{
    struct keeper *keeper = keeper_of(base);
    struct moving moving = { .keeper = keeper, .new = new, .moved = moved, .n = n };
    *outcome = DONE;
    if (!n) return true;
    memset(moved, true, n);
    bool placing = is_placing(keeper, new, n);
    if (!meet_if_any(keeper, true, outcome, error)) return false;
    if (*outcome != CONFLICT && !anyone_was_beyond(keeper, keeper->n_uneven, old, n))
        return move_all(&moving, old, placing, outcome, error);
    memset(moved, false, n);
    return true;
}

/* Gives a slot those of home's marks that it lacks. Where somebody else does so at the same time, theirs stand. */
static bool copy_marks(struct keeper *keeper, struct slot_marks *slot, const struct slot_marks *home, struct arena *arena,
                       enum outcome *outcome, struct error *error)
{
    struct mark *all = arena_alloc(arena, (home->marks.count + 1) * sizeof *all);
    struct moving moving = { .keeper = keeper, .new = all, .moved = arena_zalloc(arena, home->marks.count + 1) };
    size_t at = 0;
    for (struct map_slot *each; (each = map_next(&home->marks, &at));)
        if (!slot_marks_get(slot, each->key)) all[moving.n++] = *(const struct mark *)each->value;
    return !moving.n || !slot->is_new || move_slots(&moving, &slot, 1, outcome, error);
}

/* Announced, given their marks, noted as used. CONFLICT: marks were lost, at home or there. */
static bool begin_slots(struct keeper *keeper, struct slot_marks **slots, size_t n, struct arena *arena, enum outcome *outcome,
                        struct error *error)
{
    struct slot_marks home = { .slot = keeper->used.home }, *at_home = &home;
    bool good = slots_announce(&keeper->used, slots, n, outcome, error) && meet_slots(keeper, true, outcome, error) &&
                *outcome == DONE && slots_read_marks(&keeper->used, &at_home, 1, arena, outcome, error) &&
                slots_read_marks(&keeper->used, slots, n, arena, outcome, error);
    for (size_t i = 0; i < n && good; i++) good = copy_marks(keeper, slots[i], &home, arena, outcome, error);
    good = good && slots_read_marks(&keeper->used, slots, n, arena, outcome, error);
    bool lost = *outcome == CONFLICT || (good && slot_lacks_marks(&home, keeper->used.at[0]));
    for (size_t i = 0; i < n && good; i++) lost |= slot_lacks_marks(slots[i], slots[i]->is_new ? &home : keeper->used.at[0]);
    slot_marks_deinit(&home);
    if (lost) {
        *outcome = CONFLICT;
        return fail(error, "marks in Redis were lost");
    }
    return good && slots_note_used(&keeper->used, slots, n, outcome, error);
}

static bool keeper_admit(struct mark_keeper *base, const struct commit *commits, size_t n, enum outcome *outcome,
                         struct error *error)
{
    struct keeper *keeper = keeper_of(base);
    struct arena arena = { 0 };
    struct slot_marks **fresh = NULL;
    size_t n_fresh = 0;
    *outcome = DONE;
    for (size_t i = 0; i < n; i++) {
        uint16_t slot = slot_of(commits[i].state_key);
        const struct slot_marks *known = keeper->used.of_slot[slot];
        if (known && !known->is_new) continue;
        if (!fresh) fresh = arena_alloc(&arena, n * sizeof(struct slot_marks *));
        fresh[n_fresh++] = slots_use(&keeper->used, slot, true);
    }
    bool good = !n_fresh || begin_slots(keeper, fresh, n_fresh, &arena, outcome, error);
    arena_deinit(&arena);
    return good;
}

/* ---- tenants ---- */

static bool keeper_add_tenants(struct mark_keeper *base, const struct span *tenants, size_t n, enum outcome *outcome,
                               struct error *error)
{
    return tenants_add(keeper_of(base)->used.state, keeper_of(base)->used.prefix, tenants, n, outcome, error);
}

static bool keeper_tenants(struct mark_keeper *base, struct span **tenants, size_t *n, struct arena *arena, enum outcome *outcome,
                           struct error *error)
{
    return tenants_all(keeper_of(base)->used.state, keeper_of(base)->used.prefix, tenants, n, arena, outcome, error);
}

/* ---- who answers ---- */

/* In the place of the server's number. */
enum {
    NOT_SEEN, /* since we began */
    OUT_OF_REACH = 2
};

/* Each server by its run id and replication id, as an odd number. */
static bool identify(struct state *server, uint64_t *number, struct error *error)
{
    struct redis_identity identity;
    enum outcome outcome;
    *number = OUT_OF_REACH;
    if (!state_redis_connected(server)) return true;
    if (!state_redis_identity(server, &identity, &outcome, error)) return false;
    *number = redis_identity_hash(&identity);
    return true;
}

static bool identify_all(struct state *cluster, uint64_t **numbers, struct arena *arena, struct error *error)
{
    size_t n = 0;
    while (cluster_node(cluster, n)) n++;
    *numbers = arena_alloc(arena, (n + 1) * sizeof **numbers);
    for (size_t i = 0; i < n; i++)
        if (!identify(cluster_node(cluster, i), &(*numbers)[i], error)) return false;
    return true;
}

/* Is a slot served by another server, or another history, than before, what is known is in doubt; also where it was out of reach. */
static bool keeper_connect(struct mark_keeper *base, bool *same, struct error *error)
{
    struct keeper *keeper = keeper_of(base);
    struct arena arena = { 0 };
    uint64_t *numbers;
    *same = true;
    keeper->identified = false;
    bool good = state_redis_connect(keeper->used.state, error) && identify_all(keeper->used.state, &numbers, &arena, error);
    for (uint16_t slot = 0; slot < N_SLOTS && good; slot++) {
        size_t owner = cluster_owner(keeper->used.state, slot);
        uint64_t now = owner == NO_OWNER ? OUT_OF_REACH : numbers[owner], *before = &keeper->owner[slot];
        if (*before != NOT_SEEN && *before != now && now != OUT_OF_REACH) *same = false;
        *before = now;
    }
    arena_deinit(&arena);
    return keeper->identified = good;
}

static bool keeper_connected(const struct mark_keeper *base)
{
    return keeper_of(base)->identified && state_redis_connected(keeper_of(base)->used.state);
}

/* A tenant that is the first of its slot needs home, too. */
static bool keeper_reaches(const struct mark_keeper *base, struct span tenant)
{
    const struct keeper *keeper = keeper_of(base);
    const struct state *cluster = keeper->used.state;
    if (!tenant.at) return cluster_reaches_all(cluster);
    uint16_t slot = slot_of(tenant);
    const struct slot_marks *known = keeper->used.of_slot[slot];
    return cluster_reaches(cluster, slot) && ((known && !known->is_new) || cluster_reaches(cluster, keeper->used.home));
}

/* ---- life ---- */

static const struct mark_keeper_ops keeper_ops = {
    .read = keeper_read,
    .move = keeper_move,
    .add_tenants = keeper_add_tenants,
    .tenants = keeper_tenants,
    .admit = keeper_admit,
    .connect = keeper_connect,
    .connected = keeper_connected,
    .reaches = keeper_reaches,
};

struct mark_keeper *marks_cluster_create(struct state *cluster, const char *prefix)
{
    struct keeper *keeper = must_zalloc(sizeof *keeper);
    keeper->base.ops = &keeper_ops;
    slots_init(&keeper->used, cluster, prefix);
    return &keeper->base;
}

void marks_cluster_destroy(struct mark_keeper *base)
{
    slots_deinit(&keeper_of(base)->used);
    free(base);
}
