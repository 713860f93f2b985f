/* What the clock alone changes: entities whose wake-up has come, tenants whose local day is over; and whom to look after. */
#include "common/instant.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/retirement.h"
#include "daemon/worker/inner.h"

#include <stdlib.h>

enum {
    TIMERS_PER_COMMIT = 500,
    TENANTS_PER_ROUND = 200,
    TENANTS_AT_ONCE = 256, /* read, outside of rounds */
    LOOK_PARTS = 50,       /* of the time goes into looking whose time has come, however many tenants there are */
    LOOK_EVERY_US = 100 * MICROS_PER_MS,
    LOOK_LATEST_US = 1000 * MICROS_PER_MS,
    LEFT_TO_OTHERS_US = 5 * 1000 * MICROS_PER_MS
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

/* Somebody else committed to it meanwhile: its timers and its midnights are his. He may have ended since, or lost the partition:
 * where it is ours it is looked at once more after a while. */
static void leave_to_others(struct worker *worker, struct tenant *tenant)
{
    bool ours = worker_is_ours(worker, tenant);
    tenant_drop(tenant);
    if (!ours) return;
    tenant->awaited = tenant->perhaps = true; /* he may not have come to publish it */
    worker->await_us = worker_monotonic() + LEFT_TO_OTHERS_US;
}

/* Those that somebody else committed to are dropped from the list. */
static bool drop_moved(struct worker *worker, struct tenant **due, size_t *n)
{
    static const struct span version = { "version", sizeof "version" - 1 };
    struct hash_read *reads = arena_zalloc(&worker->scratch, (*n + 1) * sizeof *reads);
    enum outcome outcome = DONE;
    struct error error = { "" };
    for (size_t i = 0; i < *n; i++)
        reads[i] = (struct hash_read){ .key = key_state(&worker->scratch, worker->parts.tenants.prefix, due[i]->name),
                                       .fields = &version,
                                       .n_fields = 1 };
    if (!worker->parts.state->ops->read(worker->parts.state, reads, *n, &worker->scratch, &outcome, &error)) {
        worker_set_back(worker, outcome, &error);
        return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        struct span stands = reads[i].values[0];
        if (stands.at && strtoll(arena_text(&worker->scratch, stands), NULL, 10) == due[i]->version)
            due[kept++] = due[i];
        else
            leave_to_others(worker, due[i]);
    }
    *n = kept;
    return true;
}

static bool is_over(const struct tenant *tenant, int64_t now_us)
{
    return local_day(now_us, zone_offset(tenant->rules->zone, now_us)) > tenant->today;
}

enum part {
    NONE,
    SOME,
    ALL
};

/* Of the partitions that the tenant had events in. */
static enum part part_of_ours(const struct worker *worker, const struct tenant *tenant)
{
    size_t ours = 0;
    for (size_t i = 0; i < tenant->n_positions; i++) ours += lane_of_key(&worker->lanes, tenant->positions[i].partition) != NULL;
    return !ours ? NONE : ours < tenant->n_positions ? SOME : ALL;
}

/* Nobody leaves while there is something to read: it may be for him. */
static bool may_retire(struct worker *worker, const struct tenant *tenant)
{
    if (!retirement_is_due(tenant) || part_of_ours(worker, tenant) == NONE) return false;
    if (!worker->end_looked_at) worker->at_end = worker_reads_at_end(worker);
    worker->end_looked_at = true;
    return worker->at_end;
}

static bool add_due(struct worker *worker, struct round *round, struct tenant *tenant, int64_t now_us)
{
    struct timer *timers = NULL;
    size_t n = 0;
    if (tenant->next_timer_us <= now_us && !read_timers(worker, tenant, now_us, TIMERS_PER_COMMIT, &timers, &n)) return false;
    struct batch *batch = round_batch(worker, round, tenant->name);
    batch->new_day = is_over(tenant, now_us);
    batch->retires = may_retire(worker, tenant);
    batch->reads_part = part_of_ours(worker, tenant) == SOME;
    batch->timers = timers;
    batch->n_timers = n;
    tenant->timers_known = false;
    return true;
}

/* Up to so many of those that are awaited and within reach. */
static size_t choose_awaited(struct worker *worker, struct tenant **chosen, size_t room)
{
    size_t n = 0, at = 0;
    worker->any_awaited = false;
    for (struct map_slot *slot; (slot = map_next(&worker->tenants, &at));) {
        struct tenant *tenant = slot->value;
        if (!tenant->awaited) continue;
        if (n < room && worker_reaches(worker, tenant))
            chosen[n++] = tenant;
        else
            worker->any_awaited = true;
    }
    return n;
}

/* Tenants that were dropped while the clock had to do with them: nobody else may come to look after them. Some at each look. */
static bool load_awaited(struct worker *worker)
{
    struct tenant *chosen[TENANTS_AT_ONCE];
    if (!worker->any_awaited && worker_monotonic() < worker->await_us) return true;
    worker->await_us = NEVER;
    size_t n = choose_awaited(worker, chosen, TENANTS_AT_ONCE);
    for (size_t i = 0; i < n; i++) loading_add_tenant(&worker->loading, chosen[i]);
    if (!worker_read_all(worker)) {
        worker->any_awaited = true;
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct tenant *tenant = chosen[i];
        if (tenant->perhaps && tenant->version) worker_tell_publisher(worker, tenant);
        tenant->awaited = false; /* not `perhaps`: it may still come */
    }
    if (n == TENANTS_AT_ONCE) worker->due_us = 0; /* more of them in the next turn */
    cache_trim(&worker->cache);                   /* nothing is under way */
    return true;
}

/* Those whose timers ring, or who let entities go; behind them in the array, from its end, those that only wait for their day to end. */
struct due_tenants {
    struct tenant **at;
    size_t n_ringing, n_waiting, room;
};

static bool find_due(struct worker *worker, struct due_tenants *due, int64_t now_us)
{
    size_t at = 0;
    due->room = worker->tenants.count;
    due->at = arena_alloc(&worker->scratch, (due->room + 1) * sizeof(struct tenant *));
    for (struct map_slot *slot; (slot = map_next(&worker->tenants, &at));) {
        struct tenant *tenant = slot->value;
        if (!tenant_is_known(tenant) || !tenant->version || tenant->held) continue;
        if (!know_timers(worker, tenant)) return false;
        if (tenant->next_timer_us <= now_us || may_retire(worker, tenant))
            due->at[due->n_ringing++] = tenant;
        else if (is_over(tenant, now_us))
            due->at[due->room - ++due->n_waiting] = tenant;
    }
    return true;
}

static int64_t between(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* When to look next, after a look at all of them. */
static int64_t next_look_us(int64_t began_us)
{
    int64_t now_us = worker_monotonic();
    return now_us + between(LOOK_PARTS * (now_us - began_us), LOOK_EVERY_US, LOOK_LATEST_US);
}

/* To the front those with events on the day that is over. */
static void put_busy_first(struct tenant **waiting, size_t n)
{
    size_t busy = 0;
    for (size_t i = 0; i < n; i++) {
        struct tenant *tenant = waiting[i];
        if (tenant->busy_day < tenant->today) continue;
        waiting[i] = waiting[busy];
        waiting[busy++] = tenant;
    }
}

/* The tenants of this round, at the front of the array. */
static size_t choose_due(struct worker *worker, struct due_tenants *due, int64_t now_us)
{
    struct tenant **waiting = due->at + due->room - due->n_waiting;
    size_t n = midnight_share(&worker->midnights, due->n_waiting, worker->parts.midnight_spread_us, now_us);
    put_busy_first(waiting, due->n_waiting);
    if (n) memmove(due->at + due->n_ringing, waiting, n * sizeof(struct tenant *));
    n += due->n_ringing;
    if (n <= TENANTS_PER_ROUND) return n;
    worker->due_us = 0; /* the others in the next turn */
    return TENANTS_PER_ROUND;
}

bool worker_collect_due(struct worker *worker)
{
    struct round *round = &worker->rounds[worker->current];
    int64_t now_us = worker_now(worker), began_us = worker_monotonic();
    struct due_tenants due = { 0 };
    worker->due_us = began_us + LOOK_EVERY_US;
    worker->end_looked_at = false;
    if (!load_awaited(worker) || !find_due(worker, &due, now_us)) return false;
    if (worker->due_us) worker->due_us = next_look_us(began_us);
    size_t n = choose_due(worker, &due, now_us);
    if (!n || !drop_moved(worker, due.at, &n)) return false;
    for (size_t i = 0; i < n; i++)
        if (!add_due(worker, round, due.at[i], now_us)) return false;
    return round->n_batches > 0;
}

/* ---- after an assignment ---- */

/* Has the tenant events in a partition that is ours? Then its timers, its midnights and what is not yet published are ours, too:
 * several instances may think so, every commit compares. */
bool worker_is_ours(const struct worker *worker, const struct tenant *tenant)
{
    return part_of_ours(worker, tenant) != NONE;
}

void worker_tell_publisher(struct worker *worker, const struct tenant *tenant)
{
    if (!worker->parts.committed) return;
    struct committed *known = must_zalloc(sizeof *known);
    known->tenant = (struct span){ memcpy(must_alloc(tenant->name.len), tenant->name.at, tenant->name.len), tenant->name.len };
    known->version_before = known->version = tenant->version;
    known->clock_us = tenant->clock_us;
    worker->parts.committed(worker->parts.context, known);
}

/* Those that we know, but as they were before whoever had them before us committed last. */
static bool drop_outdated(struct worker *worker, const struct span *names, size_t n)
{
    struct tenant **known = arena_alloc(&worker->scratch, (n + 1) * sizeof(struct tenant *));
    size_t n_known = 0;
    for (size_t i = 0; i < n; i++) {
        struct tenant *tenant = worker_tenant(worker, names[i]);
        if (tenant_is_known(tenant)) known[n_known++] = tenant;
    }
    return !n_known || drop_moved(worker, known, &n_known);
}

/* Of those that could not be read nothing stays; what else is known stays: of some only we know as yet. */
static void drop_unread(struct worker *worker, const struct span *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct tenant *tenant = worker_tenant(worker, names[i]);
        if (!tenant_is_known(tenant)) tenant_drop(tenant);
    }
}

/* False: the worker was set back. */
static bool adopt(struct worker *worker, const struct span *names, size_t n)
{
    if (!drop_outdated(worker, names, n)) return false;
    for (size_t i = 0; i < n; i++) loading_add_tenant(&worker->loading, worker_tenant(worker, names[i]));
    if (!worker_read_all(worker)) {
        drop_unread(worker, names, n);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct tenant *tenant = worker_tenant(worker, names[i]);
        tenant->listed = true;
        if (!worker_is_ours(worker, tenant))
            tenant_drop(tenant);
        else if (tenant->version && !tenant->held)
            worker_tell_publisher(worker, tenant);
        if (tenant->held) worker_say_held(tenant);
    }
    return true;
}

void worker_begin_adoption(struct worker *worker)
{
    struct adoption *adoption = &worker->adoption;
    adoption->pending = true;
    adoption->names = NULL;
    adoption->n = adoption->from = 0;
    arena_reset(&adoption->listed);
}

static bool list_tenants(struct worker *worker)
{
    struct adoption *adoption = &worker->adoption;
    struct mark_keeper *marks = worker->parts.marks;
    enum outcome outcome = DONE;
    struct error error = { "" };
    if (adoption->names || marks->ops->tenants(marks, &adoption->names, &adoption->n, &adoption->listed, &outcome, &error))
        return true;
    worker_set_back(worker, outcome, &error);
    return false;
}

/* Of very many tenants some at each call: what comes is counted meanwhile. */
void worker_adopt_tenants(struct worker *worker)
{
    struct adoption *adoption = &worker->adoption;
    if (!list_tenants(worker)) return;
    size_t left = adoption->n - adoption->from, n = left < adoption->at_once ? left : adoption->at_once;
    bool fine = !n || adopt(worker, &adoption->names[adoption->from], n);
    arena_reset(&worker->scratch);
    cache_trim(&worker->cache); /* nothing is under way */
    if (!fine) return;
    adoption->from += n;
    if (adoption->from < adoption->n) return;
    worker_begin_adoption(worker);
    adoption->pending = false;
}
