/* Reports, standard numbers, hints and acknowledgements in a real Redis; marks and the list of tenants beside them. */
#include "daemon/state/marks.h"
#include "daemon/state/published.h"
#include "tests/unit/private_redis.h"
#include "tests/unit/unit.h"

struct fixture {
    struct private_redis redis;
    struct state *state;
    struct mark_keeper *marks;
    struct arena arena;
    struct error error;
    enum outcome outcome;
};

static struct state *create_state(const struct private_redis *redis)
{
    return state_redis_create(
        &(struct redis_settings){ .url = redis->url, .connect_timeout_ms = 2000, .command_timeout_ms = 2000 });
}

static void publish(struct fixture *fixture, struct publication *publication)
{
    state_redis_publish(fixture->state, "crm", &publication, 1, &fixture->error);
    if (publication->outcome != DONE) print_error("%s\n", fixture->error.text);
    assert_int_equal(publication->outcome, DONE);
}

static void assert_document(struct fixture *fixture, const char *report, const char *expected)
{
    struct span document;
    assert_true(state_redis_documents(fixture->state, "crm", SPAN("acme"), &report, 1, &document, &fixture->arena,
                                      &fixture->outcome, &fixture->error));
    if (!expected) assert_null(document.at);
    if (expected) assert_true(span_is(document, expected));
}

static void only_higher_versions_replace(void **state)
{
    struct fixture *fixture = *state;
    struct publication_report reports[2] = { { "pipeline", 7, SPAN("seven"), false }, { "service", 7, SPAN("7"), false } };
    struct publication publication = { .tenant = SPAN("acme"), .reports = reports, .n_reports = 2 };
    assert_document(fixture, "pipeline", NULL);
    publish(fixture, &publication);
    assert_true(reports[0].stored && reports[1].stored);
    assert_document(fixture, "pipeline", "seven");
    reports[0] = (struct publication_report){ "pipeline", 7, SPAN("other"), true };
    reports[1] = (struct publication_report){ "service", 9007199254740991, SPAN("10"), false };
    publish(fixture, &publication);
    assert_true(!reports[0].stored && reports[1].stored);
    assert_document(fixture, "pipeline", "seven");
    assert_document(fixture, "service", "10");
    reports[1] = (struct publication_report){ "service", 9007199254740990, SPAN("late"), true };
    publish(fixture, &publication);
    assert_false(reports[1].stored);
    assert_document(fixture, "service", "10");
}

static bool holds(struct fixture *fixture, const char *period, const char *metric, const char *value)
{
    redisReply *reply = redisCommand(fixture->redis.admin, "HGET crm:{acme}:metrics:%s %s", period, metric);
    bool same = value ? reply->str && strcmp(reply->str, value) == 0 : reply->type == REDIS_REPLY_NIL;
    freeReplyObject(reply);
    return same;
}

static struct publication_period all_numbers(const char *period, int64_t version, const struct publication_number *numbers,
                                             size_t n)
{
    return (struct publication_period){ .period = period, .version = version, .numbers = numbers, .n = n };
}

