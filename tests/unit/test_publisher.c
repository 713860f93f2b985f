/* The publisher without thread and Redis: who waits since when, what its inbox holds, whose desk goes and what of it stays. */
#include "daemon/publish/inner.h"
#include "daemon/sink/memory.h"
#include "tests/unit/unit.h"

struct house {
    struct settings *settings;
    struct catalogue *catalogue;
    struct engine engine;
    struct publisher *publisher;
};

static const struct span tenant = { "acme", 4 };

static int set_up(void **state)
{
    struct house *house = must_zalloc(sizeof *house);
    struct problems problems = { 0 };
    struct error error = { "" };
    struct catalogue_file shipped = catalogue_shipped();
    log_setup(LEVEL_ERROR, LOG_TEXT);
    house->settings = settings_load(NULL, NULL, NEED_RULES, &problems);
    house->catalogue = catalogue_load(&shipped, 1, &problems);
    assert_true(engine_init(&house->engine, house->settings, house->catalogue, &error));
    house->publisher = publisher_create(&house->engine);
    house->publisher->sink = memory_sink_create((struct acknowledged){ topic_acknowledged, house->publisher });
    problems_deinit(&problems);
    *state = house;
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;
    publisher_destroy(house->publisher);
    catalogue_destroy(house->catalogue);
    settings_destroy(house->settings);
    free(house);
    return 0;
}

/* ---- waiting ---- */

enum {
    SLEEPERS = 3000
};

static void check_waits_since(const struct desk *desk, int64_t from_us)
{
    assert_non_null(desk);
    assert_true(desk->dirty);
    assert_in_range(desk->waiting_since_us, from_us, publisher_monotonic());
}

/* Its desk had nothing to publish for long: it waits since its record came back, and is not before all others. */
static void a_record_that_was_not_delivered_waits_from_then_on(void **state)
{
    struct publisher *publisher = ((struct house *)*state)->publisher;
    struct desk *desk = publisher_desk(publisher, tenant);
    struct changes none = { 0 };
    topic_send(publisher, desk, 0, 1, SPAN("{}"), &none);
    memory_sink_behave(publisher->sink, UNDELIVERED, SIZE_MAX);
    int64_t from_us = publisher_monotonic();
    assert_false(desk->dirty);
    sink_poll(publisher->sink, 0);
    assert_true(desk->reports[0].send_again);
    check_waits_since(desk, from_us);
}

static void put_to_sleep(struct publisher *publisher, struct desk *desk)
{
    sleepers_put(publisher, desk);
    desk_destroy(desk);
}

static void who_is_woken_waits_from_then_on(void **state)
{
    struct publisher *publisher = ((struct house *)*state)->publisher;
    put_to_sleep(publisher, desk_create(publisher->engine, tenant));
    int64_t from_us = publisher_monotonic();
    sleepers_wake(publisher, INT64_MAX);
    check_waits_since(map_get(&publisher->desks, tenant), from_us);
}

static void all_are_woken(void **state)
{
    struct publisher *publisher = ((struct house *)*state)->publisher;
    for (int i = 0; i < SLEEPERS; i++) {
        char name[16];
        struct span one = { name, (size_t)snprintf(name, sizeof name, "t%d", i) };
        put_to_sleep(publisher, desk_create(publisher->engine, one));
    }
    sleepers_wake(publisher, publisher_monotonic());
    assert_int_equal(publisher->desks.count, 0); /* nobody's time has come */
    sleepers_wake(publisher, INT64_MAX);
    assert_int_equal(publisher->desks.count, SLEEPERS);
    assert_int_equal(publisher->sleepers.count, 0);
}

/* What the topic has may be newer than Redis: whoever has no desk must be told, and nobody may forget it. */
static void doubt_stays_with_who_sleeps(void **state)
{
    struct publisher *publisher = ((struct house *)*state)->publisher;
    struct desk *doubted = desk_create(publisher->engine, SPAN("doubted"));
    doubted->doubted = true;
    put_to_sleep(publisher, doubted);
    put_to_sleep(publisher, desk_create(publisher->engine, SPAN("asleep")));
    assert_true(publisher_desk(publisher, SPAN("doubted"))->doubted);
    sleepers_were_set_back(publisher, false);
    assert_true(publisher_desk(publisher, SPAN("asleep"))->doubted);
    assert_false(publisher_desk(publisher, SPAN("asleep"))->alerts.set_back);
    assert_false(publisher_desk(publisher, SPAN("new"))->doubted);
}

/* Redis was set back to before the last word of an alert, and the desk goes before that is made good. */
static void what_is_to_be_told_again_stays_with_who_sleeps(void **state)
{
    struct publisher *publisher = ((struct house *)*state)->publisher;
    struct desk *desk = desk_create(publisher->engine, tenant);
    const struct span before[] = { SPAN(":version"), SPAN("9") },
                      now[] = { SPAN(":version"), SPAN("5"), SPAN("many"), SPAN("{\"state\":\"raised\",\"version\":5}") };
    recall_load(desk, before, 2); /* it was over */
    recall_load(desk, now, 4);
    recall_look(desk);
    put_to_sleep(publisher, desk);
    desk = publisher_desk(publisher, tenant);
    recall_load(desk, now, 4);
    recall_look(desk);
    desk->alerts.recall_us = 0;
    recall_begin(desk);
    assert_true(alert_book_row(&desk->alerts.book, SPAN("many"))->again);
}

/* ---- the inbox ---- */

enum {
    COMMITS = 100,
    NAMES = 50,
    NAME_BYTES = 100,
    INBOX_BYTES = 10 * NAMES * NAME_BYTES
};

static struct span text_of(size_t len)
{
    return (struct span){ memset(must_alloc(len), 'x', len), len };
}

/* Of one that changes nothing but names and lines of lists. */
static struct committed *committed_of(int64_t version)
{
    struct committed *committed = must_zalloc(sizeof *committed);
    committed->tenant = text_of(4);
    committed->version_before = version - 1;
    committed->version = version;
    committed->n_names = committed->n_lines = NAMES;
    committed->names = must_alloc(NAMES * sizeof *committed->names);
    committed->lines = must_zalloc(NAMES * sizeof *committed->lines);
    for (int i = 0; i < NAMES; i++) committed->names[i] = text_of(NAME_BYTES);
    for (int i = 0; i < NAMES; i++) committed->lines[i].id = text_of(NAME_BYTES);
    return committed;
}

static void the_inbox_keeps_to_its_memory(void **state)
{
    struct house *house = *state;
    struct publisher *publisher = house->publisher;
    size_t bytes = 0, n_whole = 0;
    house->engine.memory.inbox = INBOX_BYTES;
    for (int i = 1; i <= COMMITS; i++) publisher_take(publisher, committed_of(i));
    for (size_t i = 0; i < publisher->n_inbox; i++) {
        const struct committed *committed = publisher->inbox[i];
        for (size_t name = 0; name < committed->n_names; name++) bytes += committed->names[name].len;
        for (size_t line = 0; line < committed->n_lines; line++) bytes += committed->lines[line].id.len;
        n_whole += !committed->dropped;
    }
    assert_int_equal(publisher->n_inbox, COMMITS);
    assert_in_range(n_whole, 1, INBOX_BYTES / (2 * NAMES * NAME_BYTES));
    assert_in_range(bytes, 1, INBOX_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_record_that_was_not_delivered_waits_from_then_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_are_woken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(doubt_stays_with_who_sleeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_to_be_told_again_stays_with_who_sleeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_inbox_keeps_to_its_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_woken_waits_from_then_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
