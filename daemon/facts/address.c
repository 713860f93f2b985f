/* An e-mail or phone number (a keyed hash) and the contacts that have it: tells each of them whether an older one does. */
#include "common/instant.h"
#include "daemon/facts/tell.h"

#include <stdlib.h>

#define DOUBLE_SUBMISSION_US (10 * 60 * MICROS_PER_SECOND)

/* `text`: the contact's id. */
static bool member_decode(struct entity_event *created, const struct handed_item *item, const struct names *names)
{
    struct cursor in = cursor_of(item->payload);
    *created = (struct entity_event){ .time_us = cursor_zigzag(&in), .text = item->key };
    created->sequence = cursor_text(&in);
    name_id source = (name_id)cursor_varint(&in);
    created->id = cursor_text(&in);
    if (in.broken || source >= names->n) return false;
    created->source = names_text(names, source);
    return true;
}

static int compare_members(const void *a, const void *b)
{
    int c = event_compare(a, b);
    return c ? c : span_compare(((const struct entity_event *)a)->text, ((const struct entity_event *)b)->text);
}

void tell_address(struct teller *teller)
{
    const struct entity *entity = teller->entity;
    struct entity_event *members = arena_alloc(teller->context->arena, (entity->n_items + 1) * sizeof *members);
    uint32_t n = 0;
    for (uint32_t i = 0; i < entity->n_items; i++)
        if (entity->items[i].count > 0 && member_decode(&members[n], &entity->items[i], teller->context->names)) n++;
    qsort(members, n, sizeof *members, compare_members);
    bool is_email = entity->id.len && entity->id.at[0] == 'e';
    for (uint32_t i = 1; i < n; i++) {
        hand_sum(teller, KIND_CONTACT, members[i].text, HANDED_DUPLICATES);
        if (is_email && members[i].time_us - members[i - 1].time_us <= DOUBLE_SUBMISSION_US)
            hand_sum(teller, KIND_CONTACT, members[i].text, HANDED_DOUBLES);
    }
}
