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

/* Once per unit in which it signed in, on the unit's first day. */
static void tell_active(struct teller *teller, enum unit unit, enum known_name name)
{
    int32_t told = INT32_MIN;
    for (uint32_t i = first_event(teller); i < teller->entity->n_events; i++) {
        if (teller->entity->events[i].verb != VERB_SIGNED_IN) continue;
        int32_t day = unit_period(teller->context->rules, unit, event_day(&teller->entity->events[i])).from;
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
        tell_active(teller, UNIT_DAY, KNOWN_DAY);
        tell_active(teller, UNIT_WEEK, KNOWN_WEEK);
        tell_active(teller, UNIT_MONTH, KNOWN_MONTH);
    }
    tell_audit(teller, false);
}
