/* A publisher's insides, shared by the files of this folder. */
#pragma once

#include "daemon/publish/desk.h"
#include "daemon/sink/sink.h"

#include <pthread.h>
#include <stdatomic.h>

struct publisher {
    struct engine *engine;
    struct state *state;
    struct sink *sink;
    pthread_t thread;
    pthread_mutex_t lock; /* of the inbox */
    pthread_cond_t filled;
    struct committed **inbox;
    size_t n_inbox, room_inbox, inbox_differences;
    bool started;
    atomic_bool stop, ending;
    /* the thread's own: */
    struct map desks; /* tenant -> struct desk */
    struct arena arena;
    int64_t retry_at_us;
    size_t unacknowledged, published;
    struct log_cause cause;
    struct publisher_counts counts;
};

struct desk *publisher_desk(struct publisher *publisher, struct span tenant); /* made if need be */

/* publish_desk.c: brings Redis and the topic up to date with a tenant. False: see outcome. */
bool publish_desk(struct publisher *publisher, struct desk *desk, enum outcome *outcome, struct error *error) MUST_USE;

/* topic.c: what stands behind the snapshot in a record's data. */
struct changes {
    int64_t since; /* 0: null */
    struct span list;
    bool truncated;
    struct span traceparent; /* of the event that caused it, as far as known; empty */
};
void topic_send(struct publisher *publisher, struct desk *desk, size_t report, int64_t version, struct span document,
                const struct changes *changes);
void topic_acknowledged(void *publisher, void *tag, enum delivery delivery, const char *why);
