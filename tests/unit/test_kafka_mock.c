/* The Kafka adapters against a cluster in this process: what goes in at the sink comes out at the source. */
#include "daemon/sink/dead_letter.h"
#include "daemon/sink/kafka.h"
#include "daemon/source/kafka.h"
#include "daemon/source/kafka_mock.h"
#include "tests/unit/unit.h"

#include <unistd.h>

enum {
    WAIT_MS = 20000,
    STEP_MS = 50,
    ROOM = 100
};

struct fixture {
    struct kafka_mock *mock;
    struct kafka_property properties[4];
    struct arena arena;
    struct kafka_settings settings;
    int delivered, undelivered, undeliverable;
    int reports;
    char report[512];
};

static void on_report(void *context, const char *text)
{
    struct fixture *fixture = context;
    fixture->reports++;
    snprintf(fixture->report, sizeof fixture->report, "%s", text);
}

static void on_acknowledged(void *context, void *tag, enum delivery delivery, const char *why)
{
    struct fixture *fixture = context;
    assert_ptr_equal(tag, fixture);
    assert_int_equal(delivery == DELIVERED, why[0] == 0);
    fixture->delivered += delivery == DELIVERED;
    fixture->undelivered += delivery == UNDELIVERED;
    fixture->undeliverable += delivery == UNDELIVERABLE;
}

static int set_up(void **state)
{
    struct error error = { 0 };
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    fixture->mock = kafka_mock_create(1, &error);
    assert_non_null(fixture->mock);
    fixture->properties[0] = (struct kafka_property){ "bootstrap.servers", kafka_mock_servers(fixture->mock) };
    fixture->properties[1] = (struct kafka_property){ "group.id", "g" };
    fixture->settings = (struct kafka_settings){ fixture->properties, 2, { on_report, fixture } };
    assert_true(kafka_mock_topic(fixture->mock, "deals", 4, &error));
    assert_true(kafka_mock_topic(fixture->mock, "calls", 4, &error));
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    kafka_mock_destroy(fixture->mock);
    arena_deinit(&fixture->arena);
    free(fixture);
    return 0;
}

static struct sink *open_sink(struct fixture *fixture)
{
    struct error error = { 0 };
    struct sink *sink = kafka_sink_create(&fixture->settings, (struct acknowledged){ on_acknowledged, fixture }, &error);
    assert_string_equal(error.text, "");
    return sink;
}

static struct source *open_source(struct fixture *fixture)
{
    static const char *const topics[] = { "deals", "calls" };
    struct error error = { 0 };
    struct kafka_source_settings settings = { .kafka = fixture->settings, .topics = topics, .n_topics = 2, .workers = 1 };
    struct source *source = kafka_source_create(&settings, &error);
    assert_string_equal(error.text, "");
    return source;
}

static void produce(struct fixture *fixture, struct sink *sink, const char *topic, const char *key, const char *value)
{
    struct outgoing outgoing = { .topic = span_of(topic), .key = span_of(key), .value = span_of(value), .tag = fixture };
    assert_true(sink_produce(sink, &outgoing));
}

static void wait_assigned(struct source *source, struct change *change)
{
    struct record record;
    for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
        assert_int_equal(source_receive(source, &record, 1, STEP_MS), 0);
        if (source_next_change(source, change)) return;
    }
    fail_msg("no assignment within %d ms", WAIT_MS);
}

static void start_all(struct source *source, const struct change *change, int64_t offset)
{
    for (size_t i = 0; i < change->n; i++) source_start(source, change->partitions[i], offset);
}

static struct span keep(struct fixture *fixture, struct span text)
{
    return text.at ? (struct span){ arena_text(&fixture->arena, text), text.len } : NO_SPAN;
}

