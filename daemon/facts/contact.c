/* What a contact says: the lead it is, whether it became a customer, its lists; and, once merged into another, only where
 * everything that was handed to it goes. */
#include "common/instant.h"
#include "daemon/facts/tell.h"

/* Opened again after its last `deleted`? Then it starts afresh. */
static bool is_afresh(const struct entity *contact, int64_t deleted)
{
    for (int64_t i = deleted + 1; deleted >= 0 && i < contact->n_events; i++)
        if (verb_opening(KIND_CONTACT, contact->events[i].verb) == OPENS) return true;
    return false;
}

const struct entity_event *contact_link(const struct entity *contact)
{
    int64_t deleted = entity_last_deleted(contact), oldest = is_afresh(contact, deleted) ? deleted + 1 : 0;
    for (int64_t i = contact->n_events; i > oldest; i--)
        if (contact->events[i - 1].verb == VERB_MERGED) return &contact->events[i - 1];
    return NULL;
}

/* ---- wins and touches handed to it ---- */

/* The earliest standing win that names the contact as lead; false: none. */
static bool earliest_lead_win(const struct teller *teller, struct win *earliest)
{
    bool found = false;
    const struct entity *entity = teller->entity;
    for (uint32_t i = 0; i < entity->n_items; i++) {
        struct win win;
        if (!win_decode(&win, &entity->items[i], teller->context)) continue;
        if (!(win.roles & WIN_LEAD)) continue;
        if (!found || win_compare(&win, earliest) < 0) *earliest = win;
        found = true;
    }
    return found;
}

static void tell_lead_revenue(struct teller *teller)
{
    const struct entity *entity = teller->entity;
    for (uint32_t i = 0; i < entity->n_items && wanted(teller, FACT_LEAD_REVENUE); i++) {
        struct win win;
        if (!win_decode(&win, &entity->items[i], teller->context)) continue;
        if (!(win.roles & WIN_LEAD)) continue;
        struct fact_entry *entry = tell(teller, FACT_LEAD_REVENUE, event_day(&win.event));
        set_dim(entry, DIM_CURRENCY, win.currency);
        set_measure(entry, 1, win.amount);
    }
}

/* The contact's first touch not before its creation; false: none. */
static bool first_touch(const struct teller *teller, int64_t *time_us, int32_t *offset_s)
{
    bool found = false;
    const struct entity *entity = teller->entity;
    for (uint32_t i = 0; i < entity->n_items; i++) {
        int64_t at_us = 0;
        int32_t at_offset_s = 0;
        if (!touch_decode(&entity->items[i], &at_us, &at_offset_s)) continue;
        if (at_us < teller->created->time_us || (found && at_us >= *time_us)) continue;
        *time_us = at_us;
        *offset_s = at_offset_s;
        found = true;
    }
    return found;
}

static void tell_first_touch(struct teller *teller, bool converted)
{
    int64_t time_us = 0;
    int32_t offset_s = 0;
    if (first_touch(teller, &time_us, &offset_s)) {
        struct fact_entry *entry = tell(teller, FACT_LEAD_RESPONSE, local_day(time_us, offset_s));
        set_measure(entry, 1, elapsed_ms(teller->created->time_us, time_us));
    } else if (!converted) {
        tell(teller, FACT_LEAD_UNTOUCHED, 0);
    }
}

/* ---- the lead ---- */

static bool tell_conversion(struct teller *teller)
{
    struct win win;
    if (!earliest_lead_win(teller, &win)) return false;
    tell(teller, FACT_LEAD_CONVERTED, event_day(teller->created));
    struct fact_entry *entry = tell(teller, FACT_CONVERSION, event_day(&win.event));
    set_measure(entry, 1, elapsed_ms(teller->created->time_us, win.event.time_us));
    return true;
}

static void tell_lead(struct teller *teller)
{
    tell(teller, FACT_LEAD, event_day(teller->created));
    const struct entity_event *qualified = first_of(teller, VERB_QUALIFIED);
    if (qualified) tell(teller, FACT_LEAD_QUALIFIED, event_day(qualified));
    bool converted = tell_conversion(teller);
    tell_lead_revenue(teller);
    tell_first_touch(teller, converted);
    if (tell_value(teller, ATTRIBUTE_REFERRED_BY) || teller->common[2] == known(teller->context, KNOWN_REFERRAL))
        tell(teller, FACT_REFERRAL, event_day(teller->created));
}

