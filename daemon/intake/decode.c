/* An event's way in, check by check, in the order in which the contract has a record rejected. */
#include "daemon/intake/decode.h"

#include "common/instant.h"
#include "daemon/intake/attributes.h"
#include "daemon/intake/envelope.h"

#include <stdio.h>

struct decoding {
    const struct decode_settings *settings;
    const struct record *record;
    struct json *json;
    struct event *event;
    struct rejection *rejection;
    enum mode mode;
    struct envelope envelope;
    bool tenant_known;
    const struct verb_row *verb;
};

/* A tenant is known from here on, also to whoever counts the rejection: of what is no CloudEvent 1.0 it cannot be read. */
static void know_tenant(struct decoding *d)
{
    d->tenant_known = envelope_is_cloudevents(&d->envelope) && envelope_tenant(&d->envelope, &d->event->tenant);
    if (d->tenant_known) d->rejection->tenant = d->event->tenant;
}

static bool check_size(const struct decoding *d)
{
    if (d->record->value.len <= d->settings->max_event_bytes) return true;
    return reject(d->rejection, REASON_TOO_LARGE, "value: %zu bytes; expected at most %zu (max_event_bytes)",
                  d->record->value.len, d->settings->max_event_bytes);
}

/* Binary mode may do without a value: an event without data. */
static bool read_value(struct decoding *d, yyjson_val **root)
{
    *root = NULL;
    if (d->mode == MODE_BINARY && !d->record->value.len) return true;
    yyjson_read_err problem;
    *root = json_read(d->json, d->record->value, &problem);
    if (*root) return true;
    return reject(d->rejection, REASON_NOT_JSON, "value: %s at byte %zu; expected JSON in UTF-8", problem.msg, problem.pos);
}

static bool read_envelope(struct decoding *d, yyjson_val *root)
{
    if (d->mode == MODE_BINARY) {
        d->envelope.data = yyjson_is_null(root) ? NULL : root;
    } else if (yyjson_is_obj(root)) {
        envelope_of_object(d->json, root, &d->envelope);
        know_tenant(d);
    } else {
        return reject(d->rejection, REASON_NOT_CLOUDEVENTS,
                      "value: no JSON object; expected a CloudEvent (structured), or its attributes as ce_ headers (binary)");
    }
    if (envelope_is_cloudevents(&d->envelope)) return true;
    return reject(d->rejection, REASON_NOT_CLOUDEVENTS,
                  "%sspecversion: expected the text 1.0, in the JSON object (content-type application/cloudevents+json or none) "
                  "or as header ce_specversion",
                  d->envelope.prefix);
}

static bool read_identity(struct decoding *d)
{
    if (!envelope_check(&d->envelope, d->rejection)) return false;
    d->event->id = d->envelope.fields[FIELD_ID].text;
    d->event->source = d->envelope.fields[FIELD_SOURCE].text;
    d->event->subject = d->envelope.fields[FIELD_SUBJECT].text;
    d->event->sequence = d->envelope.fields[FIELD_SEQUENCE].text;
    d->event->traceparent = d->envelope.fields[FIELD_TRACEPARENT].text;
    return true;
}

static bool read_tenant(struct decoding *d)
{
    if (d->tenant_known) return true;
    return reject(d->rejection, REASON_BAD_TENANT, "%stenantid: expected 1 to %d of A-Z a-z 0-9 . _ -", d->envelope.prefix,
                  TENANT_BYTES_MAX);
}

enum {
    LIST_BYTES = 160
};

static void list_add(char list[LIST_BYTES], const char *name)
{
    size_t len = strlen(list);
    snprintf(list + len, LIST_BYTES - len, "%s%s", len ? ", " : "", name);
}

static bool reject_kind(struct decoding *d)
{
    char kinds[LIST_BYTES] = "";
    for (int i = 0; i < N_KINDS; i++) list_add(kinds, kind_rows[i].name);
    return reject(d->rejection, REASON_UNKNOWN_TYPE, "%stype: expected %s<kind>.<verb>, the kind one of %s", d->envelope.prefix,
                  d->settings->type_prefix, kinds);
}

