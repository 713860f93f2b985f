/* Records from Kafka: a consumer of a group, eager range assignment, offsets given by the caller.
 *
 * What librdkafka fetches is always a list of partitions with the offsets at which they stand, given by rd_kafka_assign.
 * Starting, seeking, idling, taking turns and going on are all the same: another list. Nothing else knows where reading goes on. */
#include "daemon/source/kafka.h"

#include "daemon/source/kafka_absent.h"
#include "daemon/source/kafka_alone.h"
#include "daemon/source/kafka_batch.h"
#include "daemon/source/kafka_nudge.h"
#include "daemon/source/kafka_unread.h"
#include "daemon/source/kafka_viewer.h"
#include "daemon/source/turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BATCH_RECORDS = 4096,
    BATCH_BYTES = 8 << 20,
    CLOSE_MS = 2000,
    END_MS = 500,
    RENEW_FIRST_MS = 1000,
    RENEW_LONGEST_MS = 60 * 1000,
    RENEWED_WELL_MS = 5 * 60 * 1000 /* who lasted so long begins with the first wait again */
};

static const struct kafka_property defaults[] = {
    { "client.id", "crm-reportd" },
    { "group.id", "crm-reportd" },
    { "session.timeout.ms", "10000" },
    { "heartbeat.interval.ms", "1000" },
    { "topic.metadata.refresh.interval.ms", "5000" },
    { "fetch.message.max.bytes", "1048576" },
    { "fetch.max.bytes", "2097152" },
    { "fetch.wait.max.ms", "100" },
    { "queued.max.messages.kbytes", "4096" }, /* of bytes alone: in memory it is two to three times as much */
    { "socket.keepalive.enable", "true" },
    { "reconnect.backoff.max.ms", "1000" },
    { "isolation.level", "read_committed" },
    { NULL, NULL },
};

struct kafka_source {
    struct source source;
    struct kafka_client client;
    struct kafka_viewer viewer;
    rd_kafka_queue_t *queue;
    struct owned owned;
    struct turns turns;
    bool assign;   /* what is fetched is no longer what `owned` says: assign anew before receiving */
    bool idle;     /* nothing is fetched */
    bool revoking; /* a revoke waits for confirm */
    bool closing;
    bool down; /* the handle will never work again, the partitions are lost: a new one at renew_ms */
    int64_t renew_ms, renewed_ms, renew_wait_ms;
    rd_kafka_topic_partition_list_t *topics; /* that are subscribed to */
    struct kafka_absent absent;
    struct kafka_unread unread;
    struct kafka_batch batch;
    int64_t nudged_ms;
};

static struct kafka_source *of(struct source *source)
{
    return (struct kafka_source *)source;
}

/* --- assignment --- */

/* The library fetches the started partitions from where they stand, but for those that wait for their turn; or nothing. */
static void assign(struct kafka_source *kafka, bool nothing)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)kafka->owned.n);
    for (size_t i = 0; i < kafka->owned.n && !nothing; i++) {
        const struct position *position = &kafka->owned.positions[i];
        if (position->next == NO_OFFSET || turns_waits(&kafka->turns, i)) continue;
        rd_kafka_topic_partition_list_add(list, position->partition.topic.at, position->partition.number)->offset =
            position->next;
    }
    rd_kafka_resp_err_t err = rd_kafka_assign(kafka->client.handle, list);
    if (err) kafka_client_tell(&kafka->client, err, "partitions cannot be assigned: %s", rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_destroy(list);
    kafka->idle = nothing;
    kafka->assign = false;
}

/* Not where partitions are lost, and the callback that says so is on its way: the library would take them for ours again. */
static void fetch(struct kafka_source *kafka, bool nothing)
{
    if (!rd_kafka_assignment_lost(kafka->client.handle)) assign(kafka, nothing);
}

static void give_back(struct kafka_source *kafka)
{
    rd_kafka_assign(kafka->client.handle, NULL);
    owned_clear(&kafka->owned);
    kafka->revoking = kafka->assign = kafka->idle = false;
}

