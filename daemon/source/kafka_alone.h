/* All partitions of a topic, for a reader that is in no group. */
#pragma once

#include "daemon/source/kafka_client.h"
#include "daemon/source/owned.h"

/* Adds them. False: no broker answers within some seconds, or there is no such topic. */
MUST_USE bool kafka_alone_add(rd_kafka_t *handle, const char *topic, struct owned *owned, struct error *error);
