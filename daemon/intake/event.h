/* One event, decoded and checked; or why it is rejected. Texts point into the record or the arena given to the decoder. */
#pragma once

#include "common/arena.h"
#include "common/decimal.h"
#include "common/rules.h"
#include "daemon/intake/kinds.h"

enum {
    ID_BYTES_MAX = 256,
    TEXT_BYTES_MAX = 1024,
    TENANT_BYTES_MAX = 64
};

enum value_type {
    VALUE_NULL,
    VALUE_TEXT,
    VALUE_TEXTS,
    VALUE_DECIMAL,
    VALUE_INTEGER
};

/* By attribute type: name, reference, personal, currency, period -> TEXT; names -> TEXTS; money, target -> DECIMAL;
 * duration (ms), instant (us), date (day), flag (0, 1), score -> INTEGER; null or an empty text, list -> NULL. */
struct value {
    enum value_type type;
    union {
        struct span text;
        struct {
            const struct span *at;
            size_t n;
        } texts;
        struct decimal decimal;
        int64_t integer;
    };
};

struct event_attribute {
    uint16_t attribute; /* enum attribute, or ATTRIBUTE_CUSTOM + its index in rules.kind[kind].custom */
    struct value value;
};

struct event {
    enum kind kind;
    enum verb verb;
    struct span subject;
    const struct event_attribute *attributes; /* each at most once (of a name given twice the last holds) */
    size_t n_attributes;
    uint64_t named; /* of the attributes of the contract those that are among them, a bit each */
    struct span id;
    int64_t time_us;
    struct span source, sequence, traceparent;
    bool time_of_record; /* the event named no time: the record's stands for it */
    struct span tenant;
};

/* In the order of the contract: the first that applies. */
enum reason {
    REASON_NONE,
    REASON_TOO_LARGE,
    REASON_NOT_JSON,
    REASON_NOT_CLOUDEVENTS,
    REASON_MISSING_ATTRIBUTE,
    REASON_BAD_ATTRIBUTE,
    REASON_BAD_TENANT,
    REASON_UNKNOWN_TYPE,
    REASON_BAD_TIME,
    REASON_TOO_FAR_AHEAD,
    REASON_TOO_MANY_EVENTS,
    REASON_AFTER_RETENTION,
    N_REASONS
};
extern const char *const reason_names[N_REASONS]; /* "too_large" …; [REASON_NONE] = "" */
bool reason_is_unreadable(enum reason reason);    /* VALUE_CONVERTER, else TRANSFORMATION */

enum {
    REJECTION_TEXT_BYTES = 384
};
struct rejection {
    enum reason reason;
    struct span tenant;                 /* "default" where it cannot be read */
    char message[REJECTION_TEXT_BYTES]; /* what, where, what was expected; no personal data: names attributes, not values */
};

/* A record as a source hands it over: key, value and headers are the record's own bytes. */
struct header {
    struct span name, value; /* value.at == NULL: a null header */
};
struct record {
    struct span value; /* .at == NULL: null record (ignored by the caller, counted) */
    struct span key;
    const struct header *headers;
    size_t n_headers;
    int64_t timestamp_us; /* NO_INSTANT: none */
    struct span topic;
    int32_t partition;
    int64_t offset;
};
