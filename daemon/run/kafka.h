/* From the settings to those of the Kafka adapters. */
#pragma once

#include "daemon/run/engine.h"
#include "daemon/source/kafka_settings.h"

/* Pairs in the arena; troubles go to the log. */
struct kafka_settings run_kafka_settings(const struct engine *engine, struct arena *arena);
