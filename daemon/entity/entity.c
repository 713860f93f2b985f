/* The set of an entity's events and the newest value of each attribute: adding, looking up, handing over. */
#include "daemon/entity/entity.h"

#include "common/error.h"

#include <glib.h>

static int compare_int64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int event_compare(const struct entity_event *a, const struct entity_event *b)
{
    int c = compare_int64(a->time_us, b->time_us);
    if (!c) c = span_compare(a->sequence, b->sequence);
    if (!c) c = span_compare(a->source, b->source);
    return c ? c : span_compare(a->id, b->id);
}

enum {
    FIRST_BYTES = 320 /* of an array: a few events, or the attributes of most entities */
};

/* Makes room for one more of an array that lives in an arena. */
static void *grow(struct arena *arena, void *array, uint32_t n, uint32_t *room, size_t item_bytes)
{
    if (n < *room) return array;
    *room = *room ? *room * 2 : (uint32_t)(FIRST_BYTES / item_bytes);
    void *bigger = arena_alloc(arena, *room * item_bytes);
    if (n) memcpy(bigger, array, n * item_bytes);
    return bigger;
}

/* ---- values ---- */

static bool is_stage_of_deal(const struct entity *entity, uint32_t attribute)
{
    return entity->kind == KIND_DEAL && attribute == ATTRIBUTE_STAGE;
}

/* What belongs to its event alone is kept with the event, not as an attribute; a stage is both. */
static bool belongs_to_event(enum kind kind, uint32_t attribute)
{
    switch (attribute) {
    case ATTRIBUTE_LIST:
    case ATTRIBUTE_INTO:
        return kind == KIND_CONTACT;
    case ATTRIBUTE_SCORE:
        return kind == KIND_CASE;
    case ATTRIBUTE_PAGE:
        return kind == KIND_VISIT;
    default:
        return false;
    }
}

static struct span digits_of(struct span text, struct arena *arena)
{
    char *copy = arena_alloc(arena, text.len);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] >= '0' && text.at[i] <= '9') copy[n++] = text.at[i];
    return (struct span){ copy, n };
}

/* Has it letters that are not ASCII, and no byte of 0, at which GLib would end? */
static bool is_of_glib(struct span text)
{
    bool ascii = true;
    for (size_t i = 0; i < text.len && ascii; i++) ascii = !(text.at[i] & 0x80);
    return !ascii && !memchr(text.at, 0, text.len);
}

/* "JÖRG@x.de" is "jörg@x.de": what is not ASCII by the tables of Unicode. */
static struct span lower_case(struct span text, struct arena *arena)
{
    if (is_of_glib(text)) {
        char *lower = g_utf8_strdown(text.at, (gssize)text.len);
        struct span copy = arena_copy(arena, span_of(lower));
        g_free(lower);
        return copy;
    }
    char *copy = arena_alloc(arena, text.len);
    for (size_t i = 0; i < text.len; i++) copy[i] = g_ascii_tolower(text.at[i]);
    return (struct span){ copy, text.len };
}

static struct span trimmed(struct span text)
{
    const char *end = text.at + text.len;
    while (text.at < end && g_unichar_isspace(g_utf8_get_char(text.at))) text.at = g_utf8_next_char(text.at);
    for (const char *last; end > text.at && g_unichar_isspace(g_utf8_get_char(last = g_utf8_prev_char(end))); end = last) {
    }
    return (struct span){ text.at, (size_t)(end - text.at) };
}

/* E-mail addresses are compared trimmed and in lower case, phone numbers by their digits. */
uint64_t entity_personal_hash(const struct entity_context *context, uint32_t attribute, struct span text)
{
    struct span compared =
        attribute == ATTRIBUTE_PHONE ? digits_of(text, context->arena) : lower_case(trimmed(text), context->arena);
    return compared.len ? siphash(context->secret, compared) : 0;
}

static struct span store_names(const struct entity_context *context, const struct value *value)
{
    struct buffer packed = { 0 };
    for (size_t i = 0; i < value->texts.n; i++) buffer_varint(&packed, names_intern(context->names, value->texts.at[i]));
    struct span names = arena_copy(context->arena, buffer_all(&packed));
    buffer_deinit(&packed);
    return names;
}

