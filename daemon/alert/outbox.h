/* A tenant's alert events that somebody has not acknowledged yet: a copy of what stands in the state. Those of one row are
 * handed out one after the other, so that none overtakes another however often one has to be sent again. */
#pragma once

#include "common/span.h"

enum alert_way {
    ALERT_TO_TOPIC,
    ALERT_TO_WEBHOOK,
    N_ALERT_WAYS
};

struct alert_letter {
    struct span name;  /* its field in the state: `1842 slow_cases {"owner":"u12"}`, the version and the row */
    struct span field; /* the row */
    struct span event; /* the CloudEvent */
    int64_t version;
    enum {
        LETTER_WAITING,
        LETTER_UNDERWAY,
        LETTER_DELIVERED /* acknowledged, but that is not noted yet */
    } state;
    bool kept; /* for alert_outbox_replace */
};

/* A zeroed one is empty. */
struct alert_outbox {
    struct alert_letter **at; /* by version */
    size_t n, room;
};

void alert_outbox_deinit(struct alert_outbox *outbox);

/* Adds a letter, waiting, unless it is there. Copies. */
void alert_outbox_put(struct alert_outbox *outbox, struct span name, struct span event);

/* Becomes what stands in the state: `pairs` of name and event, n of both together. Letters under way stay so. */
void alert_outbox_replace(struct alert_outbox *outbox, const struct span *pairs, size_t n);

struct alert_letter *alert_outbox_find(const struct alert_outbox *outbox, struct span name); /* NULL: not there */
void alert_outbox_remove(struct alert_outbox *outbox, struct span name);

/* The next waiting letter from *at on that no earlier one of its row is before; NULL: none. Start with *at = 0. */
struct alert_letter *alert_outbox_next(const struct alert_outbox *outbox, size_t *at);