static void on_assigned(struct kafka_source *kafka, const rd_kafka_topic_partition_list_t *list)
{
    owned_clear(&kafka->owned);
    for (int i = 0; i < list->cnt; i++) owned_add(&kafka->owned, span_of(list->elems[i].topic), list->elems[i].partition);
    owned_change_all(&kafka->owned, CHANGE_ASSIGNED);
    assign(kafka, true);
    kafka_absent_clear(&kafka->absent, kafka->topics);
    kafka_client_well(&kafka->client);
}

static void on_revoked(struct kafka_source *kafka, bool lost)
{
    if (kafka->owned.n > 0 && !lost && !kafka->closing) {
        owned_change_all(&kafka->owned, CHANGE_REVOKED);
        kafka->revoking = true;
        return;
    }
    if (kafka->owned.n > 0) owned_change_all(&kafka->owned, CHANGE_LOST);
    give_back(kafka);
}

static void on_rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_source *kafka = ((struct kafka_client *)opaque)->owner;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !kafka->closing)
        on_assigned(kafka, list);
    else
        on_revoked(kafka, rd_kafka_assignment_lost(handle));
    rd_kafka_yield(handle);
}

/* Commits only help monitors: what a rebalance makes impossible is no trouble. */
static void on_commit(rd_kafka_t *handle, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list, void *opaque)
{
    (void)handle;
    (void)list;
    static const rd_kafka_resp_err_t of_rebalance[] = {
        RD_KAFKA_RESP_ERR_NO_ERROR,
        RD_KAFKA_RESP_ERR__NO_OFFSET,
        RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
        RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
        RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
        RD_KAFKA_RESP_ERR__DESTROY,
    };
    for (size_t i = 0; i < sizeof of_rebalance / sizeof *of_rebalance; i++)
        if (err == of_rebalance[i]) return;
    kafka_client_tell(opaque, err, "offsets cannot be committed: %s", rd_kafka_err2str(err));
}

static void kafka_confirm(struct source *source)
{
    if (of(source)->revoking) give_back(of(source));
}

static void kafka_start(struct source *source, struct partition partition, int64_t offset)
{
    struct position *position = owned_find(&of(source)->owned, partition.topic, partition.number);
    if (!position) return;
    position->next = offset;
    turns_restart(&of(source)->turns);
    of(source)->assign = true;
}

/* --- a handle that is lost for good: its group.instance.id was fenced --- */

/* By another instance of that name; or by itself, when an offset commit of before a rejoin came after it (a broker that was
 * away for longer than the session). Either way all is lost, and it joins again, the less often the more often it was lost. */
static void go_down(struct kafka_source *kafka)
{
    int64_t now_ms = kafka_now_ms();
    if (kafka->owned.n > 0) owned_change_all(&kafka->owned, CHANGE_LOST);
    owned_clear(&kafka->owned);
    kafka->revoking = kafka->assign = kafka->idle = false;
    kafka->down = true;
    bool first = !kafka->renew_wait_ms || now_ms - kafka->renewed_ms > RENEWED_WELL_MS;
    kafka->renew_wait_ms = first ? RENEW_FIRST_MS : 2 * kafka->renew_wait_ms;
    if (kafka->renew_wait_ms > RENEW_LONGEST_MS) kafka->renew_wait_ms = RENEW_LONGEST_MS;
    kafka->renew_ms = now_ms + kafka->renew_wait_ms;
}