static struct entity_value store_integer(const struct entity_context *context, enum attribute_type type, int64_t integer)
{
    struct entity_value stored = { .type = STORED_INTEGER };
    stored.integer = integer;
    stored.offset_s = type == TYPE_INSTANT ? zone_offset(context->rules->zone, integer) : 0;
    return stored;
}

static struct entity_value store_text(const struct entity_context *context, uint32_t attribute, enum attribute_type type,
                                      struct span text)
{
    struct entity_value stored = { 0 };
    if (type == TYPE_REFERENCE && attribute != ATTRIBUTE_CAMPAIGN) { /* a campaign's id is also a dimension */
        stored.type = STORED_TEXT;
        stored.text = text;
    } else if (type == TYPE_PERSONAL) {
        stored.type = STORED_HASH;
        stored.hash = attribute == ATTRIBUTE_NAME ? 0 : entity_personal_hash(context, attribute, text);
    } else {
        stored.type = STORED_NAME;
        stored.name = names_intern(context->names, text);
    }
    return stored;
}

static struct entity_value store_value(const struct entity_context *context, uint32_t attribute, const struct value *value)
{
    enum attribute_type type = attribute < N_ATTRIBUTES ? attribute_rows[attribute].type : TYPE_NAME;
    struct entity_value stored = { .type = STORED_NULL };
    switch (value->type) {
    case VALUE_NULL:
        break;
    case VALUE_TEXT:
        stored = store_text(context, attribute, type, value->text);
        break;
    case VALUE_TEXTS:
        stored.type = STORED_NAMES;
        stored.names = store_names(context, value);
        break;
    case VALUE_DECIMAL:
        stored.type = STORED_DECIMAL;
        stored.decimal = value->decimal;
        break;
    case VALUE_INTEGER:
        stored = store_integer(context, type, value->integer);
        break;
    }
    return stored;
}

/* ---- attributes: kept are the newest value of an event with a time of its own, and all newer ones ---- */

static void remove_attributes(struct entity *entity, uint32_t at, uint32_t n)
{
    memmove(&entity->attributes[at], &entity->attributes[at + n], (entity->n_attributes - at - n) * sizeof *entity->attributes);
    entity->n_attributes -= n;
}

/* First of the attribute's entries, or where it would stand. */
static uint32_t find_attribute(const struct entity *entity, uint32_t attribute)
{
    uint32_t i = 0;
    while (i < entity->n_attributes && entity->attributes[i].attribute < attribute) i++;
    return i;
}

static bool is_timed(const struct entity *entity, uint32_t event)
{
    return !entity->events[event].time_of_record;
}

/* Drops what is older than the attribute's newest value of a timed event. */
static void prune_attribute(struct entity *entity, uint32_t first)
{
    uint32_t end = first, keep = first;
    for (; end < entity->n_attributes && entity->attributes[end].attribute == entity->attributes[first].attribute; end++)
        if (is_timed(entity, entity->attributes[end].event)) keep = end;
    if (keep > first) remove_attributes(entity, first, keep - first);
}

static void insert_attribute(struct entity *entity, const struct entity_context *context, struct entity_attribute added)
{
    uint32_t first = find_attribute(entity, added.attribute), at = first;
    while (at < entity->n_attributes && entity->attributes[at].attribute == added.attribute &&
           entity->attributes[at].event < added.event)
        at++;
    entity->attributes =
        grow(context->arena, entity->attributes, entity->n_attributes, &entity->room_attributes, sizeof *entity->attributes);
    memmove(&entity->attributes[at + 1], &entity->attributes[at], (entity->n_attributes - at) * sizeof *entity->attributes);
    entity->attributes[at] = added;
    entity->n_attributes++;
    prune_attribute(entity, first);
}

