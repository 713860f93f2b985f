/* What campaigns, responses to them and visits of the web site say. */
#include "daemon/facts/tell.h"

void tell_campaign(struct teller *teller)
{
    if (teller->created) {
        struct fact_entry *entry = tell(teller, FACT_CAMPAIGN_STARTED, event_day(teller->created));
        set_dim(entry, DIM_CURRENCY, tell_currency(teller));
        set_dim(entry, DIM_CHANNEL, tell_name(teller, ATTRIBUTE_CHANNEL));
        set_measure(entry, 1, tell_money(teller, ATTRIBUTE_COST));
        set_measure(entry, 2, tell_money(teller, ATTRIBUTE_BUDGET));
    }
    tell_audit(teller, false);
}

void tell_response(struct teller *teller)
{
    if (teller->created) {
        struct fact_entry *entry = tell(teller, FACT_CAMPAIGN_RESPONSE, event_day(teller->created));
        set_dim(entry, DIM_CHANNEL, tell_name(teller, ATTRIBUTE_CHANNEL));
        teller->ended = true;
    }
    tell_audit(teller, false);
}

/* Dated by its first event, which need not be the one that opened it. */
void tell_visit(struct teller *teller)
{
    if (teller->created) {
        const struct entity_event *events = teller->entity->events;
        uint32_t first = first_event(teller), last = teller->entity->n_events - 1;
        int64_t pages = 0, goals = 0;
        name_id page = 0;
        for (uint32_t i = first; i <= last; i++) {
            pages += events[i].verb == VERB_PAGE_VIEWED;
            goals += events[i].verb == VERB_GOAL_COMPLETED;
            if (!page && events[i].named) page = events[i].name;
        }
        struct fact_entry *entry = tell(teller, FACT_VISIT, event_day(&events[first]));
        set_dim(entry, DIM_PAGE, page);
        set_measure(entry, 1, pages);
        set_measure(entry, 2, elapsed_ms(events[first].time_us, events[last].time_us));
        set_measure(entry, 3, goals > 0);
        teller->ended = true;
    }
    tell_audit(teller, false);
}
