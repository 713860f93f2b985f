#include "tests/sim/entities.h"

#include "daemon/state/keys.h"
#include "daemon/tenant/page.h"
#include "daemon/tenant/place.h"
#include "daemon/tenant/retired.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct one_store {
    const struct store *store;
    struct span tenant;
    const struct names *names;
    struct tenant placing; /* as much of it as says where entities stand */
    struct map found;      /* id -> struct span, its bytes without the wake-up */
    struct map left;       /* marks of those that have left */
    int64_t n_said, pages;
    struct arena *arena;
    struct error *error;
    bool checks; /* page and timer */
};

static void read_secret(struct one_store *one)
{
    struct span text = store_get(one->store, key_state(one->arena, state_prefix, one->tenant), SPAN("secret"));
    int64_t a = 0, b = 0;
    if (text.at && sscanf(arena_text(one->arena, text), "%" SCNd64 " %" SCNd64, &a, &b) == 2)
        one->placing.secret = (struct hash_key){ (uint64_t)a, (uint64_t)b };
}

static void read_count(struct one_store *one, enum kind kind)
{
    char field[16];
    snprintf(field, sizeof field, "kind:%d", (int)kind);
    struct span text = store_get(one->store, key_state(one->arena, state_prefix, one->tenant), span_of(field));
    int64_t bytes = 0;
    one->n_said = one->pages = 0;
    if (text.at &&
        sscanf(arena_text(one->arena, text), "%" SCNd64 " %" SCNd64 " %" SCNd64, &one->n_said, &bytes, &one->pages) != 3)
        fail(one->error, "%s of %.*s cannot be read", field, SPAN_ARG(one->tenant));
}

static bool timer_stands(const struct one_store *one, enum kind kind, struct span id, int64_t wake_us)
{
    struct span timer =
        store_get(one->store, key_timers(one->arena, state_prefix, one->tenant), timer_member(one->arena, kind, id));
    return wake_us == NEVER ? !timer.at : timer.at && strtoll(arena_text(one->arena, timer), NULL, 10) == wake_us;
}

static bool take_entity(struct one_store *one, enum kind kind, uint32_t page, struct span id, struct span bytes)
{
    struct entity entity = { .kind = kind, .id = id };
    struct buffer out = { 0 };
    if (!entity_decode(&entity, bytes, one->arena, one->names))
        return fail(one->error, "entity %.*s of %.*s cannot be read", SPAN_ARG(id), SPAN_ARG(one->tenant));
    if (one->checks && place_of_record(&one->placing, id, (uint64_t)one->pages) != page)
        return fail(one->error, "entity %.*s of %.*s stands on page %u, where nobody looks", SPAN_ARG(id), SPAN_ARG(one->tenant),
                    page);
    if (one->checks && !place_is_grave(id) && !timer_stands(one, kind, id, entity.wake_us))
        return fail(one->error, "entity %.*s of %.*s wakes up at %" PRId64 ", its timer does not say so", SPAN_ARG(id),
                    SPAN_ARG(one->tenant), entity.wake_us);
    entity.wake_us = NEVER;
    entity.touched_day = 0;
    entity_encode(&entity, &out);
    struct span *kept = arena_alloc(one->arena, sizeof *kept);
    *kept = arena_copy(one->arena, buffer_all(&out));
    buffer_deinit(&out);
    if (map_put(&one->found, id, kept))
        return fail(one->error, "entity %.*s of %.*s stands there twice", SPAN_ARG(id), SPAN_ARG(one->tenant));
    return true;
}

static void take_marks(struct one_store *one, struct span marks)
{
    for (size_t at = 0; at + RETIRED_MARK_BYTES <= marks.len; at += RETIRED_MARK_BYTES) {
        struct span mark = arena_copy(one->arena, (struct span){ marks.at + at, RETIRED_MARK_BYTES });
        map_put(&one->left, mark, (void *)mark.at);
    }
}

static bool has_left(const struct one_store *one, enum kind kind, struct span id)
{
    char room[RETIRED_KEY_BYTES];
    struct span mark = retired_key(&one->placing, kind, id, room);
    return map_get(&one->left, (struct span){ mark.at + 1, mark.len - 1 });
}

static bool take_kind(struct one_store *one, enum kind kind)
{
    map_clear(&one->found);
    map_clear(&one->left);
    read_count(one, kind);
    for (uint32_t page = 0; page < (uint32_t)one->pages; page++) {
        struct span rest = store_get(one->store, key_page(one->arena, state_prefix, one->tenant, kind, page), NO_SPAN), id, bytes;
        while (page_next(&rest, &id, &bytes))
            if (!id.len)
                take_marks(one, bytes);
            else if (!take_entity(one, kind, page, id, bytes))
                return false;
    }
    return (int64_t)one->found.count == one->n_said ||
           fail(one->error, "%zu entities of kind %d of %.*s, the state says %" PRId64, one->found.count, (int)kind,
                SPAN_ARG(one->tenant), one->n_said);
}

static bool same(const struct one_store *got, const struct one_store *want, enum kind kind)
{
    size_t at = 0, left = 0;
    for (struct map_slot *slot; (slot = map_next(&want->found, &at));) {
        const struct span *other = map_get(&got->found, slot->key), *one = slot->value;
        left += !other && has_left(got, kind, slot->key);
        if (!other && has_left(got, kind, slot->key)) continue;
        if (!other || !span_equal(*one, *other))
            return fail(got->error, "entity %.*s of %.*s %s", SPAN_ARG(slot->key), SPAN_ARG(got->tenant),
                        other ? "differs" : "is missing");
    }
    return (got->found.count + left == want->found.count && left == got->left.count) ||
           fail(got->error, "%zu entities of %.*s, %zu have left, expected %zu", got->found.count, SPAN_ARG(got->tenant),
                got->left.count, want->found.count);
}

bool entity_has_left(const struct store *store, struct span tenant, enum kind kind, struct span id)
{
    struct arena arena = { 0 };
    struct error ignored = { "" };
    struct one_store one = { .store = store, .tenant = tenant, .arena = &arena, .error = &ignored };
    bool left = false;
    read_secret(&one);
    read_count(&one, kind);
    for (uint32_t page = 0; page < (uint32_t)one.pages; page++) {
        struct span rest = store_get(store, key_page(&arena, state_prefix, tenant, kind, page), NO_SPAN), any, bytes;
        while (page_next(&rest, &any, &bytes))
            if (!any.len) take_marks(&one, bytes);
    }
    left = has_left(&one, kind, id);
    map_deinit(&one.left);
    arena_deinit(&arena);
    return left;
}

bool entities_equal(struct world *world, const struct store *want, struct span tenant, const struct names *names)
{
    struct arena arena = { 0 };
    struct one_store a = { .store = &world->store, .tenant = tenant, .names = names, .arena = &arena, .error = &world->wrong };
    struct one_store b = a;
    bool fine = true;
    b.store = want;
    a.checks = true;
    read_secret(&a);
    for (int kind = 0; kind < N_ENTITY_KINDS && fine; kind++)
        fine = take_kind(&a, (enum kind)kind) && take_kind(&b, (enum kind)kind) && same(&a, &b, (enum kind)kind);
    map_deinit(&a.found);
    map_deinit(&b.found);
    map_deinit(&a.left);
    map_deinit(&b.left);
    arena_deinit(&arena);
    return fine;
}
