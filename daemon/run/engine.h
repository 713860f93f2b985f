/* What run, replay, query and demo share: from settings and catalogue to the parts of a worker, and answers over a state. */
#pragma once

#include "daemon/alert/rule.h"
#include "daemon/run/memory.h"
#include "daemon/settings/settings.h"
#include "daemon/state/redis.h"
#include "daemon/worker/worker.h"

#include <stdatomic.h>

enum {
    BATCH_RECORDS = 8192 /* of a round at most: more saved writes, but no time (tests/README.md) */
};

/* Settings with their catalogue, and what follows from both. */
struct engine {
    const struct settings *settings;
    const struct catalogue *catalogue;
    struct kept kept;                                                  /* what the catalogue needs; a tenant may keep more */
    _Atomic int64_t snapshot_interval_us, durability_lag_us, max_rows; /* may change while it runs: engine_retune */
    struct memory memory;                                              /* of the daemon, by cache_mb */
    struct alert_rules *alerts; /* those to begin with; NULL: none. The publisher takes them over */
    int64_t set_clock_us;       /* the clock when it is set (replay's as-of, CRM_REPORTD_CLOCK of tests); NO_INSTANT: it runs */
};

/* `settings` and `catalogue` must outlive it. False: CRM_REPORTD_CLOCK is no instant. */
bool engine_init(struct engine *engine, const struct settings *settings, const struct catalogue *catalogue,
                 struct error *error) MUST_USE;

/* Takes over what may change while the daemon runs. From any thread. */
void engine_retune(struct engine *engine, const struct settings *fresh);

int64_t engine_clock(void *engine); /* now, microseconds */

/* The settings' part of a worker's parts; source, state, sinks and callbacks are the caller's. */
struct worker_parts engine_parts(struct engine *engine);

/* How to reach Redis, by the settings. */
struct redis_settings engine_redis(const struct engine *engine);

/* Answers one request (a JSON line) from the state, as one JSON line without its end. False: the state could not be read. */
bool engine_answer(struct engine *engine, struct state *state, struct span request, struct buffer *out,
                   struct error *error) MUST_USE;

/* The same of one tenant only: a request that names another is a bad one. */
bool engine_answer_for(struct engine *engine, struct state *state, struct span tenant, struct span request, struct buffer *out,
                       struct error *error) MUST_USE;
