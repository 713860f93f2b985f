/* What a user of the CRM says: that there is one, and on which days, weeks and months it signed in. */
#include "common/period.h"
#include "daemon/facts/tell.h"

/* A level: +1 by opening and by being created again after `deactivated`, -1 by `deactivated`. */
static void tell_level(struct teller *teller)
{
    bool there = false;
    for (uint32_t i = (uint32_t)teller->opening; i < teller->entity->n_events; i++) {
        const struct entity_event *event = &teller->entity->events[i];
        bool enters = event == teller->created || verb_opening(KIND_USER, event->verb) == OPENS;
        if (there ? event->verb != VERB_DEACTIVATED : !enters) continue;
        there = !there;
        struct fact_entry *entry = tell(teller, FACT_USER, event_day(event));
        set_dim(entry, DIM_USER, names_intern(teller->context->names, teller->entity->id));
        set_measure(entry, 0, there ? 1 : -1);
    }
}

/* The days on which it signed in, each once. */
static int32_t *signed_in_days(const struct teller *teller, uint32_t *n)
{
    const struct entity *entity = teller->entity;
    int32_t *days = arena_alloc(teller->context->scratch, entity->n_events * sizeof *days);
    for (uint32_t i = first_event(teller); i < entity->n_events; i++)
        if (entity->events[i].verb == VERB_SIGNED_IN) *n = add_day(days, *n, event_day(&entity->events[i]));
    return days;
}

/* Once per unit in which it signed in, on the unit's first day. */
static void tell_active(struct teller *teller, const int32_t *days, uint32_t n, enum unit unit, enum known_name name)
{
    int32_t told = INT32_MIN;
    for (uint32_t i = 0; i < n; i++) {
        int32_t day = unit_period(teller->context->rules, unit, days[i]).from;
        if (day == told) continue;
        told = day;
        struct fact_entry *entry = tell(teller, FACT_USER_ACTIVE, day);
        set_dim(entry, DIM_UNIT, known(teller->context, name));
        set_dim(entry, DIM_USER, names_intern(teller->context->names, teller->entity->id));
    }
}

void tell_user(struct teller *teller)
{
    if (teller->created) {
        tell_level(teller);
        uint32_t n = 0;
        const int32_t *days = signed_in_days(teller, &n);
        tell_active(teller, days, n, UNIT_DAY, KNOWN_DAY);
        tell_active(teller, days, n, UNIT_WEEK, KNOWN_WEEK);
        tell_active(teller, days, n, UNIT_MONTH, KNOWN_MONTH);
    }
    tell_audit(teller, false);
}
