/* Partitions that the group has given to nobody. A member that keeps its name comes back from a restart to what it had, and the
 * group is not asked to share out anew; if it was the one that shares, and the topics have grown meanwhile, nobody reads what was
 * added until the next rebalance (librdkafka; Java's consumer has KIP-814 for it). */
#pragma once

#include "daemon/source/kafka_client.h"

struct kafka_unread {
    rd_kafka_t *handle;
    rd_kafka_queue_t *answers;
    char group[256];
    int64_t ask_ms, pause_ms; /* when to ask next; how long to leave it alone once it was found */
    bool asked, seen;         /* an answer is due; the last one said so */
};

/* `handle` lives longer, `conf` is what names the group. */
void kafka_unread_init(struct kafka_unread *unread, rd_kafka_t *handle, const rd_kafka_conf_t *conf);
void kafka_unread_deinit(struct kafka_unread *unread);

/* To be called often; asks now and then, without waiting for the answer. True: while the group was at rest a partition of these
 * topics was nobody's, twice in a row. Whoever shares out will do so anew once it joins again; so should all. */
MUST_USE bool kafka_unread_found(struct kafka_unread *unread, const rd_kafka_topic_partition_list_t *topics);
