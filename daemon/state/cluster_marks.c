/* Marks in every slot in use of a cluster, since each can be set back alone. One slot is home: that of the list of tenants. There
 * crm:slots names the slots in use. A slot comes into use so: it is announced there ("new"), gets a copy of home's marks – none
 * of its tenants has an event below them, else it would be in use –, is noted as "used", and then its first tenant is committed.
 * So one that is "used" and lacks a mark has lost it.
 *
 * Whoever brings a new partition puts its mark home first and looks then which slots there are; whoever brings a new slot
 * announces it first and looks then which marks are home: one of the two sees the other. */
#include "common/map.h"
#include "common/number.h"
#include "daemon/state/cluster.h"
#include "daemon/state/keys.h"
#include "daemon/state/marks.h"
#include "daemon/state/server.h"
#include "daemon/state/slot_marks.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SLOTS_AT_ONCE = 256
};

struct keeper {
    struct mark_keeper base;
    struct state *state;
    char *prefix;
    uint16_t home;
    uint32_t tags[N_SLOTS];
    struct slot_marks *of_slot[N_SLOTS]; /* NULL: not in use, as far as is known */
    struct slot_marks **slots;           /* those in use, home first */
    size_t n_slots;
    int64_t n_registered;    /* entries of crm:slots when it was read last */
    uint64_t owner[N_SLOTS]; /* of the last connection: who served the slot, by run id and replication id; 0: nobody yet */
};

static struct keeper *keeper_of(const struct mark_keeper *base)
{
    return (struct keeper *)base;
}

/* ---- what is known ---- */

static struct slot_marks *use_slot(struct keeper *keeper, uint16_t slot, bool is_new)
{
    struct slot_marks *marks = keeper->of_slot[slot];
    if (!marks) {
        marks = must_zalloc(sizeof *marks);
        keeper->slots = must_realloc(keeper->slots, (keeper->n_slots + 1) * sizeof(struct slot_marks *));
        keeper->of_slot[slot] = keeper->slots[keeper->n_slots++] = marks;
    }
    marks->slot = slot;
    marks->is_new = is_new;
    return marks;
}

static void forget_slots(struct keeper *keeper)
{
    for (size_t i = 0; i < keeper->n_slots; i++) {
        keeper->of_slot[keeper->slots[i]->slot] = NULL;
        slot_marks_deinit(keeper->slots[i]);
        free(keeper->slots[i]);
    }
    keeper->n_slots = 0;
    keeper->n_registered = 0;
    use_slot(keeper, keeper->home, true);
}

static struct connection *connection_of(const struct keeper *keeper, const struct slot_marks *slot)
{
    return server_of(cluster_server(keeper->state, slot->slot))->connection;
}

/* Has it lost marks that are known to be home? (A new one never had them.) */
static bool lacks_marks(const struct slot_marks *slot, const struct slot_marks *home)
{
    size_t at = 0;
    for (struct map_slot *each; (each = map_next(&home->marks, &at));)
        if (!slot_marks_get(slot, each->key)) return true;
    return false;
}

/* ---- reading ---- */

static bool take_marks(struct slot_marks *slot, const struct hash_read *read, enum outcome *outcome, struct error *error)
{
    for (size_t i = 0; i + 1 < read->n_values; i += 2) {
        struct mark mark = { .partition = read->values[i] };
        if (!mark_parse(read->values[i + 1], &mark)) {
            *outcome = REFUSED;
            return fail(error, "%.*s: the mark of %.*s cannot be read", SPAN_ARG(read->key), SPAN_ARG(read->values[i]));
        }
        slot_marks_set(slot, &mark);
    }
    return true;
}

/* The marks of these slots as they stand. */
static bool read_marks(struct keeper *keeper, struct slot_marks **slots, size_t n, struct arena *arena, enum outcome *outcome,
                       struct error *error)
{
    struct hash_read *reads = arena_zalloc(arena, (n + 1) * sizeof *reads);
    for (size_t i = 0; i < n; i++) reads[i].key = key_slot_marks(arena, keeper->prefix, keeper->tags[slots[i]->slot]);
    *outcome = DONE;
    if (n && !keeper->state->ops->read(keeper->state, reads, n, arena, outcome, error)) return false;
    for (size_t i = 0; i < n; i++)
        if (!take_marks(slots[i], &reads[i], outcome, error)) return false;
    return true;
}

static bool slot_parse(struct span text, uint16_t *slot)
{
    int64_t number;
    *slot = 0;
    if (!number_take(&text, &number) || text.len || number < 0 || number >= N_SLOTS) return false;
    *slot = (uint16_t)number;
    return true;
}

