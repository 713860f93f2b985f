/* Marks in a Redis Cluster: which slots get them, when, and what is made of those that are lost. */
#include "daemon/state/keys.h"
#include "daemon/state/marks.h"
#include "daemon/state/slots.h"
#include "tests/unit/private_cluster.h"
#include "tests/unit/unit.h"

static struct private_cluster cluster;

/* Two instances of the daemon. */
struct fixture {
    struct state *states[2];
    struct mark_keeper *keepers[2];
    int64_t stands[2][2]; /* as each knows the marks of "t:0" and "t:1"; -1: none */
    struct arena arena;
};

static int begin(void **state)
{
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    *state = fixture;
    memset(fixture->stands, -1, sizeof fixture->stands);
    for (int i = 0; i < 2; i++) private_redis_do(&cluster.nodes[i], "FLUSHALL");
    for (int i = 0; i < 2; i++) {
        struct error error = { "" };
        bool same;
        fixture->states[i] = state_redis_create(
            &(struct redis_settings){ .url = cluster.url, .connect_timeout_ms = 2000, .command_timeout_ms = 5000 });
        fixture->keepers[i] = marks_redis_create(fixture->states[i], "crm");
        if (!fixture->keepers[i]->ops->connect(fixture->keepers[i], &same, &error)) fail_msg("%s", error.text);
    }
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 2; i++) {
        marks_redis_destroy(fixture->keepers[i]);
        fixture->states[i]->ops->destroy(fixture->states[i]);
    }
    arena_deinit(&fixture->arena);
    free(fixture);
    return 0;
}

static int start_all(void **state)
{
    (void)state;
    private_cluster_create(&cluster);
    return 0;
}

static int stop_all(void **state)
{
    (void)state;
    private_cluster_destroy(&cluster);
    return 0;
}

/* ---- what a worker does ---- */

static struct mark mark_at(const char *partition, int64_t next)
{
    return (struct mark){ .partition = span_of(partition), .next = next, .last = next - 1, .last_timestamp_us = next, .life = 7 };
}

static bool move(struct fixture *fixture, int who, const char *partition, int64_t next)
{
    struct mark_keeper *keeper = fixture->keepers[who];
    int64_t *stands = &fixture->stands[who][partition[2] - '0'];
    struct mark mark = mark_at(partition, next),
                old = *stands < 0 ? (struct mark){ mark.partition, .next = -1 } : mark_at(partition, *stands);
    struct error error = { "" };
    enum outcome outcome;
    bool moved = false;
    if (!keeper->ops->move(keeper, &old, &mark, &moved, 1, &outcome, &error)) fail_msg("%s", error.text);
    if (moved) *stands = next;
    return moved;
}

/* The partition's mark as it is read; -1: there is none. */
static int64_t next_of(struct fixture *fixture, int who, const char *partition)
{
    struct mark_keeper *keeper = fixture->keepers[who];
    struct error error = { "" };
    enum outcome outcome;
    struct mark *marks;
    size_t n;
    int64_t *stands = &fixture->stands[who][partition[2] - '0'];
    if (!keeper->ops->read(keeper, &marks, &n, &fixture->arena, &outcome, &error)) fail_msg("%s", error.text);
    *stands = -1;
    for (size_t i = 0; i < n; i++)
        if (span_is(marks[i].partition, partition)) *stands = marks[i].next;
    return *stands;
}

static enum outcome admit(struct fixture *fixture, int who, const char *tenant)
{
    struct mark_keeper *keeper = fixture->keepers[who];
    struct commit commit = { .tenant = span_of(tenant), .state_key = key_state(&fixture->arena, "crm", span_of(tenant)) };
    struct error error = { "" };
    enum outcome outcome;
    bool good = keeper->ops->admit(keeper, &commit, 1, &outcome, &error);
    assert_int_equal(good, outcome == DONE);
    return outcome;
}

/* ---- what stands there ---- */

static const char *marks_key(const char *tenant)
{
    static uint32_t tags[N_SLOTS];
    static char key[40];
    if (!tags[1]) slot_tags(tags);
    snprintf(key, sizeof key, "crm:marks:{%u}", tags[slot_of(span_of(tenant))]);
    return key;
}