static void numbers_are_replaced_whole(void **state)
{
    struct fixture *fixture = *state;
    enum {
        N = 3000
    };
    struct publication_number *many = arena_alloc(&fixture->arena, N * sizeof *many);
    for (int i = 0; i < N; i++) {
        char name[24];
        int len = snprintf(name, sizeof name, "metric_%d", i);
        struct span text = arena_copy(&fixture->arena, (struct span){ name, (size_t)len });
        many[i] = (struct publication_number){ text, text };
    }
    struct publication_period periods[2] = { all_numbers("today", 3, many, N), all_numbers("all", 3, many, 1) };
    struct publication publication = { .tenant = SPAN("acme"), .periods = periods, .n_periods = 2 };
    publish(fixture, &publication);
    assert_int_equal(private_redis_do(&fixture->redis, "HLEN crm:{acme}:metrics:today"), N + 1);
    assert_true(holds(fixture, "today", "metric_2999", "metric_2999") && holds(fixture, "today", "version", "3"));
    periods[0] = all_numbers("today", 4, many + 5, 2);
    periods[1] = all_numbers("all", 3, many + 5, 2);
    publish(fixture, &publication);
    assert_int_equal(private_redis_do(&fixture->redis, "HLEN crm:{acme}:metrics:today"), 3);
    assert_true(holds(fixture, "today", "metric_6", "metric_6") && holds(fixture, "today", "version", "4"));
    assert_true(holds(fixture, "all", "metric_0", "metric_0") && holds(fixture, "all", "metric_5", NULL));
    periods[0] = all_numbers("today", 5, NULL, 0);
    publish(fixture, &publication);
    assert_int_equal(private_redis_do(&fixture->redis, "HLEN crm:{acme}:metrics:today"), 1);
}

static void numbers_are_changed(void **state)
{
    struct fixture *fixture = *state;
    const struct publication_number first[] = { { SPAN("leads"), SPAN("1") }, { SPAN("revenue:EUR"), SPAN("2.00") } };
    const struct publication_number changed = { SPAN("leads"), SPAN("3") };
    struct publication_period periods[2] = { all_numbers("today", 4, first, 2), all_numbers("all", 4, first, 2) };
    struct publication publication = { .tenant = SPAN("acme"), .periods = periods, .n_periods = 2 };
    publish(fixture, &publication);
    assert_false(periods[0].elsewhere || periods[1].elsewhere);
    periods[0] = all_numbers("today", 6, &changed, 1), periods[1] = all_numbers("all", 6, &changed, 1);
    periods[0].changes = 4, periods[1].changes = 5;
    publish(fixture, &publication);
    assert_false(periods[0].elsewhere);
    assert_true(holds(fixture, "today", "leads", "3") && holds(fixture, "today", "revenue:EUR", "2.00"));
    assert_true(holds(fixture, "today", "version", "6"));
    assert_true(periods[1].elsewhere); /* 4 stands there, not 5 */
    assert_true(holds(fixture, "all", "leads", "1") && holds(fixture, "all", "version", "4"));
    periods[0].version = 6, periods[0].changes = 5; /* what is older than what stands there is no matter of ours any more */
    publish(fixture, &publication);
    assert_false(periods[0].elsewhere);
    periods[0].version = 7, periods[0].changes = 6, periods[0].n = 0;
    publish(fixture, &publication);
    assert_true(holds(fixture, "today", "version", "7") && holds(fixture, "today", "leads", "3"));
    private_redis_do(&fixture->redis, "DEL crm:{acme}:metrics:today");
    periods[0].version = 8, periods[0].changes = 7, periods[0].n = 1;
    publish(fixture, &publication);
    assert_true(periods[0].elsewhere && holds(fixture, "today", "version", NULL));
}

static void stored_reports_are_hinted_at(void **state)
{
    struct fixture *fixture = *state;
    redisContext *listener = redisConnectUnix(fixture->redis.socket);
    freeReplyObject(redisCommand(listener, "SUBSCRIBE crm:{acme}:reports"));
    struct publication_report reports[2] = { { "pipeline", 7, SPAN("x"), false }, { "pipeline", 7, SPAN("x"), false } };
    struct publication publication = { .tenant = SPAN("acme"), .reports = reports, .n_reports = 1 };
    publish(fixture, &publication);
    publish(fixture, &publication); /* the same again: no hint */
    reports[0] = (struct publication_report){ "service", 8, SPAN("y"), false };
    publish(fixture, &publication);
    const char *const hints[] = { "{\"report\":\"pipeline\",\"version\":7}", "{\"report\":\"service\",\"version\":8}" };
    for (int i = 0; i < 2; i++) {
        void *reply = NULL;
        assert_int_equal(redisGetReply(listener, &reply), REDIS_OK);
        assert_string_equal(((redisReply *)reply)->element[2]->str, hints[i]);
        freeReplyObject(reply);
    }
    redisFree(listener);
}

