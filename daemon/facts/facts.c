/* From an entity to its statement: finds its life (what counts, when it was created) and asks the function of its kind. */
#include "daemon/facts/facts.h"

#include "common/error.h"
#include "common/instant.h"
#include "daemon/facts/tell.h"

static void (*const tellers[N_ENTITY_KINDS])(struct teller *) = {
    [KIND_CONTACT] = tell_contact,   [KIND_ACCOUNT] = tell_account,
    [KIND_DEAL] = tell_deal,         [KIND_CALL] = tell_call,
    [KIND_MEETING] = tell_meeting,   [KIND_EMAIL] = tell_email,
    [KIND_CASE] = tell_case,         [KIND_INTERACTION] = tell_interaction,
    [KIND_CAMPAIGN] = tell_campaign, [KIND_RESPONSE] = tell_response,
    [KIND_VISIT] = tell_visit,       [KIND_GOAL] = tell_goal,
    [KIND_USER] = tell_user,         [KIND_ADDRESS] = tell_address,
};

static const bool closes[N_ENTITY_KINDS] = {
    [KIND_DEAL] = true, [KIND_CALL] = true,        [KIND_MEETING] = true,  [KIND_EMAIL] = true,
    [KIND_CASE] = true, [KIND_INTERACTION] = true, [KIND_RESPONSE] = true, [KIND_VISIT] = true,
};

bool facts_kind_closes(enum kind kind)
{
    return closes[kind];
}

static const char *const known_texts[KNOWN_KIND] = {
    [KNOWN_DEFAULT] = "default",   [KNOWN_NEW] = "new",           [KNOWN_SALES] = "sales",     [KNOWN_SERVICE] = "service",
    [KNOWN_CALL] = "call",         [KNOWN_MEETING] = "meeting",   [KNOWN_EMAIL] = "email",     [KNOWN_RESPONSE] = "response",
    [KNOWN_RESOLVE] = "resolve",   [KNOWN_MONTH] = "month",       [KNOWN_QUARTER] = "quarter", [KNOWN_YEAR] = "year",
    [KNOWN_REFERRAL] = "referral", [KNOWN_OUTBOUND] = "outbound", [KNOWN_DAY] = "day",         [KNOWN_WEEK] = "week",
};

static name_id look_up(const struct facts_context *context, int name)
{
    if (name < KNOWN_KIND) return names_intern(context->names, span_of(known_texts[name]));
    if (name < KNOWN_HOUR) return names_intern(context->names, span_of(kind_rows[name - KNOWN_KIND].name));
    const char hour[2] = { (char)('0' + (name - KNOWN_HOUR) / 10), (char)('0' + (name - KNOWN_HOUR) % 10) };
    return names_intern(context->names, (struct span){ hour, 2 });
}

name_id known(const struct facts_context *context, int name)
{
    if (!context->known[name]) context->known[name] = look_up(context, name);
    return context->known[name];
}

bool wanted(const struct teller *teller, enum fact fact)
{
    return teller->context->kept->fact[fact].on;
}

/* ---- the entity's life ---- */

/* Created at its first ▲; without one, and never deleted, at its first △. */
static int64_t find_opening(const struct entity *entity, int64_t deleted)
{
    int64_t otherwise = -1;
    for (uint32_t i = (uint32_t)(deleted + 1); i < entity->n_events; i++) {
        enum opening opening = verb_opening(entity->kind, entity->events[i].verb);
        if (opening == OPENS) return i;
        if (opening == OPENS_ELSE && otherwise < 0 && deleted < 0) otherwise = i;
    }
    return otherwise;
}

static void find_common(struct teller *teller)
{
    for (uint32_t i = 0; i < 4; i++) teller->common[i] = tell_name(teller, ATTRIBUTE_OWNER + i);
    if (teller->entity->kind == KIND_CAMPAIGN) teller->common[3] = names_intern(teller->context->names, teller->entity->id);
    if (teller->entity->kind >= N_KINDS) return;
    const struct rules *rules = teller->context->rules;
    unsigned kept = teller->context->kept->customs[teller->entity->kind];
    teller->n_customs = rules->kind[teller->entity->kind].n_custom;
    for (int i = 0; i < teller->n_customs; i++) {
        if (!(kept >> i & 1)) continue;
        name_id name = names_find(teller->context->names, span_of(rules->kind[teller->entity->kind].custom[i]));
        teller->customs[i] = name ? tell_name(teller, ATTRIBUTE_CUSTOM + name) : 0;
    }
}

/* Deleted, and nobody names it any more: who does makes it an unknown reference, which is to be put right. */
static bool is_gone(const struct teller *teller)
{
    return teller->deleted >= 0 && teller->entity->sums[HANDED_REFERENCES] <= 0;
}

