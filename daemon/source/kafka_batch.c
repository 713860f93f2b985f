/* Messages of librdkafka as records: taken in runs, in bounded memory, without an allocation per record. */
#include "daemon/source/kafka_batch.h"

#include <stdlib.h>

enum {
    CHUNK_RECORDS = 256,
    AHEAD = 8 /* records */
};

void kafka_batch_init(struct kafka_batch *batch, size_t room, size_t bytes_max,
                      void (*on_error)(void *context, const rd_kafka_message_t *message), void *context)
{
    batch->messages = must_alloc(room * sizeof *batch->messages);
    batch->room = room;
    batch->bytes_max = bytes_max;
    batch->on_error = on_error;
    batch->context = context;
}

void kafka_batch_deinit(struct kafka_batch *batch)
{
    kafka_batch_release(batch);
    free(batch->messages);
    arena_deinit(&batch->headers);
}

void kafka_batch_release(struct kafka_batch *batch)
{
    for (size_t i = 0; i < batch->n_messages; i++) rd_kafka_message_destroy(batch->messages[i]);
    batch->n_messages = batch->bytes = 0;
    arena_recycle(&batch->headers);
}

static struct position *position_of(const struct owned *owned, const rd_kafka_message_t *message)
{
    return message->rkt ? owned_find(owned, span_of(rd_kafka_topic_name(message->rkt)), message->partition) : NULL;
}

static void take_headers(struct kafka_batch *batch, const rd_kafka_headers_t *headers, struct record *record)
{
    size_t n = rd_kafka_header_cnt(headers);
    struct header *taken = arena_alloc(&batch->headers, n * sizeof *taken);
    for (size_t i = 0; i < n; i++) {
        const char *name;
        const void *value;
        size_t bytes;
        rd_kafka_header_get_all(headers, i, &name, &value, &bytes);
        taken[i] = (struct header){ span_of(name), { value, bytes } };
    }
    record->headers = taken;
    record->n_headers = n;
}

static void fill(struct kafka_batch *batch, const rd_kafka_message_t *message, const struct position *position,
                 struct record *record)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    rd_kafka_headers_t *headers;
    *record = (struct record){
        .value = { message->payload, message->len },
        .key = { message->key, message->key_len },
        .timestamp_us = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? NO_INSTANT : timestamp_ms * MICROS_PER_MS,
        .topic = position->partition.topic,
        .partition = message->partition,
        .offset = message->offset,
    };
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) take_headers(batch, headers, record);
}

/* A batch being filled, and the partition of its last message: runs of one partition are long. */
struct filling {
    struct record *records;
    size_t n, room; /* room: of the batch */
    struct owned *owned;
    rd_kafka_queue_t *queue;
    const rd_kafka_topic_t *topic;
    int32_t partition;
    struct position *position;
};

/* Of what was popped, what is ours and not yet delivered becomes records. */
static void take(struct kafka_batch *batch, rd_kafka_message_t *message, struct filling *filling)
{
    batch->messages[batch->n_messages++] = message;
    if (message->err) {
        batch->on_error(batch->context, message);
        return;
    }
    if (message->rkt != filling->topic || message->partition != filling->partition) {
        filling->topic = message->rkt;
        filling->partition = message->partition;
        filling->position = position_of(filling->owned, message);
    }
    struct position *position = filling->position;
    if (!position || position->next == NO_OFFSET || message->offset < position->next) return;
    fill(batch, message, position, &filling->records[filling->n++]);
    batch->bytes += message->len + message->key_len;
    position->next = message->offset + 1;
}

/* Takes what is there at once, in chunks, so that bytes stay bounded. True: the queue is empty. Headers are looked for behind a value, which
 * another thread has written: of the next messages that comes nearer. */
static bool take_there(struct kafka_batch *batch, struct filling *filling)
{
    rd_kafka_message_t *chunk[CHUNK_RECORDS];
    while (batch->bytes < batch->bytes_max && batch->n_messages < filling->room && !owned_has_change(filling->owned)) {
        size_t room = filling->room - batch->n_messages;
        ssize_t n = rd_kafka_consume_batch_queue(filling->queue, 0, chunk, room < CHUNK_RECORDS ? room : CHUNK_RECORDS);
        filling->topic = NULL; /* a rebalance meanwhile has changed what is owned */
        for (ssize_t i = 0; i < n; i++) {
            if (i + AHEAD < n) __builtin_prefetch((const char *)chunk[i + AHEAD]->payload + chunk[i + AHEAD]->len);
            take(batch, chunk[i], filling);
        }
        if (n <= 0) return true;
    }
    return false;
}

size_t kafka_batch_receive(struct kafka_batch *batch, rd_kafka_t *handle, rd_kafka_queue_t *queue, struct owned *owned,
                           struct record *records, size_t room, int timeout_ms)
{
    size_t left = batch->room - batch->n_messages;
    struct filling filling = {
        .records = records, .room = batch->n_messages + (room < left ? room : left), .owned = owned, .queue = queue
    };
    if (take_there(batch, &filling) && filling.n == 0 && !owned_has_change(owned)) {
        rd_kafka_message_t *first = rd_kafka_consumer_poll(handle, timeout_ms);
        if (first) take(batch, first, &filling);
        if (first) take_there(batch, &filling);
    }
    return filling.n;
}