const struct entity_value *entity_value(const struct entity *entity, uint32_t attribute, int64_t after)
{
    const struct entity_attribute *newest = NULL;
    for (uint32_t i = find_attribute(entity, attribute); i < entity->n_attributes; i++) {
        if (entity->attributes[i].attribute != attribute) break;
        newest = &entity->attributes[i];
    }
    if (!newest || (int64_t)newest->event <= after || newest->value.type == STORED_NULL) return NULL;
    return &newest->value;
}

uint64_t entity_attributes(const struct entity *entity)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < entity->n_attributes && entity->attributes[i].attribute < N_ATTRIBUTES; i++)
        bits |= UINT64_C(1) << entity->attributes[i].attribute;
    return bits;
}

name_id entity_name(const struct entity *entity, uint32_t attribute, int64_t after)
{
    const struct entity_value *value = entity_value(entity, attribute, after);
    return value && value->type == STORED_NAME ? value->name : 0;
}

struct span entity_text(const struct entity *entity, uint32_t attribute, int64_t after)
{
    const struct entity_value *value = entity_value(entity, attribute, after);
    return value && value->type == STORED_TEXT ? value->text : NO_SPAN;
}

name_id entity_next_name(struct span *names)
{
    if (!names->len) return 0;
    struct cursor cursor = cursor_of(*names);
    name_id id = (name_id)cursor_varint(&cursor);
    *names = (struct span){ (const char *)cursor.at, (size_t)(cursor.end - cursor.at) };
    return id;
}

/* ---- events ---- */

int64_t entity_last_deleted(const struct entity *entity)
{
    for (int64_t i = (int64_t)entity->n_events - 1; i >= 0; i--)
        if (entity->events[i].verb == VERB_DELETED || entity->events[i].verb == VERB_REMOVED) return i;
    return -1;
}

static uint64_t event_hash(const struct entity_context *context, struct span source, struct span id)
{
    struct buffer both = { 0 };
    buffer_text(&both, source);
    buffer_span(&both, id);
    uint64_t hash = siphash(context->secret, buffer_all(&both));
    buffer_deinit(&both);
    return hash;
}

static bool is_buried(const struct entity *entity, const struct entity_context *context, const struct event *event)
{
    if (!entity->n_buried) return false;
    uint64_t hash = event_hash(context, event->source, event->id);
    for (uint32_t i = 0; i < entity->n_buried; i++)
        if (entity->buried[i] == hash) return true;
    return false;
}

static struct entity_event *find_event(const struct entity *entity, const struct event *event)
{
    for (uint32_t i = 0; i < entity->n_events; i++) {
        struct entity_event *known = &entity->events[i];
        if (span_equal(known->id, event->id) && span_equal(known->source, event->source)) return known;
    }
    return NULL;
}

/* Attributes name their events by index: an event that comes in between moves those behind it. */
static void shift_indexes(struct entity *entity, uint32_t from, int by)
{
    for (uint32_t i = 0; i < entity->n_attributes; i++)
        if (entity->attributes[i].event >= from)
            entity->attributes[i].event = (uint32_t)((int64_t)entity->attributes[i].event + by);
}

static uint32_t insert_event(struct entity *entity, const struct entity_context *context, struct entity_event added)
{
    entity->events = grow(context->arena, entity->events, entity->n_events, &entity->room_events, sizeof *entity->events);
    uint32_t at = entity->n_events;
    while (at && event_compare(&added, &entity->events[at - 1]) < 0) at--;
    memmove(&entity->events[at + 1], &entity->events[at], (entity->n_events - at) * sizeof *entity->events);
    entity->events[at] = added;
    entity->n_events++;
    if (at + 1 < entity->n_events) shift_indexes(entity, at, 1);
    return at;
}

static void add_attributes(struct entity *entity, const struct entity_context *context, const struct event *event, uint32_t at)
{
    for (size_t i = 0; i < event->n_attributes; i++) {
        uint32_t attribute = event->attributes[i].attribute;
        if (belongs_to_event(event->kind, attribute)) continue;
        struct entity_attribute added = { .event = at };
        added.value = store_value(context, attribute, &event->attributes[i].value);
        if (attribute >= ATTRIBUTE_CUSTOM) {
            const char *name = context->rules->kind[event->kind].custom[attribute - ATTRIBUTE_CUSTOM];
            attribute = ATTRIBUTE_CUSTOM + names_intern(context->names, span_of(name));
        }
        added.attribute = attribute;
        insert_attribute(entity, context, added);
    }
}

