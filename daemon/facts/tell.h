/* Inner tools of facts/: how a kind's function looks at an entity's life and writes facts and handovers down. */
#pragma once

#include "daemon/facts/facts.h"

/* One entity at one clock, while its statement is written. */
struct teller {
    const struct entity *entity;
    const struct facts_context *context;
    struct statement *out;
    int64_t deleted;                    /* index of the last `deleted`: nothing up to it counts; -1 */
    int64_t opening;                    /* index of the event that created it; -1: it does not exist */
    const struct entity_event *created; /* that event; NULL */
    uint64_t present;                   /* attributes of the contract that it has at all, a bit each */
    name_id common[4];                  /* owner, team, source, campaign */
    name_id customs[CUSTOM_MAX];        /* of the entity's kind, in the order of the rules */
    int n_customs;
    bool blemished; /* the audit found something */
    bool ended;     /* nothing more is expected of it: won, lost, resolved, done, sent … */
};

name_id known(const struct facts_context *context, int name); /* enum known_name */
bool wanted(const struct teller *teller, enum fact fact);

/* The events that count: for (i = first_event(t); i < n_events; i++). */
static inline uint32_t first_event(const struct teller *teller)
{
    return (uint32_t)(teller->deleted + 1);
}

/* First or last event with this verb that counts; NULL. */
const struct entity_event *first_of(const struct teller *teller, enum verb verb);
const struct entity_event *last_of(const struct teller *teller, enum verb verb);

/* Current values (0, empty, NULL: missing). */
name_id tell_name(const struct teller *teller, uint32_t attribute);
struct span tell_text(const struct teller *teller, uint32_t attribute);
const struct entity_value *tell_value(const struct teller *teller, uint32_t attribute);

/* The entity's one currency, and an amount of it in smallest units (0 when missing). */
name_id tell_currency(const struct teller *teller);
int64_t tell_money(const struct teller *teller, uint32_t attribute);

/* Whole milliseconds from `from` to `to`, never below 0. */
int64_t elapsed_ms(int64_t from_us, int64_t to_us);
int32_t event_day(const struct entity_event *event);

/* Puts a day among `n` that ascend, each there once: how many there are then. Days of events in their order come nearly so: only
 * where the clock is put back over midnight an earlier one comes after a later one. */
uint32_t add_day(int32_t *days, uint32_t n, int32_t day);

/* A new fact on that day with count 1, all other measures absent or 0, and the entity's common and custom dimensions.
 * Returns a scratch entry when the fact is not wanted, so that callers need no branch; nothing can be read from that. */
struct fact_entry *tell(struct teller *teller, enum fact fact, int32_t day);
/* The same for who reads from it what was written: filled also when the fact is not wanted. */
struct fact_entry *tell_fully(struct teller *teller, enum fact fact, int32_t day);
void set_dim(struct fact_entry *fact, enum dimension dimension, name_id value);
void set_measure(struct fact_entry *fact, int index, int64_t value);

void hand_sum(struct teller *teller, enum kind to, struct span id, enum handed_sum sum);
void hand_item(struct teller *teller, enum kind to, struct span id, struct handed_item item);

/* Is `instant` before the clock (has it passed)? If not, the statement names it as wake-up. */
bool has_passed(struct teller *teller, int64_t instant_us); /* instant < clock */
bool has_come(struct teller *teller, int64_t instant_us);   /* instant <= clock */

/* ---- a win, as it is handed over ---- */
enum {
    WIN_LEAD = 1,
    WIN_CUSTOMER = 2
};
struct win {
    uint8_t roles;             /* WIN_… */
    struct entity_event event; /* its order; `text`: the deal's id */
    name_id currency;
    int64_t amount;
    uint32_t n_dims;
    name_id dims[CELL_DIMS_MAX]; /* as of deal_won */
};
struct span win_encode(const struct win *win, const struct facts_context *context);
bool win_decode(struct win *win, const struct handed_item *item, const struct facts_context *context);
int win_compare(const struct win *a, const struct win *b);

/* ---- a touch ---- */
struct span touch_encode(int64_t time_us, int32_t offset_s, struct arena *arena);
bool touch_decode(const struct handed_item *item, int64_t *time_us, int32_t *offset_s);

/* ---- the kinds ---- */
void tell_contact(struct teller *teller);
void tell_account(struct teller *teller);
void tell_deal(struct teller *teller);
void tell_call(struct teller *teller);
void tell_meeting(struct teller *teller);
void tell_email(struct teller *teller);
void tell_case(struct teller *teller);
void tell_interaction(struct teller *teller);
void tell_campaign(struct teller *teller);
void tell_response(struct teller *teller);
void tell_visit(struct teller *teller);
void tell_goal(struct teller *teller);
void tell_user(struct teller *teller);
void tell_address(struct teller *teller);

/* What all customers say, be they account or contact: from the wins handed to them as such. */
void tell_customer(struct teller *teller);

/* A service contact: a service call or a logged interaction; costed where it names a cost. */
void tell_service_contact(struct teller *teller, const struct entity_event *event, name_id channel);

/* Lines of lists (lists.c): of the findings among the facts told, last of all; of an open deal. */
void tell_offenders(struct teller *teller);
void tell_open_deal(struct teller *teller, const struct list_line *line);

/* The audit: findings, references to others, and the record itself. Call last. `merged`: merged away. */
void tell_audit(struct teller *teller, bool merged);
void tell_impossible_order(struct teller *teller);
