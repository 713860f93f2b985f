/* The compact form of an entity, version 2, little endian varints (buffer.h), texts packed (packed.h):
 *
 *   byte    128 + what follows: PART_… bits
 *   events  n, then each: byte verb; byte EVENT_… bits; instant as difference to the one before (µs, ms or s);
 *           [zone offset]; [number of the source's name]; [sequence]; id; [name]; [text]
 *           An id that shares its first bytes with the one before is a head of form PACKED_OTHER with their number, and the
 *           rest; the first one's predecessor is the entity's own id. A UUID never is.
 *   attributes  n, then each: attribute, event index × 8 + type, value
 *   [wake] [sums] [items: n, then type, key, payload] [buried: n, then 8 bytes each] [generation]
 *   [day it was touched, from 2024-10-04 on: two bytes for a human life]
 *
 * Equal entities have equal bytes. Version 1 is read as well, and written as version 2 when the entity changes next: it had the
 * byte 1 before its parts, texts as they are, an id always as what it shares and the rest, and event index and type apart. */
#include "common/error.h"
#include "common/packed.h"
#include "daemon/entity/entity.h"

enum {
    FIRST_FORMAT = 1,
    FORMAT = 128 /* the parts are added to it */
};
enum {
    PART_CUT = 1,
    PART_WAKE = 2,
    PART_SUMS = 4,
    PART_ITEMS = 8,
    PART_BURIED = 16,
    PART_GENERATION = 32,
    PART_TOUCHED = 64 /* and no more: the eighth bit says that it is version 2 */
};
enum {
    TOUCHED_FROM_DAY = 20000,
    DAYS_MAX = 10 * 1000 * 1000 /* from it, either way: no clock shows more */
};
enum {
    STORED_INTEGER_ALONE = STORED_INTEGER + 1 /* no zone offset follows: it is 0 */
};
_Static_assert(STORED_INTEGER_ALONE < 8, "a type takes three bits");
enum {
    EVENT_TIME_OF_RECORD = 1,
    EVENT_NAMED = 2,
    EVENT_TEXT = 4,
    EVENT_OFFSET = 8,
    EVENT_SOURCE = 16,
    EVENT_SEQUENCE = 32,
    EVENT_MS = 64,
    EVENT_SECONDS = 128
};

/* ---- writing ---- */

static uint32_t parts_of(const struct entity *entity)
{
    uint32_t parts = (entity->link_cut ? PART_CUT : 0) | (entity->wake_us != INT64_MAX ? PART_WAKE : 0) |
                     (entity->n_items ? PART_ITEMS : 0) | (entity->n_buried ? PART_BURIED : 0) |
                     (entity->generation ? PART_GENERATION : 0) | (entity->touched_day ? PART_TOUCHED : 0);
    for (int i = 0; i < N_HANDED_SUMS; i++)
        if (entity->sums[i]) parts |= PART_SUMS;
    return parts;
}

static uint8_t event_bits(const struct entity_event *event, const struct entity_event *before)
{
    int64_t step = event->time_us - before->time_us;
    return (uint8_t)((event->time_of_record ? EVENT_TIME_OF_RECORD : 0) | (event->named ? EVENT_NAMED : 0) |
                     (event->text.len ? EVENT_TEXT : 0) | (event->offset_s != before->offset_s ? EVENT_OFFSET : 0) |
                     (event->source_id == before->source_id ? 0 : EVENT_SOURCE) | (event->sequence.len ? EVENT_SEQUENCE : 0) |
                     (step % 1000000 == 0 ? EVENT_SECONDS
                      : step % 1000 == 0  ? EVENT_MS
                                          : 0));
}

static int64_t step_unit(uint8_t bits)
{
    return bits & EVENT_SECONDS ? 1000000 : bits & EVENT_MS ? 1000 : 1;
}

static size_t shared_prefix(struct span a, struct span b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.at[n] == b.at[n]) n++;
    return n;
}

static void put_id(struct buffer *out, struct span id, struct span before)
{
    if (buffer_packed_uuid(out, id)) return;
    size_t shared = shared_prefix(before, id);
    if (shared) buffer_packed_head(out, (struct packed_head){ PACKED_OTHER, shared });
    buffer_packed(out, (struct span){ id.at + shared, id.len - shared });
}

