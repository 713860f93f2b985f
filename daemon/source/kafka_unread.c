#include "daemon/source/kafka_unread.h"

#include "common/arena.h"
#include "common/span.h"
#include "daemon/source/kafka_topics.h"

#include <stdlib.h>
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

/* How many partitions of each topic somebody has; as many as there are topics. */
struct given {
    const rd_kafka_topic_partition_list_t *topics;
    size_t *counts;
};

static size_t *count_of(const struct given *given, struct span topic)
{
    for (int i = 0; i < given->topics->cnt; i++)
        if (span_is(topic, given->topics->elems[i].topic)) return &given->counts[i];
    return NULL;
}

static void take_topic(struct bytes *bytes, const struct given *given)
{
    size_t len = take_number(bytes, 2);
    bytes->good = bytes->good && len <= bytes->left;
    if (!bytes->good) return;
    size_t *count = count_of(given, (struct span){ (const char *)bytes->at, len });
    bytes->at += len;
    bytes->left -= len;
    for (uint32_t n = take_number(bytes, 4); n && bytes->good; n--) {
        (void)take_number(bytes, 4);
        if (count) *count += bytes->good;
    }
}

static bool take_assignment(const struct rd_kafka_group_member_info *member, const struct given *given)
{
    struct bytes bytes = { member->member_assignment, (size_t)member->member_assignment_size, true };
    if (!bytes.left) return true;
    (void)take_number(&bytes, 2);
    for (uint32_t n = take_number(&bytes, 4); n && bytes.good; n--) take_topic(&bytes, given);
    return bytes.good;
}

/* False: it is not known, or about to change. */
static bool ask_group(const struct kafka_unread *unread, rd_kafka_t *handle, const struct given *given)
{
    const struct rd_kafka_group_list *groups = NULL;
    if (rd_kafka_list_groups(handle, unread->group, &groups, WAIT_MS) || !groups) return false;
    const struct rd_kafka_group_info *group = groups->group_cnt == 1 ? &groups->groups[0] : NULL;
    bool good = group && !group->err && strcmp(group->state, "Stable") == 0;
    for (int i = 0; good && i < group->member_cnt; i++) good = take_assignment(&group->members[i], given);
    rd_kafka_group_list_destroy(groups);
    return good;
}

/* Of a group at rest each partition is one member's: who has fewer than there are lacks one. */
static bool is_any_nobodys(const struct kafka_unread *unread, rd_kafka_t *handle, const struct given *given)
{
    if (!ask_group(unread, handle, given)) return false;
    const struct rd_kafka_metadata *metadata = kafka_topics_ask(handle, given->topics, WAIT_MS);
    bool found = false;
    for (int i = 0; metadata && i < metadata->topic_cnt && !found; i++) {
        const size_t *count = count_of(given, span_of(metadata->topics[i].topic));
        found = count && *count < (size_t)metadata->topics[i].partition_cnt;
    }
    if (metadata) rd_kafka_metadata_destroy(metadata);
    return found;
}

bool kafka_unread_found(struct kafka_unread *unread, rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *topics)
{
    if (!unread->group[0] || kafka_now_ms() < unread->look_ms) return false;
    struct given given = { topics, must_zalloc((size_t)topics->cnt * sizeof *given.counts) };
    bool seen_before = unread->seen;
    unread->seen = is_any_nobodys(unread, handle, &given);
    unread->look_ms = kafka_now_ms() + LOOK_EVERY_MS;
    free(given.counts);
    if (!unread->seen || !seen_before) return false;
    unread->seen = false;
    unread->look_ms += unread->pause_ms;
    unread->pause_ms = 2 * unread->pause_ms < PAUSE_LONGEST_MS ? 2 * unread->pause_ms : PAUSE_LONGEST_MS;
    return true;
}
