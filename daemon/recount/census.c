#include "daemon/recount/census.h"

#include "common/period.h"
#include "daemon/facts/facts.h"
#include "daemon/tenant/place.h"
#include "daemon/tenant/retired.h"

#include <stdlib.h>

/* ---- cells ---- */

void census_deinit(struct census *census)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&census->cells, &at));)
        cell_value_deinit(&((struct census_cell *)slot->value)->value);
    map_deinit(&census->cells);
    map_deinit(&census->entities);
    map_deinit(&census->lines);
    arena_deinit(&census->arena);
    *census = (struct census){ 0 };
}

/* Bucket, fact and dimensions lie behind each other. */
static struct span cell_name(const struct census_cell *cell)
{
    return (struct span){ (const char *)cell, offsetof(struct census_cell, key) + cell_key_bytes(&cell->key) };
}

static struct census_cell like(struct bucket bucket, const struct cell_key *key)
{
    struct census_cell cell;
    memset(&cell, 0, sizeof cell);
    cell.bucket = bucket;
    cell_key_copy(&cell.key, key);
    return cell;
}

static struct census_cell *cell_of(struct census *census, struct bucket bucket, const struct cell_key *key)
{
    struct census_cell wanted = like(bucket, key);
    struct census_cell *cell = map_get(&census->cells, cell_name(&wanted));
    if (cell) return cell;
    cell = arena_alloc(&census->arena, sizeof *cell);
    *cell = wanted;
    map_put(&census->cells, cell_name(cell), cell);
    return cell;
}

const struct cell_value *census_cell(const struct census *census, const struct census_cell *asked)
{
    const struct census_cell *cell = map_get(&census->cells, cell_name(asked));
    return cell && !cell_value_is_zero(&cell->value) ? &cell->value : NULL;
}

void census_add_cell(struct census *census, struct bucket bucket, const struct cell_key *key, const struct cell_value *value)
{
    (void)cell_value_add(&cell_of(census, bucket, key)->value, value, 1);
}

void census_add(struct census *census, const struct census *other)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&other->cells, &at));) {
        const struct census_cell *cell = slot->value;
        (void)cell_value_add(&cell_of(census, cell->bucket, &cell->key)->value, &cell->value, 1);
    }
}

void census_add_shared(struct census *census, const struct census *other, const struct kept *shared)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&other->cells, &at));) {
        const struct census_cell *cell = slot->value;
        struct cell_value value = { 0 };
        struct cell_key key = cell->key;
        if (!shared->fact[key.fact].on) continue;
        kept_cut_key(shared, &key);
        (void)cell_value_add(&value, &cell->value, 1);
        for (int i = 1; i < fact_rows[key.fact].n_measures; i++)
            if (!(shared->fact[key.fact].measures >> i & 1)) value.sums[i] = 0, histogram_clear(&value.spread[i]);
        (void)cell_value_add(&cell_of(census, cell->bucket, &key)->value, &value, 1);
        cell_value_deinit(&value);
    }
}

/* ---- lines ---- */

static void add_line(void *context, enum list list, struct span id, const struct list_line *line)
{
    struct census *census = context;
    struct census_line *added = arena_alloc(&census->arena, sizeof *added);
    char *name = arena_alloc(&census->arena, id.len + 1);
    name[0] = (char)list;
    memcpy(name + 1, id.at, id.len);
    *added = (struct census_line){ list, { name + 1, id.len }, *line };
    map_put(&census->lines, (struct span){ name, id.len + 1 }, added);
}

const struct census_line *census_line(const struct census *census, const struct census_line *asked)
{
    struct span name = { asked->id.at - 1, asked->id.len + 1 }; /* the list's byte lies before the id */
    return map_get(&census->lines, name);
}

/* Of a view that was read in one step there are none. */
static bool add_lines(struct census *census, struct view *view, struct error *error)
{
    struct cell_reader reader = view_reader(view);
    bool fine = true;
    for (int list = 0; list < N_LISTS && fine && !view->whole; list++)
        fine = reader.lines(reader.context, (enum list)list, add_line, census, error);
    return fine;
}

/* A bucket being read. */
struct taking {
    struct census *census;
    struct bucket bucket;
};

static bool take_cell_of(void *context, const struct cell_key *key, const struct cell_value *value)
{
    struct taking *taking = context;
    (void)cell_value_add(&cell_of(taking->census, taking->bucket, key)->value, value, 1);
    return true;
}

bool census_add_cells(struct census *census, struct view *view, struct error *error)
{
    size_t n;
    struct bucket *buckets = view_buckets(view, &n);
    struct cell_reader reader = view_reader(view);
    bool fine = view->whole || reader.prefetch(reader.context, buckets, n, error);
    for (size_t i = 0; i < n && fine; i++) {
        struct taking taking = { census, buckets[i] };
        fine = reader.cells(reader.context, buckets[i], take_cell_of, &taking, error);
    }
    free(buckets);
    return fine && add_lines(census, view, error);
}

/* ---- entities ---- */

struct telling {
    struct census *census, *due;
    struct view *view;
    const struct kept *shared; /* NULL: all */
    struct buffer scratch;
};

static void add_to_bucket(struct census *census, struct bucket bucket, const struct fact_entry *fact, int factor)
{
    fact_entry_add(fact, factor, &cell_of(census, bucket, &fact->key)->value);
}

static void add_statement(struct census *census, const struct statement *statement, int factor)
{
    for (uint32_t i = 0; i < statement->n_facts; i++) {
        const struct fact_entry *fact = &statement->facts[i];
        if (fact_rows[fact->key.fact].dating != DATED) {
            add_to_bucket(census, (struct bucket){ BUCKET_NOW, 0 }, fact, factor);
            continue;
        }
        add_to_bucket(census, (struct bucket){ BUCKET_DAY, fact->day }, fact, factor);
        add_to_bucket(census, (struct bucket){ BUCKET_MONTH, month_of_day(fact->day) }, fact, factor);
    }
}

