/* A member of the modelled group as its worker sees it: struct source. */
#include "tests/sim/world.h"

#include <stdlib.h>

static struct reader *of(struct source *source)
{
    return (struct reader *)source;
}

static bool is_late(const struct reader *reader)
{
    return dice_permille(&reader->world->dice, reader->world->weather.slow);
}

/* ---- records ---- */

/* The next record of the partition; an offset that is not there is told once. */
static const struct log_record *next_record(struct reader *reader, int p)
{
    const struct log *log = &reader->world->broker.logs[p];
    if (!reader->mine[p] || !reader->started[p] || reader->life[p] != log->life) return NULL;
    if (reader->next[p] < log->low || reader->next[p] > (int64_t)log->n) {
        reader->moved[p] = true;
        reader->started[p] = false;
        return NULL;
    }
    return reader->next[p] < (int64_t)log->n ? &log->records[reader->next[p]] : NULL;
}

static size_t reader_receive(struct source *base, struct record *records, size_t room, int timeout_ms)
{
    struct reader *reader = of(base);
    struct world *world = reader->world;
    size_t n = 0, wanted = 1 + dice_below(&world->dice, 24);
    (void)timeout_ms;
    if (reader->waiting || world->broker.away) return 0;
    for (int misses = 0; misses < world->broker.n_logs * 2 && n < wanted && n < room;) {
        int p = (int)dice_below(&world->dice, (uint32_t)world->broker.n_logs);
        const struct log_record *record = next_record(reader, p);
        misses += !record;
        if (!record) continue;
        records[n++] = (struct record){ .value = record->value,
                                        .topic = span_of(world_topic),
                                        .partition = p,
                                        .offset = reader->next[p]++,
                                        .timestamp_us = record->timestamp_us };
    }
    return n;
}

static void reader_nothing(struct source *base)
{
    (void)base;
}

static void reader_idle(struct source *base, int timeout_ms)
{
    (void)base, (void)timeout_ms;
}

static void reader_start(struct source *base, struct partition partition, int64_t offset)
{
    struct reader *reader = of(base);
    int p;
    if (!world_partition(reader->world, partition, &p) || !reader->mine[p]) return;
    reader->next[p] = offset;
    reader->started[p] = true;
}

/* ---- changes ---- */

static bool tell(struct reader *reader, struct change *change, enum change_type type, const bool *which)
{
    *change = (struct change){ .type = type, .partitions = reader->told };
    for (int p = 0; p < PARTITIONS_MAX; p++)
        if (which[p]) reader->told[change->n++] = (struct partition){ span_of(world_topic), p };
    return change->n > 0;
}

static void let_go(struct reader *reader, const bool *which)
{
    for (int p = 0; p < PARTITIONS_MAX; p++)
        if (which[p]) reader->mine[p] = reader->started[p] = reader->moved[p] = false;
}

/* Taken away without being asked: the session was over, or the topic is another. */
static bool tell_lost(struct reader *reader, struct change *change)
{
    struct broker *broker = &reader->world->broker;
    bool lost[PARTITIONS_MAX] = { false };
    bool expired = broker->members[reader->member].expired;
    for (int p = 0; p < broker->n_logs; p++) lost[p] = reader->mine[p] && (expired || reader->life[p] != broker->logs[p].life);
    if (expired) broker_join(broker, reader->member);
    if (!tell(reader, change, CHANGE_LOST, lost)) return false;
    let_go(reader, lost);
    reader->waiting = false;
    return true;
}

static bool tell_revoked(struct reader *reader, struct change *change)
{
    const struct broker *broker = &reader->world->broker;
    for (int p = 0; p < PARTITIONS_MAX; p++)
        reader->revoking[p] = p < broker->n_logs && reader->mine[p] && broker->logs[p].wanted != reader->member;
    return reader->waiting = tell(reader, change, CHANGE_REVOKED, reader->revoking);
}

static bool tell_assigned(struct reader *reader, struct change *change)
{
    struct broker *broker = &reader->world->broker;
    bool ours[PARTITIONS_MAX] = { false };
    for (int p = 0; p < broker->n_logs; p++) {
        struct log *log = &broker->logs[p];
        bool free = log->owner == NOBODY || log->owner == reader->member;
        ours[p] = log->wanted == reader->member && free && !reader->mine[p];
        if (!ours[p]) continue;
        log->owner = reader->member;
        reader->mine[p] = true;
        reader->started[p] = reader->moved[p] = false;
        reader->life[p] = log->life;
    }
    return tell(reader, change, CHANGE_ASSIGNED, ours);
}

