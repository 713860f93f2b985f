/* A connection to the modelled Redis as the worker sees it: struct state and struct mark_keeper. */
#include "daemon/state/keys.h"
#include "daemon/state/marks.h"
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdlib.h>

static struct link *of_state(struct state *state)
{
    return (struct link *)state;
}
static struct link *of_marks(const struct mark_keeper *keeper)
{
    return (struct link *)((char *)keeper - offsetof(struct link, marks));
}

static bool lost(struct link *link, enum outcome *outcome, struct error *error, const char *why)
{
    link->connected = false;
    *outcome = LOST;
    return fail(error, "redis: %s", why);
}

/* Before each question: does anybody answer, and will it do what is asked? */
bool link_alive(struct link *link, bool writes, enum outcome *outcome, struct error *error)
{
    struct dice *dice = &link->world->dice;
    const struct weather *weather = &link->world->weather;
    *outcome = DONE;
    if (!link->connected) return lost(link, outcome, error, "not connected");
    if (link->store->away || link->run != link->store->run) return lost(link, outcome, error, "the server is gone");
    if (dice_permille(dice, weather->cut)) return lost(link, outcome, error, "no answer");
    if (!writes || (!link->store->refuses && !dice_permille(dice, weather->refused))) return true;
    *outcome = REFUSED;
    if (dice_below(dice, 3) == 0) link->connected = false; /* a refusal that another server may not utter */
    return fail(error, "redis: OOM command not allowed");
}

/* ---- reading ---- */

static void read_fields(const struct store *store, struct hash_read *read, struct arena *arena)
{
    const struct store_hash *hash = read->n_fields ? NULL : store_hash(store, read->key);
    read->n_stored = hash ? hash->fields.count : 0;
    read->n_values = read->n_fields;
    read->values = arena_zalloc(arena, (read->n_fields + 1) * sizeof *read->values);
    for (size_t i = 0; i < read->n_fields; i++) {
        struct span value = store_get(store, read->key, read->fields[i]);
        if (value.at) read->values[i] = value.len ? arena_copy(arena, value) : SPAN("");
    }
}

static void read_whole(const struct store *store, struct hash_read *read, struct arena *arena)
{
    const struct store_hash *hash = store_hash(store, read->key);
    size_t at = 0;
    read->n_values = 0;
    read->values = arena_alloc(arena, (hash ? hash->fields.count * 2 : 0) * sizeof *read->values + 1);
    for (struct map_slot *slot; hash && (slot = map_next(&hash->fields, &at));) {
        const struct store_field *field = slot->value;
        read->values[read->n_values++] = field->name.len ? arena_copy(arena, field->name) : SPAN("");
        read->values[read->n_values++] = field->value.len ? arena_copy(arena, field->value) : SPAN("");
    }
}

static void read_string(const struct store *store, struct hash_read *read, struct arena *arena)
{
    struct span value = store_get(store, read->key, NO_SPAN);
    read->n_values = 1;
    read->values = arena_zalloc(arena, sizeof *read->values);
    if (value.at) read->values[0] = value.len ? arena_copy(arena, value) : SPAN("");
}

static bool link_read(struct state *state, struct hash_read *reads, size_t n, struct arena *arena, enum outcome *outcome,
                      struct error *error)
{
    struct link *link = of_state(state);
    if (!link_alive(link, false, outcome, error)) return false;
    for (size_t i = 0; i < n; i++)
        (reads[i].is_string ? read_string : reads[i].fields ? read_fields : read_whole)(link->store, &reads[i], arena);
    return true;
}

static int compare_timers(const void *a, const void *b)
{
    const struct timer *x = a, *y = b;
    if (x->at_us != y->at_us) return x->at_us < y->at_us ? -1 : 1;
    return span_compare(x->member, y->member);
}

