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

static void who_is_woken_waits_from_then_on(void **state)
{
    struct publisher *publisher = ((struct house *)*state)->publisher;
    struct desk *desk = desk_create(publisher->engine, tenant);
    sleepers_put(publisher, desk);
    desk_destroy(desk);
    int64_t from_us = publisher_monotonic();
    sleepers_wake(publisher, INT64_MAX);
    check_waits_since(map_get(&publisher->desks, tenant), from_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_record_that_was_not_delivered_waits_from_then_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_woken_waits_from_then_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