static void destroy_handle(void *handle)
{
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void drop_handle(struct kafka_source *kafka)
{
    if (kafka->queue) rd_kafka_queue_destroy(kafka->queue);
    if (kafka->client.handle) kafka_end_within(destroy_handle, kafka->client.handle, END_MS);
    kafka->queue = NULL;
    kafka->client.handle = NULL;
}

static bool join(struct kafka_source *kafka, struct error *error)
{
    rd_kafka_poll_set_consumer(kafka->client.handle);
    kafka->queue = rd_kafka_queue_get_consumer(kafka->client.handle);
    rd_kafka_resp_err_t err = rd_kafka_subscribe(kafka->client.handle, kafka->topics);
    return !err || fail(error, "kafka: topics cannot be subscribed to: %s", rd_kafka_err2str(err));
}

/* Waits at most so long; in its time, when nothing of the old handle is held any more, a new one joins. */
static void wait_to_renew(struct kafka_source *kafka, int timeout_ms)
{
    struct error error = { "" };
    int64_t left_ms = kafka->renew_ms - kafka_now_ms();
    if (left_ms > 0 || kafka->batch.n_messages > 0) {
        usleep((useconds_t)(left_ms > 0 && left_ms < timeout_ms ? left_ms : timeout_ms) * 1000);
        return;
    }
    drop_handle(kafka);
    kafka->renewed_ms = kafka_now_ms();
    kafka->down = !kafka_client_renew(&kafka->client) || !join(kafka, &error);
    if (!kafka->down) return;
    kafka_client_tell(&kafka->client, RD_KAFKA_RESP_ERR__FATAL, "cannot join again: %s%s", kafka->client.trouble, error.text);
    kafka->renew_ms = kafka->renewed_ms + RENEW_FIRST_MS;
}

/* The library says so by a message, too, but that one may be lost with the partitions whose loss came first. */
static bool is_lost(struct kafka_source *kafka)
{
    if (!kafka->client.fatal && rd_kafka_fatal_error(kafka->client.handle, NULL, 0)) kafka_client_end(&kafka->client);
    return kafka->client.fatal;
}

/* --- partitions that nobody reads --- */

/* Whoever shares out does so anew when it joins again; the others get back what they have. */
static void look_for_unread(struct kafka_source *kafka)
{
    if (kafka->client.trouble[0] || !kafka_unread_found(&kafka->unread, kafka->viewer.client.handle, kafka->topics)) return;
    kafka_client_tell(&kafka->client, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
                      "the group has given a partition to nobody (topics grew while a member restarted?): joining it again");
    rd_kafka_resp_err_t err = rd_kafka_subscribe(kafka->client.handle, kafka->topics);
    if (err) kafka_client_tell(&kafka->client, err, "topics cannot be subscribed to: %s", rd_kafka_err2str(err));
}

static bool kafka_next_change(struct source *source, struct change *change)
{
    if (!of(source)->down && is_lost(of(source))) go_down(of(source));
    return owned_next_change(&of(source)->owned, change);
}

/* --- receiving --- */

static void on_message_error(void *context, const rd_kafka_message_t *message)
{
    struct kafka_source *kafka = context;
    if (message->err == RD_KAFKA_RESP_ERR__FATAL) {
        kafka_client_end(&kafka->client);
        return;
    }
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && message->rkt) {
        struct position *position = owned_find(&kafka->owned, span_of(rd_kafka_topic_name(message->rkt)), message->partition);
        if (!position) return;
        position->next = NO_OFFSET;
        owned_change_one(&kafka->owned, CHANGE_MOVED, &position->partition);
    }
    kafka_absent_note(&kafka->absent, kafka->topics, message);
    kafka_client_tell(&kafka->client, message->err, "%s: %s", rd_kafka_err2name(message->err), rd_kafka_message_errstr(message));
}

static void kafka_release(struct source *source)
{
    kafka_batch_release(&of(source)->batch);
}

static size_t kafka_receive(struct source *source, struct record *records, size_t room, int timeout_ms)
{
    struct kafka_source *kafka = of(source);
    if (kafka->down) {
        wait_to_renew(kafka, timeout_ms);
        return 0;
    }
    kafka_client_look(&kafka->client);
    if (kafka->revoking || owned_has_change(&kafka->owned)) return 0;
    look_for_unread(kafka);
    if (turns_follow(&kafka->turns, &kafka->owned, kafka_now_ms())) kafka->assign = true;
    if (kafka->assign || kafka->idle) fetch(kafka, false);
    kafka_nudge(kafka->client.handle, kafka->queue, &kafka->owned, &kafka->turns, &kafka->nudged_ms);
    return kafka_batch_receive(&kafka->batch, kafka->client.handle, kafka->queue, &kafka->owned, records, room, timeout_ms);
}