static bool link_timers(struct state *state, struct span key, int64_t until_us, size_t limit, struct arena *arena,
                        struct timer **timers, size_t *n, enum outcome *outcome, struct error *error)
{
    struct link *link = of_state(state);
    size_t at = 0;
    *n = 0;
    if (!link_alive(link, false, outcome, error)) return false;
    const struct store_hash *hash = store_hash(link->store, key);
    *timers = arena_alloc(arena, (hash ? hash->fields.count : 0) * sizeof **timers + 1);
    for (struct map_slot *slot; hash && (slot = map_next(&hash->fields, &at));) {
        int64_t at_us = store_number(link->store, key, slot->key);
        if (at_us <= until_us) (*timers)[(*n)++] = (struct timer){ arena_copy(arena, slot->key), at_us };
    }
    qsort(*timers, *n, sizeof **timers, compare_timers);
    if (*n > limit) *n = limit;
    return true;
}

/* ---- committing ---- */

/* What commit.lua does. */
static void carry_out(struct store *store, struct commit *commit)
{
    int64_t version = store_number(store, commit->state_key, SPAN("version"));
    commit->version_new = version;
    commit->outcome = version == commit->version ? DONE : CONFLICT;
    if (commit->outcome == CONFLICT) return;
    for (size_t i = 0; i < commit->n_strings; i++)
        if (commit->strings[i].value.len)
            store_put(store, commit->strings[i].key, NO_SPAN, commit->strings[i].value);
        else
            store_remove(store, commit->strings[i].key);
    for (size_t i = 0; i < commit->n_writes; i++)
        store_put(store, commit->writes[i].key, commit->writes[i].field, commit->writes[i].value);
    for (size_t i = 0; i < commit->n_timers; i++) {
        if (commit->timers[i].at_us == NEVER)
            store_put(store, commit->timers_key, commit->timers[i].member, NO_SPAN);
        else
            store_put_number(store, commit->timers_key, commit->timers[i].member, commit->timers[i].at_us);
    }
    commit->version_new = *store->clock_us > version ? *store->clock_us : version + 1;
    store_put_number(store, commit->state_key, SPAN("version"), commit->version_new);
    store_step(store);
}

static struct span keep(struct world *world, struct span text)
{
    if (!text.at) return NO_SPAN;
    return text.len ? arena_copy(&world->arena, text) : SPAN("");
}

static struct commit copy_commit(struct world *world, const struct commit *commit)
{
    struct commit copy = *commit;
    struct hash_write *writes = arena_alloc(&world->arena, commit->n_writes * sizeof *writes + 1);
    struct timer_write *timers = arena_alloc(&world->arena, commit->n_timers * sizeof *timers + 1);
    struct string_write *strings = arena_alloc(&world->arena, commit->n_strings * sizeof *strings + 1);
    for (size_t i = 0; i < commit->n_strings; i++)
        strings[i] = (struct string_write){ keep(world, commit->strings[i].key), keep(world, commit->strings[i].value) };
    for (size_t i = 0; i < commit->n_writes; i++)
        writes[i] = (struct hash_write){ keep(world, commit->writes[i].key), keep(world, commit->writes[i].field),
                                         keep(world, commit->writes[i].value) };
    for (size_t i = 0; i < commit->n_timers; i++)
        timers[i] = (struct timer_write){ keep(world, commit->timers[i].member), commit->timers[i].at_us };
    copy.tenant = keep(world, commit->tenant);
    copy.state_key = keep(world, commit->state_key);
    copy.timers_key = keep(world, commit->timers_key);
    copy.strings = strings;
    copy.writes = writes;
    copy.timers = timers;
    return copy;
}

/* They lie in a socket of a server that has not read them yet. */
static void go_astray(struct link *link, size_t from)
{
    struct world *world = link->world;
    for (size_t i = from; i < link->n_commits; i++) {
        if (world->n_strays == world->room_strays) {
            world->room_strays = world->room_strays ? world->room_strays * 2 : 16;
            world->strays = must_realloc(world->strays, world->room_strays * sizeof *world->strays);
        }
        world->strays[world->n_strays++] = (struct stray){ link->run, copy_commit(world, &link->commits[i]) };
    }
}

