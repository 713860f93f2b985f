/* What calls, meetings and e-mails say: that something was done, is due, or came to nothing. */
#include "common/instant.h"
#include "daemon/facts/tell.h"

/* ---- what they share ---- */

/* A completed call, held meeting or sent e-mail: an activity, and a touch of the contact it names. */
static void tell_activity(struct teller *teller, const struct entity_event *event, enum known_name activity)
{
    set_dim(tell(teller, FACT_ACTIVITY, event_day(event)), DIM_ACTIVITY, known(teller->context, activity));
    struct span contact = tell_text(teller, ATTRIBUTE_CONTACT);
    if (!contact.len || (!wanted(teller, FACT_LEAD_RESPONSE) && !wanted(teller, FACT_LEAD_UNTOUCHED))) return;
    struct buffer key = { 0 };
    buffer_byte(&key, (uint8_t)('0' + teller->entity->kind));
    buffer_span(&key, teller->entity->id);
    struct handed_item item = { .type = HANDED_TOUCH, .key = arena_copy(teller->context->arena, buffer_all(&key)) };
    item.payload = touch_encode(event->time_us, event->offset_s, teller->context->arena);
    hand_item(teller, KIND_CONTACT, contact, item);
    buffer_deinit(&key);
}

/* A scheduled call or meeting that is still to come. `done`: it took place or was missed. */
static void tell_due(struct teller *teller, bool done, enum known_name activity)
{
    const struct entity_event *scheduled = last_of(teller, VERB_SCHEDULED), *cancelled = last_of(teller, VERB_CANCELLED);
    const struct entity_value *due = tell_value(teller, ATTRIBUTE_DUE);
    bool is_off = cancelled && (!scheduled || cancelled > scheduled);
    teller->ended = done || is_off;
    if (teller->ended || !scheduled || !due) return;
    struct fact_entry *entry = tell(teller, FACT_ACTIVITY_DUE, local_day(due->integer, due->offset_s));
    set_dim(entry, DIM_ACTIVITY, known(teller->context, activity));
}

/* ---- calls ---- */

static name_id hour_name(const struct teller *teller, const struct entity_event *event)
{
    int64_t second =
        (event->time_us + event->offset_s * MICROS_PER_SECOND - local_day(event->time_us, event->offset_s) * MICROS_PER_DAY) /
        MICROS_PER_SECOND;
    return known(teller->context, KNOWN_HOUR + (int)(second / 3600));
}

static int64_t duration_of(const struct teller *teller, uint32_t attribute)
{
    const struct entity_value *value = tell_value(teller, attribute);
    return value ? value->integer : ABSENT;
}

static name_id purpose_of(const struct teller *teller)
{
    name_id purpose = tell_name(teller, ATTRIBUTE_PURPOSE);
    if (purpose) return purpose;
    return known(teller->context, tell_text(teller, ATTRIBUTE_CASE).len ? KNOWN_SERVICE : KNOWN_SALES);
}

static void tell_completed(struct teller *teller, const struct entity_event *completed, name_id purpose)
{
    struct fact_entry *entry = tell(teller, FACT_CALL, event_day(completed));
    set_dim(entry, DIM_PURPOSE, purpose);
    set_dim(entry, DIM_DIRECTION, tell_name(teller, ATTRIBUTE_DIRECTION));
    set_dim(entry, DIM_CURRENCY, tell_currency(teller));
    set_dim(entry, DIM_HOUR, wanted(teller, FACT_CALL) ? hour_name(teller, completed) : 0);
    set_measure(entry, 1, duration_of(teller, ATTRIBUTE_DURATION));
    set_measure(entry, 2, duration_of(teller, ATTRIBUTE_WAIT));
    set_measure(entry, 3, tell_money(teller, ATTRIBUTE_COST));
    struct span deal = tell_text(teller, ATTRIBUTE_DEAL);
    bool counted = wanted(teller, FACT_DEAL_CREATED) || wanted(teller, FACT_DEAL_WON) || wanted(teller, FACT_DEAL_LOST);
    if (deal.len && counted && purpose == known(teller->context, KNOWN_SALES)) hand_sum(teller, KIND_DEAL, deal, HANDED_CALLS);
    if (purpose == known(teller->context, KNOWN_SERVICE))
        tell_service_contact(teller, completed, known(teller->context, KNOWN_CALL));
    tell_activity(teller, completed, KNOWN_CALL);
}