/* Slots in use by what crm:slots says; those not known before stand at the end. */
static bool read_slots(struct keeper *keeper, struct arena *arena, enum outcome *outcome, struct error *error)
{
    struct hash_read read = { .key = key_slots(arena, keeper->prefix) };
    if (!keeper->state->ops->read(keeper->state, &read, 1, arena, outcome, error)) return false;
    for (size_t i = 0; i + 1 < read.n_values; i += 2) {
        uint16_t slot;
        if (slot_parse(read.values[i], &slot)) use_slot(keeper, slot, !span_is(read.values[i + 1], "used"));
    }
    keeper->n_registered = (int64_t)read.n_values / 2;
    return true;
}

static bool keeper_read(struct mark_keeper *base, struct mark **marks, size_t *n, struct arena *arena, enum outcome *outcome,
                        struct error *error)
{
    struct keeper *keeper = keeper_of(base);
    forget_slots(keeper);
    if (!read_slots(keeper, arena, outcome, error)) return false;
    if (!read_marks(keeper, keeper->slots, keeper->n_slots, arena, outcome, error)) return false;
    slot_marks_merge(keeper->slots, keeper->n_slots, marks, n, arena);
    return true;
}

/* ---- moving ---- */

/* What a slot's marks are to become; `moved` of each is cleared where it was not so. */
struct moving {
    struct keeper *keeper;
    const struct mark *new; /* the old ones: as they are known to stand in each slot */
    bool *moved;
    size_t n;
};

static void ask_slot(const struct moving *moving, const struct slot_marks *slot)
{
    struct arena arena = { 0 };
    struct mark *old = arena_alloc(&arena, moving->n * sizeof *old);
    for (size_t i = 0; i < moving->n; i++) {
        const struct mark *known = slot_marks_get(slot, moving->new[i].partition);
        old[i] = known ? *known : (struct mark){ .next = -1 };
    }
    struct span key = key_slot_marks(&arena, moving->keeper->prefix, moving->keeper->tags[slot->slot]);
    marks_ask_move(server_ask(cluster_server(moving->keeper->state, slot->slot)), key, old, moving->new, moving->n);
    arena_deinit(&arena);
}

static void take_slot(const struct moving *moving, struct slot_marks *slot, const redisReply *reply)
{
    for (size_t i = 0; i < moving->n; i++) {
        bool moved = reply->type == REDIS_REPLY_ARRAY && i < reply->elements && reply->element[i]->integer == 1;
        moving->moved[i] &= moved;
        if (moved) slot_marks_set(slot, &moving->new[i]);
    }
}

/* All slots at once, whatever servers they lie on; every answer is taken. */
static bool move_group(const struct moving *moving, struct slot_marks **slots, size_t n, enum outcome *outcome,
                       struct error *error)
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
        if (reply) freeReplyObject(reply);
        if (*outcome != LOST && this != DONE) *outcome = this;
    }
    for (size_t i = 0; i < n; i++) connection_settle(connection_of(moving->keeper, slots[i]));
    return *outcome == DONE;
}

static bool move_slots(const struct moving *moving, struct slot_marks **slots, size_t n, enum outcome *outcome,
                       struct error *error)
{
    *outcome = DONE;
    for (size_t at = 0; at < n; at += SLOTS_AT_ONCE) {
        size_t some = n - at < SLOTS_AT_ONCE ? n - at : SLOTS_AT_ONCE;
        if (!move_group(moving, slots + at, some, outcome, error)) return false;
    }
    return true;
}

/* ---- slots that come into use ---- */

/* In crm:slots, for each: "new", unless something stands there; or "used". */
static bool note_slots(struct keeper *keeper, struct slot_marks **slots, size_t n, bool used, enum outcome *outcome,
                       struct error *error)
{
    struct state *home = cluster_server(keeper->state, keeper->home);
    struct connection *connection = server_ask(home);
    struct arena arena = { 0 };
    struct span key = key_slots(&arena, keeper->prefix);
    for (size_t i = 0; i < n; i++) {
        request_begin(connection, 4);
        request_argument(connection, used ? SPAN("HSET") : SPAN("HSETNX"));
        request_argument(connection, key);
        request_number(connection, slots[i]->slot);
        request_argument(connection, used ? SPAN("used") : SPAN("new"));
    }
    arena_deinit(&arena);
    *outcome = DONE;
    for (size_t i = 0; i < n; i++) {
        enum outcome this;
        redisReply *reply = connection_answer_ok(connection, &this, error);
        if (reply) keeper->n_registered += reply->integer; /* it was not there before */
        if (reply) freeReplyObject(reply);
        if (*outcome != LOST && this != DONE) *outcome = this;
    }
    connection_settle(connection);
    for (size_t i = 0; i < n && used && *outcome == DONE; i++) slots[i]->is_new = false;
    return *outcome == DONE;
}