/* The stage, list, score, page or `into` that the event itself carries. */
static void name_event(struct entity_event *added, const struct entity *entity, const struct entity_context *context,
                       const struct event *event)
{
    bool lists = event->verb == VERB_SUBSCRIBED || event->verb == VERB_UNSUBSCRIBED;
    if (lists) added->named = true, added->name = names_intern(context->names, SPAN("main"));
    for (size_t i = 0; i < event->n_attributes; i++) {
        uint32_t attribute = event->attributes[i].attribute;
        const struct value *value = &event->attributes[i].value;
        bool has_text = value->type == VALUE_TEXT;
        if (is_stage_of_deal(entity, attribute)) {
            added->named = true;
            added->name = has_text ? names_intern(context->names, value->text) : 0;
        } else if (attribute == ATTRIBUTE_LIST && lists && has_text) {
            added->name = names_intern(context->names, value->text);
        } else if (attribute == ATTRIBUTE_SCORE && event->verb == VERB_RATED && value->type == VALUE_INTEGER) {
            added->named = true;
            added->name = (name_id)value->integer;
        } else if (attribute == ATTRIBUTE_PAGE && event->kind == KIND_VISIT && has_text) {
            added->named = true;
            added->name = names_intern(context->names, value->text);
        } else if (attribute == ATTRIBUTE_INTO && event->verb == VERB_MERGED && has_text) {
            added->named = true;
            added->text = value->text;
        }
    }
}

/* Takes an event out and puts it back at another instant, its attributes with it. */
static void move_event(struct entity *entity, const struct entity_context *context, uint32_t from, int64_t time_us)
{
    struct entity_event moved = entity->events[from];
    moved.time_us = time_us;
    moved.offset_s = zone_offset(context->rules->zone, time_us);
    struct entity_attribute *own = arena_alloc(context->arena, entity->n_attributes * sizeof *own);
    uint32_t n_own = 0;
    for (uint32_t i = 0; i < entity->n_attributes;) {
        if (entity->attributes[i].event != from) {
            i++;
            continue;
        }
        own[n_own++] = entity->attributes[i];
        remove_attributes(entity, i, 1);
    }
    memmove(&entity->events[from], &entity->events[from + 1], (entity->n_events - from - 1) * sizeof *entity->events);
    entity->n_events--;
    shift_indexes(entity, from, -1);
    uint32_t at = insert_event(entity, context, moved);
    for (uint32_t i = 0; i < n_own; i++) {
        own[i].event = at;
        insert_attribute(entity, context, own[i]);
    }
}

/* ---- graves: a deleted contact keeps no more than hashes, its last `deleted` and its last `merged` ---- */

/* Is it, or may it become the last of these, once a copy has moved those behind it to an earlier instant? */
static bool stays_in_grave(const struct entity *entity, uint32_t event)
{
    uint8_t verb = entity->events[event].verb;
    if (verb != VERB_DELETED && verb != VERB_MERGED) return false;
    for (uint32_t i = event + 1; i < entity->n_events; i++)
        if (entity->events[i].verb == verb && is_timed(entity, i)) return false;
    return true;
}

static void remove_attributes_of(struct entity *entity, uint32_t event)
{
    for (uint32_t a = 0; a < entity->n_attributes;)
        if (entity->attributes[a].event == event)
            remove_attributes(entity, a, 1);
        else
            a++;
}

