/* Can the data be trusted? The record itself, what it lacks, what it names that does not exist, and what cannot be. */
#include "daemon/facts/tell.h"

static name_id kind_name(const struct teller *teller)
{
    return known(teller->context, KNOWN_KIND + (int)teller->entity->kind);
}

static struct fact_entry *tell_finding(struct teller *teller, enum fact fact, struct span attribute)
{
    struct fact_entry *entry = tell(teller, fact, 0);
    set_dim(entry, DIM_KIND, kind_name(teller));
    if (attribute.len) set_dim(entry, DIM_ATTRIBUTE, names_intern(teller->context->names, attribute));
    teller->blemished = true;
    return entry;
}

/* An attribute by its name in the settings; -1: nothing of that name was ever given. */
static int64_t attribute_of(const struct teller *teller, struct span name)
{
    int builtin = attribute_find(name);
    if (builtin >= 0) return builtin;
    name_id custom = names_find(teller->context->names, name);
    return custom ? ATTRIBUTE_CUSTOM + (int64_t)custom : -1;
}

static bool is_given(const struct teller *teller, struct span name)
{
    int64_t attribute = attribute_of(teller, name);
    return attribute >= 0 && tell_value(teller, (uint32_t)attribute);
}

/* "a|b" is missing when both are. */
static bool is_missing(const struct teller *teller, struct span expected)
{
    while (expected.len) {
        const char *bar = memchr(expected.at, '|', expected.len);
        struct span name = { expected.at, bar ? (size_t)(bar - expected.at) : expected.len };
        if (is_given(teller, name)) return false;
        size_t used = name.len + (bar != NULL);
        expected = (struct span){ expected.at + used, expected.len - used };
    }
    return true;
}

static void tell_missing(struct teller *teller)
{
    const struct rules *rules = teller->context->rules;
    enum kind kind = teller->entity->kind;
    for (int i = 0; i < rules->kind[kind].n_expected; i++) {
        struct span expected = span_of(rules->kind[kind].expected[i]);
        if (is_missing(teller, expected)) tell_finding(teller, FACT_MISSING_VALUE, expected);
    }
}

static void check_listed(struct teller *teller, const char *attribute, struct span value)
{
    if (value.len && rules_unlisted(teller->context->rules, attribute, value))
        tell_finding(teller, FACT_UNLISTED_VALUE, span_of(attribute));
}

static void check_value(struct teller *teller, const char *attribute, const struct entity_value *value)
{
    const struct names *names = teller->context->names;
    if (value->type == STORED_NAME) check_listed(teller, attribute, names_text(names, value->name));
    if (value->type == STORED_TEXT) check_listed(teller, attribute, value->text);
    struct span rest = value->type == STORED_NAMES ? value->names : NO_SPAN;
    for (name_id next; (next = entity_next_name(&rest));) check_listed(teller, attribute, names_text(names, next));
}

/* Each value outside the tenant's list counts; a campaign's own campaign is its id. */
static void tell_unlisted(struct teller *teller)
{
    const struct rules *rules = teller->context->rules;
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&rules->lists, &at));) {
        int64_t attribute = attribute_of(teller, slot->key);
        const struct entity_value *value = attribute < 0 ? NULL : tell_value(teller, (uint32_t)attribute);
        char *name = arena_text(teller->context->arena, slot->key);
        if (attribute == ATTRIBUTE_CAMPAIGN)
            check_listed(teller, name, names_text(teller->context->names, teller->common[DIM_CAMPAIGN]));
        else if (value)
            check_value(teller, name, value);
    }
}

/* Ids that others refer to and that do not exist, or that have events but were never opened or deleted. */
static void tell_unknown(struct teller *teller, bool merged)
{
    const struct entity *entity = teller->entity;
    bool has_events = entity->n_events && teller->deleted < 0;
    if (teller->created || merged || !(entity->sums[HANDED_REFERENCES] > 0 || has_events)) return;
    set_dim(tell(teller, FACT_UNKNOWN_REFERENCE, 0), DIM_KIND, kind_name(teller));
}

static void hand_references(struct teller *teller)
{
    const struct entity *entity = teller->entity;
    for (uint32_t a = 0; a < entity->n_attributes; a++) {
        uint32_t attribute = entity->attributes[a].attribute;
        bool newest = a + 1 == entity->n_attributes || entity->attributes[a + 1].attribute != attribute;
        if (attribute >= N_ATTRIBUTES || attribute_rows[attribute].type != TYPE_REFERENCE || !newest) continue;
        struct span id = tell_text(teller, attribute);
        if (id.len) hand_sum(teller, attribute_rows[attribute].refers_to, id, HANDED_REFERENCES);
    }
    if (teller->common[3]) {
        struct span campaign = names_text(teller->context->names, teller->common[3]);
        hand_sum(teller, KIND_CAMPAIGN, campaign, HANDED_REFERENCES);
    }
    const struct entity_event *link = entity->kind == KIND_CONTACT ? contact_link(entity) : NULL;
    if (link) hand_sum(teller, KIND_CONTACT, link->text, HANDED_REFERENCES);
}

static bool is_settling(enum verb verb)
{
    return verb == VERB_WON || verb == VERB_LOST || verb == VERB_RESOLVED || verb == VERB_RESPONDED;
}

/* Won, lost, resolved or responded at an instant before it was created; a contact whose merge was cut. */
void tell_impossible_order(struct teller *teller)
{
    bool impossible = teller->entity->link_cut;
    for (uint32_t i = first_event(teller); i < (uint32_t)teller->opening; i++) {
        const struct entity_event *event = &teller->entity->events[i];
        if (is_settling(event->verb) && event->time_us < teller->created->time_us) impossible = true;
    }
    if (impossible) tell_finding(teller, FACT_IMPOSSIBLE_ORDER, NO_SPAN);
}

static void tell_record(struct teller *teller)
{
    if (!wanted(teller, FACT_RECORD)) return;
    struct fact_entry *entry = tell(teller, FACT_RECORD, 0);
    set_dim(entry, DIM_KIND, kind_name(teller));
    set_dim(entry, DIM_EVENT_SOURCE, teller->created->source_id);
    set_measure(entry, 1, !teller->blemished);
}

void tell_audit(struct teller *teller, bool merged)
{
    bool judged = wanted(teller, FACT_RECORD);
    if (wanted(teller, FACT_UNKNOWN_REFERENCE)) {
        tell_unknown(teller, merged);
        if (teller->created) hand_references(teller);
    }
    if (!teller->created || merged) return;
    if (judged || wanted(teller, FACT_MISSING_VALUE)) tell_missing(teller);
    if (judged || wanted(teller, FACT_UNLISTED_VALUE)) tell_unlisted(teller);
    tell_record(teller);
}
