/* A sink that keeps what it is given: for replay and tests. */
#pragma once

#include "common/arena.h"
#include "daemon/sink/sink.h"

/* Takes everything; acknowledges at the next poll. */
struct sink *memory_sink_create(struct acknowledged acknowledged);

/* All records produced so far, in order; valid until the next produce. */
const struct outgoing *memory_sink_records(const struct sink *sink, size_t *n);

/* From now on records are acknowledged so (DELIVERED at first); `room`: how many may wait for acknowledgement before
 * produce says the queue is full (SIZE_MAX at first). */
void memory_sink_behave(struct sink *sink, enum delivery delivery, size_t room);
