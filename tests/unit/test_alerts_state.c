/* Alerts in a real Redis: changed only by who knows how they stand, together with the events that tell of it, or not at all. */
#include "daemon/alert/active.h"
#include "daemon/state/alerts.h"
#include "tests/unit/private_redis.h"
#include "tests/unit/unit.h"

#define RAISED "{\"rule\":\"a\",\"state\":\"raised\",\"version\":7,\"since\":\"2026-03-15T12:00:00.000Z\"}"
#define PENDING "{\"rule\":\"b\",\"state\":\"pending\",\"since\":\"2026-03-15T12:00:00.000Z\"}"

struct fixture {
    struct private_redis redis;
    struct state *state;
    struct arena arena;
    struct error error;
    enum outcome outcome;
};

static struct state *create_state(const struct private_redis *redis)
{
    return state_redis_create(
        &(struct redis_settings){ .url = redis->url, .connect_timeout_ms = 2000, .command_timeout_ms = 2000 });
}

static struct alerts_commit commit(struct fixture *fixture, int64_t expected, int64_t tenant_version,
                                   const struct alerts_change *changes, size_t n)
{
    struct alerts_commit commit = { .tenant = SPAN("acme"),
                                    .expected = expected,
                                    .tenant_version = tenant_version,
                                    .version = tenant_version + 1,
                                    .changes = changes,
                                    .n = n };
    bool good = state_redis_alerts_commit(fixture->state, "crm", &commit, &fixture->outcome, &fixture->error);
    if (!good) print_error("%s\n", fixture->error.text);
    assert_true(good);
    return commit;
}

static struct alerts_stored stored(struct fixture *fixture)
{
    struct alerts_stored stored;
    assert_true(
        state_redis_alerts(fixture->state, "crm", SPAN("acme"), &stored, &fixture->arena, &fixture->outcome, &fixture->error));
    return stored;
}

static const struct alerts_change raise_a = { .row = SPAN("a"), .text = SPAN(RAISED), .name = SPAN("7 a"), .event = SPAN("{}") };
static const struct alerts_change wait_b = { .row = SPAN("b"), .text = SPAN(PENDING) };

static void only_who_knows_them_changes_them(void **state)
{
    struct fixture *fixture = *state;
    struct alerts_change changes[] = { raise_a, wait_b };
    private_redis_do(&fixture->redis, "HSET crm:{acme}:state version 9");
    struct alerts_commit first = commit(fixture, 0, 6, changes, 2);
    assert_true(first.answer == ALERTS_STORED && first.tenant_now == 9);
    struct alerts_stored stands = stored(fixture);
    assert_true(stands.n_rows == 8 && stands.n_unsent == 2 && stands.n_unposted == 0);
    assert_true(span_is(stands.unsent[0], "7 a") && span_is(stands.unsent[1], "{}"));
    assert_int_equal(commit(fixture, 0, 8, changes, 2).answer, ALERTS_MOVED);
    assert_int_equal(commit(fixture, 7, 5, changes, 2).answer, ALERTS_NEWER);
    assert_int_equal(commit(fixture, 7, 6, NULL, 0).answer, ALERTS_STORED);
    assert_int_equal(private_redis_do(&fixture->redis, "HGET crm:{acme}:alerts :version") > 0, 1);
    struct alerts_change clear = { .row = SPAN("a"), .name = SPAN("11 a"), .event = SPAN("{\"cleared\":1}"), .posted = true };
    assert_int_equal(commit(fixture, 7, 10, &clear, 1).answer, ALERTS_STORED);
    stands = stored(fixture);
    assert_true(stands.n_rows == 6 && stands.n_unsent == 4 && stands.n_unposted == 2);
    assert_true(span_is(stands.unposted[0], "11 a"));
}

static void each_change_is_hinted_at(void **state)
{
    struct fixture *fixture = *state;
    redisContext *listener = redisConnectUnix(fixture->redis.socket);
    freeReplyObject(redisCommand(listener, "SUBSCRIBE crm:{acme}:alerts"));
    commit(fixture, 0, 6, &raise_a, 1);
    commit(fixture, 7, 6, NULL, 0); /* no change: no hint */
    commit(fixture, 7, 8, &wait_b, 1);
    const char *const hints[] = { "{\"version\":7}", "{\"version\":9}" };
    for (int i = 0; i < 2; i++) {
        void *reply = NULL;
        assert_int_equal(redisGetReply(listener, &reply), REDIS_OK);
        assert_string_equal(((redisReply *)reply)->element[2]->str, hints[i]);
        freeReplyObject(reply);
    }
    redisFree(listener);
}