/* ---- lists: joined when not on it, left when on it ---- */

static bool is_on_list(const struct teller *teller, uint32_t before, name_id list)
{
    for (uint32_t i = before; i > first_event(teller); i--) {
        const struct entity_event *event = &teller->entity->events[i - 1];
        bool about = event->verb == VERB_SUBSCRIBED || event->verb == VERB_UNSUBSCRIBED;
        if (about && event->name == list) return event->verb == VERB_SUBSCRIBED;
    }
    return false;
}

static void tell_lists(struct teller *teller)
{
    for (uint32_t i = first_event(teller); i < teller->entity->n_events; i++) {
        const struct entity_event *event = &teller->entity->events[i];
        bool joins = event->verb == VERB_SUBSCRIBED;
        if (!joins && event->verb != VERB_UNSUBSCRIBED) continue;
        if (is_on_list(teller, i, event->name) == joins) continue;
        set_dim(tell(teller, joins ? FACT_LIST_JOINED : FACT_LIST_LEFT, event_day(event)), DIM_LIST, event->name);
    }
}

/* ---- addresses: who else has this e-mail or phone? ---- */

struct span contact_address(struct arena *arena, uint32_t attribute, uint64_t hash)
{
    struct buffer id = buffer_in(arena, 1 + 16);
    buffer_byte(&id, attribute == ATTRIBUTE_EMAIL ? 'e' : 'p');
    buffer_hex(&id, hash);
    return buffer_all(&id);
}

bool contact_addresses_matter(const struct kept *kept)
{
    return kept->fact[FACT_DUPLICATE_CONTACT].on || kept->fact[FACT_DOUBLE_SUBMISSION].on || kept->fact[FACT_RECORD].on;
}

static void hand_address(struct teller *teller, uint32_t attribute)
{
    const struct entity_value *value = tell_value(teller, attribute);
    if (!value || !value->hash) return;
    const struct entity_event *created = teller->created;
    struct buffer payload = buffer_in(teller->context->arena, 4 * VARINT_BYTES + created->sequence.len + created->id.len);
    buffer_zigzag(&payload, created->time_us);
    buffer_text(&payload, created->sequence);
    buffer_varint(&payload, created->source_id);
    buffer_text(&payload, created->id);
    struct handed_item item = { .type = HANDED_MEMBER, .key = teller->entity->id, .payload = buffer_all(&payload) };
    hand_item(teller, KIND_ADDRESS, contact_address(teller->context->arena, attribute, value->hash), item);
}

static void tell_duplicates(struct teller *teller)
{
    if (!contact_addresses_matter(teller->context->kept)) return;
    hand_address(teller, ATTRIBUTE_EMAIL);
    hand_address(teller, ATTRIBUTE_PHONE);
    bool duplicate = teller->entity->sums[HANDED_DUPLICATES] > 0, twice = teller->entity->sums[HANDED_DOUBLES] > 0;
    if (duplicate) tell(teller, FACT_DUPLICATE_CONTACT, 0);
    if (twice) tell(teller, FACT_DOUBLE_SUBMISSION, 0);
    teller->blemished = teller->blemished || duplicate || twice;
}

/* ---- the whole ---- */

static void forward_everything(struct teller *teller, struct span into)
{
    const struct entity *entity = teller->entity;
    for (uint32_t i = 0; i < entity->n_items; i++)
        if (entity->items[i].count > 0) hand_item(teller, KIND_CONTACT, into, entity->items[i]);
}

void tell_contact(struct teller *teller)
{
    const struct entity_event *link = contact_link(teller->entity);
    bool merged = link && !teller->entity->link_cut;
    if (merged) {
        forward_everything(teller, link->text);
    } else {
        if (teller->created) {
            tell_lead(teller);
            tell_lists(teller);
            tell_duplicates(teller);
            tell_impossible_order(teller);
        }
        tell_customer(teller);
    }
    tell_audit(teller, merged);
}
