/* CloudEvents attributes by name, from either content mode, and the checks of those that name the event. */
#include "daemon/intake/envelope.h"

#include "daemon/intake/utf8.h"

#include <strings.h>

struct field_row {
    struct span name;
    bool required;
    size_t max_bytes; /* 0: checked elsewhere, with a reason of its own */
};

static const struct field_row rows[N_FIELDS] = {
    [FIELD_SPECVERSION] = { SPAN("specversion"), false, 0 },
    [FIELD_ID] = { SPAN("id"), true, ID_BYTES_MAX },
    [FIELD_SOURCE] = { SPAN("source"), true, TEXT_BYTES_MAX },
    [FIELD_TYPE] = { SPAN("type"), true, TEXT_BYTES_MAX },
    [FIELD_SUBJECT] = { SPAN("subject"), true, ID_BYTES_MAX },
    [FIELD_TIME] = { SPAN("time"), false, 0 },
    [FIELD_TENANT] = { SPAN("tenantid"), false, 0 },
    [FIELD_SEQUENCE] = { SPAN("sequence"), false, TEXT_BYTES_MAX },
    [FIELD_TRACEPARENT] = { SPAN("traceparent"), false, TEXT_BYTES_MAX },
    [FIELD_DATA] = { SPAN("data"), false, 0 },
    [FIELD_DATA_BASE64] = { SPAN("data_base64"), false, 0 },
};

/* `name` is not empty. The first letter settles most: cheaper than a comparison. */
static bool field_is(enum field field, struct span name)
{
    return rows[field].name.at[0] == name.at[0] && span_equal(rows[field].name, name);
}

/* N_FIELDS: no such. */
static enum field field_find(struct span name)
{
    enum field field = name.len ? 0 : N_FIELDS;
    while (field < N_FIELDS && !field_is(field, name)) field++;
    return field;
}

static bool begins_with(struct span text, struct span start)
{
    return text.len >= start.len && strncasecmp(text.at, start.at, start.len) == 0;
}

/* The last header of the name; `.at` NULL: none, or null. */
static struct span header_value(const struct record *record, struct span name)
{
    for (size_t i = record->n_headers; i-- > 0;) {
        struct span header = record->headers[i].name;
        if (header.len == name.len && begins_with(header, name)) return record->headers[i].value;
    }
    return NO_SPAN;
}

/* What neither says by its content-type that it is structured nor has a ce_specversion, but has a content-type, is held
 * for binary (and found to be no CloudEvent). */
enum mode record_mode(const struct record *record)
{
    struct span type = header_value(record, SPAN("content-type"));
    if (begins_with(type, SPAN("application/cloudevents"))) return MODE_STRUCTURED;
    return type.at || header_value(record, SPAN("ce_specversion")).at ? MODE_BINARY : MODE_STRUCTURED;
}

static void field_set(struct envelope *envelope, enum field field, enum field_state state, struct span text)
{
    envelope->fields[field].state = state;
    envelope->fields[field].text = text;
}

void envelope_of_object(const struct json *json, yyjson_val *object, struct envelope *envelope)
{
    envelope->prefix = "";
    size_t i, n;
    yyjson_val *name, *value;
    yyjson_obj_foreach(object, i, n, name, value)
    {
        enum field field = field_find(json_text(name));
        if (field == N_FIELDS) continue;
        enum field_state state = yyjson_is_null(value) ? FIELD_ABSENT : yyjson_is_str(value) ? FIELD_TEXT : FIELD_OTHER;
        field_set(envelope, field, state, state == FIELD_TEXT ? json_kept_text(json, value) : NO_SPAN);
        if (field == FIELD_DATA) envelope->data = state == FIELD_ABSENT ? NULL : value;
    }
}

void envelope_of_headers(const struct record *record, struct envelope *envelope)
{
    envelope->prefix = "ce_";
    for (size_t i = 0; i < record->n_headers; i++) {
        struct span name = record->headers[i].name, value = record->headers[i].value;
        if (name.len <= 3 || memcmp(name.at, "ce_", 3) != 0) continue;
        enum field field = field_find((struct span){ name.at + 3, name.len - 3 });
        if (field >= FIELD_DATA) continue;
        bool text = value.at && utf8_valid(value);
        field_set(envelope, field, !value.at ? FIELD_ABSENT : text ? FIELD_TEXT : FIELD_OTHER, text ? value : NO_SPAN);
    }
}

bool envelope_is_cloudevents(const struct envelope *envelope)
{
    return envelope->fields[FIELD_SPECVERSION].state == FIELD_TEXT &&
           span_equal(envelope->fields[FIELD_SPECVERSION].text, SPAN("1.0"));
}

static bool field_good(const struct envelope *envelope, enum field field)
{
    struct span text = envelope->fields[field].text;
    if (!rows[field].max_bytes || envelope->fields[field].state == FIELD_ABSENT) return true;
    return envelope->fields[field].state == FIELD_TEXT && text.len <= rows[field].max_bytes &&
           (text.len || !rows[field].required);
}

bool envelope_check(const struct envelope *envelope, struct rejection *rejection)
{
    for (int i = 0; i < N_FIELDS; i++)
        if (rows[i].required && envelope->fields[i].state == FIELD_ABSENT)
            return reject(rejection, REASON_MISSING_ATTRIBUTE, "%s%s: missing; expected a text of 1 to %zu bytes",
                          envelope->prefix, rows[i].name.at, rows[i].max_bytes);
    for (int i = 0; i < N_FIELDS; i++)
        if (!field_good(envelope, (enum field)i))
            return reject(rejection, REASON_BAD_ATTRIBUTE, "%s%s: expected a text of %d to %zu bytes of UTF-8", envelope->prefix,
                          rows[i].name.at, rows[i].required, rows[i].max_bytes);
    return true;
}

static bool tenant_valid(struct span tenant)
{
    if (!tenant.len || tenant.len > TENANT_BYTES_MAX) return false;
    for (size_t i = 0; i < tenant.len; i++) {
        char c = tenant.at[i], letter = c | 0x20;
        if (!((letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-')) return false;
    }
    return true;
}

bool envelope_tenant(const struct envelope *envelope, struct span *tenant)
{
    *tenant = SPAN("default");
    if (envelope->fields[FIELD_TENANT].state == FIELD_ABSENT) return true;
    if (!tenant_valid(envelope->fields[FIELD_TENANT].text)) return false;
    *tenant = envelope->fields[FIELD_TENANT].text;
    return true;
}
