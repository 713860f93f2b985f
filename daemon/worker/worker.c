#include "daemon/clock.h"
#include "daemon/worker/inner.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    AT_HAND = 256,        /* records: received and decoded at a time */
    TENANTS_AT_ONCE = 256 /* adopted, in a step */
};

#define CLOCK_MAY_DIFFER_US (60 * MICROS_PER_SECOND)
#define CLOCK_CHECK_US (10 * MICROS_PER_SECOND)

/* ---- clocks ---- */

int64_t worker_monotonic(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

/* The clock that tenants count by; while ours cannot be trusted, theirs stand still. */
int64_t worker_now(struct worker *worker)
{
    return worker->clock_trusted ? worker->parts.clock(worker->parts.context) : worker->last_trusted_us;
}

static void check_clock(struct worker *worker)
{
    int64_t server_us = 0, now_us = worker->parts.clock(worker->parts.context);
    enum outcome outcome = DONE;
    struct error error = { "" };
    worker->clocks_due_us = worker_monotonic() + CLOCK_CHECK_US;
    if (worker->parts.clock_is_set || !worker->parts.state->ops->clock(worker->parts.state, &server_us, &outcome, &error)) return;
    bool trusted = llabs(now_us - server_us) <= CLOCK_MAY_DIFFER_US;
    if (trusted == worker->clock_trusted) return;
    worker->clock_trusted = trusted;
    worker->last_trusted_us = now_us < server_us ? now_us : server_us;
    if (trusted)
        log_event(LEVEL_INFO, "clock_trusted", "difference_s=%lld", (long long)((now_us - server_us) / MICROS_PER_SECOND));
    else
        log_event(LEVEL_ERROR, "clock_not_trusted", "difference_s=%lld meaning=%s",
                  (long long)((now_us - server_us) / MICROS_PER_SECOND),
                  "this clock is over a minute off Redis's: the tenants' clocks stand still");
}

/* ---- tenants ---- */

struct tenant *worker_tenant(struct worker *worker, struct span name)
{
    struct tenant *tenant = map_get(&worker->tenants, name);
    if (tenant) return tenant;
    const struct rules *rules = worker->parts.decode.rules_of(worker->parts.decode.context, name);
    tenant = tenant_create(name, rules, &worker->cache);
    map_put(&worker->tenants, tenant->name, tenant);
    return tenant;
}

void worker_forget_tenants(struct worker *worker)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&worker->tenants, &at));) tenant_drop(slot->value);
}

/* ---- life ---- */

struct worker *worker_create(const struct worker_parts *parts)
{
    struct worker *worker = must_zalloc(sizeof *worker);
    worker->parts = *parts;
    worker->clock_trusted = true;
    worker->cache.limit_bytes = parts->cache_bytes;
    worker->loading = (struct loading){ .state = parts->state, .prefix = parts->tenants.prefix, .arena = &worker->scratch };
    worker->adoption.at_once = TENANTS_AT_ONCE;
    worker->round_records = parts->batch_records;
    worker->records = must_alloc(parts->batch_records * sizeof *worker->records);
    worker->away = parts->marks != NULL; /* not connected yet */
    return worker;
}

void worker_destroy(struct worker *worker)
{
    if (!worker) return;
    for (int i = 0; i < 2; i++) {
        round_clear(&worker->rounds[i]);
        free(worker->rounds[i].batches);
        arena_deinit(&worker->rounds[i].arena);
    }
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&worker->tenants, &at));) tenant_destroy(slot->value);
    map_deinit(&worker->tenants);
    lanes_deinit(&worker->lanes);
    loading_deinit(&worker->loading);
    arena_deinit(&worker->adoption.listed);
    arena_deinit(&worker->scratch);
    arena_deinit(&worker->folding);
    arena_deinit(&worker->working);
    free(worker->unlisted);
    free(worker->records);
    free(worker);
}

struct worker_counts worker_counts(const struct worker *worker)
{
    return worker->counts;
}

const char *worker_trouble(const struct worker *worker)
{
    return worker->trouble[0] ? worker->trouble : source_trouble(worker->parts.source);
}

void worker_limit(struct worker *worker, size_t cache_bytes, size_t round_bytes, uint64_t unused_records)
{
    worker->cache.limit_bytes = cache_bytes;
    worker->round_bytes = round_bytes;
    worker->unused_records = unused_records;
    if (!worker->rounds[!worker->current].sent) cache_trim(&worker->cache); /* else once its commits have taken place */
}

/* ---- one turn ---- */

/* So many records that the next round stays within its bytes, going by the last one. */
static void size_rounds(struct worker *worker, const struct round *round)
{
    size_t most = worker->parts.batch_records, least = most < ROUND_RECORDS_MIN ? most : ROUND_RECORDS_MIN;
    if (!worker->round_bytes || round->n_entries < least) return;
    size_t records = worker->round_bytes / (round_bytes(worker, round) / round->n_entries + 1);
    worker->round_records = records < least ? least : records > most ? most : records;
}

/* The cache gives way to what else takes memory, and forgets what nothing came for. Nothing is under way. */
static void tidy(struct worker *worker)
{
    cache_trim(&worker->cache);
    if (!worker->unused_records || worker->counts.records < worker->forget_at) return;
    cache_forget_unused(&worker->cache);
    worker->forget_at = worker->counts.records + worker->unused_records;
}