static bool is_shared(const struct telling *telling, const struct entity *entity, uint32_t attribute)
{
    const struct tenant *tenant = telling->view->tenant;
    if (attribute < ATTRIBUTE_CUSTOM) return true;
    struct span name = names_text(&tenant->names, attribute - ATTRIBUTE_CUSTOM);
    int custom = rules_custom(tenant->rules, entity->kind, name);
    return custom >= 0 && (telling->shared->customs[entity->kind] >> custom & 1);
}

/* Its events, without what others handed to it, which goes by what is kept, and without attributes that were not always declared. */
static void cut_entity(const struct telling *telling, struct entity *entity, struct arena *arena)
{
    struct entity_attribute *attributes = arena_alloc(arena, (entity->n_attributes + 1) * sizeof *attributes);
    uint32_t n = 0;
    for (uint32_t i = 0; i < entity->n_attributes; i++)
        if (is_shared(telling, entity, entity->attributes[i].attribute)) attributes[n++] = entity->attributes[i];
    entity->attributes = attributes;
    entity->n_attributes = n;
    entity->n_items = 0;
    memset(entity->sums, 0, sizeof entity->sums);
}

/* What timers may move at any time is no part of it, nor by what it was counted. */
static uint64_t hash_of(struct telling *telling, const struct entity *entity, struct arena *arena)
{
    struct entity still = *entity;
    still.wake_us = NEVER;
    still.generation = 0;
    still.touched_day = 0;
    if (telling->shared) cut_entity(telling, &still, arena);
    buffer_clear(&telling->scratch);
    entity_encode(&still, &telling->scratch);
    return bytes_hash(telling->scratch.at, telling->scratch.len);
}

static struct span entity_name_of(struct census *census, enum kind kind, struct span id)
{
    char *name = arena_alloc(&census->arena, id.len + 1);
    name[0] = (char)kind;
    if (id.len) memcpy(name + 1, id.at, id.len);
    return (struct span){ name, id.len + 1 };
}

/* Under what a deleted contact stands goes by what was handed to it. */
static bool is_noted(const struct telling *telling, const struct stored *stored)
{
    const struct entity *entity = &stored->entity;
    if (!telling->shared || !stored->readable) return true;
    if (entity->kind == KIND_CONTACT && entity_last_deleted(entity) + 1 == (int64_t)entity->n_events) return false;
    return entity->kind < N_KINDS && telling->shared->kind[entity->kind] && (entity->n_events || entity->n_buried);
}

static void note_entity(struct telling *telling, const struct stored *stored, struct entity *decoded)
{
    if (!is_noted(telling, stored)) return;
    struct census_entity *entity = arena_alloc(&telling->census->arena, sizeof *entity);
    struct span name = entity_name_of(telling->census, stored->entity.kind, stored->entity.id);
    *entity = (struct census_entity){ stored->entity.kind, { name.at + 1, name.len - 1 }, stored->readable, 0 };
    if (stored->readable) entity->hash = hash_of(telling, decoded, stored->arena);
    map_put(&telling->census->entities, name, entity);
}

/* "deal D-1" */
static void add_listings(struct telling *telling, const struct stored *stored, const struct statement *statement)
{
    const struct entity *entity = &stored->entity;
    struct buffer id = { 0 };
    if (!statement->n_listings || entity->kind >= N_KINDS || place_is_grave(entity->id)) return;
    buffer_printf(&id, "%s %.*s", kind_rows[entity->kind].name, SPAN_ARG(entity->id));
    for (uint32_t i = 0; i < statement->n_listings; i++)
        add_line(telling->census, statement->listings[i].list, buffer_all(&id), &statement->listings[i].line);
    buffer_deinit(&id);
}

static bool has_left(const struct view *view, const struct stored *stored)
{
    char room[RETIRED_KEY_BYTES];
    return view && map_get(&view->retired, retired_key(view->tenant, stored->entity.kind, stored->entity.id, room));
}

static bool take_entity(void *context, const struct stored *stored)
{
    struct telling *telling = context;
    if (has_left(telling->census->left, stored)) return true;
    const struct tenant *tenant = telling->view->tenant;
    struct entity entity = stored->entity;
    note_entity(telling, stored, &entity);
    if (!stored->readable) return true;
    struct statement counted = stored_statement(telling->view, stored, counted_clock_us(&entity));
    add_statement(telling->census, &counted, 1);
    add_listings(telling, stored, &counted);
    if (!telling->due || entity.wake_us > tenant->clock_us) return true;
    struct statement now = stored_statement(telling->view, stored, tenant->clock_us);
    add_statement(telling->due, &counted, -1);
    add_statement(telling->due, &now, 1);
    return true;
}

bool census_add_entities(struct census *census, struct view *view, const struct kept *shared, struct census *due,
                         struct error *error)
{
    struct telling telling = { .census = census, .due = due, .view = view, .shared = shared };
    bool fine = view_entities(view, ALL_KINDS, take_entity, &telling, error);
    buffer_deinit(&telling.scratch);
    return fine;
}

const struct census_entity *census_entity(const struct census *census, const struct census_entity *asked)
{
    char name[TEXT_BYTES_MAX + 1];
    name[0] = (char)asked->kind;
    if (asked->id.len) memcpy(name + 1, asked->id.at, asked->id.len);
    return map_get(&census->entities, (struct span){ name, asked->id.len + 1 });
}