/* Whether it is stored or not: the tenant may have gone on meanwhile. */
static void the_tenants_version_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct publication_report report = { "pipeline", 7, SPAN("x"), false };
    struct publication publication = { .tenant = SPAN("acme"), .reports = &report, .n_reports = 1 };
    publish(fixture, &publication);
    assert_int_equal(publication.tenant_now, 0);
    private_redis_do(&fixture->redis, "HSET crm:{acme}:state version 9007199254740991");
    publish(fixture, &publication);
    assert_false(report.stored);
    assert_true(publication.tenant_now == INT64_C(9007199254740991));
}

static void script_forgotten(void **state)
{
    struct fixture *fixture = *state;
    struct publication_report report = { "pipeline", 1, SPAN("x"), false };
    struct publication publication = { .tenant = SPAN("acme"), .reports = &report, .n_reports = 1 };
    for (; report.version < 4; report.version++) {
        publish(fixture, &publication);
        assert_true(report.stored);
        private_redis_do(&fixture->redis, "SCRIPT FLUSH");
    }
}

static void refused_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    const struct publication_number number = { SPAN("revenue:EUR"), SPAN("1.00") };
    struct publication_report report = { "pipeline", 1, SPAN("x"), false };
    struct publication_period period = { .period = "today", .version = 1, .numbers = &number, .n = 1 };
    struct publication publication = { SPAN("acme"), &report, 1, &period, 1, 0, DONE }, *publications = &publication;
    const char *const others[] = { "SET crm:{acme}:versions x", "SET crm:{acme}:state x", "HSET crm:{acme}:report:pipeline a x",
                                   "SET crm:{acme}:metrics:today x", "CONFIG SET maxmemory 100kb" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        private_redis_do(&fixture->redis, others[i]);
        state_redis_publish(fixture->state, "crm", &publications, 1, &fixture->error);
        assert_int_equal(publication.outcome, REFUSED);
        assert_in_range(private_redis_do(&fixture->redis, "DBSIZE"), 0, i < 4);
        private_redis_do(&fixture->redis, "FLUSHALL");
    }
    private_redis_do(&fixture->redis, "CONFIG SET maxmemory 0");
    publish(fixture, &publication);
    assert_int_equal(private_redis_do(&fixture->redis, "DBSIZE"), 3);
}

/* One that is refused does not hold up the others; a server that forgot the script is told again. */
static void several_tenants_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct publication_report reports[] = { { "pipeline", 1, SPAN("x"), false },
                                            { "pipeline", 1, SPAN("x"), false },
                                            { "pipeline", 1, SPAN("x"), false } };
    struct publication of[] = { { .tenant = SPAN("acme"), .reports = &reports[0], .n_reports = 1 },
                                { .tenant = SPAN("umbrella"), .reports = &reports[1], .n_reports = 1 },
                                { .tenant = SPAN("zorg"), .reports = &reports[2], .n_reports = 1 } };
    struct publication *const all[] = { &of[0], &of[1], &of[2] };
    private_redis_do(&fixture->redis, "SET crm:{umbrella}:versions x");
    for (int64_t version = 1; version < 4; version++) {
        for (int i = 0; i < 3; i++) reports[i].version = version, reports[i].stored = false;
        state_redis_publish(fixture->state, "crm", all, 3, &fixture->error);
        assert_int_equal(of[0].outcome, DONE);
        assert_int_equal(of[1].outcome, REFUSED);
        assert_int_equal(of[2].outcome, DONE);
        assert_true(reports[0].stored && !reports[1].stored && reports[2].stored);
        assert_non_null(strstr(fixture->error.text, "WRONGTYPE"));
        private_redis_do(&fixture->redis, "SCRIPT FLUSH");
    }
    private_redis_do(&fixture->redis, "CLIENT KILL TYPE normal SKIPME yes");
    state_redis_publish(fixture->state, "crm", all, 3, &fixture->error);
    for (int i = 0; i < 3; i++) assert_int_equal(of[i].outcome, LOST);
}