static void kafka_idle(struct source *source, int timeout_ms)
{
    struct kafka_source *kafka = of(source);
    int64_t deadline_ms = kafka_now_ms() + timeout_ms, left_ms = timeout_ms;
    if (kafka->down) {
        wait_to_renew(kafka, timeout_ms);
        return;
    }
    kafka_client_look(&kafka->client);
    if (!kafka->idle && !kafka->revoking && !kafka->client.fatal) fetch(kafka, true);
    do {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka->client.handle, left_ms > 0 ? (int)left_ms : 0);
        if (message && message->err) on_message_error(kafka, message);
        if (message) rd_kafka_message_destroy(message);
        left_ms = deadline_ms - kafka_now_ms();
    } while (left_ms > 0 && !owned_has_change(&kafka->owned) && !kafka->client.fatal);
}

/* --- looking and telling --- */

static bool kafka_view(struct source *source, struct partition_view *views, size_t n, int timeout_ms, struct error *error)
{
    struct kafka_source *kafka = of(source);
    if (!kafka_viewer_view(&kafka->viewer, views, n, timeout_ms, error)) return false;
    for (size_t i = 0; i < n; i++) {
        struct position *position = owned_find(&kafka->owned, views[i].partition.topic, views[i].partition.number);
        if (position) position->high = views[i].high;
    }
    kafka_client_well(&kafka->client);
    return true;
}

static void kafka_commit(struct source *source, const struct position *positions, size_t n)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++) {
        struct position *position = owned_find(&of(source)->owned, positions[i].partition.topic, positions[i].partition.number);
        if (!position || positions[i].next == NO_OFFSET) continue;
        rd_kafka_topic_partition_list_add(list, position->partition.topic.at, position->partition.number)->offset =
            positions[i].next;
    }
    rd_kafka_resp_err_t err = list->cnt > 0 ? rd_kafka_commit(of(source)->client.handle, list, 1) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (err) on_commit(of(source)->client.handle, err, list, &of(source)->client);
    rd_kafka_topic_partition_list_destroy(list);
}

static size_t kafka_positions(struct source *source, struct position *positions, size_t room)
{
    struct kafka_source *kafka = of(source);
    for (size_t i = 0; i < kafka->owned.n && !kafka->idle; i++)
        kafka_update_high(kafka->client.handle, &kafka->owned.positions[i]);
    return owned_positions(&kafka->owned, positions, room);
}

static const char *kafka_trouble(struct source *source)
{
    struct kafka_source *kafka = of(source);
    if (kafka->client.trouble[0]) return kafka->client.trouble;
    bool nothing = kafka->owned.n == 0; /* else a partition may only have moved */
    return nothing && kafka->absent.trouble[0] ? kafka->absent.trouble : NULL;
}

/* --- life --- */

/* Leaves the group; a broker that does not answer is not waited for long. */
static void leave(struct kafka_source *kafka)
{
    int64_t deadline_ms = kafka_now_ms() + CLOSE_MS;
    kafka->closing = true;
    if (kafka->revoking) give_back(kafka);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->client.handle);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(kafka->client.handle, queue);
    while (!error && !rd_kafka_consumer_closed(kafka->client.handle) && kafka_now_ms() < deadline_ms) {
        rd_kafka_message_t *message;
        if (rd_kafka_consume_batch_queue(queue, 10, &message, 1) == 1) rd_kafka_message_destroy(message);
    }
    if (error) rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(queue);
}

static void free_all(void *source)
{
    struct kafka_source *kafka = source;
    if (kafka->queue) rd_kafka_queue_destroy(kafka->queue);
    if (kafka->client.handle) destroy_handle(kafka->client.handle);
    kafka_client_deinit(&kafka->client);
    kafka_viewer_deinit(&kafka->viewer);
    if (kafka->topics) rd_kafka_topic_partition_list_destroy(kafka->topics);
    turns_deinit(&kafka->turns);
    owned_deinit(&kafka->owned);
    free(kafka);
}

