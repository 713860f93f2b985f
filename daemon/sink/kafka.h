/* Records to Kafka: an idempotent producer, Java's partitioner (murmur2), lz4, bounded memory. */
#pragma once

#include "daemon/sink/sink.h"
#include "daemon/source/kafka_settings.h"

/* NULL and error: a property is wrong, or librdkafka cannot start. A broker that cannot be reached is no error: reported,
 * tried again; records wait up to message.timeout.ms (default 30 s), then they are UNDELIVERED. */
struct sink *kafka_sink_create(const struct kafka_settings *settings, struct acknowledged acknowledged, struct error *error);

/* Would librdkafka take the properties together? Asks no broker. */
bool kafka_sink_check(const struct kafka_settings *settings, struct error *error) MUST_USE;
