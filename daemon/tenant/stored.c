#include "daemon/tenant/stored.h"

#include "common/number.h"
#include "common/period.h"
#include "daemon/facts/lists.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/place.h"
#include "daemon/tenant/retired.h"

#include <stdlib.h>

enum {
    TENANT_READS = 3,
    PAGES_AT_ONCE = 512,
    LOST_ID_BYTES = 256
};

/* Stands for the id that a grave no longer has: long enough for what its events share with it. */
static char lost_id[LOST_ID_BYTES];

struct statement stored_statement(const struct view *view, const struct stored *stored, int64_t clock_us)
{
    struct statement statement = { 0 };
    if (!stored->readable || entity_is_empty(&stored->entity)) return statement;
    const struct generation *by = tenant_generation(view->tenant, &stored->entity);
    struct facts_context context = tenant_facts_context(view->tenant, by, stored->arena, clock_us);
    facts_of(&stored->entity, &context, &statement);
    return statement;
}

uint64_t view_entity_count(const struct view *view)
{
    uint64_t n = 0;
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) n += view->tenant->kind[kind].entities;
    return n;
}

static uint64_t pages_of(const struct tenant *tenant, uint32_t kinds, int kind)
{
    bool any = tenant->kind[kind].entities || tenant->kind[kind].retired;
    return (kinds >> kind & 1) && any ? tenant->kind[kind].pages : 0;
}

static bool hand_record(struct view *view, enum kind kind, struct span key, struct span id, struct span bytes,
                        struct arena *arena, take_stored take, void *context)
{
    struct stored stored = { .key = key, .bytes = bytes, .arena = arena };
    stored.entity = (struct entity){ .kind = kind, .id = id, .wake_us = NEVER };
    if (place_is_grave(id)) stored.entity.id = (struct span){ lost_id, sizeof lost_id };
    stored.readable =
        entity_decode(&stored.entity, bytes, arena, &view->tenant->names) && tenant_generation(view->tenant, &stored.entity);
    if (!stored.readable) stored.entity = (struct entity){ .kind = kind, .wake_us = NEVER };
    stored.entity.id = id;
    return take(context, &stored);
}

static void note_retired(struct view *view, enum kind kind, struct span marks)
{
    for (size_t at = 0; view->notes_retired && at + RETIRED_MARK_BYTES <= marks.len; at += RETIRED_MARK_BYTES) {
        char *key = must_alloc(RETIRED_KEY_BYTES);
        key[0] = (char)kind;
        memcpy(key + 1, marks.at + at, RETIRED_MARK_BYTES);
        free(map_put(&view->retired, (struct span){ key, RETIRED_KEY_BYTES }, key));
    }
}

/* What is no page is handed over as one entity that cannot be read, named after the page's key. */
static bool hand_over(struct view *view, enum kind kind, const struct hash_read *read, struct arena *arena, take_stored take,
                      void *context)
{
    struct span rest = read->n_values ? read->values[0] : NO_SPAN, id, bytes;
    while (page_next(&rest, &id, &bytes)) {
        if (!id.len)
            note_retired(view, kind, bytes);
        else if (!hand_record(view, kind, read->key, id, bytes, arena, take, context))
            return false;
    }
    struct stored broken = { .entity = { .kind = kind, .id = read->key, .wake_us = NEVER }, .key = read->key, .arena = arena };
    return !rest.len || take(context, &broken);
}

/* The version, read behind the others: while it stands, all that was read before it is of it. */
static void ask_version(const struct view *view, struct arena *arena, struct hash_read *read)
{
    struct span *field = arena_alloc(arena, sizeof *field);
    *field = SPAN("version");
    *read = (struct hash_read){ .key = key_state(arena, view->prefix, view->tenant->name), .fields = field, .n_fields = 1 };
}

static bool still_stands(struct view *view, const struct hash_read *read, struct error *error)
{
    view->moved = number_or_zero(read->values[0]) != view->tenant->version;
    return !view->moved || fail(error, "the tenant moved on while its entities were read");
}

