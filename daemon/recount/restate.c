#include "daemon/recount/restate.h"

#include "daemon/tenant/place.h"

#include <stdlib.h>

enum {
    ENTITIES_PER_BATCH = 2000
};

struct kept_entity {
    enum kind kind;
    struct span id, bytes;
};

/* Entities on their way from where they stand into the copy. */
struct restating {
    struct refold *refold;
    struct refold_tenant *into;
    struct view *view;
    struct arena arena; /* of those waiting */
    struct kept_entity waiting[ENTITIES_PER_BATCH];
    size_t n_waiting;
    bool graves; /* this walk is for the deleted contacts, the next for all others */
    int64_t done, all;
    tell_restated progress;
    void *context;
    struct error *error;
};

/* ---- one entity ---- */

/* Its local days are those of the zone as it is now. */
static void set_offsets(struct entity *entity, const struct zone *zone)
{
    for (uint32_t i = 0; i < entity->n_events; i++) entity->events[i].offset_s = zone_offset(zone, entity->events[i].time_us);
    for (uint32_t i = 0; i < entity->n_attributes; i++) {
        struct entity_attribute *attribute = &entity->attributes[i];
        bool instant = attribute->attribute < N_ATTRIBUTES && attribute_rows[attribute->attribute].type == TYPE_INSTANT;
        if (instant && attribute->value.type == STORED_INTEGER)
            attribute->value.offset_s = zone_offset(zone, attribute->value.integer);
    }
}

static void state_again(struct batch *batch, const struct kept_entity *kept)
{
    struct entity stored = { .kind = kept->kind, .id = kept->id, .wake_us = NEVER };
    struct work *work = batch_work(batch, kept->kind, kept->id);
    if (!entity_decode(&stored, kept->bytes, batch->working, &batch->tenant->names)) return;
    set_offsets(&stored, batch->tenant->rules->zone);
    batch_touch(batch, work); /* as it stands in the copy: others may have handed it something */
    work->entity.events = stored.events;
    work->entity.n_events = stored.n_events;
    work->entity.room_events = stored.room_events;
    work->entity.attributes = stored.attributes;
    work->entity.n_attributes = stored.n_attributes;
    work->entity.room_attributes = stored.room_attributes;
    work->entity.buried = stored.buried;
    work->entity.n_buried = stored.n_buried;
    work->entity.touched_day = stored.touched_day;
    if (kept->kind == KIND_CONTACT && contact_link(&work->entity)) batch_relink(batch, work, NULL);
}

/* ---- the first batch: what no entity says, and the graves, whose ids nobody knows ---- */

static void copy_positions(struct batch *batch, const struct tenant *from)
{
    for (size_t i = 0; i < from->n_positions; i++) {
        struct tenant_position *position = tenant_position(batch->tenant, from->positions[i].partition);
        position->next = from->positions[i].next;
        position->life = from->positions[i].life;
        position->changed = true;
    }
}

static bool copy_intake(void *context, const struct cell_key *key, const struct cell_value *value)
{
    struct batch *batch = context;
    bool of_intake = fact_is_of_intake((enum fact)key->fact);
    struct fact_entry entry = { .key = *key };
    entry.measures[0] = value->sums[0];
    if (of_intake && batch->tenant->kept->fact[key->fact].on) ledger_add(&batch->ledger, &entry, 1);
    return true;
}

/* Nothing is handed to it yet. */
static struct span bare_grave(struct batch *batch, const struct kept_entity *kept, char *lost_id, size_t lost_bytes)
{
    struct entity grave = { .kind = kept->kind, .id = { lost_id, lost_bytes }, .wake_us = NEVER };
    struct buffer out = { 0 };
    if (!entity_decode(&grave, kept->bytes, batch->working, &batch->tenant->names)) return NO_SPAN;
    set_offsets(&grave, batch->tenant->rules->zone);
    memset(grave.sums, 0, sizeof grave.sums);
    grave.n_items = 0;
    grave.wake_us = NEVER;
    grave.generation = 0;
    grave.touched_day = 0;
    entity_encode(&grave, &out);
    struct span bytes = arena_copy(batch->working, buffer_all(&out));
    buffer_deinit(&out);
    return bytes;
}