void strays_arrive(struct world *world, bool all_lost)
{
    for (size_t i = 0; i < world->n_strays && !all_lost; i++)
        if (world->strays[i].run == world->store.run && !world->store.away && !world->store.refuses)
            carry_out(&world->store, &world->strays[i].commit);
    world->n_strays = 0;
}

static void refuse_or_carry_out(struct link *link, struct commit *commit)
{
    if (link->store->refuses || dice_permille(&link->world->dice, link->world->weather.refused))
        commit->outcome = REFUSED;
    else
        carry_out(link->store, commit);
}

static bool link_commit_begin(struct state *state, struct commit *commits, size_t n, struct error *error)
{
    struct link *link = of_state(state);
    struct dice *dice = &link->world->dice;
    enum outcome outcome;
    link->commits = commits;
    link->n_commits = n;
    link->applied = link->answered = n;
    link->waits = dice_permille(dice, link->world->weather.late);
    if (!link->connected || link->store->away || link->run != link->store->run)
        return lost(link, &outcome, error, "not connected");
    if (dice_permille(dice, link->world->weather.cut)) { /* some take place; of fewer an answer comes */
        link->applied = dice_below(dice, (uint32_t)n + 1);
        link->answered = dice_below(dice, (uint32_t)link->applied + 1);
        if (dice_below(dice, 3) == 0) link->answered = link->applied = 0;
        link->connected = false;
        if (dice_below(dice, 2)) go_astray(link, link->applied);
    }
    for (size_t i = 0; i < n; i++) commits[i].outcome = LOST;
    for (size_t i = 0; i < link->applied && !link->waits; i++) refuse_or_carry_out(link, &commits[i]);
    return true;
}

static bool link_commit_end(struct state *state, struct error *error)
{
    struct link *link = of_state(state);
    bool gone = link->store->away || link->run != link->store->run, fine = true;
    for (size_t i = 0; i < link->n_commits; i++) {
        struct commit *commit = &link->commits[i];
        if (link->waits && !gone && i < link->applied) refuse_or_carry_out(link, commit);
        if (i >= link->answered || gone) commit->outcome = LOST;
        fine &= commit->outcome == DONE || commit->outcome == CONFLICT;
        if (commit->outcome == LOST) link->connected = false;
    }
    link->n_commits = 0;
    return fine || fail(error, "redis: no answer to a commit, or OOM");
}

static bool link_clock(struct state *state, int64_t *now_us, enum outcome *outcome, struct error *error)
{
    struct link *link = of_state(state);
    *now_us = *link->store->clock_us;
    return link_alive(link, false, outcome, error);
}

static void link_destroy(struct state *state)
{
    of_state(state)->connected = false;
}

static const struct state_ops state_table = { link_read,       link_read,  link_timers, link_commit_begin,
                                              link_commit_end, link_clock, link_destroy };

/* ---- marks ---- */

static bool marks_read(struct mark_keeper *keeper, struct mark **marks, size_t *n, struct arena *arena, enum outcome *outcome,
                       struct error *error)
{
    struct link *link = of_marks(keeper);
    struct hash_read read = { .key = key_marks(arena, state_prefix) };
    if (!link_read(&link->base, &read, 1, arena, outcome, error)) return false;
    *n = read.n_values / 2;
    *marks = arena_zalloc(arena, (*n + 1) * sizeof **marks);
    for (size_t i = 0; i < *n; i++) {
        (*marks)[i].partition = read.values[i * 2];
        REQUIRE(mark_parse(read.values[i * 2 + 1], &(*marks)[i]));
    }
    return true;
}

