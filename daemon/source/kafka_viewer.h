/* Looks at partitions from outside the group: committed offsets, ends of the log, the timestamp of one record. */
#pragma once

#include "daemon/source/kafka_client.h"
#include "daemon/source/source.h"

struct kafka_viewer {
    struct kafka_client client;
};

/* Fills a zeroed viewer. It joins no group and commits nothing. */
MUST_USE bool kafka_viewer_init(struct kafka_viewer *viewer, const struct kafka_settings *settings, struct error *error);
void kafka_viewer_deinit(struct kafka_viewer *viewer);

/* As source_view. */
MUST_USE bool kafka_viewer_view(struct kafka_viewer *viewer, struct partition_view *views, size_t n, int timeout_ms,
                                struct error *error);