/* Dimensions and measures that nothing of the catalogue needs are left out. */
static void keep_only(struct fact_entry *entry, const struct kept *kept)
{
    const struct fact_row *row = &fact_rows[entry->key.fact];
    kept_cut_key(kept, &entry->key);
    for (int i = 1; i < row->n_measures; i++)
        if (!(kept->fact[entry->key.fact].measures & 1u << i))
            entry->measures[i] = row->measures[i].type == MEASURE_DURATION ? ABSENT : 0;
}

/* Most statements are short: they are written here, and then copied in their length. */
enum {
    DESK_FACTS = 24,
    DESK_HANDOVERS = 16
};
struct writing_desk {
    struct fact_entry facts[DESK_FACTS];
    struct handover handovers[DESK_HANDOVERS];
    struct listing listings[N_LISTS];
};

static void *copy_array(struct arena *arena, const void *array, size_t bytes)
{
    return bytes ? memcpy(arena_alloc(arena, bytes), array, bytes) : NULL;
}

static void clear_desk(const struct writing_desk *desk, struct arena *arena, struct statement *out)
{
    if (out->facts == desk->facts) out->facts = copy_array(arena, desk->facts, out->n_facts * sizeof *out->facts);
    if (out->handovers == desk->handovers)
        out->handovers = copy_array(arena, desk->handovers, out->n_handovers * sizeof *out->handovers);
    out->listings = copy_array(arena, desk->listings, out->n_listings * sizeof *out->listings);
    out->room_facts = out->n_facts;
    out->room_handovers = out->n_handovers;
}

void facts_of(const struct entity *entity, const struct facts_context *context, struct statement *out)
{
    struct teller teller = {
        .entity = entity, .context = context, .out = out, .deleted = -1, .opening = -1, .present = entity_attributes(entity)
    };
    struct writing_desk desk;
    *out = (struct statement){ .facts = desk.facts,
                               .room_facts = DESK_FACTS,
                               .handovers = desk.handovers,
                               .room_handovers = DESK_HANDOVERS,
                               .listings = desk.listings,
                               .wake_us = NEVER };
    if (entity->kind < N_KINDS) {
        teller.deleted = entity_last_deleted(entity);
        teller.opening = find_opening(entity, teller.deleted);
        teller.created = teller.opening < 0 ? NULL : &entity->events[teller.opening];
        find_common(&teller);
    }
    tellers[entity->kind](&teller);
    out->closed = closes[entity->kind] && (teller.created ? teller.ended : is_gone(&teller));
    tell_offenders(&teller);
    for (uint32_t i = 0; i < out->n_facts; i++) keep_only(&out->facts[i], context->kept);
    clear_desk(&desk, context->scratch, out);
}

/* ---- looking ---- */

const struct entity_event *first_of(const struct teller *teller, enum verb verb)
{
    for (uint32_t i = first_event(teller); i < teller->entity->n_events; i++)
        if (teller->entity->events[i].verb == verb) return &teller->entity->events[i];
    return NULL;
}

const struct entity_event *last_of(const struct teller *teller, enum verb verb)
{
    for (uint32_t i = teller->entity->n_events; i > first_event(teller); i--)
        if (teller->entity->events[i - 1].verb == verb) return &teller->entity->events[i - 1];
    return NULL;
}

/* Of most attributes an entity has nothing. */
static bool is_present(const struct teller *teller, uint32_t attribute)
{
    return attribute >= N_ATTRIBUTES || (teller->present >> attribute & 1);
}

name_id tell_name(const struct teller *teller, uint32_t attribute)
{
    if (!is_present(teller, attribute)) return 0;
    return entity_name(teller->entity, attribute, teller->deleted);
}

struct span tell_text(const struct teller *teller, uint32_t attribute)
{
    if (!is_present(teller, attribute)) return NO_SPAN;
    return entity_text(teller->entity, attribute, teller->deleted);
}

const struct entity_value *tell_value(const struct teller *teller, uint32_t attribute)
{
    if (!is_present(teller, attribute)) return NULL;
    return entity_value(teller->entity, attribute, teller->deleted);
}

name_id tell_currency(const struct teller *teller)
{
    name_id currency = tell_name(teller, ATTRIBUTE_CURRENCY);
    return currency ? currency : names_intern(teller->context->names, span_of(teller->context->rules->currency));
}

int64_t tell_money(const struct teller *teller, uint32_t attribute)
{
    const struct entity_value *value = tell_value(teller, attribute);
    if (!value) return 0;
    return decimal_minor(value->decimal, currency_decimals(names_text(teller->context->names, tell_currency(teller))));
}

int64_t elapsed_ms(int64_t from_us, int64_t to_us)
{
    return to_us <= from_us ? 0 : (to_us - from_us) / MICROS_PER_MS;
}

int32_t event_day(const struct entity_event *event)
{
    return local_day(event->time_us, event->offset_s);
}