/* Receives n records and keeps copies; fails when they do not come. */
static struct record *receive(struct fixture *fixture, struct source *source, size_t n)
{
    struct record *kept = arena_alloc(&fixture->arena, n * sizeof *kept), batch[ROOM];
    size_t have = 0;
    for (int waited = 0; have < n && waited < WAIT_MS; waited += STEP_MS) {
        size_t got = source_receive(source, batch, n - have < ROOM ? n - have : ROOM, STEP_MS);
        for (size_t i = 0; i < got; i++) {
            struct record *record = &kept[have++];
            struct header *headers = arena_alloc(&fixture->arena, (batch[i].n_headers + 1) * sizeof *headers);
            *record = batch[i];
            record->key = keep(fixture, batch[i].key);
            record->value = keep(fixture, batch[i].value);
            record->headers = headers;
            for (size_t k = 0; k < batch[i].n_headers; k++) {
                headers[k].name = keep(fixture, batch[i].headers[k].name);
                headers[k].value = keep(fixture, batch[i].headers[k].value);
            }
        }
        source_release(source);
    }
    if (have < n) fail_msg("%zu of %zu records came", have, n);
    return kept;
}

static void receive_nothing(struct source *source)
{
    struct record record;
    assert_int_equal(source_receive(source, &record, 1, 300), 0);
}

static void records_come_with_all_they_have(void **state)
{
    struct fixture *fixture = *state;
    struct sink *sink = open_sink(fixture);
    const struct header headers[] = { { SPAN("ce_id"), SPAN("e-1") }, { SPAN("null"), NO_SPAN }, { SPAN("ce_id"), SPAN("") } };
    struct outgoing outgoing = { SPAN("deals"), SPAN("acme"), SPAN("{\"a\":1}"), headers, 3, fixture };
    assert_true(sink_produce(sink, &outgoing));
    outgoing = (struct outgoing){ SPAN("deals"), SPAN("acme"), NO_SPAN, NULL, 0, fixture };
    assert_true(sink_produce(sink, &outgoing));
    outgoing.value = SPAN("");
    assert_true(sink_produce(sink, &outgoing));
    assert_true(sink_flush(sink, WAIT_MS));
    assert_int_equal(fixture->delivered, 3);

    struct source *source = open_source(fixture);
    struct change change;
    wait_assigned(source, &change);
    assert_int_equal(change.type, CHANGE_ASSIGNED);
    assert_int_equal(change.n, 8);
    receive_nothing(source); /* nothing is started */
    start_all(source, &change, 0);
    struct record *records = receive(fixture, source, 3);
    for (int i = 0; i < 3; i++) {
        assert_true(span_is(records[i].topic, "deals"));
        assert_true(span_is(records[i].key, "acme"));
        assert_int_equal(records[i].offset, i);
        assert_in_range(records[i].timestamp_us, INT64_C(1600000000000000), INT64_C(9000000000000000));
    }
    assert_true(span_is(records[0].value, "{\"a\":1}"));
    assert_int_equal(records[0].n_headers, 3);
    assert_true(span_is(records[0].headers[0].name, "ce_id") && span_is(records[0].headers[0].value, "e-1"));
    assert_true(span_is(records[0].headers[1].name, "null") && !records[0].headers[1].value.at);
    assert_true(records[0].headers[2].value.at && records[0].headers[2].value.len == 0);
    assert_int_equal(records[1].n_headers, 0);
    assert_null(records[1].value.at);
    assert_non_null(records[2].value.at);
    assert_int_equal(records[2].value.len, 0);
    source_destroy(source);
    sink_destroy(sink);
}

/* Headers of a batch lie in one row that grows: each record still points to its own. */
static void many_headers_stay_with_their_records(void **state)
{
    struct fixture *fixture = *state;
    struct sink *sink = open_sink(fixture);
    char text[16];
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof text, "%d", i);
        struct header headers[2] = { { SPAN("n"), span_of(text) }, { SPAN("twice"), span_of(text) } };
        struct outgoing outgoing = { SPAN("deals"), SPAN("k"), span_of(text), headers, (size_t)i % 3, fixture };
        assert_true(sink_produce(sink, &outgoing));
    }
    assert_true(sink_flush(sink, WAIT_MS));
    struct source *source = open_source(fixture);
    struct change change;
    wait_assigned(source, &change);
    start_all(source, &change, 0);
    struct record *records = receive(fixture, source, 500);
    for (size_t i = 0; i < 500; i++) {
        assert_int_equal(records[i].n_headers, i % 3);
        for (size_t k = 0; k < records[i].n_headers; k++) assert_true(span_equal(records[i].headers[k].value, records[i].value));
    }
    source_destroy(source);
    sink_destroy(sink);
}

static struct partition partition_of(const struct record *record)
{
    return (struct partition){ record->topic, record->partition };
}