static void bury_event(struct entity *entity, const struct entity_context *context, uint32_t at)
{
    uint64_t hash = event_hash(context, entity->events[at].source, entity->events[at].id);
    uint64_t *buried = arena_alloc(context->arena, (entity->n_buried + 1) * sizeof *buried);
    uint32_t place = 0;
    while (place < entity->n_buried && entity->buried[place] < hash) place++;
    if (place) memcpy(buried, entity->buried, place * sizeof *buried);
    buried[place] = hash;
    if (place < entity->n_buried) memcpy(buried + place + 1, entity->buried + place, (entity->n_buried - place) * sizeof *buried);
    entity->buried = buried;
    entity->n_buried++;
    remove_attributes_of(entity, at);
    memmove(&entity->events[at], &entity->events[at + 1], (entity->n_events - at - 1) * sizeof *entity->events);
    entity->n_events--;
    shift_indexes(entity, at, -1);
}

static void bury(struct entity *entity, const struct entity_context *context)
{
    for (int64_t i = entity_last_deleted(entity); i >= 0; i--)
        if (stays_in_grave(entity, (uint32_t)i))
            remove_attributes_of(entity, (uint32_t)i);
        else
            bury_event(entity, context, (uint32_t)i);
}

static enum applied apply_copy(struct entity *entity, const struct entity_context *context, const struct event *event,
                               struct entity_event *known)
{
    if (!known->time_of_record || !event->time_of_record || event->time_us >= known->time_us) return DUPLICATE;
    move_event(entity, context, (uint32_t)(known - entity->events), event->time_us);
    if (entity->kind == KIND_CONTACT) bury(entity, context); /* what has moved to before its `deleted` */
    return APPLIED_TIME_ONLY;
}

enum applied entity_apply(struct entity *entity, const struct entity_context *context, const struct event *event)
{
    struct entity_event *known = find_event(entity, event);
    if (known) return apply_copy(entity, context, event, known);
    if (is_buried(entity, context, event)) return DUPLICATE;
    if (entity->n_events + entity->n_buried >= context->max_events) return TOO_MANY;
    struct entity_event added = { .time_us = event->time_us,
                                  .offset_s = zone_offset(context->rules->zone, event->time_us),
                                  .verb = (uint8_t)event->verb,
                                  .time_of_record = event->time_of_record,
                                  .sequence = event->sequence,
                                  .source = event->source,
                                  .id = event->id,
                                  .source_id = names_intern(context->names, event->source) };
    name_event(&added, entity, context, event);
    uint32_t at = insert_event(entity, context, added);
    add_attributes(entity, context, event, at);
    if (entity->kind == KIND_CONTACT) bury(entity, context);
    return APPLIED;
}

/* ---- what others hand over ---- */

static int item_compare(const struct handed_item *a, const struct handed_item *b)
{
    int c = a->type != b->type ? (int)a->type - (int)b->type : span_compare(a->key, b->key);
    return c ? c : span_compare(a->payload, b->payload);
}

/* Where the item stands, or would. */
static uint32_t find_item(const struct entity *entity, const struct handed_item *item)
{
    uint32_t low = 0, high = entity->n_items;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (item_compare(&entity->items[middle], item) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void entity_hand_item(struct entity *entity, struct arena *arena, const struct handed_item *item, int factor)
{
    uint32_t at = find_item(entity, item);
    if (at == entity->n_items || item_compare(&entity->items[at], item) != 0) {
        entity->items = grow(arena, entity->items, entity->n_items, &entity->room_items, sizeof *entity->items);
        memmove(&entity->items[at + 1], &entity->items[at], (entity->n_items - at) * sizeof *entity->items);
        entity->n_items++;
        entity->items[at] = *item;
        entity->items[at].count = 0;
    }
    entity->items[at].count += factor;
    if (entity->items[at].count) return;
    memmove(&entity->items[at], &entity->items[at + 1], (entity->n_items - at - 1) * sizeof *entity->items);
    entity->n_items--;
}

bool entity_is_empty(const struct entity *entity)
{
    bool sums = false;
    for (int i = 0; i < N_HANDED_SUMS; i++) sums = sums || entity->sums[i];
    return !entity->n_events && !entity->n_buried && !entity->n_items && !sums;
}

bool entity_is_settled(const struct entity *entity)
{
    for (uint32_t i = 0; i < entity->n_items; i++)
        if (entity->items[i].count != 1) return false;
    return true;
}