static void tell_missed(struct teller *teller, const struct entity_event *missed, name_id purpose)
{
    if (tell_name(teller, ATTRIBUTE_DIRECTION) == known(teller->context, KNOWN_OUTBOUND)) return;
    struct fact_entry *entry = tell(teller, FACT_CALL_LOST, event_day(missed));
    set_dim(entry, DIM_PURPOSE, purpose);
    set_dim(entry, DIM_HOUR, wanted(teller, FACT_CALL_LOST) ? hour_name(teller, missed) : 0);
    set_measure(entry, 1, duration_of(teller, ATTRIBUTE_WAIT));
}

void tell_call(struct teller *teller)
{
    if (teller->created) {
        const struct entity_event *completed = first_of(teller, VERB_COMPLETED), *missed = first_of(teller, VERB_MISSED);
        const struct entity_event *ended = completed ? completed : missed;
        const struct entity_value *callback = tell_value(teller, ATTRIBUTE_CALLBACK);
        name_id purpose = purpose_of(teller);
        if (completed)
            tell_completed(teller, completed, purpose);
        else if (missed)
            tell_missed(teller, missed, purpose);
        if (ended && callback && callback->integer) set_dim(tell(teller, FACT_CALLBACK, event_day(ended)), DIM_PURPOSE, purpose);
        tell_due(teller, ended != NULL, KNOWN_CALL);
    }
    tell_audit(teller, false);
}

/* ---- meetings ---- */

void tell_meeting(struct teller *teller)
{
    if (teller->created) {
        const struct entity_event *held = first_of(teller, VERB_HELD);
        if (held) tell_activity(teller, held, KNOWN_MEETING);
        tell_due(teller, held != NULL, KNOWN_MEETING);
    }
    tell_audit(teller, false);
}

/* ---- e-mails: everything belongs to the sending, which without a `sent` is the first that is known of it ---- */

static const struct {
    enum verb verb;
    enum fact fact;
} email_facts[] = {
    { VERB_DELIVERED, FACT_EMAIL_DELIVERED }, { VERB_OPENED, FACT_EMAIL_OPENED },   { VERB_CLICKED, FACT_EMAIL_CLICKED },
    { VERB_REPLIED, FACT_EMAIL_REPLIED },     { VERB_BOUNCED, FACT_EMAIL_BOUNCED }, { VERB_COMPLAINED, FACT_EMAIL_COMPLAINED },
};

static void tell_campaign_response(struct teller *teller)
{
    const struct entity_event *clicked = first_of(teller, VERB_CLICKED), *replied = first_of(teller, VERB_REPLIED);
    const struct entity_event *first = !clicked || (replied && replied < clicked) ? replied : clicked;
    if (!first || !teller->common[3]) return;
    set_dim(tell(teller, FACT_CAMPAIGN_RESPONSE, event_day(first)), DIM_CHANNEL, known(teller->context, KNOWN_EMAIL));
}

void tell_email(struct teller *teller)
{
    if (teller->created) {
        int32_t day = event_day(teller->created);
        tell(teller, FACT_EMAIL_SENT, day);
        for (size_t i = 0; i < sizeof email_facts / sizeof *email_facts; i++)
            if (first_of(teller, email_facts[i].verb)) tell(teller, email_facts[i].fact, day);
        tell_campaign_response(teller);
        tell_activity(teller, teller->created, KNOWN_EMAIL);
        teller->ended = true;
    }
    tell_audit(teller, false);
}