static void put_event(struct buffer *out, const struct entity_event *event, const struct entity_event *before)
{
    uint8_t bits = event_bits(event, before);
    buffer_byte(out, event->verb);
    buffer_byte(out, bits);
    buffer_zigzag(out, (event->time_us - before->time_us) / step_unit(bits));
    if (bits & EVENT_OFFSET) buffer_zigzag(out, event->offset_s);
    if (bits & EVENT_SOURCE) buffer_varint(out, event->source_id);
    if (bits & EVENT_SEQUENCE) buffer_packed(out, event->sequence);
    put_id(out, event->id, before->id);
    if (bits & EVENT_NAMED) buffer_varint(out, event->name);
    if (bits & EVENT_TEXT) buffer_text(out, event->text);
}

static unsigned type_bits(const struct entity_value *value)
{
    return value->type == STORED_INTEGER && !value->offset_s ? STORED_INTEGER_ALONE : value->type;
}

static void put_value(struct buffer *out, const struct entity_value *value)
{
    switch (value->type) {
    case STORED_NULL:
        break;
    case STORED_NAME:
        buffer_varint(out, value->name);
        break;
    case STORED_TEXT:
        buffer_packed(out, value->text);
        break;
    case STORED_HASH:
        buffer_put(out, &value->hash, sizeof value->hash);
        break;
    case STORED_NAMES:
        buffer_text(out, value->names);
        break;
    case STORED_DECIMAL:
        buffer_zigzag(out, value->decimal.digits);
        buffer_byte(out, value->decimal.scale);
        break;
    case STORED_INTEGER:
        buffer_zigzag(out, value->integer);
        if (value->offset_s) buffer_zigzag(out, value->offset_s);
        break;
    }
}

static void put_handed(struct buffer *out, const struct entity *entity, uint32_t parts)
{
    for (int i = 0; (parts & PART_SUMS) && i < N_HANDED_SUMS; i++) buffer_zigzag(out, entity->sums[i]);
    if (parts & PART_ITEMS) buffer_varint(out, entity->n_items);
    for (uint32_t i = 0; i < entity->n_items; i++) {
        REQUIRE(entity->items[i].count == 1);
        buffer_byte(out, entity->items[i].type);
        buffer_text(out, entity->items[i].key);
        buffer_text(out, entity->items[i].payload);
    }
}

void entity_encode(const struct entity *entity, struct buffer *out)
{
    uint32_t parts = parts_of(entity);
    buffer_byte(out, (uint8_t)(FORMAT + parts));
    buffer_varint(out, entity->n_events);
    struct entity_event first = { .id = entity->id };
    const struct entity_event *before = &first;
    for (uint32_t i = 0; i < entity->n_events; i++, before = &entity->events[i - 1]) put_event(out, &entity->events[i], before);
    buffer_varint(out, entity->n_attributes);
    for (uint32_t i = 0; i < entity->n_attributes; i++) {
        buffer_varint(out, entity->attributes[i].attribute);
        buffer_varint(out, (uint64_t)entity->attributes[i].event << 3 | type_bits(&entity->attributes[i].value));
        put_value(out, &entity->attributes[i].value);
    }
    if (parts & PART_WAKE) buffer_zigzag(out, entity->wake_us);
    put_handed(out, entity, parts);
    if (parts & PART_BURIED) {
        buffer_varint(out, entity->n_buried);
        buffer_put(out, entity->buried, entity->n_buried * sizeof *entity->buried);
    }
    if (parts & PART_GENERATION) buffer_varint(out, entity->generation);
    if (parts & PART_TOUCHED) buffer_zigzag(out, entity->touched_day - TOUCHED_FROM_DAY);
}

/* ---- reading ---- */

struct reading {
    struct cursor in;
    struct arena *arena;
    const struct names *names;
    bool first; /* version 1 */
};

