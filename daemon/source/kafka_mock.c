/* A Kafka cluster inside this process, of librdkafka: for the demo and tests. */
#include "daemon/source/kafka_mock.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

struct kafka_mock {
    rd_kafka_t *handle; /* that the cluster lives in; it connects to nothing */
    rd_kafka_mock_cluster_t *cluster;
    int brokers;
};

struct kafka_mock *kafka_mock_create(int brokers, struct error *error)
{
    char why[256];
    struct kafka_mock *mock = must_zalloc(sizeof *mock);
    mock->brokers = brokers;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "3", why, sizeof why); /* it would warn that it connects to nothing */
    mock->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!mock->handle) {
        rd_kafka_conf_destroy(conf);
        fail(error, "mock cluster: %s", why);
        goto failed;
    }
    mock->cluster = rd_kafka_mock_cluster_new(mock->handle, brokers);
    if (mock->cluster) return mock;
    fail(error, "mock cluster of %d brokers cannot be started", brokers);
failed:
    kafka_mock_destroy(mock);
    return NULL;
}

const char *kafka_mock_servers(const struct kafka_mock *mock)
{
    return rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

bool kafka_mock_topic(struct kafka_mock *mock, const char *name, int partitions, struct error *error)
{
    rd_kafka_resp_err_t err = rd_kafka_mock_topic_create(mock->cluster, name, partitions, mock->brokers);
    return !err || fail(error, "mock topic %s: %s", name, rd_kafka_err2str(err));
}

void kafka_mock_destroy(struct kafka_mock *mock)
{
    if (!mock) return;
    if (mock->cluster) rd_kafka_mock_cluster_destroy(mock->cluster);
    if (mock->handle) rd_kafka_destroy(mock->handle);
    free(mock);
}
