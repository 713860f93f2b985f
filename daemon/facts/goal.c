/* What a goal says: what it wants, and when. What has become of it is worked out from its metric (report/goals.h). */
#include "common/period.h"
#include "daemon/facts/tell.h"

static name_id intern(const struct teller *teller, struct span text)
{
    return names_intern(teller->context->names, text);
}

/* "1200.5": so that no digit is lost. */
static name_id target_name(const struct teller *teller)
{
    const struct entity_value *value = tell_value(teller, ATTRIBUTE_TARGET);
    char text[MONEY_TEXT_BYTES];
    if (!value) return 0;
    money_format(value->decimal.digits, value->decimal.scale, text);
    return intern(teller, span_of(text));
}

static struct fact_entry *tell_terms(struct teller *teller, enum fact fact, int32_t day)
{
    struct fact_entry *entry = tell(teller, fact, day);
    set_dim(entry, DIM_PIPELINE, tell_name(teller, ATTRIBUTE_PIPELINE));
    set_dim(entry, DIM_CURRENCY, tell_currency(teller));
    set_dim(entry, DIM_GOAL, intern(teller, teller->entity->id));
    set_dim(entry, DIM_METRIC, tell_name(teller, ATTRIBUTE_METRIC));
    return entry;
}

void tell_goal(struct teller *teller)
{
    struct period period;
    name_id label = tell_name(teller, ATTRIBUTE_PERIOD);
    if (teller->created && period_labelled(teller->context->rules, names_text(teller->context->names, label), &period)) {
        struct fact_entry *entry = tell_terms(teller, FACT_GOAL, 0);
        set_dim(entry, DIM_GOAL_PERIOD, label);
        set_dim(entry, DIM_TARGET, target_name(teller));
        entry = tell_terms(teller, FACT_GOAL_TARGET, period.from);
        set_measure(entry, 1, tell_money(teller, ATTRIBUTE_TARGET));
    }
    tell_audit(teller, false);
}
