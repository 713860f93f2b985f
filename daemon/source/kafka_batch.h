/* Messages of librdkafka as records: taken in runs, in bounded memory, without an allocation per record. */
#pragma once

#include "daemon/source/kafka_client.h"
#include "daemon/source/owned.h"

struct kafka_batch {
    rd_kafka_message_t **messages; /* taken and not released */
    size_t n_messages, room;
    size_t bytes, bytes_max;
    struct arena headers;
    void (*on_error)(void *context, const rd_kafka_message_t *message);
    void *context;
};

/* Fills a zeroed batch. `on_error` gets what librdkafka hands over as messages that are none. */
void kafka_batch_init(struct kafka_batch *batch, size_t room, size_t bytes_max,
                      void (*on_error)(void *context, const rd_kafka_message_t *message), void *context);
void kafka_batch_deinit(struct kafka_batch *batch);

/* Adds to what was taken: waits for the first message, then takes what is there; stops early when `owned` has a change to be told. Messages of
 * partitions that are not started, or below their next offset, are passed over. */
size_t kafka_batch_receive(struct kafka_batch *batch, rd_kafka_t *handle, rd_kafka_queue_t *queue, struct owned *owned,
                           struct record *records, size_t room, int timeout_ms);
void kafka_batch_release(struct kafka_batch *batch);
