/* What dashboards read: report documents, standard numbers and hints, each replaced only by a higher version. For a publisher
 * with a state of its own (state_redis_create), usually in another thread than the commits. */
#pragma once

#include "daemon/state/redis.h"

struct publication_report {
    const char *report; /* [a-z0-9_]+ */
    int64_t version;
    struct span document;
    bool stored; /* out: false where a document of this or a higher version stood there */
};

struct publication_number {
    struct span metric, value; /* "revenue:EUR", "12.50"; the version is added */
};

struct publication_period {
    const char *period;
    int64_t version;
    const struct publication_number *numbers; /* unless a higher or the same version stands there they replace all … */
    size_t n;
    int64_t changes; /* … or, not 0: these of this version */
    bool elsewhere;  /* out: an older version than ours stood there, and not that one; nothing was changed */
};

struct publication {
    struct span tenant;
    struct publication_report *reports;
    size_t n_reports;
    struct publication_period *periods;
    size_t n_periods;
    int64_t tenant_now;   /* out: the version at which the tenant stood then; 0: Redis had nothing of it */
    enum outcome outcome; /* out */
};

/* Stores each in one step, those of one server behind each other in one round trip; each stored report is hinted at on its tenant's channel. Where the
 * outcome of one is another than DONE, `error` says why. */
void state_redis_publish(struct state *state, const char *prefix, struct publication *const *publications, size_t n,
                         struct error *error);

/* The topic has acknowledged this version of a report. */
struct acknowledgement {
    struct span tenant;
    const char *report;
    int64_t version;
    /* out: the highest version noted, or stored in Redis, >= version. Higher: a record of it may stand below ours in the topic now,
     * whether its own acknowledgement was noted before or comes later: a document is stored before its record is sent */
    int64_t highest;
};
bool state_redis_acknowledge(struct state *state, const char *prefix, struct acknowledgement *acknowledgements, size_t n,
                             enum outcome *outcome, struct error *error) MUST_USE;

/* What of a tenant is stored and what the topic has: reports in no particular order, 0 = none. */
struct published_report {
    struct span report;
    int64_t stored, acknowledged;
};
bool state_redis_published(struct state *state, const char *prefix, struct span tenant, struct published_report **reports,
                           size_t *n, struct arena *arena, enum outcome *outcome, struct error *error) MUST_USE;

/* The stored documents of these reports, in the arena; .at NULL: there is none. */
bool state_redis_documents(struct state *state, const char *prefix, struct span tenant, const char *const *reports, size_t n,
                           struct span *documents, struct arena *arena, enum outcome *outcome, struct error *error) MUST_USE;