static bool tell_moved(struct reader *reader, struct change *change)
{
    bool told = tell(reader, change, CHANGE_MOVED, reader->moved);
    memset(reader->moved, 0, sizeof reader->moved);
    return told;
}

/* Partitions that are to go to another before we knew they were ours. */
static void give_back(struct reader *reader)
{
    struct broker *broker = &reader->world->broker;
    for (int p = 0; p < broker->n_logs; p++)
        if (broker->logs[p].owner == reader->member && broker->logs[p].wanted != reader->member && !reader->mine[p])
            broker->logs[p].owner = NOBODY;
}

static bool reader_change(struct source *base, struct change *change)
{
    struct reader *reader = of(base);
    if (reader->world->broker.away || is_late(reader)) return false;
    if (tell_lost(reader, change)) return true;
    if (reader->waiting) return false;
    give_back(reader);
    return tell_revoked(reader, change) || tell_assigned(reader, change) || tell_moved(reader, change);
}

static void reader_confirm(struct source *base)
{
    struct reader *reader = of(base);
    struct broker *broker = &reader->world->broker;
    if (!reader->waiting) return;
    for (int p = 0; p < broker->n_logs; p++)
        if (reader->revoking[p] && broker->logs[p].owner == reader->member) broker->logs[p].owner = NOBODY;
    let_go(reader, reader->revoking);
    reader->waiting = false;
}

/* ---- looking, committing ---- */

static void view_one(const struct log *log, struct partition_view *view)
{
    view->committed = log->committed;
    view->low = log->low;
    view->high = (int64_t)log->n;
    view->found = view->probe >= log->low && view->probe < (int64_t)log->n;
    view->timestamp_us = view->found ? log->records[view->probe].timestamp_us : NO_INSTANT;
}

static bool reader_view(struct source *base, struct partition_view *views, size_t n, int timeout_ms, struct error *error)
{
    struct world *world = of(base)->world;
    (void)timeout_ms;
    if (world->broker.away || dice_permille(&world->dice, world->weather.unseen)) return fail(error, "no broker answers");
    for (size_t i = 0; i < n; i++) {
        int p;
        if (!world_partition(world, views[i].partition, &p)) return fail(error, "no such partition");
        view_one(&world->broker.logs[p], &views[i]);
    }
    return true;
}

/* The group takes no offsets of those it has expelled. An offset is never ahead of what the mark says is safe. */
static void reader_commit(struct source *base, const struct position *positions, size_t n)
{
    struct reader *reader = of(base);
    struct broker *broker = &reader->world->broker;
    bool heard = !broker->away && !broker->members[reader->member].expired &&
                 !dice_permille(&reader->world->dice, reader->world->weather.unseen);
    for (size_t i = 0; i < n && heard; i++) {
        int p;
        if (!world_partition(reader->world, positions[i].partition, &p) || broker->logs[p].life != reader->life[p]) continue;
        struct log *log = &broker->logs[p];
        if (positions[i].next > log->marked)
            fail(&reader->world->wrong, "offset %lld of partition %d is committed to Kafka, no mark ever stood beyond %lld",
                 (long long)positions[i].next, p, (long long)log->marked);
        log->committed = positions[i].next;
    }
}

static size_t reader_positions(struct source *base, struct position *positions, size_t room)
{
    const struct reader *reader = of(base);
    size_t n = 0;
    for (int p = 0; p < reader->world->broker.n_logs && n < room; p++) {
        if (!reader->mine[p] || !reader->started[p]) continue;
        struct partition partition = { span_of(world_topic), p };
        positions[n++] = (struct position){ partition, reader->next[p], (int64_t)reader->world->broker.logs[p].n };
    }
    return n;
}

static const char *reader_trouble(struct source *base)
{
    return of(base)->world->broker.away ? "the broker is away" : NULL;
}

static const struct source_ops table = { reader_receive,   reader_nothing, reader_idle,   reader_change,
                                         reader_confirm,   reader_start,   reader_view,   reader_commit,
                                         reader_positions, reader_trouble, reader_nothing };

void reader_init(struct reader *reader, struct world *world, int member)
{
    *reader = (struct reader){ .base = { &table }, .world = world, .member = member };
}
