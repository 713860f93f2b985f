/* What is known of a tenant's alerts: which rows of which rules are raised, or wait for their time. A copy of what stands in
 * the state (crm:{acme}:alerts), as of one version of it. */
#pragma once

#include "common/arena.h"
#include "common/map.h"

enum alert_state {
    ALERT_CLEAR, /* of which nothing is kept */
    ALERT_PENDING,
    ALERT_RAISED
};

/* A rule, or one row of it: `slow_cases`, `slow_cases {"owner":"u12"}`. */
struct alert_row {
    struct span field;
    enum alert_state state;
    int64_t since_us;  /* as of then it has been so */
    int64_t version;   /* of the event that raised it */
    int64_t raised_us; /* when that was */
    struct span text;  /* JSON, as it is kept and shown */
    bool seen;         /* for alert_assess */
    bool again;        /* raised, and to be told once more if it stays so */
};

/* A zeroed one is empty. */
struct alert_book {
    struct map rows;        /* field -> struct alert_row */
    int64_t version;        /* grows with each change of the alerts; 0: none yet */
    int64_t tenant_version; /* of the numbers that the last change was seen in */
    size_t n_pending, n_raised;
};

void alert_book_deinit(struct alert_book *book); /* is empty then */

/* Sets a row as it is kept; the empty text removes it. Copies. */
void alert_book_set(struct alert_book *book, struct span field, struct span text);

/* Becomes what stands in the state: `pairs` of field and text, n of both together. */
void alert_book_load(struct alert_book *book, const struct span *pairs, size_t n);

/* `told` gets the raised rows of `book`, as they are. */
void alert_book_keep_raised(struct alert_book *told, const struct alert_book *book);

/* The same with the row of an event (crm.alert.raised or .cleared) of which nobody knows whether it was ever told: it may still
 * be told as raised. */
void alert_book_keep_event(struct alert_book *told, struct span field, struct span event);

/* Has the state forgotten what was told after some of the rows that it has now? `before`: as it was last seen. `older` gets the
 * rows that stand raised by an older event than was known then. True: it has. */
bool alert_book_compare(const struct alert_book *before, const struct alert_book *now, struct alert_book *older);

/* What stands raised by an `older` event is to be told again; what was `told` as raised and is not so here is raised until
 * somebody looks at its number, so that it is told what became of it. */
void alert_book_recall(struct alert_book *book, const struct alert_book *told, const struct alert_book *older);

const struct alert_row *alert_book_row(const struct alert_book *book, struct span field); /* NULL: clear */

/* The parts of a field. `{}` where it has no row. */
struct span alert_field_rule(struct span field);
struct span alert_field_row(struct span field);

/* Fields of the hash that are no rows. */
#define ALERT_VERSION ":version"
#define ALERT_TENANT_VERSION ":tenant_version"
