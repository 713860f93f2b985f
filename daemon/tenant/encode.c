/* What changed becomes bytes: what is to stand on which page, and when entities are to be looked at again. */
#include "daemon/state/keys.h"
#include "daemon/tenant/fold.h"
#include "daemon/tenant/place.h"

#include <stdlib.h>

void batch_put_timer(struct batch *batch, struct span member, int64_t at_us)
{
    if (batch->n_timer_writes == batch->room_timer_writes) {
        batch->room_timer_writes = batch->room_timer_writes ? batch->room_timer_writes * 2 : 64;
        batch->timer_writes = must_realloc(batch->timer_writes, batch->room_timer_writes * sizeof *batch->timer_writes);
    }
    batch->timer_writes[batch->n_timer_writes++] = (struct timer_write){ member, at_us };
}

static void put_wake_up(struct batch *batch, const struct work *work)
{
    int64_t wake_us = work->entity.wake_us;
    if (wake_us == work->old_wake_us && !work->rang) return;
    batch_put_timer(batch, timer_member(batch->arena, work->entity.kind, work->entity.id), wake_us);
    if (wake_us < batch->tenant->next_timer_us) batch->tenant->next_timer_us = wake_us;
}

/* A deleted contact stands under the hash of its id, and is moved there and back. */
static bool is_grave(const struct entity *entity)
{
    int64_t deleted = entity->kind == KIND_CONTACT ? entity_last_deleted(entity) : -1;
    return deleted >= 0 && deleted + 1 == entity->n_events && !entity->n_items;
}

void batch_put_record(struct batch *batch, const struct work *work, struct span id, struct span old, struct span bytes)
{
    struct page_write *write = arena_alloc(batch->working, sizeof *write);
    *write = (struct page_write){
        .next = batch->records, .page = work->page, .place = work->place, .id = id, .bytes = bytes, .old = old
    };
    batch->records = write;
}

static void put_entity(struct batch *batch, const struct work *work, bool grave, struct span bytes)
{
    struct tenant *tenant = batch->tenant;
    struct span id = work->entity.id, grave_id = NO_SPAN;
    if (grave || work->grave) grave_id = place_grave_id(tenant, id, batch->working);
    bool stays = work->grave == grave;
    if (!stays) batch_put_record(batch, work, work->grave ? grave_id : id, work->stored, NO_SPAN);
    batch_put_record(batch, work, grave ? grave_id : id, stays ? work->stored : NO_SPAN, bytes);
    tenant->graves += (uint64_t)(grave - work->grave);
}

/* Nothing where it says nothing. */
static struct span encode(struct batch *batch, struct work *work, struct buffer *scratch)
{
    if (entity_is_empty(&work->entity)) return NO_SPAN;
    if (!entity_is_settled(&work->entity)) {
        batch_doubt(batch, work, "was handed what nobody hands over");
        return NO_SPAN;
    }
    buffer_clear(scratch);
    entity_encode(&work->entity, scratch);
    return arena_copy(batch->working, buffer_all(scratch));
}

void batch_encode(struct batch *batch, struct work *work, struct buffer *scratch)
{
    struct tenant *tenant = batch->tenant;
    struct span bytes = encode(batch, work, scratch);
    bool grave = bytes.at && is_grave(&work->entity);
    tenant->kind[work->entity.kind].entities += (uint64_t)((bytes.at != NULL) - (work->stored.at != NULL));
    tenant->kind[work->entity.kind].bytes += bytes.len - work->stored.len;
    put_wake_up(batch, work);
    bool same = work->stored.at && work->grave == grave && span_equal(bytes, work->stored);
    if (!same && (work->stored.at || bytes.at)) put_entity(batch, work, grave, bytes);
}
