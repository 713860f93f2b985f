/* Kinds of entities, their verbs and attributes, as tables: what the contract's events.md lists, row by row. */
#pragma once

#include "common/span.h"

enum kind {
    KIND_CONTACT,
    KIND_ACCOUNT,
    KIND_DEAL,
    KIND_CALL,
    KIND_MEETING,
    KIND_EMAIL,
    KIND_CASE,
    KIND_INTERACTION,
    KIND_CAMPAIGN,
    KIND_RESPONSE,
    KIND_VISIT,
    KIND_GOAL,
    KIND_USER,
    N_KINDS,
    KIND_ADDRESS = N_KINDS, /* inner: all contacts with the same e-mail or phone (a keyed hash); never an event's kind */
    N_ENTITY_KINDS
};

/* One number per verb, whatever the kind (stored with entities: append only). */
enum verb {
    VERB_CREATED,
    VERB_UPDATED,
    VERB_DELETED,
    VERB_QUALIFIED,
    VERB_SUBSCRIBED,
    VERB_UNSUBSCRIBED,
    VERB_MERGED,
    VERB_CHURNED,
    VERB_STAGE_CHANGED,
    VERB_PROPOSAL_SENT,
    VERB_WON,
    VERB_LOST,
    VERB_REOPENED,
    VERB_SCHEDULED,
    VERB_COMPLETED,
    VERB_MISSED,
    VERB_CANCELLED,
    VERB_HELD,
    VERB_SENT,
    VERB_DELIVERED,
    VERB_OPENED,
    VERB_CLICKED,
    VERB_REPLIED,
    VERB_BOUNCED,
    VERB_COMPLAINED,
    VERB_ASSIGNED,
    VERB_RESPONDED,
    VERB_RESOLVED,
    VERB_CLOSED,
    VERB_RATED,
    VERB_LOGGED,
    VERB_STARTED,
    VERB_ENDED,
    VERB_RECEIVED,
    VERB_PAGE_VIEWED,
    VERB_GOAL_COMPLETED,
    VERB_SET,
    VERB_REMOVED,
    VERB_SIGNED_IN,
    VERB_DEACTIVATED,
    N_VERBS
};

enum opening {
    OPENS_NOT,
    OPENS_ELSE,
    OPENS
}; /* no mark; △: opens when no ▲ ever came; ▲ */

/* Stored with entities: append only. From ATTRIBUTE_CUSTOM on: the tenant's declared ones, see struct event_attribute. */
enum attribute {
    ATTRIBUTE_OWNER,
    ATTRIBUTE_TEAM,
    ATTRIBUTE_SOURCE,
    ATTRIBUTE_CAMPAIGN,
    ATTRIBUTE_EMAIL,
    ATTRIBUTE_PHONE,
    ATTRIBUTE_NAME,
    ATTRIBUTE_ACCOUNT,
    ATTRIBUTE_REFERRED_BY,
    ATTRIBUTE_TAGS,
    ATTRIBUTE_INTO,
    ATTRIBUTE_LIST,
    ATTRIBUTE_INDUSTRY,
    ATTRIBUTE_AMOUNT,
    ATTRIBUTE_CURRENCY,
    ATTRIBUTE_COST,
    ATTRIBUTE_STAGE,
    ATTRIBUTE_PIPELINE,
    ATTRIBUTE_SALE,
    ATTRIBUTE_CONTACT,
    ATTRIBUTE_EXPECTED_CLOSE,
    ATTRIBUTE_LOSS_REASON,
    ATTRIBUTE_COMPETITOR,
    ATTRIBUTE_DIRECTION,
    ATTRIBUTE_PURPOSE,
    ATTRIBUTE_DEAL,
    ATTRIBUTE_CASE,
    ATTRIBUTE_DUE,
    ATTRIBUTE_DURATION,
    ATTRIBUTE_WAIT,
    ATTRIBUTE_CALLBACK,
    ATTRIBUTE_CASE_KIND,
    ATTRIBUTE_PRIORITY,
    ATTRIBUTE_CHANNEL,
    ATTRIBUTE_RESPONSE_DUE,
    ATTRIBUTE_RESOLVE_DUE,
    ATTRIBUTE_SCORE,
    ATTRIBUTE_BUDGET,
    ATTRIBUTE_PAGE,
    ATTRIBUTE_GOAL,
    ATTRIBUTE_METRIC,
    ATTRIBUTE_TARGET,
    ATTRIBUTE_PERIOD,
    N_ATTRIBUTES,
    ATTRIBUTE_CUSTOM = 64
};

enum attribute_type {
    TYPE_NAME,      /* a text that dimensions show: owner, stage … */
    TYPE_REFERENCE, /* the id of another entity, <= 256 bytes */
    TYPE_PERSONAL,  /* a text kept only as a keyed hash, or only as "is there": name, email, phone */
    TYPE_NAMES,     /* a list of texts: tags */
    TYPE_MONEY,     /* decimal string or number */
    TYPE_CURRENCY,
    TYPE_DURATION, /* seconds >= 0, whole or decimal number */
    TYPE_INSTANT,
    TYPE_DATE,
    TYPE_FLAG,
    TYPE_SCORE,  /* whole number 1…5 */
    TYPE_TARGET, /* decimal string or number */
    TYPE_PERIOD  /* 2026-03, 2026-Q1, 2026 */
};

struct attribute_row {
    const char *name;
    uint8_t name_len;
    enum attribute_type type;
    enum kind refers_to; /* for TYPE_REFERENCE; N_KINDS otherwise */
};
extern const struct attribute_row attribute_rows[N_ATTRIBUTES];
extern const uint64_t reference_attributes; /* those of TYPE_REFERENCE, a bit each */

enum {
    VERBS_PER_KIND_MAX = 12,
    REQUIRED_MAX = 3
};

struct verb_row {
    const char *name; /* as in the type: "stage_changed" */
    enum verb verb;
    enum opening opening;
    int8_t required[REQUIRED_MAX]; /* attributes, -1 = none */
};

struct kind_row {
    const char *name;
    struct verb_row verbs[VERBS_PER_KIND_MAX];
    int n_verbs;
    uint64_t attributes; /* a bit for each enum attribute that the kind takes */
};
extern const struct kind_row kind_rows[N_KINDS];

const struct kind_row *kind_find(struct span name, enum kind *kind); /* NULL: no such kind */
const struct verb_row *verb_find(enum kind kind, struct span name);  /* NULL: the kind has no such verb */
enum opening verb_opening(enum kind kind, enum verb verb);
int attribute_find(struct span name); /* -1: no such attribute */
