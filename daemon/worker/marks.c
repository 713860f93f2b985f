/* Marks trail behind the commits: moved now and then, by compare-and-set, and after them the offsets in Kafka. */
#include "common/instant.h"
#include "daemon/worker/inner.h"

#include <stdlib.h>

/* Tenants are listed before a mark passes their first event. */
static bool list_tenants(struct worker *worker, enum outcome *outcome, struct error *error)
{
    if (!worker->n_unlisted) return true;
    if (!worker->parts.marks->ops->add_tenants(worker->parts.marks, worker->unlisted, worker->n_unlisted, outcome, error))
        return false;
    free(worker->unlisted);
    worker->unlisted = NULL;
    worker->n_unlisted = 0;
    return true;
}

/* A mark that stands elsewhere than we left it: Redis was emptied or set back, or somebody else has the partition. */
static void mark_refused(struct worker *worker, const struct lane *lane)
{
    log_event(LEVEL_WARN, "mark_moved_elsewhere", "partition=%.*s meaning=%s", SPAN_ARG(lane->key),
              "Redis was set back, or another instance has the partition: reading again from where it stands");
    struct error error = { "" };
    worker_set_back(worker, CONFLICT, &error);
    worker_doubt_state(worker);
}

/* Not beyond what we have read again: a mark may have been moved late, over a dead connection, after Redis had lost what it stands
 * for. Then the older offset is all that tells. */
static void commit_offsets(struct worker *worker)
{
    struct position *positions = arena_alloc(&worker->scratch, (worker->lanes.n + 1) * sizeof *positions);
    size_t n = 0;
    for (size_t i = 0; i < worker->lanes.n; i++) {
        const struct lane *lane = worker->lanes.at[i];
        int64_t next = lane->committed.next < lane->mark.next ? lane->committed.next : lane->mark.next;
        if (lane->started) positions[n++] = (struct position){ lane_partition(lane), next, NO_OFFSET };
    }
    if (n) source_commit(worker->parts.source, positions, n);
}

/* While some tenants are passed over nothing is done with below what they have not seen. */
void worker_move_marks(struct worker *worker)
{
    if (worker->in_part) return;
    size_t n = 0, room = worker->lanes.n + 1;
    struct mark *old = arena_alloc(&worker->scratch, room * sizeof *old),
                *new = arena_alloc(&worker->scratch, room * sizeof *new);
    struct lane **lanes = arena_alloc(&worker->scratch, room * sizeof(struct lane *));
    bool *moved = arena_zalloc(&worker->scratch, room);
    enum outcome outcome = DONE;
    struct error error = { "" };
    if (worker->parts.dead_letters) (void)sink_flush(worker->parts.dead_letters, 200);
    for (size_t i = 0; i < worker->lanes.n; i++) {
        struct lane *lane = worker->lanes.at[i];
        if (!lane->started) continue;
        lanes[n] = lane;
        old[n] = lane->mark;
        new[n++] = lane_safe_mark(lane); /* also where it stays: that tells whether it still stands */
    }
    if (!n) return;
    if (!list_tenants(worker, &outcome, &error) ||
        !worker->parts.marks->ops->move(worker->parts.marks, old, new, moved, n, &outcome, &error)) {
        worker_set_back(worker, outcome, &error);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!moved[i]) {
            mark_refused(worker, lanes[i]);
            return;
        }
        lanes[i]->mark = new[i];
    }
    crash_point("marks moved");
    commit_offsets(worker);
}

bool worker_pin_marks(struct worker *worker)
{
    enum outcome outcome = DONE;
    struct error error = { "" };
    for (size_t i = 0; worker->parts.marks && i < worker->lanes.n; i++) {
        struct lane *lane = worker->lanes.at[i];
        bool moved = false;
        if (!lane_needs_pin(lane)) continue;
        struct mark mark = lane_pinned_mark(lane);
        if (!worker->parts.marks->ops->move(worker->parts.marks, &lane->mark, &mark, &moved, 1, &outcome, &error)) {
            worker_set_back(worker, outcome, &error);
            return false;
        }
        if (!moved) {
            mark_refused(worker, lane);
            return false;
        }
        lane_pin(lane, &mark);
    }
    return true;
}

void worker_letters_resend(struct worker *worker)
{
    for (size_t i = 0; i < worker->lanes.n; i++) {
        struct lane *lane = worker->lanes.at[i];
        if (!lane_resends(lane, worker_monotonic())) continue;
        if (!worker_finish_pending(worker)) return; /* which was set back then: they are read again */
        struct error error = { "" };
        log_event(LEVEL_INFO, "dead_letters_again", "partition=%.*s from=%lld", SPAN_ARG(lane->key),
                  (long long)lane->resend_from);
        worker_set_back(worker, DONE, &error);
        return;
    }
}
