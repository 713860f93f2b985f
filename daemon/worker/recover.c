/* The one answer to everything that goes wrong, and where to begin: drop what is cached, find out what stands, read again. */
#include "common/instant.h"
#include "daemon/worker/inner.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RETRY_FIRST_US = 50 * MICROS_PER_MS,
    RETRY_LONGEST_US = 2 * 1000 * MICROS_PER_MS
};

/* ---- setting back ---- */

/* Tenants whose memory may say more than is committed are forgotten. */
static void drop_tenants(struct worker *worker, struct round *round)
{
    for (size_t i = 0; i < round->n_batches; i++) {
        struct batch *batch = round->batches[i];
        if (batch->begun && !batch->committed) tenant_drop(batch->tenant);
        bool unknown = batch->commit.outcome == LOST || batch->commit.outcome == CONFLICT; /* with one of ours that came late */
        if (!batch->committed && unknown) batch->tenant->perhaps = true;
        /* what it was dropped with may not come again (it was counted, a dead letter was to be sent): its clock goes on */
        if (!batch->committed && (batch->begun || batch->new_day || batch->n_timers))
            worker->any_awaited = batch->tenant->awaited = true;
    }
    round_clear(round);
}

/* A dead letter that is to be sent again takes the lane back: until it is read and sent no mark may pass it. Not behind the mark:
 * below it each has been acknowledged, what failed there was one of several of the same record. */
static void start_lane(struct worker *worker, struct lane *lane)
{
    int64_t from = lane->resend_from > lane->mark.next ? lane->resend_from : lane->mark.next;
    if (lane->resend_from != NO_OFFSET && from < lane->committed.next) lane->committed.next = from;
    lane->resend_from = NO_OFFSET;
    lane_rewind(lane);
    lane->started = true;
    lane_forget_floor(lane);
    source_start(worker->parts.source, lane_partition(lane), lane->committed.next);
}

static void wait_longer(struct worker *worker)
{
    worker->away = true;
    worker->retry_wait_us = worker->retry_wait_us ? worker->retry_wait_us * 2 : RETRY_FIRST_US;
    if (worker->retry_wait_us > RETRY_LONGEST_US) worker->retry_wait_us = RETRY_LONGEST_US;
    worker->retry_at_us = worker_monotonic() + worker->retry_wait_us;
}

static void note_trouble(struct worker *worker, const char *event, const struct error *error)
{
    snprintf(worker->trouble, sizeof worker->trouble, "%s", error->text);
    log_cause(&worker->cause, LEVEL_WARN, event, "", error->text);
}

void worker_drop_rounds(struct worker *worker)
{
    worker->loading.n = 0;
    drop_tenants(worker, &worker->rounds[0]);
    drop_tenants(worker, &worker->rounds[1]);
    arena_reset(&worker->working);
    source_release(worker->parts.source);
}

void worker_set_back(struct worker *worker, enum outcome outcome, const struct error *error)
{
    worker->counts.rewinds++;
    worker_drop_rounds(worker);
    for (size_t i = 0; i < worker->lanes.n; i++)
        if (worker->lanes.at[i]->started) start_lane(worker, worker->lanes.at[i]);
    if (outcome != LOST && outcome != REFUSED) return;
    wait_longer(worker);
    note_trouble(worker, "state_unavailable", error);
}

/* The publisher is to look at all; `set_back`: the state has lost something. */
static void tell_doubt(struct worker *worker, bool set_back)
{
    if (!worker->parts.committed || !worker->tenants.count) return;
    struct committed *doubt = must_zalloc(sizeof *doubt);
    doubt->set_back = set_back;
    worker->parts.committed(worker->parts.context, doubt);
}

/* The list of tenants may be gone, and what was published of them. */
static void doubt_lists(struct worker *worker)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&worker->tenants, &at));) ((struct tenant *)slot->value)->listed = false;
    tell_doubt(worker, false);
}

