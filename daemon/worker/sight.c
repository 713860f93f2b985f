/* How a worker stands, for others to see: made in its own thread, handed over whole. */
#include "daemon/worker/inner.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LAGS_MAX = 1000,
    POSITIONS_SPARE = 64
};

static const struct position *position_of(const struct lane *lane, const struct position *positions, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (positions[i].partition.number == lane->number && span_equal(positions[i].partition.topic, lane->topic))
            return &positions[i];
    return NULL;
}

static int64_t records_behind(const struct lane *lane, const struct position *position)
{
    if (!lane->started || !position || position->high == NO_OFFSET) return -1;
    return position->high > lane->committed.next ? position->high - lane->committed.next : 0;
}

/* Behind the last record one may stand that is none, the end of a transaction: if it were one, it would have come. */
static bool is_at_end(const struct worker *worker, const struct lane *lane, const struct position *position)
{
    return lane->started && position && position->high != NO_OFFSET && position->high <= position->next + worker->heard_nothing;
}

/* As the source has them; the caller's to free. */
static struct position *read_positions(const struct worker *worker, size_t *n)
{
    size_t room = worker->lanes.n + POSITIONS_SPARE;
    struct position *positions = must_alloc(room * sizeof *positions);
    *n = source_positions(worker->parts.source, positions, room);
    if (*n > room) *n = room;
    return positions;
}

bool worker_is_behind(const struct worker *worker)
{
    size_t n, waiting = 0;
    if (!worker->parts.marks) return false;
    struct position *positions = read_positions(worker, &n);
    for (size_t i = 0; i < n; i++)
        if (positions[i].next != NO_OFFSET && positions[i].high > positions[i].next)
            waiting += (size_t)(positions[i].high - positions[i].next);
    free(positions);
    return waiting > worker->round_records;
}

bool worker_reads_at_end(const struct worker *worker)
{
    if (source_trouble(worker->parts.source)) return false;
    size_t n;
    struct position *positions = read_positions(worker, &n);
    bool at_end = true;
    for (size_t i = 0; i < worker->lanes.n && at_end; i++)
        at_end = is_at_end(worker, worker->lanes.at[i], position_of(worker->lanes.at[i], positions, n));
    free(positions);
    return at_end;
}

static void look_at_lanes(const struct worker *worker, struct worker_sight *sight)
{
    size_t n;
    struct position *positions = read_positions(worker, &n);
    sight->lags = arena_alloc(&sight->arena, (worker->lanes.n + 1) * sizeof *sight->lags);
    for (size_t i = 0; i < worker->lanes.n && i < LAGS_MAX; i++) {
        const struct lane *lane = worker->lanes.at[i];
        sight->lags[sight->n_lags++] =
            (struct partition_lag){ .topic = arena_copy(&sight->arena, lane->topic),
                                    .number = lane->number,
                                    .records = records_behind(lane, position_of(lane, positions, n)),
                                    .last_timestamp_us =
                                        lane->committed.last < 0 ? NO_INSTANT : lane->committed.last_timestamp_us };
    }
    free(positions);
}

struct worker_sight *worker_look(const struct worker *worker)
{
    struct worker_sight *sight = must_zalloc(sizeof *sight);
    const char *trouble = worker_trouble(worker);
    sight->at_us = worker_monotonic();
    sight->cache_bytes = worker->cache.bytes;
    sight->away = worker->away;
    snprintf(sight->trouble, sizeof sight->trouble, "%s", trouble ? trouble : worker->away ? "Redis is not reached yet" : "");
    look_at_lanes(worker, sight);
    return sight;
}

void worker_sight_destroy(struct worker_sight *sight)
{
    if (!sight) return;
    arena_deinit(&sight->arena);
    free(sight);
}
