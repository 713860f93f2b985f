/* The CloudEvents attributes around the data, read alike from a JSON object (structured) or from headers (binary). */
#pragma once

#include "daemon/intake/json.h"
#include "daemon/intake/reject.h"

enum field {
    FIELD_SPECVERSION,
    FIELD_ID,
    FIELD_SOURCE,
    FIELD_TYPE,
    FIELD_SUBJECT,
    FIELD_TIME,
    FIELD_TENANT,
    FIELD_SEQUENCE,
    FIELD_TRACEPARENT,
    FIELD_DATA,
    FIELD_DATA_BASE64,
    N_FIELDS
};

enum field_state {
    FIELD_ABSENT, /* or null */
    FIELD_TEXT,
    FIELD_OTHER /* no text, or no UTF-8 */
};

struct envelope {
    struct {
        enum field_state state;
        struct span text; /* of FIELD_TEXT; may be empty */
    } fields[N_FIELDS];
    yyjson_val *data;   /* NULL: none, or null */
    const char *prefix; /* before the names of attributes in messages: "ce_" in binary mode, else "" */
};

enum mode {
    MODE_STRUCTURED,
    MODE_BINARY
};
enum mode record_mode(const struct record *record);

/* Fill a zeroed envelope. Of a name given twice the last holds. Binary: `data` is the record's value, to be set by the caller. */
void envelope_of_object(const struct json *json, yyjson_val *object, struct envelope *envelope);
void envelope_of_headers(const struct record *record, struct envelope *envelope);

bool envelope_is_cloudevents(const struct envelope *envelope); /* specversion 1.0 */

/* What the contract asks of the attributes that name the event: missing_attribute, bad_attribute. */
MUST_USE bool envelope_check(const struct envelope *envelope, struct rejection *rejection);

/* The tenant, `default` where none is named. False: not of the form of a tenant's id. */
bool envelope_tenant(const struct envelope *envelope, struct span *tenant);
