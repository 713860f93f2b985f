/* Marks and the list of tenants, kept in the Redis that holds the state: the worker's mark keeper over the same connection. */
#pragma once

#include "daemon/worker/worker.h"

/* crm:marks: field "topic:partition", text "next last last_timestamp_us life". `redis`: one of state_redis_create; it must
 * outlive the keeper. Connecting the keeper connects the state. To be given back with marks_redis_destroy. */
struct mark_keeper *marks_redis_create(struct state *redis, const char *prefix);
void marks_redis_destroy(struct mark_keeper *keeper);

void mark_write(const struct mark *mark, struct buffer *out);
/* All but the partition. False: not of that form. */
bool mark_parse(struct span text, struct mark *mark) MUST_USE;

/* All tenants of the list, each once, in the arena, without a keeper. */
bool tenants_all(struct state *redis, const char *prefix, struct span **tenants, size_t *n, struct arena *arena,
                 enum outcome *outcome, struct error *error) MUST_USE;