void worker_doubt_state(struct worker *worker)
{
    worker_forget_tenants(worker);
    doubt_lists(worker);
    for (size_t i = 0; i < worker->lanes.n; i++) worker->lanes.at[i]->started = false; /* no mark may move by what we knew */
    worker->lanes_pending = true;
    worker_begin_adoption(worker);
}

bool worker_reaches(const struct worker *worker, const struct tenant *tenant)
{
    return !worker->in_part || worker->parts.marks->ops->reaches(worker->parts.marks, tenant->name);
}

/* Of those that are out of reach nothing is known for sure. Once they can be reached again, and all is read again, somebody must
 * look after them. */
static void drop_unreached(struct worker *worker)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&worker->tenants, &at));) {
        struct tenant *tenant = slot->value;
        if (!tenant_is_known(tenant) || worker_reaches(worker, tenant)) continue;
        tenant_drop(tenant);
        tenant->awaited = worker->any_awaited = true;
    }
}

void worker_return(struct worker *worker)
{
    struct mark_keeper *marks = worker->parts.marks;
    struct error error = { "" };
    bool same = true;
    if (worker_monotonic() < worker->retry_at_us) return;
    if (marks && !marks->ops->connected(marks) && !marks->ops->connect(marks, &same, &error)) {
        note_trouble(worker, "state_unavailable", &error);
        wait_longer(worker);
        return;
    }
    worker->away = false;
    bool was_in_part = worker->in_part;
    worker->in_part = marks && marks->ops->reaches && !marks->ops->reaches(marks, NO_SPAN);
    if (error.text[0]) note_trouble(worker, "state_unavailable", &error);
    if (worker->in_part)
        drop_unreached(worker);
    else
        worker->trouble[0] = 0;
    if (was_in_part && !worker->in_part) log_cause_over(&worker->cause, "state_available", "");
    if (!same) {
        log_event(LEVEL_WARN, "state_changed", "meaning=%s", "another server or another history: reading again from its marks");
        worker_forget_passed(worker);
        worker_doubt_state(worker);
        tell_doubt(worker, true);
    }
}

/* ---- where to begin ---- */

static const struct mark *mark_of(const struct mark *marks, size_t n, const struct lane *lane)
{
    for (size_t i = 0; i < n; i++)
        if (span_equal(marks[i].partition, lane->key)) return &marks[i];
    return NULL;
}

static uint64_t fresh_life(struct worker *worker)
{
    struct hash_key secret = worker->parts.tenants.fresh_secret();
    return (secret.k0 ^ secret.k1) >> 12 | 1; /* fits a double and an int64 */
}

/* The partition is another one than it was, or there is none to compare: nothing of it counts as read. */
static void begin_new_life(struct worker *worker, struct lane *lane, const struct partition_view *view)
{
    lane->life = fresh_life(worker);
    lane->counted = 0;
    lane->committed = (struct reached){ view->low, NO_OFFSET, NO_INSTANT };
}

static bool reaches_back(const struct partition_view *view)
{
    return view->low == 0;
}

static bool begin_without_mark(struct worker *worker, struct lane *lane, const struct partition_view *view)
{
    bool emptied = view->committed > 0;
    if (emptied && !reaches_back(view) && !worker->parts.accept_gap)
        return fail(
            &worker->fatal,
            "Redis holds no mark of %.*s, yet the group has read it up to offset %lld: Redis was emptied, and the topic no "
            "longer reaches back (it begins at %lld). Bring back a copy of Redis, or start once with --accept-gap to count "
            "only what is still there",
            SPAN_ARG(lane->key), (long long)view->committed, (long long)view->low);
    if (emptied)
        log_event(LEVEL_WARN, "counting_anew", "partition=%.*s from=%lld meaning=%s", SPAN_ARG(lane->key), (long long)view->low,
                  "Redis was emptied, the topic reaches back to its beginning");
    begin_new_life(worker, lane, view);
    doubt_lists(worker);
    return true;
}