static struct span join(struct arena *arena, struct span before, size_t shared, struct span rest)
{
    if (!shared) return rest;
    char *text = arena_alloc(arena, shared + rest.len);
    memcpy(text, before.at, shared);
    if (rest.len) memcpy(text + shared, rest.at, rest.len);
    return (struct span){ text, shared + rest.len };
}

/* A number that stands for a name. The names may have been read before somebody else gave it. */
static name_id take_name(struct reading *reading)
{
    uint64_t id = cursor_varint(&reading->in);
    if (id < reading->names->n) return (name_id)id;
    reading->in.broken = true;
    return 0;
}

static struct span take_text(struct reading *reading)
{
    return reading->first ? cursor_text(&reading->in) : cursor_packed(&reading->in, reading->arena);
}

static struct span take_id(struct reading *reading, struct span before)
{
    size_t shared = 0;
    struct span rest;
    if (reading->first) {
        shared = cursor_varint(&reading->in);
        rest = cursor_text(&reading->in);
    } else {
        struct packed_head head = cursor_packed_head(&reading->in);
        if (head.form == PACKED_OTHER) {
            shared = head.number;
            head = cursor_packed_head(&reading->in);
        }
        rest = cursor_packed_body(&reading->in, head, reading->arena);
    }
    if (shared <= before.len) return join(reading->arena, before, shared, rest);
    reading->in.broken = true;
    return NO_SPAN;
}

static struct entity_event take_event(struct reading *reading, const struct entity_event *before)
{
    struct cursor *in = &reading->in;
    struct entity_event event = { .verb = cursor_byte(in) };
    uint8_t bits = cursor_byte(in);
    if (__builtin_mul_overflow(cursor_zigzag(in), step_unit(bits), &event.time_us) ||
        __builtin_add_overflow(before->time_us, event.time_us, &event.time_us))
        in->broken = true;
    event.offset_s = bits & EVENT_OFFSET ? (int32_t)cursor_zigzag(in) : before->offset_s;
    event.source_id = bits & EVENT_SOURCE ? take_name(reading) : before->source_id;
    event.source = names_text(reading->names, event.source_id);
    if (bits & EVENT_SEQUENCE) event.sequence = take_text(reading);
    event.id = take_id(reading, before->id);
    event.time_of_record = bits & EVENT_TIME_OF_RECORD;
    event.named = bits & EVENT_NAMED;
    if (event.named) event.name = event.verb == VERB_RATED ? (name_id)cursor_varint(in) : take_name(reading);
    if (bits & EVENT_TEXT) event.text = cursor_text(in);
    return event;
}

static struct span take_names(struct reading *reading)
{
    struct span all = cursor_text(&reading->in), rest = all;
    for (name_id name; (name = entity_next_name(&rest));)
        if (name >= reading->names->n) reading->in.broken = true;
    return all;
}

static struct entity_value take_value(struct reading *reading, unsigned type)
{
    struct cursor *in = &reading->in;
    bool alone = !reading->first && type == STORED_INTEGER_ALONE;
    struct entity_value value = { .type = alone ? STORED_INTEGER : (enum entity_value_type)type };
    switch (value.type) {
    case STORED_NULL:
        break;
    case STORED_NAME:
        value.name = take_name(reading);
        break;
    case STORED_TEXT:
        value.text = take_text(reading);
        break;
    case STORED_HASH: {
        struct span bytes = cursor_bytes(in, sizeof value.hash);
        if (bytes.len) memcpy(&value.hash, bytes.at, sizeof value.hash);
        break;
    }
    case STORED_NAMES:
        value.names = take_names(reading);
        break;
    case STORED_DECIMAL:
        value.decimal.digits = cursor_zigzag(in);
        value.decimal.scale = cursor_byte(in);
        break;
    case STORED_INTEGER:
        value.integer = cursor_zigzag(in);
        value.offset_s = alone ? 0 : (int32_t)cursor_zigzag(in);
        break;
    default:
        in->broken = true;
    }
    return value;
}

/* A count of things that take at least `bytes` each: more cannot follow. */
static uint32_t take_count(struct cursor *in, size_t bytes)
{
    uint64_t n = cursor_varint(in);
    if (n > (size_t)(in->end - in->at) / bytes) in->broken = true;
    return in->broken ? 0 : (uint32_t)n;
}