static void start_goes_anywhere(void **state)
{
    struct fixture *fixture = *state;
    struct sink *sink = open_sink(fixture);
    for (int i = 0; i < 10; i++) produce(fixture, sink, "deals", "acme", "x");
    assert_true(sink_flush(sink, WAIT_MS));
    struct source *source = open_source(fixture);
    struct change change;
    wait_assigned(source, &change);
    start_all(source, &change, 0);
    struct record *records = receive(fixture, source, 10);
    assert_int_equal(records[9].offset, 9);
    source_start(source, partition_of(records), 8);
    assert_int_equal(receive(fixture, source, 2)[0].offset, 8);
    source_start(source, partition_of(records), 1);
    assert_int_equal(receive(fixture, source, 9)[0].offset, 1);
    receive_nothing(source);
    source_destroy(source);
    sink_destroy(sink);
}

static void idle_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct sink *sink = open_sink(fixture);
    for (int i = 0; i < 100; i++) produce(fixture, sink, "deals", "acme", "x");
    assert_true(sink_flush(sink, WAIT_MS));
    struct source *source = open_source(fixture);
    struct change change;
    wait_assigned(source, &change);
    start_all(source, &change, 0);
    for (int i = 0; i < 100; i += 20) {
        struct record *records = receive(fixture, source, 20);
        assert_int_equal(records[0].offset, i);
        assert_int_equal(records[19].offset, i + 19);
        source_idle(source, 100);
    }
    receive_nothing(source);
    source_destroy(source);
    sink_destroy(sink);
}

static void a_view_tells_ends_commits_and_timestamps(void **state)
{
    struct fixture *fixture = *state;
    struct error error = { 0 };
    struct sink *sink = open_sink(fixture);
    for (int i = 0; i < 5; i++) produce(fixture, sink, "deals", "acme", "x");
    assert_true(sink_flush(sink, WAIT_MS));
    struct source *source = open_source(fixture);
    struct change change;
    wait_assigned(source, &change);
    start_all(source, &change, 0);
    struct record *last = receive(fixture, source, 5) + 4;
    struct partition here = partition_of(last), other = { last->topic, (last->partition + 1) % 4 };
    source_commit(source, &(struct position){ here, 5, NO_OFFSET }, 1);
    struct partition_view views[] = { { .partition = here, .probe = 4 },
                                      { .partition = other, .probe = 4 },
                                      { .partition = here, .probe = NO_OFFSET } };
    for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
        assert_true(source_view(source, views, 3, WAIT_MS, &error));
        if (views[0].committed != NO_OFFSET) break;
        source_idle(source, STEP_MS);
    }
    assert_int_equal(views[0].committed, 5);
    assert_int_equal(views[0].low, 0);
    assert_int_equal(views[0].high, 5);
    assert_true(views[0].found);
    assert_int_equal(views[0].timestamp_us, last->timestamp_us);
    assert_int_equal(views[1].committed, NO_OFFSET);
    assert_int_equal(views[1].high, 0);
    assert_false(views[1].found);
    assert_false(views[2].found);
    assert_true(source_view(source, views, 1, WAIT_MS, &error)); /* a second look sees the same */
    assert_true(views[0].found);
    views[0].probe = 5; /* behind the end */
    assert_true(source_view(source, views, 1, WAIT_MS, &error));
    assert_false(views[0].found);
    struct position positions[8];
    assert_int_equal(source_positions(source, positions, 8), 8);
    for (int i = 0; i < 8; i++)
        if (positions[i].partition.number == here.number && span_is(positions[i].partition.topic, "deals"))
            assert_true(positions[i].next == 5 && positions[i].high == 5);
    source_destroy(source);
    sink_destroy(sink);
}

static void an_offset_that_is_not_there_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct sink *sink = open_sink(fixture);
    produce(fixture, sink, "deals", "acme", "x");
    assert_true(sink_flush(sink, WAIT_MS));
    struct source *source = open_source(fixture);
    struct change change;
    wait_assigned(source, &change);
    struct partition first = change.partitions[0];
    source_start(source, first, 1000);
    wait_assigned(source, &change);
    assert_int_equal(change.type, CHANGE_MOVED);
    assert_int_equal(change.n, 1);
    assert_true(span_equal(change.partitions[0].topic, first.topic) && change.partitions[0].number == first.number);
    source_destroy(source);
    sink_destroy(sink);
}