/* Is the record that was the last one below the mark still there as it was? Where there was none yet: can be read on? */
static bool same_life(const struct mark *mark, const struct partition_view *view)
{
    if (mark->last < 0) return mark->next >= view->low && mark->next <= view->high;
    return view->found && view->timestamp_us == mark->last_timestamp_us && mark->next <= view->high;
}

static bool begin_at_mark(struct worker *worker, struct lane *lane, const struct mark *mark, const struct partition_view *view)
{
    if (view->low > mark->next && !worker->parts.accept_gap)
        return fail(
            &worker->fatal,
            "%.*s begins at offset %lld, but is counted only up to %lld: retention was faster, records are lost. Raise the "
            "retention and bring the records back, or start once with --accept-gap to go on without them",
            SPAN_ARG(lane->key), (long long)view->low, (long long)mark->next);
    if (same_life(mark, view)) {
        lane->life = mark->life;
        lane->counted = mark->next;
        lane->committed = (struct reached){ mark->next, mark->last, mark->last_timestamp_us };
        if (view->committed != NO_OFFSET && view->committed < mark->next && view->committed >= view->low)
            lane->committed.next = view->committed;
        return true;
    }
    log_event(LEVEL_WARN, "partition_is_another", "partition=%.*s meaning=%s", SPAN_ARG(lane->key),
              "the record last counted is not there as it was: reading from the beginning, the entities know their events");
    begin_new_life(worker, lane, view);
    return true;
}

/* A tenant that is gone or was set back alone is read again from where it stands, the others skip what they have. */
static bool lower_to_floor(struct worker *worker, struct lane *lane, const struct partition_view *view)
{
    int64_t floor = lane->floor;
    if (floor == INT64_MAX) return true;
    lane->floor_until = lane->counted > lane->committed.next ? lane->counted : lane->committed.next;
    if (floor < lane->counted) lane->counted = 0;
    if (floor >= lane->committed.next) return true;
    if (floor < view->low && !worker->parts.accept_gap)
        return fail(&worker->fatal,
                    "a tenant's state in Redis was removed or set back, and %.*s no longer reaches back to where it must be read "
                    "again (offset %lld, it begins at %lld). Bring back a copy of Redis, or start once with --accept-gap",
                    SPAN_ARG(lane->key), (long long)floor, (long long)view->low);
    lane->committed.next = floor < view->low ? view->low : floor;
    return true;
}

/* The mark as it is to stand from now on: before the first commit that relies on the life; and before what was read behind a tenant
 * that was set back is read again, for whoever begins at it after us. */
static void first_mark(const struct lane *lane, const struct mark *known, struct mark *old, struct mark *new)
{
    *old = known ? *known : (struct mark){ .partition = lane->key, .next = NO_OFFSET };
    *new = lane_safe_mark(lane);
    if (!known || known->life != lane->life) return;
    *new = *known;
    if (lane->counted < known->next && lane->committed.next < known->next) new->next = lane->committed.next;
}

static bool place_marks(struct worker *worker, const struct mark *marks, size_t n_marks)
{
    struct error error = { "" };
    size_t n = worker->lanes.n;
    struct mark *old = arena_alloc(&worker->scratch, (n + 1) * sizeof *old),
                *new = arena_alloc(&worker->scratch, (n + 1) * sizeof *new);
    bool *moved = arena_zalloc(&worker->scratch, n + 1);
    enum outcome outcome = DONE;
    for (size_t i = 0; i < n; i++)
        first_mark(worker->lanes.at[i], mark_of(marks, n_marks, worker->lanes.at[i]), &old[i], &new[i]);
    if (!worker->parts.marks->ops->move(worker->parts.marks, old, new, moved, n, &outcome, &error)) {
        worker_set_back(worker, outcome, &error);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct lane *lane = worker->lanes.at[i];
        if (!moved[i]) {
            fail(&error, "the mark of %.*s moves elsewhere", SPAN_ARG(lane->key));
            note_trouble(worker, "marks_not_placed", &error);
            return false;
        }
        lane->mark = new[i];
        lane->mark.partition = lane->key;
    }
    return true;
}