static long long redis_do(const char *key, const char *command)
{
    return private_redis_do(&cluster.nodes[slot_of(span_of(key)) > 8191], command);
}

static void lose_marks(const char *tenant)
{
    char command[80];
    snprintf(command, sizeof command, "DEL %s", marks_key(tenant));
    assert_int_equal(redis_do(tenant, command), 1);
}

static bool slot_stands_as(const char *tenant, const char *what)
{
    char command[80];
    snprintf(command, sizeof command, "HGET crm:slots:{crm:tenants} %d", slot_of(span_of(tenant)));
    return private_redis_says(&cluster.nodes[slot_of(SPAN("crm:tenants")) > 8191], command, what);
}

static bool mark_says(const char *tenant, const char *what)
{
    char command[80];
    snprintf(command, sizeof command, "HGET %s t:0", marks_key(tenant));
    return private_redis_says(&cluster.nodes[slot_of(span_of(tenant)) > 8191], command, what);
}

/* ---- tests ---- */

static void a_slot_gets_homes_marks_before_its_first_tenant(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(next_of(fixture, 0, "t:0"), -1);
    assert_true(move(fixture, 0, "t:0", 5));
    assert_true(move(fixture, 1, "t:1", 3)); /* the other's */
    assert_false(slot_stands_as("acme", "used"));
    assert_int_equal(admit(fixture, 0, "acme"), DONE);
    assert_true(slot_stands_as("acme", "used"));
    char command[80];
    snprintf(command, sizeof command, "HLEN %s", marks_key("acme"));
    assert_int_equal(redis_do("acme", command), 2);
    assert_int_equal(admit(fixture, 0, "acme"), DONE);
}

static void marks_move_in_all_slots_of_all(void **state)
{
    struct fixture *fixture = *state;
    (void)next_of(fixture, 0, "t:0"), (void)next_of(fixture, 1, "t:0");
    assert_true(move(fixture, 0, "t:0", 5) && move(fixture, 1, "t:1", 3));
    assert_int_equal(admit(fixture, 0, "a"), DONE);
    assert_int_equal(admit(fixture, 1, "b"), DONE);
    assert_true(slot_of(SPAN("a")) != slot_of(SPAN("b")));
    assert_true(move(fixture, 1, "t:1", 9)); /* it has not met a's slot yet */
    assert_true(move(fixture, 0, "t:0", 8));
    assert_int_equal(next_of(fixture, 0, "t:1"), 9);
    assert_int_equal(next_of(fixture, 1, "t:0"), 8);
}

static void a_used_slot_without_marks_has_lost_them(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(next_of(fixture, 0, "t:0"), -1);
    assert_true(move(fixture, 0, "t:0", 5));
    assert_int_equal(admit(fixture, 0, "acme"), DONE);
    lose_marks("acme");
    assert_false(move(fixture, 0, "t:0", 6)); /* noticed at the next move */
    assert_int_equal(next_of(fixture, 0, "t:0"), 0);
    assert_int_equal(next_of(fixture, 1, "t:0"), 0); /* also by who comes anew */
    assert_true(move(fixture, 0, "t:0", 7));
    assert_int_equal(next_of(fixture, 1, "t:0"), 7);
}

/* Whoever announced it ended before it had its marks: nothing was ever committed there. */
static void a_new_slot_without_marks_says_nothing(void **state)
{
    struct fixture *fixture = *state;
    char command[80];
    assert_int_equal(next_of(fixture, 0, "t:0"), -1);
    assert_true(move(fixture, 0, "t:0", 5));
    snprintf(command, sizeof command, "HSET crm:slots:{crm:tenants} %d new", slot_of(SPAN("acme")));
    redis_do("crm:tenants", command);
    assert_int_equal(next_of(fixture, 1, "t:0"), 5);
    assert_true(move(fixture, 1, "t:0", 6));
    assert_true(slot_stands_as("acme", "used"));
    assert_int_equal(next_of(fixture, 0, "t:0"), 6);
}