static void a_dead_letter_is_the_record_with_its_place_and_reason(void **state)
{
    struct fixture *fixture = *state;
    const struct header own[] = { { SPAN("trace"), SPAN("t") } };
    const struct record record = { SPAN("nonsense"), SPAN("acme"), own, 1, 0, SPAN("calls"), 3, INT64_MAX };
    struct rejection rejection = { .reason = REASON_NOT_JSON, .message = "byte 1: 'o' where a value was expected" };
    struct outgoing outgoing = dead_letter_build(SPAN("deals"), &record, &rejection, &fixture->arena, fixture);
    struct sink *sink = open_sink(fixture);
    assert_true(sink_produce(sink, &outgoing));
    assert_true(sink_flush(sink, WAIT_MS));
    struct source *source = open_source(fixture);
    struct change change;
    wait_assigned(source, &change);
    start_all(source, &change, 0);
    struct record *dead = receive(fixture, source, 1);
    assert_true(span_equal(dead->value, record.value) && span_equal(dead->key, record.key));
    const struct header expected[] = {
        own[0],
        { SPAN("__connect.errors.topic"), SPAN("calls") },
        { SPAN("__connect.errors.partition"), SPAN("3") },
        { SPAN("__connect.errors.offset"), SPAN("9223372036854775807") },
        { SPAN("__connect.errors.stage"), SPAN("VALUE_CONVERTER") },
        { SPAN("__connect.errors.exception.class.name"), SPAN("not_json") },
        { SPAN("__connect.errors.exception.message"), span_of(rejection.message) },
    };
    assert_int_equal(dead->n_headers, 7);
    for (int i = 0; i < 7; i++)
        assert_true(span_equal(dead->headers[i].name, expected[i].name) && span_equal(dead->headers[i].value, expected[i].value));
    rejection.reason = REASON_TOO_FAR_AHEAD;
    outgoing = dead_letter_build(SPAN("deals"), &record, &rejection, &fixture->arena, NULL);
    assert_true(span_is(outgoing.headers[4].value, "TRANSFORMATION"));
    source_destroy(source);
    sink_destroy(sink);
}

static void a_full_queue_says_so(void **state)
{
    struct fixture *fixture = *state;
    fixture->properties[2] = (struct kafka_property){ "queue.buffering.max.messages", "10" };
    fixture->properties[3] = (struct kafka_property){ "linger.ms", "1000" };
    fixture->settings.n_properties = 4;
    struct sink *sink = open_sink(fixture);
    for (int i = 0; i < 10; i++) produce(fixture, sink, "deals", "acme", "x");
    struct outgoing outgoing = { .topic = SPAN("deals"), .value = SPAN("x"), .tag = fixture };
    assert_false(sink_produce(sink, &outgoing));
    assert_true(sink_flush(sink, WAIT_MS));
    assert_int_equal(fixture->delivered, 10);
    assert_true(sink_produce(sink, &outgoing));
    assert_true(sink_flush(sink, WAIT_MS));
    sink_destroy(sink);
    assert_int_equal(fixture->delivered, 11);
}

static void what_is_too_large_is_said_to_be(void **state)
{
    struct fixture *fixture = *state;
    fixture->properties[2] = (struct kafka_property){ "message.max.bytes", "2000" };
    fixture->settings.n_properties = 3;
    struct sink *sink = open_sink(fixture);
    struct outgoing outgoing = { .topic = SPAN("deals"), .value = { arena_zalloc(&fixture->arena, 3000), 3000 }, .tag = fixture };
    assert_true(sink_produce(sink, &outgoing));
    assert_int_equal(fixture->undeliverable, 0);
    assert_true(sink_flush(sink, WAIT_MS));
    assert_int_equal(fixture->undeliverable, 1);
    assert_int_equal(fixture->delivered, 0);
    sink_destroy(sink);
}

static void a_sink_that_ends_acknowledges_what_is_left(void **state)
{
    struct fixture *fixture = *state;
    fixture->properties[0].value = "127.0.0.1:1"; /* nobody */
    struct sink *sink = open_sink(fixture);
    for (int i = 0; i < 3; i++) produce(fixture, sink, "deals", "acme", "x");
    assert_false(sink_flush(sink, 300));
    sink_destroy(sink);
    assert_int_equal(fixture->undelivered, 3);
}

