/* Service contacts: what a service call and a logged interaction have in common. */
#include "daemon/facts/tell.h"

void tell_service_contact(struct teller *teller, const struct entity_event *event, name_id channel)
{
    struct fact_entry *entry = tell(teller, FACT_SERVICE_CONTACT, event_day(event));
    set_dim(entry, DIM_CHANNEL, channel);
    set_dim(entry, DIM_CURRENCY, tell_currency(teller));
    set_measure(entry, 1, tell_value(teller, ATTRIBUTE_COST) != NULL);
    set_measure(entry, 2, tell_money(teller, ATTRIBUTE_COST));
}

void tell_interaction(struct teller *teller)
{
    if (teller->created) tell_service_contact(teller, teller->created, tell_name(teller, ATTRIBUTE_CHANNEL));
    teller->ended = true;
    tell_audit(teller, false);
}
