/* Where records come from: Kafka (kafka.c) or files (files.c), behind one narrow table. Used from one thread only.
 *
 *   loop: receive, once or several times → … work … → release → next_change until there is none
 *
 * A partition is the caller's from CHANGE_ASSIGNED on, but nothing of it is delivered before `start` names the first offset.
 * Records that were received before a change is told belong to the time before it. */
#pragma once

#include "common/error.h"
#include "common/instant.h"
#include "daemon/intake/event.h"

struct partition {
    struct span topic; /* stays as long as the source does */
    int32_t number;
};

enum change_type {
    CHANGE_ASSIGNED, /* partitions are ours: find out where to read (view), then start each */
    CHANGE_REVOKED,  /* finish what was received of them, bring marks up to date, then call confirm: the others wait for it */
    CHANGE_LOST, /* they were taken away before we knew (long stop): somebody else may be at work on them. Drop them. No confirm */
    CHANGE_MOVED, /* the offset to read next is not there (topic created anew, log cut, retention): not started any more;
                      * view, then start again */
    CHANGE_ENDED  /* no record will ever come again (files only) */
};

struct change {
    enum change_type type;
    const struct partition *partitions; /* valid until the next call of next_change */
    size_t n;
};

/* How far a partition has been handed over. */
struct position {
    struct partition partition;
    int64_t next; /* offset behind the last record received (where `start` said, before the first); NO_OFFSET: not started */
    int64_t high; /* end of the log as last seen (lag = high - next, bounded below by 0); NO_OFFSET: not known */
};
#define NO_OFFSET INT64_C(-1)

/* What is known of a partition before reading it. */
struct partition_view {
    struct partition partition; /* in */
    int64_t probe;              /* in: offset of a record to look at; NO_OFFSET: none */
    int64_t committed;          /* the group's offset in Kafka; NO_OFFSET: none */
    int64_t low, high;          /* first offset there is, offset behind the last one */
    bool found;                 /* there is a record at exactly `probe` */
    int64_t timestamp_us;       /* of the probed record; NO_INSTANT: it has none, or there is no record */
};

struct source;

struct source_ops {
    /* Fills up to `room` records: waits up to timeout_ms for the first, then takes what is there at once. Bounded in bytes.
     * What records point to stays until `release`. A second receive before it only gets what is at hand. Returns their number; 0 also as soon as there is a change to be told,
     * and always while a revoked change waits for confirm. Never fails: troubles are reported (see each source's create). */
    size_t (*receive)(struct source *, struct record *records, size_t room, int timeout_ms);
    void (*release)(struct source *);

    /* The same without reading: keeps group membership and notices changes, while the caller cannot take records (Redis is
     * away). Returns early when there is a change to be told. Prefetched records are dropped; the next receive goes on where
     * the last one ended. A stop of some seconds at most needs no idle. */
    void (*idle)(struct source *, int timeout_ms);

    bool (*next_change)(struct source *, struct change *change); /* false: none */
    void (*confirm)(struct source *);                            /* after CHANGE_REVOKED, all records released */

    /* Deliver the partition from this offset on, whatever was delivered before (first start and seek alike). Takes effect with
     * the next receive; records received but not released yet stay valid. A partition that is not ours: ignored. */
    void (*start)(struct source *, struct partition partition, int64_t offset);

    /* Looks at n partitions, whether they are ours or not. Waits up to timeout_ms in all; may be called while idle.
     * False (and error): not all could be found out; try again later. */
    bool (*view)(struct source *, struct partition_view *views, size_t n, int timeout_ms, struct error *error);

    /* Commits offsets to Kafka for lag monitors, without waiting for the answer. `next` of each position is committed. */
    void (*commit)(struct source *, const struct position *positions, size_t n);

    /* All partitions that are ours. Returns how many there are, fills at most `room`. */
    size_t (*positions)(struct source *, struct position *positions, size_t room);

    /* Why nothing can be read just now ("… brokers are down"); NULL: all well. Valid until the next call. */
    const char *(*trouble)(struct source *);

    /* Leaves the group and frees all, within 3 s. Sends what `commit` has not sent yet. Frees also unreleased records. */
    void (*destroy)(struct source *);
};

struct source {
    const struct source_ops *ops;
};

static inline size_t source_receive(struct source *source, struct record *records, size_t room, int timeout_ms)
{
    return source->ops->receive(source, records, room, timeout_ms);
}
static inline void source_release(struct source *source)
{
    source->ops->release(source);
}
static inline void source_idle(struct source *source, int timeout_ms)
{
    source->ops->idle(source, timeout_ms);
}
static inline bool source_next_change(struct source *source, struct change *change)
{
    return source->ops->next_change(source, change);
}
static inline void source_confirm(struct source *source)
{
    source->ops->confirm(source);
}
static inline void source_start(struct source *source, struct partition partition, int64_t offset)
{
    source->ops->start(source, partition, offset);
}
MUST_USE static inline bool source_view(struct source *source, struct partition_view *views, size_t n, int timeout_ms,
                                        struct error *error)
{
    return source->ops->view(source, views, n, timeout_ms, error);
}
static inline void source_commit(struct source *source, const struct position *positions, size_t n)
{
    source->ops->commit(source, positions, n);
}
static inline size_t source_positions(struct source *source, struct position *positions, size_t room)
{
    return source->ops->positions(source, positions, room);
}
static inline const char *source_trouble(struct source *source)
{
    return source->ops->trouble(source);
}
static inline void source_destroy(struct source *source)
{
    if (source) source->ops->destroy(source);
}
