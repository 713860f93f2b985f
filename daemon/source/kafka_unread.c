#include "daemon/source/kafka_unread.h"

#include "daemon/source/kafka_topics.h"

enum {
    LOOK_EVERY_MS = 5000,
    ANSWER_MS = 5000,
    COUNT_MS = 500, /* for the topics' partitions, from brokers that have just answered */
    PAUSE_FIRST_MS = 20 * 1000,
    PAUSE_LONGEST_MS = 10 * 60 * 1000
};

void kafka_unread_init(struct kafka_unread *unread, rd_kafka_t *handle, const rd_kafka_conf_t *conf)
{
    size_t room = sizeof unread->group;
    *unread = (struct kafka_unread){ .handle = handle, .ask_ms = kafka_now_ms() + LOOK_EVERY_MS, .pause_ms = PAUSE_FIRST_MS };
    if (rd_kafka_conf_get(conf, "group.id", unread->group, &room) == RD_KAFKA_CONF_OK)
        unread->answers = rd_kafka_queue_new(handle);
}

void kafka_unread_deinit(struct kafka_unread *unread)
{
    if (unread->answers) rd_kafka_queue_destroy(unread->answers);
    unread->answers = NULL;
}

static void ask(struct kafka_unread *unread)
{
    const char *groups[] = { unread->group };
    char why[1];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(unread->handle, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    rd_kafka_AdminOptions_set_request_timeout(options, ANSWER_MS, why, sizeof why);
    rd_kafka_DescribeConsumerGroups(unread->handle, groups, 1, options, unread->answers);
    rd_kafka_AdminOptions_destroy(options);
    unread->asked = true;
}

/* What its members have, all together; NULL: it is not known, or about to change. The caller destroys it. */
static rd_kafka_topic_partition_list_t *given(rd_kafka_event_t *answer)
{
    const rd_kafka_DescribeConsumerGroups_result_t *result = rd_kafka_event_DescribeConsumerGroups_result(answer);
    size_t n = 0;
    const rd_kafka_ConsumerGroupDescription_t **groups =
        result ? rd_kafka_DescribeConsumerGroups_result_groups(result, &n) : NULL;
    if (n != 1 || rd_kafka_ConsumerGroupDescription_error(groups[0]) ||
        rd_kafka_ConsumerGroupDescription_state(groups[0]) != RD_KAFKA_CONSUMER_GROUP_STATE_STABLE)
        return NULL;
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(64);
    for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(groups[0]); i++) {
        const rd_kafka_MemberAssignment_t *assignment =
            rd_kafka_MemberDescription_assignment(rd_kafka_ConsumerGroupDescription_member(groups[0], i));
        const rd_kafka_topic_partition_list_t *its = assignment ? rd_kafka_MemberAssignment_partitions(assignment) : NULL;
        for (int p = 0; its && p < its->cnt; p++)
            rd_kafka_topic_partition_list_add(all, its->elems[p].topic, its->elems[p].partition);
    }
    return all;
}

static bool lacks_one(const rd_kafka_topic_partition_list_t *all, const struct rd_kafka_metadata_topic *topic)
{
    for (int p = 0; p < topic->partition_cnt; p++)
        if (!rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)all, topic->topic, topic->partitions[p].id))
            return true;
    return false;
}

static bool is_any_nobodys(const struct kafka_unread *unread, const rd_kafka_topic_partition_list_t *topics,
                           const rd_kafka_topic_partition_list_t *all)
{
    const struct rd_kafka_metadata *metadata = kafka_topics_ask(unread->handle, topics, COUNT_MS);
    bool found = false;
    for (int i = 0; metadata && i < metadata->topic_cnt && !found; i++)
        found = rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)topics, metadata->topics[i].topic,
                                                   RD_KAFKA_PARTITION_UA) &&
                lacks_one(all, &metadata->topics[i]);
    if (metadata) rd_kafka_metadata_destroy(metadata);
    return found;
}

bool kafka_unread_found(struct kafka_unread *unread, const rd_kafka_topic_partition_list_t *topics)
{
    if (!unread->answers) return false;
    if (!unread->asked && kafka_now_ms() >= unread->ask_ms) ask(unread);
    rd_kafka_event_t *answer = unread->asked ? rd_kafka_queue_poll(unread->answers, 0) : NULL;
    if (!answer) return false;
    rd_kafka_topic_partition_list_t *all = given(answer);
    bool seen_before = unread->seen;
    unread->seen = all && is_any_nobodys(unread, topics, all);
    unread->asked = false;
    unread->ask_ms = kafka_now_ms() + LOOK_EVERY_MS;
    if (all) rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_event_destroy(answer);
    if (!unread->seen || !seen_before) return false;
    unread->seen = false;
    unread->ask_ms += unread->pause_ms;
    unread->pause_ms = 2 * unread->pause_ms < PAUSE_LONGEST_MS ? 2 * unread->pause_ms : PAUSE_LONGEST_MS;
    return true;
}
