/* Reading ahead: which entities a batch will need, so that all tenants' are read in one round trip. What is not foreseen here
 * is read when it is needed, alone (read_now in fold.c). */
#include "daemon/state/keys.h"
#include "daemon/tenant/fetch.h"
#include "daemon/tenant/place.h"
#include "daemon/tenant/retirement.h"

static void look_at_position(const struct batch *batch, struct entry *entry)
{
    const struct tenant_position *position = tenant_position(batch->tenant, entry->partition);
    entry->position = (uint32_t)(position - batch->tenant->positions);
    entry->skipped = position->life == entry->life && entry->offset < position->next;
}

static bool calls_matter(const struct kept *kept)
{
    return kept->fact[FACT_DEAL_CREATED].on || kept->fact[FACT_DEAL_WON].on || kept->fact[FACT_DEAL_LOST].on;
}

/* Is anything handed to the entity that this attribute refers to? */
static bool reference_matters(const struct kept *kept, enum kind kind, uint32_t attribute)
{
    if (kept->fact[FACT_UNKNOWN_REFERENCE].on) return true;
    if (kind == KIND_DEAL) return attribute == ATTRIBUTE_CONTACT || attribute == ATTRIBUTE_ACCOUNT;
    if (kind == KIND_CALL && attribute == ATTRIBUTE_DEAL) return calls_matter(kept);
    return attribute == ATTRIBUTE_CONTACT && (kept->fact[FACT_LEAD_RESPONSE].on || kept->fact[FACT_LEAD_UNTOUCHED].on);
}

static void ask_for_reference(struct batch *batch, enum kind kind, uint32_t attribute, struct span id)
{
    if (attribute >= N_ATTRIBUTES || attribute_rows[attribute].type != TYPE_REFERENCE) return;
    if (!reference_matters(batch->tenant->kept, kind, attribute)) return;
    loading_add_entity(batch->loading, batch->tenant, attribute_rows[attribute].refers_to, id);
}

static void ask_for_references(struct batch *batch, const struct event *event)
{
    for (size_t a = 0; a < event->n_attributes; a++) {
        const struct event_attribute *attribute = &event->attributes[a];
        if (attribute->value.type == VALUE_TEXT)
            ask_for_reference(batch, event->kind, attribute->attribute, attribute->value.text);
    }
}

void batch_begin(struct batch *batch)
{
    struct tenant *tenant = batch->tenant;
    batch->begun = true;
    batch->number = ++tenant->batches;
    if (!tenant->version && !tenant->secret.k0 && !tenant->secret.k1) tenant->secret = batch->settings->fresh_secret();
    if (batch->retires) retirement_begin(batch);
    for (size_t i = 0; i < batch->n_entries; i++) {
        struct entry *entry = batch->entries[i];
        fetch_entries(batch, i);
        look_at_position(batch, entry);
        if (!batch_is_folded(batch, entry)) continue;
        enum kind kind = entry->event.kind;
        entry->place = place_hash(tenant, entry->event.subject);
        entry->page = loading_add_page(batch->loading, tenant, kind, place_of_hash(entry->place, tenant->kind[kind].pages));
        if (entry->event.named & reference_attributes) ask_for_references(batch, &entry->event);
    }
    for (size_t i = 0; i < batch->n_timers; i++) {
        enum kind kind;
        struct span id;
        if (timer_member_read(batch->timers[i].member, &kind, &id)) loading_add_entity(batch->loading, tenant, kind, id);
    }
}

static void ask_for_address(struct batch *batch, uint32_t attribute, uint64_t hash)
{
    if (hash) loading_add_entity(batch->loading, batch->tenant, KIND_ADDRESS, contact_address(batch->working, attribute, hash));
}

/* The address that the contact comes to, and the one that it leaves. */
static void ask_for_addresses(struct batch *batch, const struct entry *entry)
{
    if (entry->event.kind != KIND_CONTACT || !contact_addresses_matter(batch->tenant->kept)) return;
    struct entity_context context = batch_entity_context(batch);
    for (size_t i = 0; i < entry->event.n_attributes; i++) {
        const struct event_attribute *given = &entry->event.attributes[i];
        if (given->attribute != ATTRIBUTE_EMAIL && given->attribute != ATTRIBUTE_PHONE) continue;
        const struct entity_value *stands = entity_value(&entry->work->entity, given->attribute, -1);
        uint64_t old = stands ? stands->hash : 0;
        uint64_t new = given->value.type == VALUE_TEXT ? entity_personal_hash(&context, given->attribute, given->value.text) : 0;
        if (new == old) continue;
        ask_for_address(batch, given->attribute, new);
        ask_for_address(batch, given->attribute, old);
    }
}

/* As it stands; what the events change was asked for before. */
static void ask_for_its_references(struct batch *batch, struct work *work)
{
    const struct entity *entity = &work->entity;
    if (work->widened) return;
    work->widened = true;
    for (uint32_t a = 0; a < entity->n_attributes; a++) {
        const struct entity_attribute *attribute = &entity->attributes[a];
        struct span id = attribute->value.type == STORED_TEXT ? attribute->value.text : NO_SPAN;
        if (attribute->attribute == ATTRIBUTE_CAMPAIGN && attribute->value.type == STORED_NAME)
            id = names_text(&batch->tenant->names, attribute->value.name);
        if (id.len) ask_for_reference(batch, entity->kind, attribute->attribute, id);
    }
}

void batch_widen(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_entries; i++) {
        struct entry *entry = batch->entries[i];
        fetch_entries(batch, i);
        fetch_pages(batch, i);
        if (!batch_is_folded(batch, entry)) continue;
        entry->work = batch_work_on(batch, entry->page, entry->place, entry->event.subject);
        ask_for_its_references(batch, entry->work);
        ask_for_addresses(batch, entry);
    }
}