static struct hash_read page_read(const struct view *view, struct arena *arena, enum kind kind, uint32_t number)
{
    return (struct hash_read){ .key = key_page(arena, view->prefix, view->tenant->name, kind, number), .is_string = true };
}

/* Some pages of a kind; false: enough, or an error. */
static bool read_some(struct view *view, enum kind kind, uint64_t from, uint64_t to, struct arena *arena, take_stored take,
                      void *context, struct error *error)
{
    struct hash_read *reads = arena_zalloc(arena, (to - from + 1) * sizeof *reads);
    for (uint64_t i = from; i < to; i++) reads[i - from] = page_read(view, arena, kind, (uint32_t)i);
    ask_version(view, arena, &reads[to - from]);
    if (!view->state->ops->read(view->state, reads, to - from + 1, arena, &view->outcome, error)) return false;
    if (!still_stands(view, &reads[to - from], error)) return false;
    for (uint64_t i = from; i < to; i++)
        if (!hand_over(view, kind, &reads[i - from], arena, take, context)) return false;
    return true;
}

bool view_is_behind(struct view *view)
{
    struct error ignored = { "" };
    struct hash_read read;
    ask_version(view, &view->arena, &read);
    if (!view->state->ops->read(view->state, &read, 1, &view->arena, &view->outcome, &ignored)) return false;
    bool behind = !still_stands(view, &read, &ignored);
    view->moved = false;
    return behind;
}

static bool hand_over_whole(struct view *view, uint32_t kinds, take_stored take, void *context)
{
    struct arena arena = { 0 };
    bool more = true;
    size_t at = 0;
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++)
        for (uint64_t i = 0; more && i < pages_of(view->tenant, ALL_KINDS, kind); i++, at++) {
            if (!(kinds >> kind & 1)) continue;
            arena_reset(&arena);
            more = hand_over(view, (enum kind)kind, &view->whole[at], &arena, take, context);
        }
    arena_deinit(&arena);
    return true;
}

bool view_entities(struct view *view, uint32_t kinds, take_stored take, void *context, struct error *error)
{
    struct arena arena = { 0 };
    struct error failed = { "" }; /* false from `take` is no error; what `error` says may be of an attempt before */
    bool more = true;
    if (view->whole) return hand_over_whole(view, kinds, take, context);
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) {
        uint64_t n = pages_of(view->tenant, kinds, kind);
        for (uint64_t from = 0; more && from < n; from += PAGES_AT_ONCE) {
            arena_reset(&arena);
            uint64_t to = from + PAGES_AT_ONCE < n ? from + PAGES_AT_ONCE : n;
            more = read_some(view, (enum kind)kind, from, to, &arena, take, context, &failed);
        }
    }
    arena_deinit(&arena);
    return !failed.text[0] || fail(error, "%s", failed.text);
}

/* What is to be read with it is known only from it: read twice, and equal in what matters. */
static bool same_places(const struct tenant *a, const struct tenant *b)
{
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++)
        if (pages_of(a, ALL_KINDS, kind) != pages_of(b, ALL_KINDS, kind)) return false;
    return true;
}

struct bucket *view_buckets(const struct view *view, size_t *n)
{
    struct bucket *all = must_alloc((view->n_months * 32 + 1) * sizeof *all);
    *n = 0;
    all[(*n)++] = (struct bucket){ BUCKET_NOW, 0 };
    for (size_t i = 0; i < view->n_months; i++) {
        struct period days = month_period(view->months[i]);
        all[(*n)++] = (struct bucket){ BUCKET_MONTH, view->months[i] };
        if (days.from < view->tenant->days_from) continue; /* folded */
        for (int32_t day = days.from; day <= days.to; day++) all[(*n)++] = (struct bucket){ BUCKET_DAY, day };
    }
    return all;
}

/* All that is read in one step: state, names and months, the cells, the entities. */
struct whole {
    struct arena arena;
    struct hash_read *reads;
    size_t n, n_buckets;
    struct bucket *buckets;
};

