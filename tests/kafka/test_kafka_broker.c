/* The Kafka adapters against a real broker: who gets which partitions when, and what is to be seen when it dies. */
#include "daemon/sink/kafka.h"
#include "daemon/source/kafka.h"
#include "tests/kafka/broker.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WAIT_MS = 40000,
    STEP_MS = 20,
    ROOM = 500,
    SESSION_MS = 6000,
    PARTITIONS = 4
};

static struct broker broker;
static int topics_made;

struct fixture {
    char topic[32], group[32];
    const char *topics[2];
    struct kafka_property properties[8];
    struct kafka_source_settings settings;
    int delivered, undelivered;
    int reports;
    char report[512];
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_report(void *context, const char *text)
{
    struct fixture *fixture = context;
    fixture->reports++;
    snprintf(fixture->report, sizeof fixture->report, "%s", text);
}

static void on_acknowledged(void *context, void *tag, enum delivery delivery, const char *why)
{
    struct fixture *fixture = context;
    (void)tag;
    (void)why;
    *(delivery == DELIVERED ? &fixture->delivered : &fixture->undelivered) += 1;
}

static void set_property(struct fixture *fixture, const char *name, const char *value)
{
    fixture->properties[fixture->settings.kafka.n_properties++] = (struct kafka_property){ name, value };
}

static int set_up(void **state)
{
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    int number = ++topics_made;
    snprintf(fixture->topic, sizeof fixture->topic, "topic%d", number);
    snprintf(fixture->group, sizeof fixture->group, "group%d", number);
    fixture->topics[0] = fixture->topic;
    fixture->settings = (struct kafka_source_settings){
        .kafka = { fixture->properties, 0, { on_report, fixture } }, .topics = fixture->topics, .n_topics = 1, .workers = 1
    };
    set_property(fixture, "bootstrap.servers", broker.servers);
    set_property(fixture, "group.id", fixture->group);
    set_property(fixture, "session.timeout.ms", "6000");
    *state = fixture;
    return broker_sh("topic %d %s %d", broker.port, fixture->topic, PARTITIONS) ? 0 : -1;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

/* --- producing --- */

static struct sink *open_sink(struct fixture *fixture)
{
    struct error error = { 0 };
    struct sink *sink = kafka_sink_create(&fixture->settings.kafka, (struct acknowledged){ on_acknowledged, fixture }, &error);
    assert_string_equal(error.text, "");
    return sink;
}

/* Values "0", "1" …; keys t0…t63 in turn. */
static void produce_some(struct fixture *fixture, struct sink *sink, int from, int to)
{
    for (int i = from; i < to; i++) {
        char key[16], value[16];
        snprintf(key, sizeof key, "t%d", i % 64);
        snprintf(value, sizeof value, "%d", i);
        struct outgoing outgoing = { .topic = span_of(fixture->topic), .key = span_of(key), .value = span_of(value) };
        while (!sink_produce(sink, &outgoing)) sink_poll(sink, STEP_MS);
    }
    assert_true(sink_flush(sink, WAIT_MS));
}

static void produce(struct fixture *fixture, int from, int to)
{
    struct sink *sink = open_sink(fixture);
    produce_some(fixture, sink, from, to);
    sink_destroy(sink);
}

/* --- a consumer that notes what happens to it --- */

struct consumer {
    struct source *source;
    int assigned, revoked, lost, moved, ended; /* how often each was told */
    int64_t next[16];                          /* where each partition is to be started; as handed over since */
    size_t owned;
    bool holds;    /* a revoke is not confirmed at once */
    uint8_t *seen; /* how often each value came */
    int n_seen, n;
};

static struct consumer *consumer_open(struct fixture *fixture, int values)
{
    struct error error = { 0 };
    struct consumer *consumer = must_zalloc(sizeof *consumer);
    consumer->seen = must_zalloc((size_t)values + 1);
    consumer->n_seen = values;
    consumer->source = kafka_source_create(&fixture->settings, &error);
    assert_string_equal(error.text, "");
    return consumer;
}

static void consumer_close(struct consumer *consumer)
{
    source_destroy(consumer->source);
    free(consumer->seen);
    free(consumer);
}

static void on_change(struct consumer *consumer, const struct change *change)
{
    int *const counts[] = { &consumer->assigned, &consumer->revoked, &consumer->lost, &consumer->moved, &consumer->ended };
    ++*counts[change->type];
    if (change->type == CHANGE_ASSIGNED) {
        consumer->owned = change->n;
        for (size_t i = 0; i < change->n; i++)
            source_start(consumer->source, change->partitions[i], consumer->next[change->partitions[i].number]);
    }
    if (change->type == CHANGE_REVOKED && !consumer->holds) source_confirm(consumer->source);
    if (change->type == CHANGE_REVOKED || change->type == CHANGE_LOST) consumer->owned = 0;
}

static void consumer_turn(struct consumer *consumer, int timeout_ms)
{
    struct record records[ROOM];
    struct change change;
    size_t n = source_receive(consumer->source, records, ROOM, timeout_ms);
    for (size_t i = 0; i < n; i++) {
        int value = atoi(records[i].value.at);
        assert_in_range(value, 0, consumer->n_seen - 1);
        assert_int_equal(records[i].offset, consumer->next[records[i].partition]); /* in order, without a gap */
        consumer->next[records[i].partition]++;
        consumer->seen[value]++;
    }
    consumer->n += (int)n;
    source_release(consumer->source);
    while (source_next_change(consumer->source, &change)) on_change(consumer, &change);
}

#define TURN_UNTIL(consumer, condition)                                                                                          \
    do {                                                                                                                         \
        int64_t end_ms = now_ms() + WAIT_MS;                                                                                     \
        while (!(condition) && now_ms() < end_ms) consumer_turn(consumer, STEP_MS);                                              \
        if (!(condition)) fail_msg("not in time: %s", #condition);                                                               \
    } while (0)

static void turn_for(struct consumer *consumer, int ms)
{
    for (int64_t end_ms = now_ms() + ms; now_ms() < end_ms;) consumer_turn(consumer, STEP_MS);
}

static void assert_each_once(const struct consumer *consumer, int from, int to)
{
    for (int i = from; i < to; i++)
        if (consumer->seen[i] != 1) fail_msg("value %d came %d times", i, consumer->seen[i]);
}

/* --- tests --- */

static void a_second_consumer_gets_nothing_before_the_first_confirms(void **state)
{
    struct fixture *fixture = *state;
    produce(fixture, 0, 1000);
    struct consumer *first = consumer_open(fixture, 2000);
    TURN_UNTIL(first, first->n == 1000);
    assert_int_equal(first->owned, PARTITIONS);
    assert_each_once(first, 0, 1000);
    first->holds = true;
    struct consumer *second = consumer_open(fixture, 2000);
    memcpy(second->next, first->next, sizeof second->next);
    for (int64_t end_ms = now_ms() + WAIT_MS; first->revoked == 0 && now_ms() < end_ms;) {
        consumer_turn(first, STEP_MS);
        consumer_turn(second, STEP_MS);
    }
    assert_int_equal(first->revoked, 1);
    produce(fixture, 1000, 2000);
    for (int i = 0; i < 50; i++) {
        consumer_turn(first, STEP_MS);
        consumer_turn(second, STEP_MS);
    }
    assert_int_equal(first->n, 1000); /* what is revoked is delivered no more */
    assert_int_equal(second->assigned, 0);
    first->holds = false;
    source_confirm(first->source);
    for (int64_t end_ms = now_ms() + WAIT_MS; first->n + second->n < 2000 && now_ms() < end_ms;) {
        consumer_turn(first, STEP_MS);
        consumer_turn(second, STEP_MS);
    }
    assert_int_equal(first->owned, PARTITIONS / 2);
    assert_int_equal(second->owned, PARTITIONS / 2);
    assert_int_equal(first->n + second->n, 2000);
    assert_int_equal(first->lost + second->lost, 0);
    for (int i = 1000; i < 2000; i++) assert_int_equal(first->seen[i] + second->seen[i], 1);
    consumer_close(second);
    TURN_UNTIL(first, first->owned == PARTITIONS); /* the second has left: no session timeout is waited for */
    consumer_close(first);
}

static void idling_longer_than_the_session_keeps_all(void **state)
{
    struct fixture *fixture = *state;
    produce(fixture, 0, 100);
    struct consumer *consumer = consumer_open(fixture, 200);
    TURN_UNTIL(consumer, consumer->n == 100);
    for (int64_t end_ms = now_ms() + 2 * SESSION_MS; now_ms() < end_ms;) source_idle(consumer->source, 500);
    produce(fixture, 100, 200);
    TURN_UNTIL(consumer, consumer->n == 200);
    assert_each_once(consumer, 0, 200);
    assert_int_equal(consumer->assigned, 1);
    assert_int_equal(consumer->revoked + consumer->lost + consumer->moved, 0);
    consumer_close(consumer);
}

/* A worker that does not come back for longer than it may (max.poll.interval.ms) has lost its partitions. */
static void who_is_away_too_long_has_lost_all(void **state)
{
    struct fixture *fixture = *state;
    set_property(fixture, "max.poll.interval.ms", "7000");
    struct consumer *consumer = consumer_open(fixture, 100);
    TURN_UNTIL(consumer, consumer->owned == PARTITIONS);
    sleep(9);
    TURN_UNTIL(consumer, consumer->lost == 1);
    assert_int_equal(consumer->revoked, 0);
    TURN_UNTIL(consumer, consumer->owned == PARTITIONS);
    produce(fixture, 0, 100);
    TURN_UNTIL(consumer, consumer->n == 100);
    consumer_close(consumer);
}

/* In a process of its own, which is stopped and goes on: exits with 0 when it was told that it had lost its partitions,
 * before anything else, and got some again. */
_Noreturn static void zombie(struct fixture *fixture, int ready)
{
    struct consumer *consumer = consumer_open(fixture, 100);
    bool told = false;
    for (int64_t end_ms = now_ms() + 2 * WAIT_MS; now_ms() < end_ms;) {
        consumer_turn(consumer, STEP_MS);
        if (consumer->owned == PARTITIONS && !told) told = write(ready, "", 1) == 1;
        if (consumer->revoked) _exit(3);
        if (consumer->lost && consumer->owned > 0) _exit(0);
    }
    _exit(4);
}

static void a_zombie_is_told_that_it_has_lost(void **state)
{
    struct fixture *fixture = *state;
    int ready[2], status;
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) zombie(fixture, ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    kill(child, SIGSTOP);
    struct consumer *other = consumer_open(fixture, 100);
    TURN_UNTIL(other, other->owned == PARTITIONS);
    kill(child, SIGCONT);
    pid_t ended = 0;
    TURN_UNTIL(other, ended || (ended = waitpid(child, &status, WNOHANG)));
    assert_int_equal(ended, child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    consumer_close(other);
    close(ready[0]);
    close(ready[1]);
}

static void a_static_member_is_back_at_once(void **state)
{
    struct fixture *fixture = *state;
    set_property(fixture, "group.instance.id", "here");
    fixture->settings.workers = 2;
    fixture->settings.worker = 0;
    struct consumer *first = consumer_open(fixture, 100);
    fixture->settings.worker = 1;
    struct consumer *second = consumer_open(fixture, 100);
    for (int64_t end_ms = now_ms() + WAIT_MS; (first->owned != 2 || second->owned != 2) && now_ms() < end_ms;) {
        consumer_turn(first, STEP_MS);
        consumer_turn(second, STEP_MS);
    }
    assert_int_equal(first->owned, 2);
    consumer_close(second);
    turn_for(first, 1500); /* shorter than the session */
    int64_t began_ms = now_ms();
    second = consumer_open(fixture, 100);
    TURN_UNTIL(second, second->owned == 2);
    assert_in_range(now_ms() - began_ms, 0, 1500);
    turn_for(first, 500);
    assert_int_equal(first->owned, 2);
    consumer_close(first);
    consumer_close(second);
}

static void an_instance_whose_name_is_taken_loses_all_and_comes_back(void **state)
{
    struct fixture *fixture = *state;
    set_property(fixture, "group.instance.id", "same");
    produce(fixture, 0, 100);
    struct consumer *first = consumer_open(fixture, 200);
    TURN_UNTIL(first, first->n == 100);
    struct consumer *second = consumer_open(fixture, 200);
    TURN_UNTIL(second, second->owned == PARTITIONS);
    TURN_UNTIL(first, first->lost == 1);
    assert_non_null(strstr(source_trouble(first->source), "FENCED"));
    turn_for(second, 500);
    assert_int_equal(second->owned, PARTITIONS);
    consumer_close(second);
    TURN_UNTIL(first, first->owned == PARTITIONS);
    produce(fixture, 100, 200);
    TURN_UNTIL(first, first->n == 200);
    assert_each_once(first, 0, 200);
    assert_int_equal(first->ended, 0);
    consumer_close(first);
}

static struct partition_view view_one(struct consumer *consumer, const char *topic, int32_t number, int64_t probe)
{
    struct error error = { 0 };
    struct partition_view view = { .partition = { span_of(topic), number }, .probe = probe };
    for (int tries = 0; tries < 20; tries++) {
        error = (struct error){ 0 };
        if (source_view(consumer->source, &view, 1, 5000, &error)) return view;
        source_idle(consumer->source, 200);
    }
    fail_msg("no view: %s", error.text);
    return view;
}

static void a_view_finds_the_record_and_what_retention_left(void **state)
{
    struct fixture *fixture = *state;
    char command[256];
    produce(fixture, 0, 1000);
    struct consumer *consumer = consumer_open(fixture, 1000);
    TURN_UNTIL(consumer, consumer->n == 1000);
    struct position here = { { span_of(fixture->topic), 1 }, consumer->next[1], NO_OFFSET };
    source_commit(consumer->source, &here, 1);
    turn_for(consumer, 500);
    struct partition_view view = view_one(consumer, fixture->topic, 1, here.next - 1);
    assert_int_equal(view.committed, here.next);
    assert_int_equal(view.low, 0);
    assert_int_equal(view.high, here.next);
    assert_true(view.found);
    assert_in_range(view.timestamp_us, INT64_C(1600000000000000), INT64_C(9000000000000000));
    int64_t began_ms = now_ms();
    view_one(consumer, fixture->topic, 1, 3);
    assert_in_range(now_ms() - began_ms, 0, 500);

    snprintf(command, sizeof command, "echo '{\"partitions\":[{\"topic\":\"%s\",\"partition\":1,\"offset\":50}]}' >%s/cut.json",
             fixture->topic, broker.folder);
    assert_int_equal(system(command), 0);
    assert_true(broker_sh("tool org.apache.kafka.tools.DeleteRecordsCommand --bootstrap-server %s --offset-json-file %s/cut.json "
                          ">/dev/null",
                          broker.servers, broker.folder));
    view = view_one(consumer, fixture->topic, 1, 49);
    assert_int_equal(view.low, 50);
    assert_false(view.found);
    source_start(consumer->source, here.partition, 10); /* not there any more */
    TURN_UNTIL(consumer, consumer->moved == 1);
    consumer_close(consumer);
}

static void a_topic_created_anew_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    produce(fixture, 0, 1000);
    struct consumer *consumer = consumer_open(fixture, 1000);
    TURN_UNTIL(consumer, consumer->n == 1000);
    assert_true(broker_sh("tool org.apache.kafka.tools.TopicCommand --bootstrap-server %s --delete --topic %s", broker.servers,
                          fixture->topic));
    turn_for(consumer, 1000);
    assert_true(broker_sh("topic %d %s %d", broker.port, fixture->topic, PARTITIONS));
    TURN_UNTIL(consumer, consumer->moved >= PARTITIONS || consumer->assigned >= 2);
    struct partition_view view = view_one(consumer, fixture->topic, 0, 5);
    assert_int_equal(view.high, 0);
    assert_false(view.found);
    memset(consumer->next, 0, sizeof consumer->next);
    memset(consumer->seen, 0, 1000);
    consumer->n = 0;
    for (int i = 0; i < PARTITIONS; i++) source_start(consumer->source, (struct partition){ span_of(fixture->topic), i }, 0);
    produce(fixture, 0, 500);
    TURN_UNTIL(consumer, consumer->n == 500);
    assert_each_once(consumer, 0, 500);
    consumer_close(consumer);
}

static void new_partitions_are_assigned(void **state)
{
    struct fixture *fixture = *state;
    produce(fixture, 0, 200);
    struct consumer *consumer = consumer_open(fixture, 600);
    TURN_UNTIL(consumer, consumer->n == 200);
    assert_true(broker_sh("tool org.apache.kafka.tools.TopicCommand --bootstrap-server %s --alter --topic %s --partitions 6",
                          broker.servers, fixture->topic));
    TURN_UNTIL(consumer, consumer->owned == 6);
    produce(fixture, 200, 600);
    TURN_UNTIL(consumer, consumer->n == 600);
    assert_each_once(consumer, 0, 600);
    consumer_close(consumer);
}

static void a_topic_that_comes_later_is_read(void **state)
{
    struct fixture *fixture = *state;
    char later[48];
    snprintf(later, sizeof later, "%s.later", fixture->topic);
    fixture->topics[1] = later;
    fixture->settings.n_topics = 2;
    struct consumer *consumer = consumer_open(fixture, 100);
    TURN_UNTIL(consumer, consumer->owned == PARTITIONS);
    TURN_UNTIL(consumer, strstr(fixture->report, later) != NULL);
    assert_true(broker_sh("topic %d %s 1", broker.port, later));
    TURN_UNTIL(consumer, consumer->owned == PARTITIONS + 1);
    consumer_close(consumer);
}

static void a_broker_killed_and_started_again(void **state)
{
    struct fixture *fixture = *state;
    struct sink *sink = open_sink(fixture);
    produce_some(fixture, sink, 0, 500);
    struct consumer *consumer = consumer_open(fixture, 1500);
    TURN_UNTIL(consumer, consumer->n == 500);
    assert_true(broker_sh("kill %s", broker.folder));
    TURN_UNTIL(consumer, source_trouble(consumer->source) != NULL);
    int reports = fixture->reports;
    turn_for(consumer, 3000);
    assert_in_range(fixture->reports - reports, 0, 3); /* not one per attempt */
    assert_true(broker_start(&broker));
    produce_some(fixture, sink, 500, 1500);
    TURN_UNTIL(consumer, consumer->n == 1500);
    assert_each_once(consumer, 0, 1500);
    assert_null(source_trouble(consumer->source));
    assert_int_equal(fixture->delivered, 1500);
    assert_int_equal(fixture->undelivered, 0);
    consumer_close(consumer);
    sink_destroy(sink);
}

static void a_broker_that_hangs_does_not_hold_up_the_end(void **state)
{
    struct fixture *fixture = *state;
    struct error error = { 0 };
    struct sink *sink = open_sink(fixture);
    produce_some(fixture, sink, 0, 500);
    struct consumer *consumer = consumer_open(fixture, 500);
    TURN_UNTIL(consumer, consumer->n == 500);
    kill(broker_pid(&broker), SIGSTOP);
    int64_t began_ms = now_ms();
    struct partition_view view = { .partition = { span_of(fixture->topic), 0 }, .probe = 3 };
    bool seen = source_view(consumer->source, &view, 1, 500, &error);
    int64_t viewed_ms = now_ms() - began_ms;
    began_ms = now_ms();
    consumer_close(consumer);
    sink_destroy(sink);
    int64_t closed_ms = now_ms() - began_ms;
    kill(broker_pid(&broker), SIGCONT);
    assert_false(seen);
    assert_in_range(viewed_ms, 0, 1500);
    assert_in_range(closed_ms, 0, 3000);
}

/* The same keys through Java's producer land in the same partitions. */
static void keys_go_where_java_sends_them(void **state)
{
    struct fixture *fixture = *state;
    char command[512], key[16];
    int32_t of_key[2][64] = { 0 };
    set_property(fixture, "linger.ms", "0");
    produce(fixture, 0, 64);
    snprintf(command, sizeof command, "seq 0 63 | sed 's/.*/t&:&/' >%s/keys", broker.folder);
    assert_int_equal(system(command), 0);
    assert_true(
        broker_sh("tool org.apache.kafka.tools.ConsoleProducer --bootstrap-server %s --topic %s --property parse.key=true "
                  "--property key.separator=: <%s/keys >/dev/null 2>&1",
                  broker.servers, fixture->topic, broker.folder));
    struct consumer *consumer = consumer_open(fixture, 64);
    struct record records[ROOM];
    struct change change;
    int n = 0;
    for (int64_t end_ms = now_ms() + WAIT_MS; n < 128 && now_ms() < end_ms;) {
        size_t got = source_receive(consumer->source, records, ROOM, STEP_MS);
        for (size_t i = 0; i < got; i++, n++) {
            snprintf(key, sizeof key, "%.*s", SPAN_ARG(records[i].key));
            int number = atoi(key + 1);
            of_key[consumer->seen[number]++ > 0][number] = records[i].partition;
        }
        source_release(consumer->source);
        while (source_next_change(consumer->source, &change)) on_change(consumer, &change);
    }
    assert_int_equal(n, 128);
    assert_memory_equal(of_key[0], of_key[1], sizeof of_key[0]);
    consumer_close(consumer);
}

static int start_broker(void **state)
{
    (void)state;
    return broker_start(&broker) ? 0 : -1;
}

static int end_broker(void **state)
{
    (void)state;
    broker_end(&broker);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_second_consumer_gets_nothing_before_the_first_confirms),
        TEST(idling_longer_than_the_session_keeps_all),
        TEST(who_is_away_too_long_has_lost_all),
        TEST(a_zombie_is_told_that_it_has_lost),
        TEST(a_static_member_is_back_at_once),
        TEST(an_instance_whose_name_is_taken_loses_all_and_comes_back),
        TEST(a_view_finds_the_record_and_what_retention_left),
        TEST(a_topic_created_anew_is_noticed),
        TEST(new_partitions_are_assigned),
        TEST(a_topic_that_comes_later_is_read),
        TEST(keys_go_where_java_sends_them),
        TEST(a_broker_killed_and_started_again),
        TEST(a_broker_that_hangs_does_not_hold_up_the_end),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, start_broker, end_broker);
}
