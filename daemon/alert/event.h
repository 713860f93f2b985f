/* What is kept and told of a row of a rule, as JSON. */
#pragma once

#include "daemon/alert/assess.h"

/* A row that comes to another state. */
struct alert_turn {
    struct span field;
    enum alert_state to;
    const struct alert_row *was;   /* NULL: clear */
    const struct alert_rule *rule; /* NULL: there is no such rule any more */
    struct alert_measure measure;  /* .value.at NULL: the row is gone */
    struct period period;          /* of the rule */
    int64_t since_us, version;
};

/* The row as it is kept: of a raised one the data of its event. */
struct span alert_row_text(const struct alert_scene *scene, const struct alert_turn *turn, struct arena *arena);

/* The structured CloudEvent crm.alert.raised or crm.alert.cleared. */
struct span alert_event_text(const struct alert_scene *scene, const struct alert_turn *turn, struct arena *arena);