/* It comes long after the broker is gone, and would say for good that it is there. */
static void what_was_read_ahead_is_no_answer(void **state)
{
    struct fixture *fixture = *state;
    struct record records[ROOM];
    struct sink *sink = open_sink(fixture);
    for (int i = 0; i < 20; i++) produce(fixture, sink, "deals", "acme", "x");
    assert_true(sink_flush(sink, WAIT_MS));
    sink_destroy(sink);
    struct source *source = open_source(fixture);
    struct change change;
    wait_assigned(source, &change);
    start_all(source, &change, 0);
    receive(fixture, source, 1);
    kafka_mock_destroy(fixture->mock);
    fixture->mock = NULL;
    usleep(500000); /* the library says so behind the records that it has */
    assert_int_equal(source_receive(source, records, ROOM, STEP_MS), 19);
    source_release(source);
    for (int waited = 0; !source_trouble(source) && waited < WAIT_MS; waited += STEP_MS)
        assert_int_equal(source_receive(source, records, ROOM, STEP_MS), 0);
    assert_non_null(source_trouble(source));
    receive_nothing(source);
    assert_non_null(source_trouble(source));
    source_destroy(source);
}

static void a_cause_is_told_once(void **state)
{
    struct fixture *fixture = *state;
    fixture->properties[0].value = "127.0.0.1:1";
    struct source *source = open_source(fixture);
    struct record record;
    for (int i = 0; i < 50; i++) assert_int_equal(source_receive(source, &record, 1, 50), 0);
    assert_non_null(source_trouble(source));
    assert_non_null(strstr(source_trouble(source), "refused"));
    assert_in_range(fixture->reports, 1, 2); /* the refusal, and that this is all of the brokers */
    struct error error = { 0 };
    struct partition_view view = { .partition = { SPAN("deals"), 0 }, .probe = NO_OFFSET };
    assert_false(source_view(source, &view, 1, 300, &error));
    assert_int_not_equal(error.text[0], 0);
    source_destroy(source);
}

static void wrong_properties_are_named(void **state)
{
    struct fixture *fixture = *state;
    struct error error = { 0 };
    assert_true(kafka_property_check("security.protocol", "ssl", &error));
    assert_true(kafka_property_check("enable.auto.commit", "false", &error));
    assert_false(kafka_property_check("sesion.timeout.ms", "6000", &error));
    assert_string_equal(error.text, "kafka property sesion.timeout.ms: No such configuration property: \"sesion.timeout.ms\"");
    error = (struct error){ 0 };
    assert_false(kafka_property_check("session.timeout.ms", "soon", &error));
    assert_non_null(strstr(error.text, "session.timeout.ms"));
    error = (struct error){ 0 };
    assert_false(kafka_property_check("enable.auto.commit", "true", &error));
    assert_non_null(strstr(error.text, "always \"false\""));
    error = (struct error){ 0 };
    fixture->properties[2] = (struct kafka_property){ "nonsense", "1" };
    fixture->settings.n_properties = 3;
    struct kafka_source_settings settings = { .kafka = fixture->settings, .workers = 1 };
    assert_null(kafka_source_create(&settings, &error));
    assert_non_null(strstr(error.text, "nonsense"));
    error = (struct error){ 0 };
    assert_null(kafka_sink_create(&fixture->settings, (struct acknowledged){ 0 }, &error));
    assert_non_null(strstr(error.text, "nonsense"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_come_with_all_they_have),
        TEST(many_headers_stay_with_their_records),
        TEST(start_goes_anywhere),
        TEST(idle_loses_nothing),
        TEST(a_view_tells_ends_commits_and_timestamps),
        TEST(an_offset_that_is_not_there_is_told),
        TEST(a_dead_letter_is_the_record_with_its_place_and_reason),
        TEST(a_full_queue_says_so),
        TEST(what_is_too_large_is_said_to_be),
        TEST(a_sink_that_ends_acknowledges_what_is_left),
        TEST(what_was_read_ahead_is_no_answer),
        TEST(a_cause_is_told_once),
        TEST(wrong_properties_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
