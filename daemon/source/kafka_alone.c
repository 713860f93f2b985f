#include "daemon/source/kafka_alone.h"

enum {
    WAIT_MS = 10000
};

static bool add_partitions(const rd_kafka_metadata_topic_t *topic, struct owned *owned, struct error *error)
{
    if (topic->err) return fail(error, "kafka: topic %s cannot be read: %s", topic->topic, rd_kafka_err2str(topic->err));
    for (int i = 0; i < topic->partition_cnt; i++) owned_add(owned, span_of(topic->topic), topic->partitions[i].id);
    return topic->partition_cnt > 0 || fail(error, "kafka: topic %s has no partitions", topic->topic);
}

bool kafka_alone_add(rd_kafka_t *handle, const char *topic, struct owned *owned, struct error *error)
{
    const rd_kafka_metadata_t *metadata = NULL;
    rd_kafka_topic_t *asked = rd_kafka_topic_new(handle, topic, NULL);
    rd_kafka_resp_err_t err = asked ? rd_kafka_metadata(handle, 0, asked, &metadata, WAIT_MS) : rd_kafka_last_error();
    bool fine = !err || fail(error, "kafka: topic %s cannot be looked up: %s", topic, rd_kafka_err2str(err));
    for (int i = 0; fine && i < metadata->topic_cnt; i++) fine = add_partitions(&metadata->topics[i], owned, error);
    if (metadata) rd_kafka_metadata_destroy(metadata);
    if (asked) rd_kafka_topic_destroy(asked);
    return fine;
}