static void add_keys(struct whole *whole, const struct view *known)
{
    struct arena *arena = &whole->arena;
    const struct tenant *tenant = known->tenant;
    struct hash_read *read = whole->reads;
    read++->key = key_state(arena, known->prefix, tenant->name);
    read++->key = key_names(arena, known->prefix, tenant->name);
    read++->key = key_months(arena, known->prefix, tenant->name);
    for (size_t i = 0; i < whole->n_buckets; i++) read++->key = key_bucket(arena, known->prefix, tenant->name, whole->buckets[i]);
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++)
        for (uint64_t i = 0; i < pages_of(tenant, ALL_KINDS, kind); i++)
            *read++ = page_read(known, arena, (enum kind)kind, (uint32_t)i);
}

static void plan_whole(struct whole *whole, const struct view *known)
{
    struct bucket *buckets = view_buckets(known, &whole->n_buckets);
    whole->buckets = arena_alloc(&whole->arena, whole->n_buckets * sizeof *buckets);
    memcpy(whole->buckets, buckets, whole->n_buckets * sizeof *buckets);
    free(buckets);
    whole->n = TENANT_READS + whole->n_buckets;
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) whole->n += pages_of(known->tenant, ALL_KINDS, kind);
    whole->reads = arena_zalloc(&whole->arena, whole->n * sizeof *whole->reads);
    add_keys(whole, known);
}

/* Where to look was known from a view before: has it changed, something is not read. */
static bool take_whole(struct view *view, const struct view *known, struct whole *whole, struct error *error)
{
    view->arena = whole->arena;
    view->reads = whole->reads + TENANT_READS;
    view->buckets = whole->buckets;
    view->n_buckets = whole->n_buckets;
    view->whole = view->reads + view->n_buckets;
    view->moved = !same_places(known->tenant, view->tenant) || known->n_months != view->n_months;
    return !view->moved || fail(error, "the tenant moved on while it was read");
}

bool view_open_whole(struct view *view, struct state *state, const struct tenant_settings *settings, struct span tenant,
                     const struct rules *rules, struct error *error)
{
    struct view known;
    struct whole whole = { 0 };
    bool fine = view_open(&known, state, settings, tenant, rules, error);
    *view = (struct view){ 0 };
    if (fine && view_entity_count(&known) > VIEW_WHOLE_MAX)
        fine = fail(error, "tenant %.*s moves on all the time, and has too many entities to be read in one step: ask again",
                    SPAN_ARG(tenant));
    if (fine) plan_whole(&whole, &known);
    fine = fine && state->ops->read_atomic(state, whole.reads, whole.n, &whole.arena, &known.outcome, error) &&
           view_take(view, state, settings, tenant, rules, whole.reads, error);
    if (fine)
        fine = take_whole(view, &known, &whole, error);
    else
        arena_deinit(&whole.arena);
    view->outcome = known.outcome;
    view_close(&known);
    return fine;
}

/* ---- keys ---- */

struct span *view_keys(const struct view *view, struct arena *arena, size_t *n)
{
    const struct tenant *tenant = view->tenant;
    size_t n_buckets, room = N_LISTS + 4;
    struct bucket *buckets = view_buckets(view, &n_buckets);
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) room += tenant->kind[kind].pages;
    struct span *keys = arena_alloc(arena, (room + n_buckets) * sizeof *keys), *key = keys;
    for (size_t i = 0; i < n_buckets; i++) *key++ = key_bucket(arena, view->prefix, tenant->name, buckets[i]);
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++)
        for (uint64_t i = 0; i < tenant->kind[kind].pages; i++)
            *key++ = key_page(arena, view->prefix, tenant->name, (enum kind)kind, (uint32_t)i);
    for (int list = 0; list < N_LISTS; list++) *key++ = key_list(arena, view->prefix, tenant->name, list_names[list]);
    *key++ = key_names(arena, view->prefix, tenant->name);
    *key++ = key_timers(arena, view->prefix, tenant->name);
    *key++ = key_months(arena, view->prefix, tenant->name);
    *key++ = key_state(arena, view->prefix, tenant->name);
    *n = (size_t)(key - keys);
    free(buckets);
    return keys;
}