static bool reject_verb(struct decoding *d, const struct kind_row *kind)
{
    char verbs[LIST_BYTES] = "";
    for (int i = 0; i < kind->n_verbs; i++) list_add(verbs, kind->verbs[i].name);
    return reject(d->rejection, REASON_UNKNOWN_TYPE, "%stype: expected %s%s.<verb>, the verb one of %s", d->envelope.prefix,
                  d->settings->type_prefix, kind->name, verbs);
}

static bool read_type(struct decoding *d)
{
    struct span type = d->envelope.fields[FIELD_TYPE].text, prefix = span_of(d->settings->type_prefix);
    if (type.len < prefix.len || memcmp(type.at, prefix.at, prefix.len) != 0) return reject_kind(d);
    struct span rest = { type.at + prefix.len, type.len - prefix.len };
    const char *point = memchr(rest.at, '.', rest.len);
    if (!point) return reject_kind(d);
    struct span kind = { rest.at, (size_t)(point - rest.at) }, verb = { point + 1, rest.len - kind.len - 1 };
    const struct kind_row *row = kind_find(kind, &d->event->kind);
    if (!row) return reject_kind(d);
    d->verb = verb_find(d->event->kind, verb);
    if (!d->verb) return reject_verb(d, row);
    d->event->verb = d->verb->verb;
    return true;
}

static bool reject_time(struct decoding *d, const char *what)
{
    return reject(d->rejection, REASON_BAD_TIME, "%stime: %s; expected an RFC 3339 date-time of the years %d to %d",
                  d->envelope.prefix, what, POSSIBLE_YEAR_FIRST, POSSIBLE_YEAR_LAST);
}

static bool read_time(struct decoding *d)
{
    enum field_state state = d->envelope.fields[FIELD_TIME].state;
    d->event->time_of_record = state == FIELD_ABSENT;
    d->event->time_us = d->record->timestamp_us;
    if (state == FIELD_ABSENT)
        return instant_is_possible(d->record->timestamp_us) ||
               reject_time(d, "missing, and the record has no timestamp of these years to stand for it");
    if (state == FIELD_TEXT && instant_parse(d->envelope.fields[FIELD_TIME].text, &d->event->time_us) &&
        instant_is_possible(d->event->time_us))
        return true;
    return reject_time(d, "no date-time, or none that exists");
}

/* A record without timestamp has nothing to be ahead of. */
static bool check_ahead(const struct decoding *d)
{
    int64_t ahead_us, now_us = d->record->timestamp_us;
    if (now_us == NO_INSTANT || __builtin_sub_overflow(d->event->time_us, now_us, &ahead_us)) return true;
    if (ahead_us <= d->settings->max_ahead_us) return true;
    return reject(d->rejection, REASON_TOO_FAR_AHEAD,
                  "%stime: %lld ms after the record's timestamp; expected at most %lld ms (max_ahead)", d->envelope.prefix,
                  (long long)(ahead_us / MICROS_PER_MS), (long long)(d->settings->max_ahead_us / MICROS_PER_MS));
}

static bool read_data(struct decoding *d)
{
    if (d->envelope.fields[FIELD_DATA_BASE64].state != FIELD_ABSENT)
        return reject(d->rejection, REASON_BAD_ATTRIBUTE, "data_base64: expected the attributes as a JSON object, in data");
    if (d->envelope.data && !yyjson_is_obj(d->envelope.data))
        return reject(d->rejection, REASON_BAD_ATTRIBUTE, "data: expected a JSON object, or none");
    const struct rules *rules = d->settings->rules_of(d->settings->context, d->event->tenant);
    return attributes_read(d->json, d->envelope.data, d->verb, rules, d->event, d->rejection);
}

bool decode(const struct decode_settings *settings, const struct record *record, struct arena *arena, struct event *event,
            struct rejection *rejection)
{
    struct json json;
    yyjson_val *root;
    struct decoding d = { settings, record, &json, event, rejection, .mode = record_mode(record), .envelope = { .prefix = "" } };
    json_begin(&json, arena);
    rejection->tenant = SPAN("default");
    if (d.mode == MODE_BINARY) {
        envelope_of_headers(record, &d.envelope);
        know_tenant(&d);
    }
    return check_size(&d) && read_value(&d, &root) && read_envelope(&d, root) && read_identity(&d) && read_tenant(&d) &&
           read_type(&d) && read_time(&d) && check_ahead(&d) && read_data(&d);
}
