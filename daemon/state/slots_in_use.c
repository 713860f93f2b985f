/* crm:slots and the marks of each slot, as they are read and noted. */
#include "daemon/state/slots_in_use.h"

#include "common/number.h"
#include "daemon/state/cluster.h"
#include "daemon/state/keys.h"
#include "daemon/state/marks.h"
#include "daemon/state/server.h"

#include <stdlib.h>

struct slot_marks *slots_use(struct slots_in_use *used, uint16_t slot, bool is_new)
{
    struct slot_marks *marks = used->of_slot[slot];
    if (!marks) {
        marks = must_zalloc(sizeof *marks);
        used->at = must_realloc(used->at, (used->n + 1) * sizeof(struct slot_marks *));
        used->of_slot[slot] = used->at[used->n++] = marks;
    }
    marks->slot = slot;
    marks->is_new = is_new;
    return marks;
}

void slots_init(struct slots_in_use *used, struct state *cluster, const char *prefix)
{
    struct arena arena = { 0 };
    *used = (struct slots_in_use){ .state = cluster, .prefix = strdup(prefix), .home = slot_of(key_tenants(&arena, prefix)) };
    REQUIRE(used->prefix != NULL);
    arena_deinit(&arena);
    slot_tags(used->tags);
    slots_use(used, used->home, true);
}

static void forget(struct slots_in_use *used)
{
    for (size_t i = 0; i < used->n; i++) {
        used->of_slot[used->at[i]->slot] = NULL;
        slot_marks_deinit(used->at[i]);
        free(used->at[i]);
    }
    used->n = 0;
}

void slots_deinit(struct slots_in_use *used)
{
    forget(used);
    free(used->at);
    free(used->prefix);
}

void slots_forget(struct slots_in_use *used)
{
    forget(used);
    used->n_registered = 0;
    slots_use(used, used->home, true);
}

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

bool slots_read_marks(struct slots_in_use *used, struct slot_marks **slots, size_t n, struct arena *arena, enum outcome *outcome,
                      struct error *error)
{
    struct hash_read *reads = arena_zalloc(arena, (n + 1) * sizeof *reads);
    for (size_t i = 0; i < n; i++) reads[i].key = key_slot_marks(arena, used->prefix, used->tags[slots[i]->slot]);
    *outcome = DONE;
    if (n && !used->state->ops->read(used->state, reads, n, arena, outcome, error)) return false;
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

bool slots_read(struct slots_in_use *used, struct arena *arena, enum outcome *outcome, struct error *error)
{
    struct hash_read read = { .key = key_slots(arena, used->prefix) };
    if (!used->state->ops->read(used->state, &read, 1, arena, outcome, error)) return false;
    for (size_t i = 0; i + 1 < read.n_values; i += 2) {
        uint16_t slot;
        if (slot_parse(read.values[i], &slot)) slots_use(used, slot, !span_is(read.values[i + 1], "used"));
    }
    used->n_registered = (int64_t)read.n_values / 2;
    return true;
}

/* In crm:slots, for each: "new", unless something stands there; or "used". */
static bool note(struct slots_in_use *used, struct slot_marks **slots, size_t n, bool ready, enum outcome *outcome,
                 struct error *error)
{
    struct state *home = cluster_server(used->state, used->home);
    struct connection *connection = server_ask(home);
    struct arena arena = { 0 };
    struct span key = key_slots(&arena, used->prefix);
    for (size_t i = 0; i < n; i++) {
        request_begin(connection, 4);
        request_argument(connection, ready ? SPAN("HSET") : SPAN("HSETNX"));
        request_argument(connection, key);
        request_number(connection, slots[i]->slot);
        request_argument(connection, ready ? SPAN("used") : SPAN("new"));
    }
    arena_deinit(&arena);
    *outcome = DONE;
    for (size_t i = 0; i < n; i++) {
        enum outcome this;
        redisReply *reply = connection_answer_ok(connection, &this, error);
        if (reply) used->n_registered += reply->integer; /* it was not there before */
        reply_free(reply);
        if (*outcome != LOST && this != DONE) *outcome = this;
    }
    connection_settle(connection);
    for (size_t i = 0; i < n && ready && *outcome == DONE; i++) slots[i]->is_new = false;
    return *outcome == DONE;
}

bool slots_note_used(struct slots_in_use *used, struct slot_marks **slots, size_t n, enum outcome *outcome, struct error *error)
{
    struct arena arena = { 0 };
    struct slot_marks **fresh = arena_alloc(&arena, (n + 1) * sizeof(struct slot_marks *));
    size_t n_fresh = 0;
    for (size_t i = 0; i < n; i++)
        if (slots[i]->is_new) fresh[n_fresh++] = slots[i];
    *outcome = DONE;
    bool good = !n_fresh || note(used, fresh, n_fresh, true, outcome, error);
    arena_deinit(&arena);
    return good;
}

bool slots_announce(struct slots_in_use *used, struct slot_marks **slots, size_t n, enum outcome *outcome, struct error *error)
{
    return note(used, slots, n, false, outcome, error);
}

bool slots_count(struct slots_in_use *used, int64_t *n, enum outcome *outcome, struct error *error)
{
    struct state *home = cluster_server(used->state, used->home);
    struct connection *connection = server_ask(home);
    struct arena arena = { 0 };
    request_begin(connection, 2);
    request_argument(connection, SPAN("HLEN"));
    request_argument(connection, key_slots(&arena, used->prefix));
    arena_deinit(&arena);
    redisReply *reply = server_answer(home, outcome, error);
    if (!reply) return false;
    *n = reply_number(reply);
    reply_free(reply);
    return true;
}
