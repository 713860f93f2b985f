/* Keeps librdkafka fetching while there is more to read. */
#pragma once

#include "daemon/source/kafka_client.h"
#include "daemon/source/turns.h"

/* Once all partitions of a broker have enough queued, its thread sleeps for up to a second, however fast they are taken
 * (librdkafka < 2.2; later ones have fetch.queue.backoff.ms for it). Any request wakes it: where the queue runs low and a partition
 * has more, its end is asked for, without waiting for the answer. To be called before each batch; `at_ms`: the last one. */
void kafka_nudge(rd_kafka_t *handle, rd_kafka_queue_t *queue, const struct owned *owned, const struct turns *turns,
                 int64_t *at_ms);

/* The end of the log as far as fetches have told; what is known already when they have not. */
void kafka_update_high(rd_kafka_t *handle, struct position *position);
