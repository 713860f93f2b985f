/* A tenant's alerts in Redis: each change in one step with the events that tell of it, if nobody else changed them. For a
 * publisher with a state of its own (state_redis_create). */
#pragma once

#include "daemon/state/redis.h"

/* All in the arena of the call: field, text, field, text … */
struct alerts_stored {
    const struct span *rows, *unsent, *unposted;
    size_t n_rows, n_unsent, n_unposted;
};
bool state_redis_alerts(struct state *state, const char *prefix, struct span tenant, struct alerts_stored *stored,
                        struct arena *arena, enum outcome *outcome, struct error *error) MUST_USE;

struct alerts_change {
    struct span row, text;   /* empty text: the row is removed */
    struct span name, event; /* empty event: nothing is told */
    bool posted;             /* to a webhook, too */
};

enum alerts_answer {
    ALERTS_STORED,
    ALERTS_MOVED, /* somebody else changed them: read them again */
    ALERTS_NEWER  /* they were judged by newer numbers already */
};

struct alerts_commit {
    struct span tenant;
    int64_t expected;       /* their version as read */
    int64_t tenant_version; /* whose numbers were judged */
    int64_t version;        /* to write */
    const struct alerts_change *changes;
    size_t n; /* 0: only compares */
    /* out: */
    enum alerts_answer answer;
    int64_t tenant_now; /* the tenant's version as it stands there */
};
bool state_redis_alerts_commit(struct state *state, const char *prefix, struct alerts_commit *commit, enum outcome *outcome,
                               struct error *error) MUST_USE;

/* The event was acknowledged, by the topic or by the webhook. */
bool state_redis_alerts_note(struct state *state, const char *prefix, struct span tenant, bool posted, struct span name,
                             enum outcome *outcome, struct error *error) MUST_USE;