uint32_t add_day(int32_t *days, uint32_t n, int32_t day)
{
    uint32_t at = n;
    while (at && days[at - 1] > day) at--;
    if (at && days[at - 1] == day) return n;
    memmove(&days[at + 1], &days[at], (n - at) * sizeof *days);
    days[at] = day;
    return n + 1;
}

bool has_come(struct teller *teller, int64_t instant_us)
{
    if (instant_us <= teller->context->clock_us) return true;
    if (instant_us < teller->out->wake_us) teller->out->wake_us = instant_us;
    return false;
}

bool has_passed(struct teller *teller, int64_t instant_us)
{
    return has_come(teller, instant_us + 1);
}

/* ---- writing down ---- */

static struct fact_entry *add_entry(struct teller *teller)
{
    struct statement *out = teller->out;
    if (out->n_facts == out->room_facts) {
        uint32_t room = out->room_facts * 2;
        struct fact_entry *bigger = arena_alloc(teller->context->scratch, room * sizeof *bigger);
        memcpy(bigger, out->facts, out->n_facts * sizeof *bigger);
        out->facts = bigger;
        out->room_facts = room;
    }
    return &out->facts[out->n_facts];
}

struct fact_entry *tell(struct teller *teller, enum fact fact, int32_t day)
{
    if (wanted(teller, fact)) return tell_fully(teller, fact, day);
    struct fact_entry *scratch = add_entry(teller);
    scratch->key.fact = (uint16_t)fact;
    scratch->key.n = 0;
    return scratch;
}

/* Among those of all kinds that say the fact. */
static void place_customs(const struct teller *teller, const struct fact_row *row, struct fact_entry *entry)
{
    const struct rules *rules = teller->context->rules;
    for (int i = 0; i < teller->n_customs; i++)
        for (int at = 0; at < rules->customs[row->kinds].n; at++)
            if (!strcmp(rules->customs[row->kinds].at[at], rules->kind[teller->entity->kind].custom[i]))
                entry->key.dims[row->n_dims + at] = teller->customs[i];
}

struct fact_entry *tell_fully(struct teller *teller, enum fact fact, int32_t day)
{
    const struct fact_row *row = &fact_rows[fact];
    struct fact_entry *entry = add_entry(teller);
    uint16_t n = (uint16_t)cell_dims(teller->context->rules, fact);
    memset(entry, 0, offsetof(struct fact_entry, key.dims) + n * sizeof *entry->key.dims);
    entry->key.fact = (uint16_t)fact;
    entry->key.n = n;
    if (wanted(teller, fact)) teller->out->n_facts++;
    entry->day = row->dating == DATED ? day : 0;
    entry->measures[0] = 1;
    for (int i = 1; i < row->n_measures; i++) entry->measures[i] = row->measures[i].type == MEASURE_DURATION ? ABSENT : 0;
    for (int i = 0; i < row->n_dims; i++)
        if (row->dims[i] <= DIM_CAMPAIGN) entry->key.dims[i] = teller->common[row->dims[i]];
    if (row->kinds == teller->entity->kind)
        for (int i = 0; i < teller->n_customs; i++) entry->key.dims[row->n_dims + i] = teller->customs[i];
    else if (kind_set_members(row->kinds) >> teller->entity->kind & 1)
        place_customs(teller, row, entry);
    return entry;
}

void set_dim(struct fact_entry *fact, enum dimension dimension, name_id value)
{
    if (!fact->key.n) return; /* a scratch entry, or a fact without dimensions */
    int index = fact_dimension(&fact_rows[fact->key.fact], dimension);
    if (index >= 0) fact->key.dims[index] = value;
}

void set_measure(struct fact_entry *fact, int index, int64_t value)
{
    REQUIRE(index < fact_rows[fact->key.fact].n_measures);
    fact->measures[index] = value;
}

static struct handover *add_handover(struct teller *teller)
{
    struct statement *out = teller->out;
    if (out->n_handovers == out->room_handovers) {
        uint32_t room = out->room_handovers * 2;
        struct handover *bigger = arena_alloc(teller->context->scratch, room * sizeof *bigger);
        memcpy(bigger, out->handovers, out->n_handovers * sizeof *bigger);
        out->handovers = bigger;
        out->room_handovers = room;
    }
    return memset(&out->handovers[out->n_handovers++], 0, sizeof *out->handovers);
}

void hand_sum(struct teller *teller, enum kind to, struct span id, enum handed_sum sum)
{
    struct handover *handover = add_handover(teller);
    handover->to = to;
    handover->id = id;
    handover->is_sum = true;
    handover->sum = sum;
    handover->amount = 1;
}

void hand_item(struct teller *teller, enum kind to, struct span id, struct handed_item item)
{
    struct handover *handover = add_handover(teller);
    handover->to = to;
    handover->id = id;
    handover->item = item;
}