static bool view_lanes(struct worker *worker, const struct mark *marks, size_t n_marks, struct partition_view *views)
{
    struct error error = { "" };
    for (size_t i = 0; i < worker->lanes.n; i++) {
        const struct mark *mark = mark_of(marks, n_marks, worker->lanes.at[i]);
        views[i] = (struct partition_view){ .partition = lane_partition(worker->lanes.at[i]),
                                            .probe = mark && mark->last >= 0 ? mark->last : NO_OFFSET };
    }
    if (source_view(worker->parts.source, views, worker->lanes.n, 5000, &error)) return true;
    note_trouble(worker, "partitions_not_seen", &error);
    return false;
}

/* Without marks (replay) every partition is read from its beginning. */
static void start_from_beginning(struct worker *worker)
{
    for (size_t i = 0; i < worker->lanes.n; i++) {
        worker->lanes.at[i]->life = 1;
        start_lane(worker, worker->lanes.at[i]);
    }
    worker->lanes_pending = false;
}

static bool find_beginnings(struct worker *worker, const struct mark *marks, size_t n_marks)
{
    struct partition_view *views = arena_zalloc(&worker->scratch, (worker->lanes.n + 1) * sizeof *views);
    if (!view_lanes(worker, marks, n_marks, views)) return false;
    for (size_t i = 0; i < worker->lanes.n; i++) {
        struct lane *lane = worker->lanes.at[i];
        const struct mark *mark = mark_of(marks, n_marks, lane);
        if (mark ? !begin_at_mark(worker, lane, mark, &views[i]) : !begin_without_mark(worker, lane, &views[i])) return false;
        if (!lower_to_floor(worker, lane, &views[i])) return false;
        lane->started = false; /* until its mark is placed: what comes meanwhile may lie behind what has not been read */
    }
    return true;
}

void worker_restart_lanes(struct worker *worker)
{
    struct mark *marks = NULL;
    size_t n_marks = 0;
    enum outcome outcome = DONE;
    struct error error = { "" };
    if (!worker->parts.marks) {
        start_from_beginning(worker);
        return;
    }
    if (!worker->parts.marks->ops->read(worker->parts.marks, &marks, &n_marks, &worker->scratch, &outcome, &error)) {
        worker_set_back(worker, outcome, &error);
        return;
    }
    if (!find_beginnings(worker, marks, n_marks) || !place_marks(worker, marks, n_marks)) return;
    if (!worker->in_part) worker->trouble[0] = 0;
    for (size_t i = 0; i < worker->lanes.n; i++) {
        start_lane(worker, worker->lanes.at[i]);
        log_event(LEVEL_INFO, "partition_started", "partition=%.*s offset=%lld", SPAN_ARG(worker->lanes.at[i]->key),
                  (long long)worker->lanes.at[i]->committed.next);
    }
    worker->lanes_pending = false;
}

/* ---- assignment ---- */

void worker_assigned(struct worker *worker, const struct change *change)
{
    for (size_t i = 0; i < change->n; i++) {
        struct lane *lane = lane_find(&worker->lanes, change->partitions[i].topic, change->partitions[i].number);
        if (!lane) lane = lane_add(&worker->lanes, change->partitions[i]);
        lane->started = false;
    }
    worker->lanes_pending = true;
    worker_begin_adoption(worker);
}

void worker_released(struct worker *worker, const struct change *change)
{
    for (size_t i = 0; i < change->n; i++) {
        struct lane *lane = lane_find(&worker->lanes, change->partitions[i].topic, change->partitions[i].number);
        if (lane) lane_remove(&worker->lanes, lane);
    }
}
