/* Keeps librdkafka fetching while there is more to read. */
#include "daemon/source/kafka_nudge.h"

enum {
    LOW_MESSAGES = 8192, /* of half a kilobyte they are all that is fetched ahead (queued.max.messages.kbytes) */
    NUDGE_EVERY_MS = 20,
    NUDGE_WAIT_MS = 1,
    NEEDS_NO_NUDGE = 0x02020000 /* the library's version with fetch.queue.backoff.ms */
};

void kafka_update_high(rd_kafka_t *handle, struct position *position)
{
    int64_t low, high;
    const struct partition *partition = &position->partition;
    rd_kafka_resp_err_t err = rd_kafka_get_watermark_offsets(handle, partition->topic.at, partition->number, &low, &high);
    if (!err && high >= 0) position->high = high;
}

void kafka_nudge(rd_kafka_t *handle, rd_kafka_queue_t *queue, const struct owned *owned, const struct turns *turns,
                 int64_t *at_ms)
{
    if (rd_kafka_version() >= NEEDS_NO_NUDGE) return;
    if (owned->n == 0 || rd_kafka_queue_length(queue) >= LOW_MESSAGES || kafka_now_ms() - *at_ms < NUDGE_EVERY_MS) return;
    *at_ms = kafka_now_ms();
    rd_kafka_topic_partition_list_t *behind = rd_kafka_topic_partition_list_new((int)owned->n);
    for (size_t i = 0; i < owned->n; i++) {
        struct position *position = &owned->positions[i];
        if (position->next == NO_OFFSET || turns_waits(turns, i)) continue;
        kafka_update_high(handle, position);
        if (position->high > position->next)
            rd_kafka_topic_partition_list_add(behind, position->partition.topic.at, position->partition.number)->offset =
                RD_KAFKA_OFFSET_END;
    }
    if (behind->cnt > 0) rd_kafka_offsets_for_times(handle, behind, NUDGE_WAIT_MS);
    rd_kafka_topic_partition_list_destroy(behind);
}
