/* Records from Kafka: a consumer of a group, eager range assignment, offsets given by the caller. One per worker thread. */
#pragma once

#include "daemon/source/kafka_settings.h"
#include "daemon/source/source.h"

struct kafka_source_settings {
    struct kafka_settings kafka;
    const char *const *topics;
    size_t n_topics;
    int worker, workers;  /* of several workers each gets its own group.instance.id: "<that of the settings>-<worker>" */
    bool alone;           /* all partitions of the topics, whoever else reads them: joins no group, commits nothing */
    size_t batch_records; /* most records that are not released; 0: 4096 */
    size_t batch_bytes;   /* after so many bytes a receive takes no more; 0: 8 MiB */
};

/* NULL and error: a property is wrong, or librdkafka cannot start. A broker that cannot be reached is no error: it is
 * reported, and tried again until it can (`alone`: it is an error, as is a topic that is not there). Settings need not outlive the call, the reporter's context must. */
struct source *kafka_source_create(const struct kafka_source_settings *settings, struct error *error);

/* Would librdkafka take the properties together? Asks no broker. */
bool kafka_source_check(const struct kafka_source_settings *settings, struct error *error) MUST_USE;
