/* An entity: the set of its events, and what other entities handed to it. Everything the daemon says of it is a pure function
 * of that (facts/) and of the clock. Order of arrival leaves no trace here: equal sets, equal entities. */
#pragma once

#include "common/arena.h"
#include "common/buffer.h"
#include "common/names.h"
#include "common/siphash.h"
#include "daemon/intake/event.h"

/* One event as it is remembered. Texts point into the encoded entity or the batch's arena. */
struct entity_event {
    int64_t time_us;
    int32_t offset_s; /* of the tenant's zone at that instant, when it was counted: its local day never moves again */
    uint8_t verb;
    bool time_of_record;
    bool named;       /* carries `name` or `text`: what belongs to this event alone */
    name_id name;     /* stage (0: none), list, page, or the score */
    struct span text; /* `into` of a merge */
    struct span sequence, source, id;
    name_id source_id; /* number of the source's name */
};

/* The value that an event gave to an attribute. Kept: the newest one whose event names its time, and all newer ones. */
struct entity_attribute {
    uint32_t attribute; /* enum attribute, or ATTRIBUTE_CUSTOM + the number of a custom one's name */
    uint32_t event;     /* index of the event that named it */
    struct entity_value {
        enum entity_value_type {
            STORED_NULL,
            STORED_NAME,
            STORED_TEXT,
            STORED_HASH,
            STORED_NAMES,
            STORED_DECIMAL,
            STORED_INTEGER
        } type;
        union {
            name_id name;
            struct span text;
            uint64_t hash;
            struct span names; /* varints of name numbers */
            struct decimal decimal;
            struct {
                int64_t integer;
                int32_t offset_s; /* of the zone at an instant */
            };
        };
    } value;
};

/* What is handed over as a sum: how many others … */
enum handed_sum {
    HANDED_REFERENCES, /* … name this entity */
    HANDED_CALLS,      /* … are completed sales calls of this deal */
    HANDED_DUPLICATES, /* … addresses (e-mail, phone) know an older contact than this one */
    HANDED_DOUBLES,    /* … e-mail addresses know a contact created up to ten minutes before this one */
    N_HANDED_SUMS
};

/* What is handed over one by one. Sorted by type, then key. */
enum handed_type {
    HANDED_WIN,   /* a standing win of a deal: to its contact (as lead) and to its customer */
    HANDED_TOUCH, /* a completed call, held meeting or sent e-mail: to the contact it names */
    HANDED_MEMBER /* a contact with this e-mail or phone: to the address */
};
struct handed_item {
    uint8_t type;
    struct span key;     /* who hands it over: the deal's id, the kind and id of a touch, the contact's id */
    struct span payload; /* encoded by facts/ */
    int32_t count; /* 1; while things move within one batch also 2, 0 or less: what is given before the old one is taken back */
};

struct entity {
    enum kind kind;
    struct span id;
    struct entity_event *events; /* in the order of the contract: time, sequence, source, id */
    uint32_t n_events, room_events;
    struct entity_attribute *attributes; /* by attribute, then event */
    uint32_t n_attributes, room_attributes;
    int64_t sums[N_HANDED_SUMS];
    struct handed_item *items;
    uint32_t n_items, room_items;
    bool link_cut; /* contact: its merge closes a circle and is its latest link */
    /* It was last evaluated before this instant, at which something in it changes by the clock; NEVER: nothing does. */
    int64_t wake_us;
    uint32_t generation; /* of the tenant's counting: by what it was counted (tenant/generations.h) */
    int32_t touched_day; /* tenant's local day of the last commit that changed it, noted where entities retire; 0: not noted */
    uint64_t *buried;    /* hashes of events that a deleted contact no longer shows (sorted) */
    uint32_t n_buried;
};

/* What applying an event came to. */
enum applied {
    APPLIED,
    APPLIED_TIME_ONLY,
    DUPLICATE,
    TOO_MANY
};

struct entity_context {
    struct arena *arena; /* of the batch: whatever grows, grows here */
    struct names *names;
    const struct rules *rules;
    struct hash_key secret; /* of the tenant: for hashes of personal data */
    uint32_t max_events;
};

/* Adds an event to the set. DUPLICATE: source and id are known (a copy without a time of its own may still move the event to
 * an earlier one: APPLIED_TIME_ONLY). TOO_MANY: nothing changed. */
enum applied entity_apply(struct entity *entity, const struct entity_context *context, const struct event *event);

/* An e-mail address or phone number as it is stored; 0: nothing is left of it. */
uint64_t entity_personal_hash(const struct entity_context *context, uint32_t attribute, struct span text);

/* The order of the contract. */
int event_compare(const struct entity_event *a, const struct entity_event *b);

/* Index of the last `deleted`, or -1: nothing up to it counts any more. */
int64_t entity_last_deleted(const struct entity *entity);

/* The current value of an attribute, counting only events after index `after` (-1: all): NULL when none names it or the last one cleared it. */
const struct entity_value *entity_value(const struct entity *entity, uint32_t attribute, int64_t after);
uint64_t entity_attributes(const struct entity *entity); /* those of the contract that it has values of, a bit each */
name_id entity_name(const struct entity *entity, uint32_t attribute, int64_t after);     /* 0: missing */
struct span entity_text(const struct entity *entity, uint32_t attribute, int64_t after); /* empty: missing */

/* Of a list of names (TYPE_NAMES): the next one, 0 at the end. `names` is cut from the front. */
name_id entity_next_name(struct span *names);

/* Handing over: add (factor 1) or take back (-1). The order of adding and taking back does not matter. */
void entity_hand_item(struct entity *entity, struct arena *arena, const struct handed_item *item, int factor);

/* The compact form (codec.c). `decode` fills all but kind and id, pointing into `bytes`; arrays in the arena. False: not of this daemon's format. */
void entity_encode(const struct entity *entity, struct buffer *out);
bool entity_decode(struct entity *entity, struct span bytes, struct arena *arena, const struct names *names);
bool entity_is_empty(const struct entity *entity);   /* nothing to store */
bool entity_is_settled(const struct entity *entity); /* every item handed to it is there once: only then can it be encoded */
