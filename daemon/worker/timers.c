/* What the clock alone changes: entities whose wake-up has come, tenants whose local day is over; and whom to look after. */
#include "common/instant.h"
#include "daemon/state/keys.h"
#include "daemon/worker/inner.h"

#include <stdlib.h>

enum {
    TIMERS_PER_COMMIT = 500,
    TENANTS_PER_ROUND = 200,
    LOOK_EVERY_US = 100 * MICROS_PER_MS
};

static bool read_timers(struct worker *worker, struct tenant *tenant, int64_t until_us, size_t limit, struct timer **timers,
                        size_t *n)
{
    enum outcome outcome = DONE;
    struct error error = { "" };
    struct span key = key_timers(&worker->scratch, worker->parts.tenants.prefix, tenant->name);
    struct state *state = worker->parts.state;
    if (state->ops->timers(state, key, until_us, limit, &worker->scratch, timers, n, &outcome, &error)) return true;
    worker_set_back(worker, outcome, &error);
    return false;
}

static bool know_timers(struct worker *worker, struct tenant *tenant)
{
    struct timer *first = NULL;
    size_t n = 0;
    if (tenant->timers_known) return true;
    if (!read_timers(worker, tenant, NEVER - 1, 1, &first, &n)) return false;
    tenant->next_timer_us = n ? first->at_us : NEVER;
    tenant->timers_known = true;
    return true;
}

static bool add_due(struct worker *worker, struct round *round, struct tenant *tenant, int64_t now_us)
{
    bool new_day = local_day(now_us, zone_offset(tenant->rules->zone, now_us)) > tenant->today;
    if (!new_day && tenant->next_timer_us > now_us) return true;
    struct timer *timers = NULL;
    size_t n = 0;
    if (tenant->next_timer_us <= now_us && !read_timers(worker, tenant, now_us, TIMERS_PER_COMMIT, &timers, &n)) return false;
    struct batch *batch = round_batch(worker, round, tenant->name);
    batch->new_day = new_day;
    batch->timers = timers;
    batch->n_timers = n;
    tenant->timers_known = false;
    return true;
}

bool worker_collect_due(struct worker *worker)
{
    struct round *round = &worker->rounds[worker->current];
    int64_t now_us = worker_now(worker);
    size_t at = 0;
    worker->due_us = worker_monotonic() + LOOK_EVERY_US;
    for (struct map_slot *slot; round->n_batches < TENANTS_PER_ROUND && (slot = map_next(&worker->tenants, &at));) {
        struct tenant *tenant = slot->value;
        if (!tenant->loaded || !tenant->version || tenant->held) continue;
        if (!know_timers(worker, tenant) || !add_due(worker, round, tenant, now_us)) return false;
    }
    return round->n_batches > 0;
}

/* ---- after an assignment ---- */

/* Has the tenant events in a partition that is ours? Then its timers, its midnights and what is not yet published are ours, too:
 * several instances may think so, every commit compares. */
static bool is_ours(const struct worker *worker, const struct tenant *tenant)
{
    for (size_t i = 0; i < tenant->n_positions; i++)
        if (lane_of_key(&worker->lanes, tenant->positions[i].partition)) return true;
    return false;
}

static void tell_publisher(struct worker *worker, const struct tenant *tenant)
{
    struct committed *known = must_zalloc(sizeof *known);
    known->tenant = (struct span){ memcpy(must_alloc(tenant->name.len), tenant->name.at, tenant->name.len), tenant->name.len };
    known->version_before = known->version = tenant->version;
    known->clock_us = tenant->clock_us;
    worker->parts.committed(worker->parts.context, known);
}

void worker_adopt_tenants(struct worker *worker)
{
    struct span *names = NULL;
    size_t n = 0;
    enum outcome outcome = DONE;
    struct error error = { "" };
    struct mark_keeper *marks = worker->parts.marks;
    bool fine = marks->ops->tenants(marks, &names, &n, &worker->scratch, &outcome, &error);
    for (size_t i = 0; i < n && fine; i++) loading_add_tenant(&worker->loading, worker_tenant(worker, names[i]));
    if (!fine || !loading_run(&worker->loading, &worker->parts.tenants, &outcome, &error)) {
        worker_forget_tenants(worker);
        worker_set_back(worker, outcome, &error);
        return;
    }
    worker->adopt_pending = false;
    for (size_t i = 0; i < n; i++) {
        struct tenant *tenant = worker_tenant(worker, names[i]);
        tenant->listed = true;
        if (!is_ours(worker, tenant))
            tenant_drop(tenant);
        else if (worker->parts.committed && tenant->version && !tenant->held)
            tell_publisher(worker, tenant);
    }
}
