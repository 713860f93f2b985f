#include "daemon/source/kafka_absent.h"

#include "common/buffer.h"

#include <stdio.h>

static bool is_absence(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
}

static bool is_any_there(const rd_kafka_topic_partition_list_t *topics)
{
    for (int i = 0; i < topics->cnt; i++)
        if (!topics->elems[i].err) return true;
    return false;
}

static void tell(struct kafka_absent *absent, const rd_kafka_topic_partition_list_t *topics)
{
    struct buffer text = { 0 };
    buffer_printf(&text, "waits for %s, which %s not exist, or may not be seen by this user:",
                  topics->cnt == 1 ? "its topic" : "its topics", topics->cnt == 1 ? "does" : "do");
    for (int i = 0; i < topics->cnt; i++) buffer_printf(&text, " %s", topics->elems[i].topic);
    snprintf(absent->trouble, sizeof absent->trouble, "%.*s", SPAN_ARG(buffer_all(&text)));
    buffer_deinit(&text);
}

void kafka_absent_note(struct kafka_absent *absent, rd_kafka_topic_partition_list_t *topics, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        snprintf(absent->trouble, sizeof absent->trouble, "waits for the right to read as its group (kafka.group.id): %s",
                 rd_kafka_err2str(message->err));
    if (!is_absence(message->err) || !message->rkt) return;
    rd_kafka_topic_partition_t *topic =
        rd_kafka_topic_partition_list_find(topics, rd_kafka_topic_name(message->rkt), RD_KAFKA_PARTITION_UA);
    if (topic) topic->err = message->err;
    if (!is_any_there(topics)) tell(absent, topics);
}

void kafka_absent_clear(struct kafka_absent *absent, rd_kafka_topic_partition_list_t *topics)
{
    for (int i = 0; i < topics->cnt; i++) topics->elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    absent->trouble[0] = '\0';
}
