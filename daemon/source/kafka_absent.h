/* Which of the topics subscribed to are not there: with none of them there is nothing to read, and nothing else would say so.
 * Nor would it of a group that this user may not be in. Inner to the Kafka source. */
#pragma once

#include <librdkafka/rdkafka.h>

enum {
    KAFKA_ABSENT_BYTES = 400
};

struct kafka_absent {
    char trouble[KAFKA_ABSENT_BYTES]; /* "": one of them is there and may be read as the group, or nothing is known */
};

/* An error that the library told of a topic or the group; it tells each once. `topics`: those subscribed to, where it is noted. */
void kafka_absent_note(struct kafka_absent *absent, rd_kafka_topic_partition_list_t *topics, const rd_kafka_message_t *message);

/* The group shares out what there is: it does not without topics. */
void kafka_absent_clear(struct kafka_absent *absent, rd_kafka_topic_partition_list_t *topics);