/* A server that takes the script and does not know it then: GETSET under the name of SCRIPT answers a load with what stood there. */
static void a_script_that_stays_unknown_is_a_refusal(void **state)
{
    (void)state;
    struct fixture fixture = { 0 };
    struct publication_report report = { "pipeline", 1, SPAN("x"), false };
    struct publication publication = { .tenant = SPAN("acme"), .reports = &report, .n_reports = 1 }, *const all[] = {
        &publication
    };
    private_redis_create(&fixture.redis, "rename-command SCRIPT OTHER\nrename-command GETSET SCRIPT");
    fixture.state = create_state(&fixture.redis);
    private_redis_do(&fixture.redis, "SET LOAD 0123456789012345678901234567890123456789");
    assert_true(state_redis_connect(fixture.state, &fixture.error));
    state_redis_publish(fixture.state, "crm", all, 1, &fixture.error);
    assert_int_equal(publication.outcome, REFUSED);
    assert_non_null(strstr(fixture.error.text, "NOSCRIPT"));
    assert_false(report.stored);
    fixture.state->ops->destroy(fixture.state);
    private_redis_destroy(&fixture.redis);
}

static void acknowledged_versions_only_grow(void **state)
{
    struct fixture *fixture = *state;
    struct acknowledgement notes[] = { { SPAN("acme"), "pipeline", 10, 0 },
                                       { SPAN("acme"), "pipeline", 9, 0 },
                                       { SPAN("acme"), "service", 3, 0 } };
    struct publication_report report = { "pipeline", 12, SPAN("x"), false };
    struct publication publication = { .tenant = SPAN("acme"), .reports = &report, .n_reports = 1 };
    publish(fixture, &publication);
    assert_true(state_redis_acknowledge(fixture->state, "crm", notes, 3, &fixture->outcome, &fixture->error));
    assert_int_equal(notes[0].highest, 12); /* stored already: its record may lie below that of 10 */
    assert_int_equal(notes[1].highest, 12);
    assert_int_equal(notes[2].highest, 3);
    struct acknowledgement older[] = { { SPAN("acme"), "service", 2, 0 } };
    assert_true(state_redis_acknowledge(fixture->state, "crm", older, 1, &fixture->outcome, &fixture->error));
    assert_int_equal(older[0].highest, 3);
    struct published_report *reports;
    size_t n;
    assert_true(state_redis_published(fixture->state, "crm", SPAN("acme"), &reports, &n, &fixture->arena, &fixture->outcome,
                                      &fixture->error));
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) {
        bool pipeline = span_is(reports[i].report, "pipeline");
        assert_int_equal(reports[i].stored, pipeline ? 12 : 0);
        assert_int_equal(reports[i].acknowledged, pipeline ? 10 : 3);
    }
}

static struct mark mark_at(const char *partition, int64_t next)
{
    return (struct mark){
        .partition = span_of(partition), .next = next, .last = next - 1, .last_timestamp_us = NO_INSTANT, .life = UINT64_MAX
    };
}

