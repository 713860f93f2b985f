/* What the brokers say of topics now: how many partitions, who leads them. */
#pragma once

#include <librdkafka/rdkafka.h>

/* Of those that the list names, in whatever partitions; waits for the answer. What the handle believes of them is that from here on: it
 * would go on asking a former leader for as long as it reads from none of their partitions. To be released with rd_kafka_metadata_destroy;
 * NULL: no answer in time. */
const struct rd_kafka_metadata *kafka_topics_ask(rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *of, int timeout_ms);
