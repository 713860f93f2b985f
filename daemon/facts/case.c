/* What a support case says: opened, answered, resolved, closed, reopened, rated; and whether its promises were kept. */
#include "common/instant.h"
#include "daemon/facts/tell.h"

/* A case's events, read once. */
struct course {
    const struct entity_event *resolved, *closed; /* standing; NULL */
    const struct entity_event *responded;         /* first at or after the opening; NULL */
    bool open;                                    /* counted as open */
};

static void set_case_dims(struct teller *teller, struct fact_entry *entry)
{
    set_dim(entry, DIM_CASE_KIND, tell_name(teller, ATTRIBUTE_CASE_KIND));
    set_dim(entry, DIM_PRIORITY, tell_name(teller, ATTRIBUTE_PRIORITY));
    set_dim(entry, DIM_CHANNEL, tell_name(teller, ATTRIBUTE_CHANNEL));
}

static struct fact_entry *tell_case_fact(struct teller *teller, enum fact fact, const struct entity_event *at)
{
    struct fact_entry *entry = tell(teller, fact, event_day(at));
    set_case_dims(teller, entry);
    return entry;
}

/* case_open: +1 when it becomes open, -1 when it stops being so. */
static void tell_open(struct teller *teller, struct course *course, const struct entity_event *at, bool open)
{
    if (course->open == open) return;
    course->open = open;
    set_measure(tell_case_fact(teller, FACT_CASE_OPEN, at), 0, open ? 1 : -1);
}

static void follow_event(struct teller *teller, struct course *course, const struct entity_event *event)
{
    if (event->verb == VERB_REOPENED && course->resolved) {
        course->resolved = course->closed = NULL;
        tell_case_fact(teller, FACT_CASE_REOPENED, event);
    }
    if ((event->verb == VERB_RESOLVED || event->verb == VERB_CLOSED) && !course->resolved) course->resolved = event;
    if (event->verb == VERB_CLOSED && !course->closed) course->closed = event;
    if (event->verb == VERB_RESPONDED && !course->responded && event->time_us >= teller->created->time_us)
        course->responded = event;
    if (event >= teller->created) tell_open(teller, course, event, !course->resolved);
}

/* Elapsed and business time since the opening, as measures 1 and 2. */
static void set_times(struct teller *teller, struct fact_entry *entry, const struct entity_event *at)
{
    const struct rules *rules = teller->context->rules;
    bool counted = wanted(teller, entry->key.fact) && teller->context->kept->fact[entry->key.fact].measures & 4;
    set_measure(entry, 1, elapsed_ms(teller->created->time_us, at->time_us));
    set_measure(entry, 2, counted ? rules_business_ms(rules, teller->created->time_us, at->time_us) : 0);
}

/* Resolved or closed on the local date of the opening: measure 3, same_day. */
static void tell_end(struct teller *teller, enum fact fact, const struct entity_event *at)
{
    if (!at) return;
    struct fact_entry *entry = tell_case_fact(teller, fact, at);
    set_times(teller, entry, at);
    set_measure(entry, 3, event_day(at) == event_day(teller->created));
}

/* Met: settled at or before the due instant. Missed: settled later, or not settled and the due instant is before the clock. */
static void tell_promise(struct teller *teller, uint32_t attribute, const struct entity_event *settled, enum known_name promise)
{
    const struct entity_value *due = tell_value(teller, attribute);
    if (!due || (!wanted(teller, FACT_PROMISE_MET) && !wanted(teller, FACT_PROMISE_MISSED))) return;
    bool met = settled && settled->time_us <= due->integer;
    if (!settled && !has_passed(teller, due->integer)) return;
    int32_t day = met ? event_day(settled) : local_day(due->integer, due->offset_s);
    struct fact_entry *entry = tell(teller, met ? FACT_PROMISE_MET : FACT_PROMISE_MISSED, day);
    set_case_dims(teller, entry);
    set_dim(entry, DIM_PROMISE, known(teller->context, promise));
}

static void tell_rating(struct teller *teller)
{
    const struct entity_event *rated = last_of(teller, VERB_RATED);
    if (!rated) return;
    struct fact_entry *entry = tell(teller, FACT_RATING, event_day(rated));
    set_dim(entry, DIM_CHANNEL, tell_name(teller, ATTRIBUTE_CHANNEL));
    set_dim(entry, DIM_CASE_KIND, tell_name(teller, ATTRIBUTE_CASE_KIND));
    set_measure(entry, 1, rated->name);
    set_measure(entry, 2, rated->name >= 4);
}

void tell_case(struct teller *teller)
{
    if (teller->created) {
        struct course course = { 0 };
        for (uint32_t i = first_event(teller); i < teller->entity->n_events; i++)
            follow_event(teller, &course, &teller->entity->events[i]);
        tell_case_fact(teller, FACT_CASE_OPENED, teller->created);
        tell_end(teller, FACT_CASE_RESOLVED, course.resolved);
        tell_end(teller, FACT_CASE_CLOSED, course.closed);
        if (course.responded) set_times(teller, tell_case_fact(teller, FACT_CASE_RESPONSE, course.responded), course.responded);
        tell_promise(teller, ATTRIBUTE_RESPONSE_DUE, course.responded, KNOWN_RESPONSE);
        tell_promise(teller, ATTRIBUTE_RESOLVE_DUE, course.resolved, KNOWN_RESOLVE);
        tell_rating(teller);
        teller->ended = course.resolved != NULL;
        tell_impossible_order(teller);
    }
    tell_audit(teller, false);
}