/* The pages they stand on, in memory. */
static struct page **load_pages(struct batch *batch, const struct restating *restating)
{
    struct tenant *tenant = batch->tenant;
    struct page **pages = arena_alloc(batch->working, (restating->n_waiting + 1) * sizeof(struct page *));
    if (!tenant->kind[KIND_CONTACT].pages) tenant->kind[KIND_CONTACT].pages = 1;
    for (size_t i = 0; i < restating->n_waiting; i++)
        pages[i] = loading_add_page(batch->loading, tenant, KIND_CONTACT,
                                    place_of_record(tenant, restating->waiting[i].id, tenant->kind[KIND_CONTACT].pages));
    if (!loading_run(batch->loading, batch->settings, &batch->outcome, &batch->error)) return NULL;
    return pages;
}

static void put_graves(struct batch *batch, const struct restating *restating)
{
    static char lost_id[ID_BYTES_MAX];
    struct tenant *tenant = batch->tenant;
    struct page **pages = load_pages(batch, restating);
    for (size_t i = 0; i < restating->n_waiting && pages; i++) {
        const struct kept_entity *kept = &restating->waiting[i];
        struct span bytes = bare_grave(batch, kept, lost_id, sizeof lost_id);
        if (!bytes.at) continue;
        page_put(pages[i], kept->id, bytes);
        tenant->kind[KIND_CONTACT].entities++;
        tenant->kind[KIND_CONTACT].bytes += bytes.len;
        tenant->graves++;
    }
    batch->raw_pages = pages;
    batch->n_raw_pages = pages ? restating->n_waiting : 0;
}

/* ---- batches ---- */

static void fill(void *context, struct batch *batch)
{
    struct restating *restating = context;
    if (restating->graves) {
        put_graves(batch, restating);
        return;
    }
    for (size_t i = 0; i < restating->n_waiting && batch->outcome == DONE; i++) state_again(batch, &restating->waiting[i]);
}

static void fill_first(void *context, struct batch *batch)
{
    struct restating *restating = context;
    struct cell_reader reader = view_reader(restating->view);
    copy_positions(batch, restating->view->tenant);
    (void)reader.cells(reader.context, (struct bucket){ BUCKET_NOW, 0 }, copy_intake, batch, restating->error);
}

static bool flush(struct restating *restating)
{
    bool fine = !restating->n_waiting || refold_batch(restating->refold, restating->into, fill, restating, restating->error);
    restating->done += (int64_t)restating->n_waiting;
    restating->n_waiting = 0;
    arena_reset(&restating->arena);
    if (fine && restating->progress) restating->progress(restating->context, restating->done, restating->all);
    return fine;
}

static bool take(void *context, const struct stored *stored)
{
    struct restating *restating = context;
    const struct entity *entity = &stored->entity;
    bool grave = place_is_grave(entity->id), bare = !entity->n_events && !entity->n_buried;
    if (grave != restating->graves) return true;
    if (!stored->readable || bare || entity->kind >= N_KINDS) {
        restating->done++; /* there is nothing to be stated again of it */
        return true;
    }
    restating->waiting[restating->n_waiting++] = (struct kept_entity){ entity->kind, arena_copy(&restating->arena, entity->id),
                                                                       arena_copy(&restating->arena, stored->bytes) };
    return restating->n_waiting < ENTITIES_PER_BATCH || flush(restating);
}

static bool walk(struct restating *restating, bool graves)
{
    restating->graves = graves;
    uint32_t kinds = graves ? 1u << KIND_CONTACT : ALL_KINDS;
    return view_entities(restating->view, kinds, take, restating, restating->error) && flush(restating);
}

/* Names may have come since it was added, and the view's entities name them. */
static void begin(struct refold_tenant *into, const struct tenant *from)
{
    struct kept kept = *into->tenant->kept;
    refold_begin(into, from, &kept, from->clock_us > into->clock_us ? from->clock_us : into->clock_us);
}

bool restate(struct refold *refold, struct refold_tenant *into, struct view *view, tell_restated progress, void *context,
             struct error *error)
{
    struct restating *restating = must_zalloc(sizeof *restating);
    restating->refold = refold;
    restating->into = into;
    restating->view = view;
    restating->all = (int64_t)view_entity_count(view);
    restating->progress = progress;
    restating->context = context;
    restating->error = error;
    begin(into, view->tenant);
    bool fine = refold_batch(refold, into, fill_first, restating, error) && !error->text[0] &&
                (!view->tenant->graves || walk(restating, true)) && walk(restating, false);
    arena_deinit(&restating->arena);
    free(restating);
    return fine;
}
