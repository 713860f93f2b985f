/* Looks at partitions from outside the group: committed offsets, ends of the log, the timestamp of one record. */
#pragma once

#include "daemon/source/kafka_client.h"
#include "daemon/source/source.h"

struct kafka_probe {
    struct kafka_client client;
};

/* Fills a zeroed probe. It joins no group and commits nothing. */
MUST_USE bool kafka_probe_init(struct kafka_probe *probe, const struct kafka_settings *settings, struct error *error);
void kafka_probe_deinit(struct kafka_probe *probe);

/* As source_view. */
MUST_USE bool kafka_probe_view(struct kafka_probe *probe, struct partition_view *views, size_t n, int timeout_ms,
                               struct error *error);
