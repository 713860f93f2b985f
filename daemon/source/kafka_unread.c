#include "daemon/source/kafka_unread.h"

#include "daemon/source/kafka_topics.h"

#include <string.h>

enum {
    LOOK_EVERY_MS = 5000,
    WAIT_MS = 300, /* of who answers within some milliseconds when all is well */
    PAUSE_FIRST_MS = 20 * 1000,
    PAUSE_LONGEST_MS = 10 * 60 * 1000
};

void kafka_unread_init(struct kafka_unread *unread, const rd_kafka_conf_t *conf)
{
    size_t room = sizeof unread->group;
    *unread = (struct kafka_unread){ .look_ms = kafka_now_ms() + LOOK_EVERY_MS, .pause_ms = PAUSE_FIRST_MS };
    if (rd_kafka_conf_get(conf, "group.id", unread->group, &room)) unread->group[0] = 0;
}

/* ---- what a member has, as the protocol of consumers writes it: version, then topics, each with its partitions ---- */

struct bytes {
    const unsigned char *at;
    size_t left;
    bool good; /* nothing was missing so far */
};

static uint32_t take_number(struct bytes *bytes, size_t width)
{
    uint32_t number = 0;
    bytes->good = bytes->good && bytes->left >= width;
    for (size_t i = 0; i < width && bytes->good; i++) number = number << 8 | bytes->at[i];
    bytes->at += bytes->good ? width : 0;
    bytes->left -= bytes->good ? width : 0;
    return number;
}

static void take_topic(struct bytes *bytes, rd_kafka_topic_partition_list_t *all)
{
    char topic[512];
    size_t len = take_number(bytes, 2);
    bytes->good = bytes->good && len < sizeof topic && len <= bytes->left;
    if (!bytes->good) return;
    memcpy(topic, bytes->at, len);
    topic[len] = 0;
    bytes->at += len;
    bytes->left -= len;
    for (uint32_t n = take_number(bytes, 4); n && bytes->good; n--) {
        int32_t number = (int32_t)take_number(bytes, 4);
        if (bytes->good) rd_kafka_topic_partition_list_add(all, topic, number);
    }
}

static bool take_assignment(const struct rd_kafka_group_member_info *member, rd_kafka_topic_partition_list_t *all)
{
    struct bytes bytes = { member->member_assignment, (size_t)member->member_assignment_size, true };
    if (!bytes.left) return true;
    (void)take_number(&bytes, 2);
    for (uint32_t n = take_number(&bytes, 4); n && bytes.good; n--) take_topic(&bytes, all);
    return bytes.good;
}

/* What its members have, all together; NULL: it is not known, or about to change. The caller destroys it. */
static rd_kafka_topic_partition_list_t *given(const struct kafka_unread *unread, rd_kafka_t *handle)
{
    const struct rd_kafka_group_list *groups = NULL;
    if (rd_kafka_list_groups(handle, unread->group, &groups, WAIT_MS) || !groups) return NULL;
    rd_kafka_topic_partition_list_t *all = NULL;
    if (groups->group_cnt == 1 && !groups->groups[0].err && strcmp(groups->groups[0].state, "Stable") == 0) {
        bool good = true;
        all = rd_kafka_topic_partition_list_new(64);
        for (int i = 0; i < groups->groups[0].member_cnt && good; i++) good = take_assignment(&groups->groups[0].members[i], all);
        if (!good) rd_kafka_topic_partition_list_destroy(all);
        if (!good) all = NULL;
    }
    rd_kafka_group_list_destroy(groups);
    return all;
}

/* ---- what of the topics is missing in it ---- */

static bool has(const rd_kafka_topic_partition_list_t *list, const char *topic, int32_t partition)
{
    return rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)list, topic, partition);
}

static bool lacks_one(const rd_kafka_topic_partition_list_t *all, const struct rd_kafka_metadata_topic *topic)
{
    for (int p = 0; p < topic->partition_cnt; p++)
        if (!has(all, topic->topic, topic->partitions[p].id)) return true;
    return false;
}

static bool is_any_nobodys(rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *topics,
                           const rd_kafka_topic_partition_list_t *all)
{
    const struct rd_kafka_metadata *metadata = kafka_topics_ask(handle, topics, WAIT_MS);
    bool found = false;
    for (int i = 0; metadata && i < metadata->topic_cnt && !found; i++)
        found = has(topics, metadata->topics[i].topic, RD_KAFKA_PARTITION_UA) && lacks_one(all, &metadata->topics[i]);
    if (metadata) rd_kafka_metadata_destroy(metadata);
    return found;
}

bool kafka_unread_found(struct kafka_unread *unread, rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *topics)
{
    if (!unread->group[0] || kafka_now_ms() < unread->look_ms) return false;
    rd_kafka_topic_partition_list_t *all = given(unread, handle);
    bool seen_before = unread->seen;
    unread->seen = all && is_any_nobodys(handle, topics, all);
    unread->look_ms = kafka_now_ms() + LOOK_EVERY_MS;
    if (all) rd_kafka_topic_partition_list_destroy(all);
    if (!unread->seen || !seen_before) return false;
    unread->seen = false;
    unread->look_ms += unread->pause_ms;
    unread->pause_ms = 2 * unread->pause_ms < PAUSE_LONGEST_MS ? 2 * unread->pause_ms : PAUSE_LONGEST_MS;
    return true;
}