static void nothing_is_admitted_where_marks_were_lost(void **state)
{
    struct fixture *fixture = *state;
    (void)next_of(fixture, 0, "t:0"), (void)next_of(fixture, 1, "t:0");
    assert_true(move(fixture, 0, "t:0", 5));
    assert_int_equal(next_of(fixture, 1, "t:0"), 5);
    assert_int_equal(admit(fixture, 1, "acme"), DONE);
    lose_marks("acme");
    assert_int_equal(admit(fixture, 0, "acme"), CONFLICT); /* met as used, and has none */
    lose_marks("crm:tenants");
    assert_int_equal(admit(fixture, 1, "other"), CONFLICT);
}

static void a_mark_that_stands_elsewhere_is_not_moved(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(next_of(fixture, 0, "t:0"), -1);
    assert_true(move(fixture, 0, "t:0", 5));
    assert_int_equal(admit(fixture, 0, "acme"), DONE);
    assert_int_equal(next_of(fixture, 1, "t:0"), 5);
    assert_true(move(fixture, 1, "t:0", 6));
    assert_false(move(fixture, 0, "t:0", 7));
    assert_int_equal(next_of(fixture, 0, "t:0"), 6);
}

/* It was away while others brought a slot into use, and moved the mark there, too. */
static void a_slot_just_met_is_not_taken_back(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(next_of(fixture, 0, "t:0"), -1);
    assert_true(move(fixture, 0, "t:0", 5));
    assert_int_equal(next_of(fixture, 1, "t:0"), 5);
    assert_int_equal(admit(fixture, 1, "acme"), DONE);
    assert_true(move(fixture, 1, "t:0", 9));
    assert_false(move(fixture, 0, "t:0", 6));
    assert_true(mark_says("acme", "9 8 9 7"));
    assert_int_equal(next_of(fixture, 0, "t:0"), 9);
}

/* A slot came into use with what stood at home a moment before: reading begins there, and no other mark goes back for it. */
static void who_is_further_stays_there(void **state)
{
    struct fixture *fixture = *state;
    char command[160];
    assert_int_equal(next_of(fixture, 0, "t:0"), -1);
    assert_true(move(fixture, 0, "t:0", 5));
    assert_int_equal(admit(fixture, 0, "acme"), DONE);
    assert_true(move(fixture, 0, "t:0", 8));
    snprintf(command, sizeof command, "EVAL return(redis.call('HSET',KEYS[1],'t:0','5\\0324\\0325\\0327')) 1 %s",
             marks_key("acme"));
    redis_do("acme", command);
    assert_int_equal(next_of(fixture, 1, "t:0"), 5);
    assert_true(move(fixture, 1, "t:0", 5));
    assert_true(mark_says("crm:tenants", "8 7 8 7") && mark_says("acme", "5 4 5 7"));
    assert_true(move(fixture, 1, "t:0", 7));
    assert_true(mark_says("crm:tenants", "8 7 8 7") && mark_says("acme", "7 6 7 7"));
    assert_true(move(fixture, 1, "t:0", 9));
    assert_true(mark_says("crm:tenants", "9 8 9 7") && mark_says("acme", "9 8 9 7"));
    assert_false(move(fixture, 0, "t:0", 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slot_gets_homes_marks_before_its_first_tenant, begin, end),
        cmocka_unit_test_setup_teardown(marks_move_in_all_slots_of_all, begin, end),
        cmocka_unit_test_setup_teardown(a_used_slot_without_marks_has_lost_them, begin, end),
        cmocka_unit_test_setup_teardown(a_new_slot_without_marks_says_nothing, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_admitted_where_marks_were_lost, begin, end),
        cmocka_unit_test_setup_teardown(a_mark_that_stands_elsewhere_is_not_moved, begin, end),
        cmocka_unit_test_setup_teardown(a_slot_just_met_is_not_taken_back, begin, end),
        cmocka_unit_test_setup_teardown(who_is_further_stays_there, begin, end),
    };
    return cmocka_run_group_tests(tests, start_all, stop_all);
}
