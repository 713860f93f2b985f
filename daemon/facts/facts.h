/* What an entity says: its facts, and what it hands over to others. A pure function of the entity and the clock. */
#pragma once

#include "daemon/counters/cell.h"
#include "daemon/entity/entity.h"
#include "daemon/facts/kept.h"
#include "daemon/facts/lists.h"

/* A measure that the fact does not have (a call without duration). */
#define ABSENT INT64_MIN

/* One dated, weighted row. `day` is 0 for undated facts. */
struct fact_entry {
    int32_t day;
    int64_t measures[MEASURES_MAX]; /* [0]: the count */
    struct cell_key key;            /* as much of it as is used */
};
static inline size_t fact_entry_bytes(const struct fact_entry *entry)
{
    return offsetof(struct fact_entry, key) + cell_key_bytes(&entry->key);
}

/* Adds the fact's measures, times the factor, to those of its cell. */
static inline void fact_entry_add(const struct fact_entry *fact, int factor, struct cell_value *value)
{
    const struct fact_row *row = &fact_rows[fact->key.fact];
    for (int i = 0; i < row->n_measures; i++) {
        if (fact->measures[i] == ABSENT) continue;
        value->sums[i] += factor * fact->measures[i];
        if (row->measures[i].type == MEASURE_DURATION) histogram_add(&value->spread[i], fact->measures[i], factor);
    }
}

/* One thing handed to another entity, which may not be there yet. */
struct handover {
    enum kind to;
    struct span id;
    bool is_sum;
    enum handed_sum sum; /* is_sum: add `amount` to it */
    int64_t amount;
    struct handed_item item; /* else: put this there */
};

/* All that an entity says at one clock. Zeroed = empty; arrays in the context's scratch. */
struct statement {
    struct fact_entry *facts;
    uint32_t n_facts, room_facts;
    struct handover *handovers;
    uint32_t n_handovers, room_handovers;
    struct listing *listings; /* by list, each once */
    uint32_t n_listings;
    bool closed;     /* nothing more is expected of it: it may leave when it has been left alone for long */
    int64_t wake_us; /* when the clock alone changes it next: earliest instant after the clock; NEVER */
};

/* Names the daemon itself uses as dimension values, as numbers of the tenant (interned on first use). */
enum known_name {
    KNOWN_DEFAULT,
    KNOWN_NEW,
    KNOWN_SALES,
    KNOWN_SERVICE,
    KNOWN_CALL,
    KNOWN_MEETING,
    KNOWN_EMAIL,
    KNOWN_RESPONSE,
    KNOWN_RESOLVE,
    KNOWN_MONTH,
    KNOWN_QUARTER,
    KNOWN_YEAR,
    KNOWN_REFERRAL,
    KNOWN_OUTBOUND,
    KNOWN_DAY,
    KNOWN_WEEK,
    KNOWN_KIND,                        /* and the kind's number */
    KNOWN_HOUR = KNOWN_KIND + N_KINDS, /* and the hour, 0…23 */
    N_KNOWN_NAMES = KNOWN_HOUR + 24
};

struct facts_context {
    struct arena *arena;   /* what is handed over lies here */
    struct arena *scratch; /* statements' arrays: as long as they are needed; may be the same */
    struct names *names;
    name_id *known; /* [N_KNOWN_NAMES], 0 = not yet looked up */
    const struct rules *rules;
    const struct kept *kept;
    int64_t clock_us;
};

/* Does an entity of this kind ever become `closed`? */
bool facts_kind_closes(enum kind kind);

/* Fills the statement (from empty). */
void facts_of(const struct entity *entity, const struct facts_context *context, struct statement *out);

/* The address (KIND_ADDRESS) that contacts with this e-mail or phone are handed to, and whether they are. */
struct span contact_address(struct arena *arena, uint32_t attribute, uint64_t hash);
bool contact_addresses_matter(const struct kept *kept);

/* The merge link of a contact, whether cut or not: where it goes, and the event that says so. NULL: not merged. */
const struct entity_event *contact_link(const struct entity *contact);
