/* Looks at partitions from outside the group: committed offsets, ends of the log, the timestamp of one record. */
#include "daemon/source/kafka_viewer.h"

#include "daemon/source/kafka_topics.h"

#include <stdio.h>
#include <stdlib.h>

/* One record of each partition is wanted: small fetches that do not wait. All partitions share one queue, and the library asks for
 * none whose queue is full: it must have room for a batch of each. */
static const struct kafka_property defaults[] = {
    { "client.id", "crm-reportd" },
    { "group.id", "crm-reportd" },
    { "socket.keepalive.enable", "true" },
    { "reconnect.backoff.max.ms", "1000" },
    { NULL, NULL },
};
static const struct kafka_property forced[] = {
    { "enable.auto.commit", "false" },
    { "enable.auto.offset.store", "false" },
    { "auto.offset.reset", "error" },
    { "enable.partition.eof", "true" },
    { "fetch.message.max.bytes", "65536" },
    { "queued.min.messages", "1000000" },
    { "queued.max.messages.kbytes", "131072" },
    { "fetch.wait.max.ms", "5" },
    { NULL, NULL },
};

enum {
    LEARN_LEAST_MS = 500
};

bool kafka_viewer_init(struct kafka_viewer *viewer, const struct kafka_settings *settings, struct error *error)
{
    static const struct kafka_profile profile = { RD_KAFKA_CONSUMER, defaults, forced, "group.instance.id", NULL };
    struct kafka_settings quiet = *settings; /* the source itself meets the same troubles, and tells them */
    quiet.reporter = (struct kafka_reporter){ 0 };
    if (!kafka_client_init(&viewer->client, &quiet, &profile, viewer, error)) return false;
    rd_kafka_poll_set_consumer(viewer->client.handle);
    return true;
}

void kafka_viewer_deinit(struct kafka_viewer *viewer)
{
    if (viewer->client.handle) rd_kafka_destroy_flags(viewer->client.handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    viewer->client.handle = NULL;
    kafka_client_deinit(&viewer->client);
}

struct looking {
    struct kafka_viewer *viewer;
    struct partition_view *views;
    size_t n;
    int64_t deadline_ms;
    struct error *error;
};

static int left_ms(const struct looking *looking)
{
    int64_t left = looking->deadline_ms - kafka_now_ms();
    return left > 0 ? (int)left : 0;
}

static rd_kafka_topic_partition_list_t *list_of(const struct looking *looking, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)looking->n);
    for (size_t i = 0; i < looking->n; i++) {
        const struct partition *partition = &looking->views[i].partition;
        char topic[512];
        snprintf(topic, sizeof topic, "%.*s", SPAN_ARG(partition->topic));
        rd_kafka_topic_partition_list_add(list, topic, partition->number)->offset = offset;
    }
    return list;
}

static bool no_error(struct looking *looking, const char *what, rd_kafka_resp_err_t err,
                     const rd_kafka_topic_partition_list_t *list)
{
    if (err) return fail(looking->error, "%s cannot be read: %s", what, rd_kafka_err2str(err));
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_resp_err_t of = list->elems[i].err;
        if (of)
            return fail(looking->error, "%s of %s[%d] cannot be read: %s", what, list->elems[i].topic, list->elems[i].partition,
                        rd_kafka_err2str(of));
    }
    return true;
}

/* Topics may have grown, or others lead them, since we asked last: the next look will know. */
static void learn_topics(const struct looking *looking)
{
    rd_kafka_topic_partition_list_t *list = list_of(looking, RD_KAFKA_OFFSET_INVALID);
    int left = left_ms(looking);
    const struct rd_kafka_metadata *metadata =
        kafka_topics_ask(looking->viewer->client.handle, list, left > LEARN_LEAST_MS ? left : LEARN_LEAST_MS);
    if (metadata) rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_partition_list_destroy(list);
}

static bool look_committed(struct looking *looking)
{
    rd_kafka_topic_partition_list_t *list = list_of(looking, RD_KAFKA_OFFSET_INVALID);
    rd_kafka_resp_err_t err = rd_kafka_committed(looking->viewer->client.handle, list, left_ms(looking));
    bool ok = no_error(looking, "committed offset", err, list);
    for (int i = 0; ok && i < list->cnt; i++)
        looking->views[i].committed = list->elems[i].offset >= 0 ? list->elems[i].offset : NO_OFFSET;
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}

