#include "tests/sim/store.h"

#include "common/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct store_change {
    struct span key, field, before;
};
struct store_step {
    size_t changes; /* behind its last one */
    int64_t at_us;
};

static void free_hash(struct store_hash *hash)
{
    map_deinit(&hash->fields);
    free(hash);
}

void store_deinit(struct store *store)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&store->hashes, &at));) free_hash(slot->value);
    map_deinit(&store->hashes);
    arena_deinit(&store->arena);
    free(store->changes);
    free(store->steps);
    *store = (struct store){ 0 };
}

const struct store_hash *store_hash(const struct store *store, struct span key)
{
    return map_get(&store->hashes, key);
}

struct span store_get(const struct store *store, struct span key, struct span field)
{
    const struct store_hash *hash = store_hash(store, key);
    const struct store_field *found = hash ? map_get(&hash->fields, field) : NULL;
    return found ? found->value : NO_SPAN;
}

int64_t store_number(const struct store *store, struct span key, struct span field)
{
    struct span text = store_get(store, key, field);
    char digits[24] = "";
    if (text.len < sizeof digits && text.len) memcpy(digits, text.at, text.len);
    return strtoll(digits, NULL, 10);
}

/* A text that is there and empty differs from one that is not there. */
static struct span keep(struct store *store, struct span text)
{
    return text.len ? arena_copy(&store->arena, text) : SPAN("");
}

static struct store_hash *open_hash(struct store *store, struct span key)
{
    struct store_hash *hash = map_get(&store->hashes, key);
    if (hash) return hash;
    hash = must_zalloc(sizeof *hash);
    hash->key = keep(store, key);
    map_put(&store->hashes, hash->key, hash);
    return hash;
}

/* Without a note of what stood there. */
static void set_field(struct store *store, struct span key, struct span name, struct span value)
{
    struct store_hash *hash = open_hash(store, key);
    struct store_field *field = map_get(&hash->fields, name);
    if (value.at && !field) {
        field = arena_alloc(&store->arena, sizeof *field);
        field->name = keep(store, name);
        map_put(&hash->fields, field->name, field);
    }
    if (value.at)
        field->value = value;
    else
        map_remove(&hash->fields, name);
    if (hash->fields.count) return;
    map_remove(&store->hashes, key); /* Redis keeps no empty hashes */
    free_hash(hash);
}

void store_put(struct store *store, struct span key, struct span field, struct span value)
{
    if (store->n_changes == store->room_changes) {
        store->room_changes = store->room_changes ? store->room_changes * 2 : 256;
        store->changes = must_realloc(store->changes, store->room_changes * sizeof *store->changes);
    }
    store->changes[store->n_changes++] =
        (struct store_change){ keep(store, key), keep(store, field), store_get(store, key, field) };
    set_field(store, key, field, value.at ? keep(store, value) : NO_SPAN);
}

void store_remove(struct store *store, struct span key)
{
    const struct store_hash *hash = store_hash(store, key);
    size_t n = hash ? hash->fields.count : 0, at = 0, i = 0;
    struct span *fields = must_alloc((n + 1) * sizeof *fields);
    for (struct map_slot *slot; n && (slot = map_next(&hash->fields, &at));) fields[i++] = slot->key;
    for (i = 0; i < n; i++) store_put(store, key, fields[i], NO_SPAN);
    free(fields);
}

void store_put_number(struct store *store, struct span key, struct span field, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    store_put(store, key, field, span_of(text));
}

void store_step(struct store *store)
{
    if (store->n_steps == store->room_steps) {
        store->room_steps = store->room_steps ? store->room_steps * 2 : 256;
        store->steps = must_realloc(store->steps, store->room_steps * sizeof *store->steps);
    }
    store->steps[store->n_steps++] = (struct store_step){ store->n_changes, *store->clock_us };
}

void store_restart(struct store *store)
{
    store->run++;
}

void store_set_back(struct store *store, size_t steps)
{
    store_restart(store);
    if (steps >= store->n_steps) return;
    size_t until = steps ? store->steps[steps - 1].changes : 0;
    while (store->n_changes > until) {
        const struct store_change *change = &store->changes[--store->n_changes];
        set_field(store, change->key, change->field, change->before);
    }
    store->n_steps = steps;
}

size_t store_steps_until(const struct store *store, int64_t at_us)
{
    size_t n = store->n_steps;
    while (n && store->steps[n - 1].at_us > at_us) n--;
    return n;
}

static const struct store_hash *any_hash(const struct store *store)
{
    size_t at = 0;
    struct map_slot *slot = map_next(&store->hashes, &at);
    return slot ? slot->value : NULL;
}

void store_empty(struct store *store)
{
    for (const struct store_hash *hash; (hash = any_hash(store));) {
        struct span key = hash->key;
        for (size_t n = hash->fields.count; n; n--) {
            size_t at = 0;
            const struct map_slot *slot = map_next(&hash->fields, &at);
            store_put(store, key, slot->key, NO_SPAN);
        }
    }
    store_step(store);
}