static void take_events(struct entity *entity, struct reading *reading)
{
    uint32_t n = take_count(&reading->in, 4);
    entity->room_events = n + 2;
    entity->events = arena_alloc(reading->arena, entity->room_events * sizeof *entity->events);
    struct entity_event first = { .id = entity->id };
    for (uint32_t i = 0; i < n; i++) entity->events[i] = take_event(reading, i ? &entity->events[i - 1] : &first);
    entity->n_events = n;
}

static struct entity_attribute take_attribute(struct reading *reading)
{
    struct cursor *in = &reading->in;
    struct entity_attribute attribute = { .attribute = (uint32_t)cursor_varint(in) };
    uint64_t event = cursor_varint(in);
    unsigned type = reading->first ? cursor_byte(in) : event & 7;
    attribute.event = (uint32_t)(reading->first ? event : event >> 3);
    attribute.value = take_value(reading, type);
    return attribute;
}

static void take_attributes(struct entity *entity, struct reading *reading)
{
    uint32_t n = take_count(&reading->in, reading->first ? 3 : 2);
    entity->room_attributes = n + 8;
    entity->attributes = arena_alloc(reading->arena, entity->room_attributes * sizeof *entity->attributes);
    for (uint32_t i = 0; i < n; i++) {
        entity->attributes[i] = take_attribute(reading);
        if (entity->attributes[i].event >= entity->n_events) reading->in.broken = true;
    }
    entity->n_attributes = n;
}

static void take_handed(struct entity *entity, struct reading *reading, uint32_t parts)
{
    struct cursor *in = &reading->in;
    for (int i = 0; (parts & PART_SUMS) && i < N_HANDED_SUMS; i++) entity->sums[i] = cursor_zigzag(in);
    if (!(parts & PART_ITEMS)) return;
    uint32_t n = take_count(in, 3);
    entity->room_items = n + 2;
    entity->items = arena_alloc(reading->arena, entity->room_items * sizeof *entity->items);
    for (uint32_t i = 0; i < n; i++) {
        entity->items[i].type = cursor_byte(in);
        entity->items[i].key = cursor_text(in);
        entity->items[i].payload = cursor_text(in);
        entity->items[i].count = 1;
    }
    entity->n_items = n;
}

static void take_buried(struct entity *entity, struct reading *reading)
{
    uint32_t n = take_count(&reading->in, sizeof *entity->buried);
    struct span bytes = cursor_bytes(&reading->in, n * sizeof *entity->buried);
    entity->buried = arena_alloc(reading->arena, bytes.len);
    if (bytes.len) memcpy(entity->buried, bytes.at, bytes.len);
    entity->n_buried = n;
}

static int32_t take_touched_day(struct cursor *in)
{
    int64_t since = cursor_zigzag(in);
    if (since < -DAYS_MAX || since > DAYS_MAX) in->broken = true;
    return in->broken ? 0 : (int32_t)since + TOUCHED_FROM_DAY;
}

bool entity_decode(struct entity *entity, struct span bytes, struct arena *arena, const struct names *names)
{
    struct reading reading = { cursor_of(bytes), arena, names, false };
    struct cursor *in = &reading.in;
    uint8_t format = cursor_byte(in);
    reading.first = format == FIRST_FORMAT;
    if (format < FORMAT && !reading.first) return false;
    uint32_t parts = reading.first ? (uint32_t)cursor_varint(in) : format - (uint32_t)FORMAT;
    take_events(entity, &reading);
    take_attributes(entity, &reading);
    entity->wake_us = parts & PART_WAKE ? cursor_zigzag(in) : INT64_MAX;
    take_handed(entity, &reading, parts);
    if (parts & PART_BURIED) take_buried(entity, &reading);
    entity->generation = parts & PART_GENERATION ? (uint32_t)cursor_varint(in) : 0;
    entity->touched_day = parts & PART_TOUCHED ? take_touched_day(in) : 0;
    entity->link_cut = parts & PART_CUT;
    return !in->broken && in->at == in->end;
}