/* ListOffsets for all partitions at once: the protocol takes "beginning" and "end" in place of a timestamp. */
static bool look_end(struct looking *looking, int64_t which, const char *what)
{
    rd_kafka_topic_partition_list_t *list = list_of(looking, which);
    rd_kafka_resp_err_t err = rd_kafka_offsets_for_times(looking->viewer->client.handle, list, left_ms(looking));
    bool ok = no_error(looking, what, err, list);
    for (int i = 0; ok && i < list->cnt; i++)
        *(which == RD_KAFKA_OFFSET_BEGINNING ? &looking->views[i].low : &looking->views[i].high) = list->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}

static bool is_probed(const struct partition_view *view)
{
    return view->probe != NO_OFFSET && view->probe >= view->low && view->probe < view->high;
}

static struct partition_view *view_of(struct looking *looking, const rd_kafka_message_t *message)
{
    if (!message->rkt) return NULL;
    struct span topic = span_of(rd_kafka_topic_name(message->rkt));
    for (size_t i = 0; i < looking->n; i++)
        if (looking->views[i].partition.number == message->partition && span_equal(looking->views[i].partition.topic, topic))
            return &looking->views[i];
    return NULL;
}

/* Whoever may not read a partition does not know what is there. */
static bool is_unreadable(struct looking *looking, const rd_kafka_message_t *message)
{
    if (!message->err || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        return false;
    if (!view_of(looking, message)) return false;
    fail(looking->error, "record of %s[%d] cannot be read: %s", rd_kafka_topic_name(message->rkt), message->partition,
         rd_kafka_err2str(message->err));
    return true;
}

/* The first message of a partition, or its end, settles it. */
static bool settle(struct looking *looking, const rd_kafka_message_t *message, bool *settled)
{
    struct partition_view *view = view_of(looking, message);
    if (!view || settled[view - looking->views]) return false;
    settled[view - looking->views] = true;
    if (message->err || message->offset != view->probe) return true;
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    view->found = true;
    view->timestamp_us = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? NO_INSTANT : timestamp_ms * MICROS_PER_MS;
    return true;
}

/* Nothing more of it is needed: what was fetched of it leaves the queue, and no more is. */
static void stop_fetching(struct looking *looking, const rd_kafka_message_t *message)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, rd_kafka_topic_name(message->rkt), message->partition);
    rd_kafka_pause_partitions(looking->viewer->client.handle, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static bool poll_settled(struct looking *looking, size_t waiting)
{
    bool *settled = must_zalloc(looking->n * sizeof *settled), unreadable = false;
    while (waiting > 0 && !unreadable && left_ms(looking) > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(looking->viewer->client.handle, left_ms(looking));
        if (!message) continue;
        unreadable = is_unreadable(looking, message);
        if (!unreadable && settle(looking, message, settled)) {
            waiting--;
            stop_fetching(looking, message);
        }
        rd_kafka_message_destroy(message);
    }
    free(settled);
    if (unreadable) return false;
    return waiting == 0 || fail(looking->error, "records of %zu partitions cannot be read in time", waiting);
}

static bool look_probes(struct looking *looking)
{
    rd_kafka_topic_partition_list_t *all = list_of(looking, RD_KAFKA_OFFSET_END);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(all->cnt);
    for (int i = 0; i < all->cnt; i++)
        if (is_probed(&looking->views[i]))
            rd_kafka_topic_partition_list_add(list, all->elems[i].topic, all->elems[i].partition)->offset =
                looking->views[i].probe;
    rd_kafka_topic_partition_list_destroy(all);
    bool ok = true;
    if (list->cnt > 0) {
        rd_kafka_resp_err_t err = rd_kafka_assign(looking->viewer->client.handle, list);
        ok = no_error(looking, "record", err, list) && poll_settled(looking, (size_t)list->cnt);
        rd_kafka_assign(looking->viewer->client.handle, NULL);
        rd_kafka_resume_partitions(looking->viewer->client.handle, list); /* a pause outlives the assignment */
    }
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}

bool kafka_viewer_view(struct kafka_viewer *viewer, struct partition_view *views, size_t n, int timeout_ms, struct error *error)
{
    struct looking looking = {
        .viewer = viewer, .views = views, .n = n, .deadline_ms = kafka_now_ms() + timeout_ms, .error = error
    };
    if (n == 0) return true;
    for (size_t i = 0; i < n; i++) {
        views[i].found = false;
        views[i].timestamp_us = NO_INSTANT;
    }
    bool seen = look_committed(&looking) && look_end(&looking, RD_KAFKA_OFFSET_BEGINNING, "first offset") &&
                look_end(&looking, RD_KAFKA_OFFSET_END, "last offset") && look_probes(&looking);
    if (!seen) learn_topics(&looking);
    return seen;
}