static void marks_move_by_compare_and_set(void **state)
{
    struct fixture *fixture = *state;
    const struct mark_keeper_ops *ops = fixture->marks->ops;
    struct mark old[2] = { mark_at("crm.deals:0", -1), mark_at("crm.deals:1", -1) };
    struct mark new[2] = { mark_at("crm.deals:0", 100), mark_at("crm.deals:1", 200) };
    bool moved[2];
    assert_true(ops->move(fixture->marks, old, new, moved, 2, &fixture->outcome, &fixture->error));
    assert_true(moved[0] && moved[1]);
    old[0] = new[0];
    new[0].next = 150;
    old[1] = mark_at("crm.deals:1", 199);
    new[1].next = 250;
    assert_true(ops->move(fixture->marks, old, new, moved, 2, &fixture->outcome, &fixture->error));
    assert_true(moved[0] && !moved[1]);
    struct mark *marks;
    size_t n;
    assert_true(ops->read(fixture->marks, &marks, &n, &fixture->arena, &fixture->outcome, &fixture->error));
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) {
        bool first = span_is(marks[i].partition, "crm.deals:0");
        assert_int_equal(marks[i].next, first ? 150 : 200);
        assert_int_equal(marks[i].last, first ? 99 : 199);
        assert_true(marks[i].last_timestamp_us == NO_INSTANT && marks[i].life == UINT64_MAX);
    }
    private_redis_do(&fixture->redis, "HSET crm:marks crm.deals:0 nonsense");
    assert_false(ops->read(fixture->marks, &marks, &n, &fixture->arena, &fixture->outcome, &fixture->error));
    assert_int_equal(fixture->outcome, REFUSED);
}

static void tenants_are_listed_once(void **state)
{
    struct fixture *fixture = *state;
    enum {
        N = 5000
    };
    struct span *tenants = arena_alloc(&fixture->arena, N * sizeof *tenants), *found;
    for (int i = 0; i < N; i++) {
        char name[24];
        int len = snprintf(name, sizeof name, "tenant-%d", i % (N / 2));
        tenants[i] = arena_copy(&fixture->arena, (struct span){ name, (size_t)len });
    }
    size_t n;
    assert_true(fixture->marks->ops->add_tenants(fixture->marks, tenants, N, &fixture->outcome, &fixture->error));
    assert_true(fixture->marks->ops->tenants(fixture->marks, &found, &n, &fixture->arena, &fixture->outcome, &fixture->error));
    assert_int_equal(n, N / 2);
}

static void another_server_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    bool same = false;
    assert_true(fixture->marks->ops->connected(fixture->marks));
    private_redis_do(&fixture->redis, "CLIENT KILL TYPE normal SKIPME yes");
    int64_t now_us;
    assert_false(fixture->state->ops->clock(fixture->state, &now_us, &fixture->outcome, &fixture->error));
    assert_false(fixture->marks->ops->connected(fixture->marks));
    assert_true(fixture->marks->ops->connect(fixture->marks, &same, &fixture->error));
    assert_true(same);
    private_redis_kill(&fixture->redis);
    private_redis_start(&fixture->redis, "");
    assert_false(fixture->state->ops->clock(fixture->state, &now_us, &fixture->outcome, &fixture->error));
    assert_true(fixture->marks->ops->connect(fixture->marks, &same, &fixture->error));
    assert_false(same);
}

static int start(void **state)
{
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    bool same;
    private_redis_create(&fixture->redis, "");
    fixture->state = create_state(&fixture->redis);
    fixture->marks = marks_redis_create(fixture->state, "crm");
    *state = fixture;
    return fixture->marks->ops->connect(fixture->marks, &same, &fixture->error) && same ? 0 : -1;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;
    marks_redis_destroy(fixture->marks);
    fixture->state->ops->destroy(fixture->state);
    private_redis_destroy(&fixture->redis);
    arena_deinit(&fixture->arena);
    free(fixture);
    return 0;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_higher_versions_replace),
        TEST(numbers_are_replaced_whole),
        TEST(numbers_are_changed),
        TEST(stored_reports_are_hinted_at),
        TEST(the_tenants_version_is_told),
        TEST(script_forgotten),
        TEST(refused_leaves_nothing),
        TEST(several_tenants_at_once),
        TEST(acknowledged_versions_only_grow),
        TEST(marks_move_by_compare_and_set),
        TEST(tenants_are_listed_once),
        TEST(another_server_is_noticed),
        cmocka_unit_test(a_script_that_stays_unknown_is_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