/* The new ones among them have all marks now. */
static bool note_used(struct keeper *keeper, struct slot_marks **slots, size_t n, enum outcome *outcome, struct error *error)
{
    struct arena arena = { 0 };
    struct slot_marks **fresh = arena_alloc(&arena, (n + 1) * sizeof(struct slot_marks *));
    size_t n_fresh = 0;
    for (size_t i = 0; i < n; i++)
        if (slots[i]->is_new) fresh[n_fresh++] = slots[i];
    *outcome = DONE;
    bool good = !n_fresh || note_slots(keeper, fresh, n_fresh, true, outcome, error);
    arena_deinit(&arena);
    return good;
}

static bool count_registered(struct keeper *keeper, int64_t *n, enum outcome *outcome, struct error *error)
{
    struct state *home = cluster_server(keeper->state, keeper->home);
    struct connection *connection = server_ask(home);
    struct arena arena = { 0 };
    request_begin(connection, 2);
    request_argument(connection, SPAN("HLEN"));
    request_argument(connection, key_slots(&arena, keeper->prefix));
    arena_deinit(&arena);
    redisReply *reply = server_answer(home, outcome, error);
    if (!reply) return false;
    *n = reply_number(reply);
    freeReplyObject(reply);
    return true;
}

/* Those that others brought into use since: their marks become known. CONFLICT: one has lost some (`all`: it must have what is
 * known to be home). */
static bool meet_slots(struct keeper *keeper, bool all, enum outcome *outcome, struct error *error)
{
    struct arena arena = { 0 };
    size_t before = keeper->n_slots;
    int64_t registered;
    if (!count_registered(keeper, &registered, outcome, error)) return false;
    if (registered == keeper->n_registered) return true;
    bool good = read_slots(keeper, &arena, outcome, error) &&
                read_marks(keeper, keeper->slots + before, keeper->n_slots - before, &arena, outcome, error);
    for (size_t i = before; i < keeper->n_slots && good && all; i++)
        if (!keeper->slots[i]->is_new && lacks_marks(keeper->slots[i], keeper->slots[0])) *outcome = CONFLICT;
    arena_deinit(&arena);
    return good;
}

static bool is_placing(const struct keeper *keeper, const struct mark *marks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!slot_marks_get(keeper->slots[0], marks[i].partition)) return true;
    return false;
}

static bool all_moved(const bool *moved, size_t n)
{
    return n == 0 || !memchr(moved, false, n);
}

/* Home first, then whatever other slots there are by then. */
static bool keeper_move(struct mark_keeper *base, const struct mark *old, const struct mark *new, bool *moved, size_t n,
                        enum outcome *outcome, struct error *error)
{
    struct keeper *keeper = keeper_of(base);
    struct moving moving = { .keeper = keeper, .new = new, .moved = moved, .n = n };
    (void)old; /* each slot has its own */
    *outcome = DONE;
    if (!n) return true;
    memset(moved, true, n);
    bool placing = is_placing(keeper, new, n);
    if (!meet_slots(keeper, true, outcome, error)) return false;
    if (*outcome == CONFLICT) {
        memset(moved, false, n);
        return true;
    }
    if (!move_slots(&moving, keeper->slots, 1, outcome, error)) return false;
    if (placing && !meet_slots(keeper, false, outcome, error)) return false;
    if (!move_slots(&moving, keeper->slots + 1, keeper->n_slots - 1, outcome, error)) return false;
    return !all_moved(moved, n) || note_used(keeper, keeper->slots, keeper->n_slots, outcome, error);
}

/* Gives a slot those of home's marks that it lacks. Where somebody else does so at the same time, theirs stand. */
static bool copy_marks(struct keeper *keeper, struct slot_marks *slot, const struct slot_marks *home, struct arena *arena,
                       enum outcome *outcome, struct error *error)
{
    struct mark *all = arena_alloc(arena, (home->marks.count + 1) * sizeof *all);
    struct moving moving = { .keeper = keeper, .new = all, .moved = arena_alloc(arena, home->marks.count + 1) };
    size_t at = 0;
    for (struct map_slot *each; (each = map_next(&home->marks, &at));)
        if (!slot_marks_get(slot, each->key)) all[moving.n++] = *(const struct mark *)each->value;
    return !moving.n || !slot->is_new || move_slots(&moving, &slot, 1, outcome, error);
}

