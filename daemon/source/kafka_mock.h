/* A Kafka cluster inside this process, of librdkafka: for the demo and tests. Holds records in memory while it lives. */
#pragma once

#include "common/error.h"

struct kafka_mock;

struct kafka_mock *kafka_mock_create(int brokers, struct error *error); /* NULL and error: cannot be started */
const char *kafka_mock_servers(const struct kafka_mock *mock);          /* for bootstrap.servers */
MUST_USE bool kafka_mock_topic(struct kafka_mock *mock, const char *name, int partitions, struct error *error);
void kafka_mock_destroy(struct kafka_mock *mock); /* after its clients; NULL allowed */
