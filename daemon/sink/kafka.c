/* Records to Kafka: an idempotent producer, Java's partitioner (murmur2), lz4, bounded memory. */
#include "daemon/sink/kafka.h"

#include "daemon/source/kafka_client.h"

#include <stdio.h>
#include <stdlib.h>

/* message.max.bytes only bounds the client: what a topic takes is the broker's word, and compression helps. */
static const struct kafka_property defaults[] = {
    { "client.id", "crm-reportd" },
    { "enable.idempotence", "true" },
    { "partitioner", "murmur2_random" },
    { "compression.type", "lz4" },
    { "linger.ms", "5" },
    { "queue.buffering.max.kbytes", "65536" },
    { "queue.buffering.max.messages", "100000" },
    { "message.max.bytes", "16777216" },
    { "message.timeout.ms", "30000" },
    { "topic.metadata.refresh.interval.ms", "5000" },
    { "socket.keepalive.enable", "true" },
    { "reconnect.backoff.max.ms", "1000" },
    { NULL, NULL },
};
static const struct kafka_property forced[] = { { "delivery.report.only.error", "false" }, { NULL, NULL } };

struct refusal { /* a record that could not even be queued; acknowledged at the next poll */
    struct refusal *next;
    void *tag;
    rd_kafka_resp_err_t err;
};

struct kafka_sink {
    struct sink sink;
    struct kafka_client client;
    struct acknowledged acknowledged;
    struct refusal *refusals;
    size_t waiting; /* produced and not acknowledged, refusals aside */
};

static struct kafka_sink *of(struct sink *sink)
{
    return (struct kafka_sink *)sink;
}

static enum delivery delivery_of(rd_kafka_resp_err_t err)
{
    switch (err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return DELIVERED;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
        return UNDELIVERABLE;
    default:
        return UNDELIVERED;
    }
}

static void acknowledge(struct kafka_sink *kafka, void *tag, rd_kafka_resp_err_t err)
{
    const char *why = err ? rd_kafka_err2str(err) : "";
    if (err)
        kafka_client_tell(&kafka->client, err, "a record is not delivered: %s", why);
    else
        kafka_client_well(&kafka->client);
    if (kafka->acknowledged.call) kafka->acknowledged.call(kafka->acknowledged.context, tag, delivery_of(err), why);
}

static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    (void)handle;
    struct kafka_sink *kafka = ((struct kafka_client *)opaque)->owner;
    kafka->waiting--;
    acknowledge(kafka, message->_private, message->err);
}

static rd_kafka_headers_t *headers_of(const struct outgoing *outgoing)
{
    if (!outgoing->n_headers) return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(outgoing->n_headers);
    for (size_t i = 0; i < outgoing->n_headers; i++) {
        const struct header *header = &outgoing->headers[i];
        rd_kafka_header_add(headers, header->name.at, (ssize_t)header->name.len, header->value.at, (ssize_t)header->value.len);
    }
    return headers;
}

/* The topic's name terminated; longer than any topic's name can be (249) is cut, and refused by the broker. */
enum {
    TOPIC_BYTES = 256,
    PURGE_MS = 1000,
    END_MS = 500
};

static rd_kafka_resp_err_t enqueue(struct kafka_sink *kafka, const struct outgoing *outgoing)
{
    char topic[TOPIC_BYTES];
    snprintf(topic, sizeof topic, "%.*s", SPAN_ARG(outgoing->topic));
    rd_kafka_headers_t *headers = headers_of(outgoing);
    rd_kafka_resp_err_t err = rd_kafka_producev(
        kafka->client.handle, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(outgoing->key.at, outgoing->key.len), RD_KAFKA_V_VALUE((void *)outgoing->value.at, outgoing->value.len),
        RD_KAFKA_V_OPAQUE(outgoing->tag), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (err && headers) rd_kafka_headers_destroy(headers);
    return err;
}

static bool kafka_produce(struct sink *sink, const struct outgoing *outgoing)
{
    struct kafka_sink *kafka = of(sink);
    rd_kafka_resp_err_t err = enqueue(kafka, outgoing);
    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
    if (!err) {
        kafka->waiting++;
        return true;
    }
    struct refusal *refusal = must_alloc(sizeof *refusal);
    *refusal = (struct refusal){ kafka->refusals, outgoing->tag, err };
    kafka->refusals = refusal;
    return true;
}

static bool acknowledge_refusals(struct kafka_sink *kafka)
{
    bool any = kafka->refusals != NULL;
    while (kafka->refusals) {
        struct refusal *refusal = kafka->refusals;
        kafka->refusals = refusal->next;
        acknowledge(kafka, refusal->tag, refusal->err);
        free(refusal);
    }
    return any;
}

static void destroy_handle(void *handle)
{
    rd_kafka_destroy(handle);
}

/* What is still waiting is acknowledged as undelivered. */
static void close_handle(struct kafka_sink *kafka)
{
    if (!kafka->client.handle) return;
    rd_kafka_purge(kafka->client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(kafka->client.handle, PURGE_MS);
    kafka_end_within(destroy_handle, kafka->client.handle, END_MS);
    kafka->client.handle = NULL;
}

/* An idempotent producer that lost its sequence (its topic was deleted) never works again: it is made anew. */
static void renew(struct kafka_sink *kafka)
{
    close_handle(kafka);
    kafka->client.trouble[0] = 0;
    REQUIRE(kafka_client_renew(&kafka->client));
}

static void kafka_poll(struct sink *sink, int timeout_ms)
{
    struct kafka_sink *kafka = of(sink);
    kafka_client_look(&kafka->client);
    if (acknowledge_refusals(kafka)) timeout_ms = 0;
    rd_kafka_poll(kafka->client.handle, timeout_ms);
    if (kafka->client.fatal) renew(kafka);
}

static bool kafka_flush(struct sink *sink, int timeout_ms)
{
    kafka_poll(sink, 0);
    rd_kafka_flush(of(sink)->client.handle, timeout_ms);
    kafka_poll(sink, 0);
    return of(sink)->waiting == 0 && !of(sink)->refusals;
}

static void kafka_destroy(struct sink *sink)
{
    struct kafka_sink *kafka = of(sink);
    acknowledge_refusals(kafka);
    close_handle(kafka);
    kafka_client_deinit(&kafka->client);
    free(kafka);
}

static const struct sink_ops ops = { kafka_produce, kafka_poll, kafka_flush, kafka_destroy };

static void prepare(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
}

static const struct kafka_profile profile = { RD_KAFKA_PRODUCER, defaults, forced, NULL, prepare };

bool kafka_sink_check(const struct kafka_settings *settings, struct error *error)
{
    return kafka_client_try(settings, &profile, error);
}

struct sink *kafka_sink_create(const struct kafka_settings *settings, struct acknowledged acknowledged, struct error *error)
{
    struct kafka_sink *kafka = must_zalloc(sizeof *kafka);
    kafka->sink.ops = &ops;
    kafka->acknowledged = acknowledged;
    if (kafka_client_init(&kafka->client, settings, &profile, kafka, error)) return &kafka->sink;
    kafka_destroy(&kafka->sink);
    return NULL;
}