/* Announced, given their marks, noted as used. CONFLICT: marks were lost, at home or there. */
static bool begin_slots(struct keeper *keeper, struct slot_marks **slots, size_t n, struct arena *arena, enum outcome *outcome,
                        struct error *error)
{
    struct slot_marks home = { .slot = keeper->home }, *at_home = &home;
    bool good = note_slots(keeper, slots, n, false, outcome, error) && read_slots(keeper, arena, outcome, error) &&
                read_marks(keeper, &at_home, 1, arena, outcome, error) && read_marks(keeper, slots, n, arena, outcome, error);
    for (size_t i = 0; i < n && good; i++) good = copy_marks(keeper, slots[i], &home, arena, outcome, error);
    good = good && read_marks(keeper, slots, n, arena, outcome, error);
    bool lost = good && lacks_marks(&home, keeper->slots[0]);
    for (size_t i = 0; i < n && good; i++) lost |= lacks_marks(slots[i], slots[i]->is_new ? &home : keeper->slots[0]);
    slot_marks_deinit(&home);
    if (lost) {
        *outcome = CONFLICT;
        return fail(error, "marks in Redis were lost");
    }
    return good && note_used(keeper, slots, n, outcome, error);
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
        const struct slot_marks *known = keeper->of_slot[slot];
        if (known && !known->is_new) continue;
        if (!fresh) fresh = arena_alloc(&arena, n * sizeof(struct slot_marks *));
        fresh[n_fresh++] = use_slot(keeper, slot, true);
    }
    bool good = !n_fresh || begin_slots(keeper, fresh, n_fresh, &arena, outcome, error);
    arena_deinit(&arena);
    return good;
}

/* ---- tenants ---- */

static bool keeper_add_tenants(struct mark_keeper *base, const struct span *tenants, size_t n, enum outcome *outcome,
                               struct error *error)
{
    return tenants_add(keeper_of(base)->state, keeper_of(base)->prefix, tenants, n, outcome, error);
}

static bool keeper_tenants(struct mark_keeper *base, struct span **tenants, size_t *n, struct arena *arena, enum outcome *outcome,
                           struct error *error)
{
    return tenants_all(keeper_of(base)->state, keeper_of(base)->prefix, tenants, n, arena, outcome, error);
}

/* ---- who answers ---- */

/* Each server by its run id and replication id, as a number. */
static bool identify(struct keeper *keeper, uint64_t **servers, struct arena *arena, struct error *error)
{
    struct state *server;
    size_t n = 0;
    while (cluster_node(keeper->state, n)) n++;
    *servers = arena_alloc(arena, n * sizeof **servers);
    for (size_t i = 0; (server = cluster_node(keeper->state, i)); i++) {
        struct redis_identity identity;
        enum outcome outcome;
        char both[sizeof identity.run_id + sizeof identity.replication_id];
        if (!state_redis_identity(server, &identity, &outcome, error)) return false;
        int len = snprintf(both, sizeof both, "%s %s", identity.run_id, identity.replication_id);
        (*servers)[i] = bytes_hash(both, (size_t)len) | 1;
    }
    return true;
}

/* Whatever slot is served by another server, or another history, than before: what is known is in doubt. */
static bool keeper_connect(struct mark_keeper *base, bool *same, struct error *error)
{
    struct keeper *keeper = keeper_of(base);
    struct arena arena = { 0 };
    uint64_t *servers;
    *same = true;
    bool good = state_redis_connect(keeper->state, error) && identify(keeper, &servers, &arena, error);
    for (uint16_t slot = 0; slot < N_SLOTS && good; slot++) {
        uint64_t owner = servers[cluster_owner(keeper->state, slot)];
        if (keeper->owner[slot] && keeper->owner[slot] != owner) *same = false;
        keeper->owner[slot] = owner;
    }
    arena_deinit(&arena);
    return good;
}

static bool keeper_connected(const struct mark_keeper *base)
{
    return state_redis_connected(keeper_of(base)->state);
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
};

struct mark_keeper *marks_cluster_create(struct state *cluster, const char *prefix)
{
    struct keeper *keeper = must_zalloc(sizeof *keeper);
    struct arena arena = { 0 };
    keeper->base.ops = &keeper_ops;
    keeper->state = cluster;
    keeper->prefix = strdup(prefix);
    REQUIRE(keeper->prefix != NULL);
    keeper->home = slot_of(key_tenants(&arena, prefix));
    arena_deinit(&arena);
    slot_tags(keeper->tags);
    forget_slots(keeper);
    return &keeper->base;
}

void marks_cluster_destroy(struct mark_keeper *base)
{
    struct keeper *keeper = keeper_of(base);
    forget_slots(keeper);
    slot_marks_deinit(keeper->slots[0]);
    free(keeper->slots[0]);
    free(keeper->slots);
    free(keeper->prefix);
    free(keeper);
}
