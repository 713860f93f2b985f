/* Marks and the list of tenants, kept in the Redis that holds the state: the worker's mark keeper over the same connection. */
#pragma once

#include "daemon/state/connection.h"
#include "daemon/worker/worker.h"

/* crm:marks: field "topic:partition", text "next last last_timestamp_us life". `redis`: one of state_redis_create; it must
 * outlive the keeper. Connecting the keeper connects the state. To be given back with marks_redis_destroy. */
struct mark_keeper *marks_redis_create(struct state *redis, const char *prefix);
void marks_redis_destroy(struct mark_keeper *keeper);

/* The same over a cluster, which marks_redis_create makes for it: see cluster_marks.c. */
struct mark_keeper *marks_cluster_create(struct state *cluster, const char *prefix);
void marks_cluster_destroy(struct mark_keeper *keeper);

void mark_write(const struct mark *mark, struct buffer *out);
/* All but the partition. False: not of that form. */
bool mark_parse(struct span text, struct mark *mark) MUST_USE;

/* Adds tenants to the list of all. */
bool tenants_add(struct state *redis, const char *prefix, const struct span *tenants, size_t n, enum outcome *outcome,
                 struct error *error) MUST_USE;

/* A request that moves marks under this key: of each `old` (next < 0: none stands there) to `new`. Its answer: an array, 1 for each
 * that moved, else 0. */
void marks_ask_move(struct connection *connection, struct span key, const struct mark *old, const struct mark *new, size_t n);

/* All tenants of the list, each once, in the arena, without a keeper. */
bool tenants_all(struct state *redis, const char *prefix, struct span **tenants, size_t *n, struct arena *arena,
                 enum outcome *outcome, struct error *error) MUST_USE;