static void kafka_destroy(struct source *source)
{
    struct kafka_source *kafka = of(source);
    kafka_batch_deinit(&kafka->batch);
    if (kafka->client.handle) leave(kafka);
    kafka->client.reporter = (struct kafka_reporter){ 0 };
    kafka_end_within(free_all, kafka, END_MS);
}

static const struct source_ops ops = {
    kafka_receive, kafka_release, kafka_idle,      kafka_next_change, kafka_confirm, kafka_start,
    kafka_view,    kafka_commit,  kafka_positions, kafka_trouble,     kafka_destroy,
};

static void prepare(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
    rd_kafka_conf_set(conf, "fetch.queue.backoff.ms", "10", NULL, 0); /* where the library has it, see kafka_nudge */
}

/* Made for `kafka`, or, where that is NULL, only tried. */
static bool open_client(struct kafka_source *kafka, const struct kafka_source_settings *settings, struct error *error)
{
    const char *instance = kafka_settings_value(&settings->kafka, "group.instance.id");
    char own_instance[256];
    snprintf(own_instance, sizeof own_instance, "%s-%d", instance ? instance : "", settings->worker);
    const struct kafka_property forced[] = {
        { "enable.auto.commit", "false" },
        { "enable.auto.offset.store", "false" },
        { "auto.offset.reset", "error" },
        { "partition.assignment.strategy", "range" },
        { "enable.partition.eof", "false" },
        { instance && !settings->alone && settings->workers > 1 ? "group.instance.id" : NULL, own_instance },
        { NULL, NULL },
    };
    const char *left_out = settings->alone ? "group.instance.id" : NULL;
    const struct kafka_profile profile = { RD_KAFKA_CONSUMER, defaults, forced, left_out, prepare };
    if (!kafka) return kafka_client_try(&settings->kafka, &profile, error);
    return kafka_client_init(&kafka->client, &settings->kafka, &profile, kafka, error);
}

static bool take_all(struct kafka_source *kafka, const struct kafka_source_settings *settings, struct error *error)
{
    rd_kafka_poll_set_consumer(kafka->client.handle);
    kafka->queue = rd_kafka_queue_get_consumer(kafka->client.handle);
    for (size_t i = 0; i < settings->n_topics; i++)
        if (!kafka_alone_add(kafka->client.handle, settings->topics[i], &kafka->owned, error)) return false;
    owned_change_all(&kafka->owned, CHANGE_ASSIGNED);
    return true;
}

static rd_kafka_topic_partition_list_t *copy_topics(const struct kafka_source_settings *settings)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new((int)settings->n_topics);
    for (size_t i = 0; i < settings->n_topics; i++)
        rd_kafka_topic_partition_list_add(topics, settings->topics[i], RD_KAFKA_PARTITION_UA);
    return topics;
}

bool kafka_source_check(const struct kafka_source_settings *settings, struct error *error)
{
    return open_client(NULL, settings, error);
}

struct source *kafka_source_create(const struct kafka_source_settings *settings, struct error *error)
{
    struct kafka_source *kafka = must_zalloc(sizeof *kafka);
    kafka->source.ops = &ops;
    kafka_batch_init(&kafka->batch, settings->batch_records ? settings->batch_records : BATCH_RECORDS,
                     settings->batch_bytes ? settings->batch_bytes : BATCH_BYTES, on_message_error, kafka);
    kafka->topics = copy_topics(settings);
    if (!open_client(kafka, settings, error)) goto failed;
    if (!kafka_viewer_init(&kafka->viewer, &settings->kafka, error)) goto failed;
    if (!settings->alone) kafka_unread_init(&kafka->unread, kafka->client.conf);
    if (!(settings->alone ? take_all(kafka, settings, error) : join(kafka, error))) goto failed;
    return &kafka->source;
failed:
    kafka_destroy(&kafka->source);
    return NULL;
}