/* No mark is ahead of what its partition holds, none goes back unless Redis was set back, and none moves past a dead letter that nobody has. */
static void look_at_mark(struct world *world, const struct mark *mark)
{
    int p = mark->partition.at[mark->partition.len - 1] - '0';
    struct log *log = &world->broker.logs[p];
    world->new_life |= world->broker.reborn || (log->known_life && log->known_life != mark->life);
    log->known_life = mark->life;
    if (mark->next < log->marked && !world->set_back && !world->new_life)
        fail(&world->wrong, "the mark of partition %d goes back to %" PRId64 ", it stood at %" PRId64 " and Redis forgot nothing",
             p, mark->next, log->marked);
    if (mark->next > log->marked) log->marked = mark->next;
    for (int64_t i = 0; i < mark->next && i < (int64_t)log->n && !world->broker.reborn; i++)
        if (log->records[i].bad && !log->records[i].lettered)
            fail(&world->wrong,
                 "the mark of partition %d moves to %" PRId64 ", past a bad record (%" PRId64 ") without a dead letter", p,
                 mark->next, i);
}

static bool move_mark(struct link *link, struct span key, const struct mark *old, const struct mark *new)
{
    struct buffer before = { 0 }, after = { 0 };
    struct span stands = store_get(link->store, key, new->partition);
    mark_write(old, &before);
    mark_write(new, &after);
    bool same = old->next >= 0 ? stands.at && span_equal(stands, buffer_all(&before)) : !stands.at;
    if (same) store_put(link->store, key, new->partition, buffer_all(&after));
    if (same) look_at_mark(link->world, new);
    buffer_deinit(&before);
    buffer_deinit(&after);
    return same;
}

static bool marks_move(struct mark_keeper *keeper, const struct mark *old, const struct mark *new, bool *moved, size_t n,
                       enum outcome *outcome, struct error *error)
{
    struct link *link = of_marks(keeper);
    if (!link_alive(link, true, outcome, error)) return false;
    struct arena arena = { 0 };
    struct span key = key_marks(&arena, state_prefix);
    for (size_t i = 0; i < n; i++) moved[i] = move_mark(link, key, &old[i], &new[i]);
    store_step(link->store);
    arena_deinit(&arena);
    return !dice_permille(&link->world->dice, link->world->weather.cut) ||
           lost(link, outcome, error, "no answer to a move of marks");
}

static bool marks_add_tenants(struct mark_keeper *keeper, const struct span *tenants, size_t n, enum outcome *outcome,
                              struct error *error)
{
    struct link *link = of_marks(keeper);
    if (!link_alive(link, true, outcome, error)) return false;
    struct arena arena = { 0 };
    struct span key = key_tenants(&arena, state_prefix);
    for (size_t i = 0; i < n; i++) store_put(link->store, key, tenants[i], SPAN("1"));
    store_step(link->store);
    arena_deinit(&arena);
    return true;
}

static bool marks_tenants(struct mark_keeper *keeper, struct span **tenants, size_t *n, struct arena *arena,
                          enum outcome *outcome, struct error *error)
{
    struct link *link = of_marks(keeper);
    struct hash_read read = { .key = key_tenants(arena, state_prefix) };
    if (!link_read(&link->base, &read, 1, arena, outcome, error)) return false;
    *n = read.n_values / 2;
    *tenants = arena_alloc(arena, (*n + 1) * sizeof **tenants);
    for (size_t i = 0; i < *n; i++) (*tenants)[i] = read.values[i * 2];
    return true;
}

static bool marks_connect(struct mark_keeper *keeper, bool *same, struct error *error)
{
    struct link *link = of_marks(keeper);
    enum outcome outcome;
    if (link->store->away || dice_permille(&link->world->dice, link->world->weather.cut))
        return lost(link, &outcome, error, "connection refused");
    link->connected = true;
    link->run = link->store->run;
    *same = !link->met || link->run_met == link->run;
    link->met = true;
    link->run_met = link->run;
    return true;
}

static bool marks_connected(const struct mark_keeper *keeper)
{
    return of_marks(keeper)->connected;
}

static const struct mark_keeper_ops marks_table = {
    .read = marks_read,
    .move = marks_move,
    .add_tenants = marks_add_tenants,
    .tenants = marks_tenants,
    .connect = marks_connect,
    .connected = marks_connected,
};

void link_init(struct link *link, struct world *world, struct store *store)
{
    *link = (struct link){ .base = { &state_table }, .marks = { &marks_table }, .world = world, .store = store };
}
