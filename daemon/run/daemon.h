/* The daemon as a whole: workers, each a thread with its own consumer, Redis connection and dead letters, and the publisher. */
#pragma once

#include "daemon/run/engine.h"

struct daemon;

/* Starts all threads and returns. NULL and error: settings that only the libraries can judge are wrong. Servers that are away
 * are no error: they are waited for. `engine` must outlive it. */
struct daemon *daemon_start(struct engine *engine, bool accept_gap, struct error *error) MUST_USE;

/* Has a worker given up? Then `error` says why, and what to do. */
bool daemon_failed(struct daemon *daemon, struct error *error);

/* What all workers have counted so far. */
struct worker_counts daemon_counts(const struct daemon *daemon);

/* From now on these alert rules hold (takes ownership). */
void daemon_set_alerts(struct daemon *daemon, struct alert_rules *rules);
/* Calls `each` with the newest sight of each worker (NULL: it has not turned yet), which is valid during the call. From any
 * thread; `each` must be quick. */
void daemon_sights(struct daemon *daemon, void (*each)(void *context, int worker, const struct worker_sight *sight),
                   void *context);

struct publisher *daemon_publisher(const struct daemon *daemon);

/* Finishes the batches at hand, commits, moves marks, leaves the group, sends what is committed: within 5 s, however many workers there
 * are. Longer only where a server falls silent that somebody waits for at that moment: Redis for `redis.command_timeout_ms` at most, Kafka
 * for 5 s while a worker looks where its partitions begin. Frees all. */
void daemon_stop(struct daemon *daemon);
