/* From a number to a state: is it an alert, not yet, or no longer? Pure. */
#pragma once

#include "daemon/alert/book.h"
#include "daemon/alert/rule.h"

/* What a rule looks at in one row. Texts are JSON, in the arena of alert_measure. */
struct alert_measure {
    struct rational tested; /* null: there is nothing to compare */
    struct span value;
    struct span previous, change; /* .at NULL unless changes are tested */
};

/* `rules`: whose currency counts where the rule names none. */
struct alert_measure alert_measure(const struct alert_rule *rule, const struct watch_row *row, const struct rules *rules,
                                   const struct names *names, struct arena *arena);
struct span alert_currency(const struct alert_rule *rule, const struct rules *rules); /* .at NULL: the metric has none */

/* Is it beyond the limit: would a row that is clear become an alert, or begin to wait? */
bool alert_begins(const struct alert_rule *rule, struct rational tested);

/* The state a row comes to. `was` and `*since_us`: what it is in so far; `state_us`: when the numbers became what they are;
 * `now_us` >= state_us. Null is never an alert. */
enum alert_state alert_judge(const struct alert_rule *rule, enum alert_state was, int64_t *since_us, struct rational tested,
                             int64_t state_us, int64_t now_us);
