/* Where records go: Kafka (kafka.c) or memory (memory.c), behind one narrow table. Used from one thread only. */
#pragma once

#include "common/error.h"
#include "daemon/intake/event.h"

struct outgoing {
    struct span topic, key, value; /* key.at, value.at == NULL: none, null record */
    const struct header *headers;
    size_t n_headers;
    void *tag; /* handed back with the acknowledgement */
};

enum delivery {
    DELIVERED,
    UNDELIVERED,  /* not within the time allowed, or refused for now: produce it again */
    UNDELIVERABLE /* larger than the topic takes: it will never be delivered like this */
};

/* What became of a record; called from within poll, flush and destroy, once for each one produced. `why`: "" when DELIVERED. */
struct acknowledged {
    void (*call)(void *context, void *tag, enum delivery delivery, const char *why);
    void *context;
};

struct sink;

struct sink_ops {
    /* Takes a copy and returns at once. False: the queue is full, the caller keeps the record and polls. A record that can
     * not be sent at all is taken, too, and acknowledged with the cause. */
    bool (*produce)(struct sink *, const struct outgoing *outgoing);
    void (*poll)(struct sink *, int timeout_ms);  /* acknowledges what is there; waits up to timeout_ms for the first */
    bool (*flush)(struct sink *, int timeout_ms); /* waits until all are acknowledged; false: some are not yet */
    void (*destroy)(struct sink *);               /* acknowledges what is left as UNDELIVERED; flush before */
};

struct sink {
    const struct sink_ops *ops;
};

MUST_USE static inline bool sink_produce(struct sink *sink, const struct outgoing *outgoing)
{
    return sink->ops->produce(sink, outgoing);
}
static inline void sink_poll(struct sink *sink, int timeout_ms)
{
    sink->ops->poll(sink, timeout_ms);
}
static inline bool sink_flush(struct sink *sink, int timeout_ms)
{
    return sink->ops->flush(sink, timeout_ms);
}
static inline void sink_destroy(struct sink *sink)
{
    if (sink) sink->ops->destroy(sink);
}