/* Waits for the answers of the commits under way: true when all of them took place. */
bool worker_finish_pending(struct worker *worker)
{
    struct round *pending = &worker->rounds[!worker->current];
    if (!pending->sent) return true;
    if (!round_finish(worker, pending)) return false;
    round_clear(pending);
    for (size_t i = 0; i < worker->lanes.n; i++) lane_commit(worker->lanes.at[i]);
    if (worker->retry_wait_us && !worker->in_part) log_cause_over(&worker->cause, "state_available", "");
    worker->retry_wait_us = 0;
    tidy(worker);
    return true;
}

static void follow_changes(struct worker *worker)
{
    for (struct change change; source_next_change(worker->parts.source, &change);) {
        bool finished = worker_finish_pending(worker); /* also where they are lost: what is under way points into its round */
        switch (change.type) {
        case CHANGE_ASSIGNED:
        case CHANGE_MOVED:
            worker_assigned(worker, &change);
            break;
        case CHANGE_REVOKED:
            if (finished && worker->parts.marks && !worker->away) worker_move_marks(worker);
            worker_released(worker, &change);
            source_confirm(worker->parts.source);
            break;
        case CHANGE_LOST:
            worker_drop_rounds(worker);
            worker_released(worker, &change);
            break;
        case CHANGE_ENDED:
            worker->ended = true;
            break;
        }
    }
}

/* Marks, clocks, timers, unsent dead letters: what is due now and then. */
static void do_chores(struct worker *worker)
{
    int64_t now_us = worker_monotonic();
    if (worker->parts.dead_letters) sink_poll(worker->parts.dead_letters, 0);
    if (!worker->parts.marks) return;
    if (now_us >= worker->clocks_due_us) check_clock(worker);
    if (now_us >= worker->marks_due_us && worker_finish_pending(worker)) {
        worker->marks_due_us = now_us + *worker->parts.durability_lag_us / 2;
        worker_move_marks(worker);
    }
    worker_letters_resend(worker);
}

/* Folds what was collected, after the commit before it has been answered, and sends its own. */
static void fold_and_send(struct worker *worker)
{
    struct round *round = &worker->rounds[worker->current];
    if (!worker_finish_pending(worker)) return;
    for (size_t i = 0; i < worker->lanes.n; i++) lane_send(worker->lanes.at[i]);
    if (!round_fold(worker, round) || !worker_pin_marks(worker) || !round_send(worker, round)) return;
    size_rounds(worker, round);
    source_release(worker->parts.source);
    worker->current = !worker->current;
    arena_recycle(&worker->working);
    arena_recycle(&worker->scratch);
}

/* Records are decoded while they are in the processor's cache. */
static size_t receive_round(struct worker *worker, int timeout_ms)
{
    size_t n = 0, room, received;
    do {
        struct record *records = worker->records + n;
        room = worker->round_records - n < AT_HAND ? worker->round_records - n : AT_HAND;
        received = source_receive(worker->parts.source, records, room, n ? 0 : timeout_ms);
        round_decode(worker, &worker->rounds[worker->current], records, received);
        n += received;
    } while (received == room && n < worker->round_records);
    return n;
}

static void take_records(struct worker *worker, int timeout_ms)
{
    bool pending = worker->rounds[!worker->current].sent;
    size_t n = receive_round(worker, pending ? 0 : timeout_ms);
    worker->heard_nothing = !n;
    worker->behind = worker_is_behind(worker);
    if (n) {
        fold_and_send(worker);
        return;
    }
    source_release(worker->parts.source);
    arena_recycle(&worker->working); /* nothing came: what a larger round took goes */
    if (!worker_finish_pending(worker) || !worker->parts.marks) return;
    arena_reset(&worker->scratch);
}

/* Is there a step of it to be done? */
static bool adopts(const struct worker *worker)
{
    return worker->adoption.pending && worker->parts.marks && !worker->away && !worker->lanes_pending && !worker->in_part;
}

/* What the clock alone changes, between the rounds of records. */
static void follow_clock(struct worker *worker)
{
    if (!worker->parts.marks || worker->away || worker->lanes_pending) return;
    if (adopts(worker) && worker_finish_pending(worker)) worker_adopt_tenants(worker);
    if (worker_monotonic() >= worker->look_held_us && worker_finish_pending(worker)) worker_look_at_held(worker);
    if (worker->away || worker->lanes_pending) return;
    if (worker_monotonic() < worker->due_us || !worker_finish_pending(worker)) return;
    if (worker_collect_due(worker)) fold_and_send(worker);
}

/* Those that are out of reach: can they be reached again? */
static void try_the_rest(struct worker *worker)
{
    const struct mark_keeper *marks = worker->parts.marks;
    if (!marks->ops->connected(marks) && worker_finish_pending(worker)) worker_return(worker);
}

bool worker_turn(struct worker *worker, int timeout_ms, struct error *error)
{
    follow_changes(worker);
    if (worker->away) {
        source_idle(worker->parts.source, timeout_ms);
        worker_return(worker);
    } else {
        if (worker->lanes_pending && worker_finish_pending(worker)) worker_restart_lanes(worker);
        if (!worker->fatal.text[0]) take_records(worker, adopts(worker) ? 0 : timeout_ms);
        follow_clock(worker);
        if (!worker->away) do_chores(worker);
        if (worker->in_part && !worker->away) try_the_rest(worker);
    }
    if (!worker->fatal.text[0]) return !worker->ended || worker->rounds[!worker->current].sent;
    *error = worker->fatal;
    return false;
}

void worker_drain(struct worker *worker, int timeout_ms)
{
    if (worker->parts.dead_letters) (void)sink_flush(worker->parts.dead_letters, timeout_ms / 2);
    if (worker->away || !worker_finish_pending(worker) || !worker->parts.marks) return;
    worker_move_marks(worker);
}
