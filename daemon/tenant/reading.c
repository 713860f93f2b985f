#include "daemon/tenant/reading.h"

#include "daemon/state/keys.h"

#include <stdlib.h>

static struct hash_read *add_read(struct reading *reading, struct reading_target target, struct span key)
{
    if (reading->n == reading->room) {
        reading->room = reading->room ? reading->room * 2 : 64;
        reading->reads = must_realloc(reading->reads, reading->room * sizeof *reading->reads);
        reading->targets = must_realloc(reading->targets, reading->room * sizeof *reading->targets);
    }
    reading->targets[reading->n] = target;
    reading->reads[reading->n] = (struct hash_read){ .key = key };
    return &reading->reads[reading->n++];
}

void reading_add_tenant(struct reading *reading, struct tenant *tenant)
{
    if (tenant->loaded) return;
    struct reading_target target = { .tenant = tenant };
    add_read(reading, target, key_state(reading->arena, reading->prefix, tenant->name));
    add_read(reading, target, key_names(reading->arena, reading->prefix, tenant->name));
    add_read(reading, target, key_months(reading->arena, reading->prefix, tenant->name));
}

void reading_add_entity(struct reading *reading, struct tenant *tenant, enum kind kind, struct span id)
{
    if (tenant_entity(tenant, kind, id)) return;
    struct stored_entity *entity = tenant_entity_add(tenant, kind, id);
    if (!tenant->kind[kind].entities) return; /* there is none of this kind */
    uint32_t bucket = entity_bucket(tenant, id, tenant->kind[kind].buckets);
    struct reading_target target = { .tenant = tenant, .entity = entity };
    struct hash_read *read = add_read(reading, target, key_entities(reading->arena, reading->prefix, tenant->name, kind, bucket));
    struct span *fields = arena_alloc(reading->arena, 2 * sizeof *fields);
    fields[0] = entity->id;
    bool graves = kind == KIND_CONTACT && tenant->graves;
    if (graves) fields[1] = entity_grave_field(tenant, id, reading->arena);
    read->fields = fields;
    read->n_fields = graves ? 2 : 1;
}

static struct span bucket_key(struct reading *reading, const struct tenant *tenant, struct bucket bucket)
{
    if (bucket.type == BUCKET_DAY) return key_day(reading->arena, reading->prefix, tenant->name, bucket.number);
    if (bucket.type == BUCKET_MONTH) return key_month(reading->arena, reading->prefix, tenant->name, bucket.number);
    return key_now(reading->arena, reading->prefix, tenant->name);
}

void reading_add_cells(struct reading *reading, struct tenant *tenant, struct stored_cell **cells, size_t n)
{
    struct reading_target target = { .tenant = tenant, .cells = cells };
    struct hash_read *read = add_read(reading, target, bucket_key(reading, tenant, cells[0]->bucket));
    struct span *fields = arena_alloc(reading->arena, n * sizeof *fields);
    struct buffer field = { 0 };
    for (size_t i = 0; i < n; i++) {
        buffer_clear(&field);
        cell_field_write(&cells[i]->key, tenant->rules, &field);
        fields[i] = arena_copy(reading->arena, buffer_all(&field));
    }
    buffer_deinit(&field);
    read->fields = fields;
    read->n_fields = n;
}

static void take_entity(struct stored_entity *entity, const struct hash_read *read)
{
    for (size_t i = 0; i < read->n_values; i++) {
        if (!read->values[i].at) continue;
        stored_entity_set(entity, read->values[i]);
        entity->placed = true;
        entity->grave = i == 1;
    }
}

static bool take_cells(struct stored_cell **cells, const struct hash_read *read, struct error *error)
{
    for (size_t i = 0; i < read->n_values; i++) {
        if (!read->values[i].at) continue;
        if (!cell_value_parse(cells[i]->key.fact, read->values[i], &cells[i]->value))
            return fail(error, "field %.*s of %.*s is malformed", SPAN_ARG(read->fields[i]), SPAN_ARG(read->key));
        stored_cell_resized(cells[i]);
    }
    return true;
}

static bool take_all(struct reading *reading, const struct tenant_settings *settings, struct error *error)
{
    for (size_t i = 0; i < reading->n; i++) {
        struct reading_target *target = &reading->targets[i];
        const struct hash_read *read = &reading->reads[i];
        if (target->entity) {
            take_entity(target->entity, read);
        } else if (target->cells) {
            if (!take_cells(target->cells, read, error)) return false;
        } else {
            if (!tenant_restore(target->tenant, settings, read, read + 1, read + 2, error)) return false;
            i += 2;
        }
    }
    return true;
}

bool reading_run(struct reading *reading, const struct tenant_settings *settings, enum outcome *outcome, struct error *error)
{
    bool fine =
        !reading->n || reading->state->ops->read(reading->state, reading->reads, reading->n, reading->arena, outcome, error);
    if (fine && !take_all(reading, settings, error)) {
        *outcome = REFUSED;
        fine = false;
    }
    reading->n = 0;
    return fine;
}

void reading_deinit(struct reading *reading)
{
    free(reading->reads);
    free(reading->targets);
    *reading = (struct reading){ 0 };
}
