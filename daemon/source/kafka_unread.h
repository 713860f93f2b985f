/* Partitions that the group has given to nobody. A member that keeps its name comes back from a restart to what it had, and the
 * group is not asked to share out anew; if it was the one that shares, and the topics have grown meanwhile, nobody reads what was
 * added until the next rebalance (librdkafka; Java's consumer has KIP-814 for it). */
#pragma once

#include "daemon/source/kafka_client.h"

struct kafka_unread {
    char group[256];
    int64_t look_ms, pause_ms; /* when to look next; how long to leave it alone once it was found */
    bool seen;                 /* the last look found one */
};

/* `conf` names the group. */
void kafka_unread_init(struct kafka_unread *unread, const rd_kafka_conf_t *conf);

/* To be called often; now and then it asks the group, and the topics, for some milliseconds. True: while the group was at rest a
 * partition of these topics was nobody's, twice in a row. Whoever shares out will do so anew once it joins again; so should all. */
MUST_USE bool kafka_unread_found(struct kafka_unread *unread, rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *topics);