static void what_is_acknowledged_is_noted(void **state)
{
    struct fixture *fixture = *state;
    struct alerts_change both = raise_a;
    both.posted = true;
    commit(fixture, 0, 6, &both, 1);
    assert_true(
        state_redis_alerts_note(fixture->state, "crm", SPAN("acme"), false, SPAN("7 a"), &fixture->outcome, &fixture->error));
    assert_true(stored(fixture).n_unsent == 0 && stored(fixture).n_unposted == 2);
    assert_true(
        state_redis_alerts_note(fixture->state, "crm", SPAN("acme"), true, SPAN("7 a"), &fixture->outcome, &fixture->error));
    assert_int_equal(stored(fixture).n_unposted, 0);
}

/* Refused for want of a right, of memory, or by a key of another type: nothing of it stands. */
static void all_or_nothing(void **state)
{
    struct fixture *fixture = *state;
    static const char *const spoil[] = { "SET crm:{acme}:alerts:unposted x", "SET crm:{acme}:alerts:unsent x",
                                         "CONFIG SET maxmemory 1" };
    static const char *const mend[] = { "DEL crm:{acme}:alerts:unposted", "DEL crm:{acme}:alerts:unsent",
                                        "CONFIG SET maxmemory 0" };
    struct alerts_commit refused = { .tenant = SPAN("acme"), .tenant_version = 6, .version = 7, .changes = &raise_a, .n = 1 };
    for (size_t i = 0; i < sizeof spoil / sizeof *spoil; i++) {
        struct error error = { "" };
        private_redis_do(&fixture->redis, spoil[i]);
        if (!state_redis_connected(fixture->state)) assert_true(state_redis_connect(fixture->state, &error));
        assert_false(state_redis_alerts_commit(fixture->state, "crm", &refused, &fixture->outcome, &error));
        assert_int_equal(fixture->outcome, REFUSED);
        private_redis_do(&fixture->redis, mend[i]);
        assert_int_equal(private_redis_do(&fixture->redis, "HLEN crm:{acme}:alerts") <= 1, 1);
        assert_int_equal(private_redis_do(&fixture->redis, "EXISTS crm:{acme}:alerts:unsent crm:{acme}:alerts:unposted"), 0);
    }
    if (!state_redis_connected(fixture->state)) assert_true(state_redis_connect(fixture->state, &fixture->error));
    assert_int_equal(commit(fixture, 0, 6, &raise_a, 1).answer, ALERTS_STORED);
}

static void assert_active(struct fixture *fixture, const char *tenant, const char *want)
{
    struct buffer out = { 0 };
    assert_true(alerts_active(fixture->state, "crm", span_of(tenant), &out, &fixture->outcome, &fixture->error));
    if (!span_is(buffer_all(&out), want)) fail_msg("%.*s", SPAN_ARG(buffer_all(&out)));
    buffer_deinit(&out);
}

static void those_that_stand_are_shown(void **state)
{
    struct fixture *fixture = *state;
    struct alerts_change other = { .row = SPAN("a {\"owner\":\"u1\"}"), .text = SPAN("{\"state\":\"raised\",\"version\":8}") };
    struct alerts_change changes[] = { other, wait_b, raise_a };
    assert_active(fixture, "nobody", "{\"tenant\":\"nobody\",\"version\":0,\"alerts\":[],\"pending\":[]}");
    commit(fixture, 0, 6, changes, 3);
    assert_active(fixture, "acme",
                  "{\"tenant\":\"acme\",\"version\":7,\"alerts\":[" RAISED
                  ",{\"state\":\"raised\",\"version\":8}],\"pending\":[" PENDING "]}");
}

static int start(void **state)
{
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    private_redis_create(&fixture->redis, "");
    fixture->state = create_state(&fixture->redis);
    *state = fixture;
    return state_redis_connect(fixture->state, &fixture->error) ? 0 : -1;
}

static int clear(void **state)
{
    struct fixture *fixture = *state;
    private_redis_do(&fixture->redis, "FLUSHALL");
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    fixture->state->ops->destroy(fixture->state);
    private_redis_destroy(&fixture->redis);
    arena_deinit(&fixture->arena);
    free(fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(only_who_knows_them_changes_them, clear), cmocka_unit_test_setup(each_change_is_hinted_at, clear),
        cmocka_unit_test_setup(what_is_acknowledged_is_noted, clear),    cmocka_unit_test_setup(all_or_nothing, clear),
        cmocka_unit_test_setup(those_that_stand_are_shown, clear),
    };
    return cmocka_run_group_tests(tests, start, end);
}
