/* All rules of a tenant against its numbers: what changes in its book, and what is to be told of it. Pure. */
#pragma once

#include "daemon/alert/judge.h"

enum {
    ALERT_ROWS_MAX = 1000,    /* rows of one rule that are raised or pending; others wait until there is room */
    ALERT_CHANGES_MAX = 10000 /* at once; more wait for the next time */
};

/* What is looked at. */
struct alert_scene {
    struct span tenant;
    const struct rules *rules;
    const struct names *names;
    struct board *board;                     /* watches the rules, in their order */
    const struct alert_rule *const *watched; /* those that apply to the tenant */
    size_t n_watched;
    struct alert_book *book; /* only its rows' `seen` changes */
    int64_t version;         /* of the tenant's numbers … */
    int64_t state_us;        /* … and since when they are so */
    int64_t now_us;
    const char *type_prefix; /* "crm." */
    bool all;                /* else only rules whose numbers may have changed, or whose rows wait */
    size_t events_max;       /* more transitions than these wait for the next time */
};

struct alert_change {
    struct span field;             /* of the book */
    struct span text;              /* its new content; empty: removed */
    struct span event;             /* the CloudEvent to be told; .at NULL: none */
    int64_t version;               /* of the event */
    const struct alert_rule *rule; /* NULL: there is no such rule any more */
};

struct alert_changes {
    struct alert_change *at; /* in the arena, by version */
    size_t n;
    int64_t version; /* of the book afterwards; as it is without changes */
    int64_t next_us; /* when a row's time is up; INT64_MAX: none waits */
    bool more;       /* there was more than events_max or ALERT_CHANGES_MAX, or now is room for rows that were left out */
    size_t left_out; /* rows beyond ALERT_ROWS_MAX */
};

struct alert_changes alert_assess(const struct alert_scene *scene, struct arena *arena);

/* They are committed: the book has them. */
void alert_book_apply(struct alert_book *book, const struct alert_changes *changes, int64_t tenant_version);
