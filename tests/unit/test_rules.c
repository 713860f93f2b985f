/* A tenant's rules: lists, and business time over nights, holidays, days of 23 and 25 hours and hours up to 24:00. */
#include "common/rules.h"
#include "daemon/settings/zones.h"
#include "tests/unit/unit.h"

enum {
    HOUR_MS = 3600 * 1000,
    NINE = 9 * 3600,
    SEVENTEEN = 17 * 3600,
    MIDNIGHT = 86400
};

static struct zones zones;

/* Monday to Friday, 09:00 to 17:00. */
static struct rules office(const char *zone)
{
    struct error error = { 0 };
    struct rules rules = { .zone = zones_get(&zones, zone, &error), .fiscal_year_start = 1 };
    if (!rules.zone) fail_msg("%s", error.text);
    for (int weekday = 0; weekday < 5; weekday++) {
        rules.business_hours[weekday].n = 1;
        rules.business_hours[weekday].open[0] = (struct open_hours){ NINE, SEVENTEEN };
    }
    return rules;
}

/* The same hours on all days. */
static struct rules daily(const char *zone, int32_t from_s, int32_t to_s)
{
    struct rules rules = office(zone);
    for (int weekday = 0; weekday < 7; weekday++) {
        rules.business_hours[weekday].n = 1;
        rules.business_hours[weekday].open[0] = (struct open_hours){ from_s, to_s };
    }
    return rules;
}

static void assert_business(const struct rules *rules, const char *from, const char *to, int64_t expected_ms)
{
    int64_t got_ms = rules_business_ms(rules, instant(from), instant(to));
    if (got_ms != expected_ms) fail_msg("%s to %s: %ld ms, expected %ld", from, to, (long)got_ms, (long)expected_ms);
}

static void within_a_day(void **state)
{
    (void)state;
    struct rules rules = office("UTC"); /* 2026-03-02 is a Monday */
    assert_business(&rules, "2026-03-02T10:00:00Z", "2026-03-02T11:30:00Z", 90 * 60000);
    assert_business(&rules, "2026-03-02T08:00:00Z", "2026-03-02T18:00:00Z", 8 * HOUR_MS);
    assert_business(&rules, "2026-03-02T17:00:00Z", "2026-03-03T09:00:00Z", 0);
    assert_business(&rules, "2026-03-02T16:59:59.9995Z", "2026-03-03T09:00:00.0005Z", 1); /* 2 × 0.5 ms */
    assert_business(&rules, "2026-03-02T16:59:59.9995Z", "2026-03-03T09:00:00.0004Z", 0);
    assert_business(&rules, "2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z", 0);
    assert_business(&rules, "2026-03-02T11:00:00Z", "2026-03-02T10:00:00Z", 0);
}

static void over_weekends_and_holidays(void **state)
{
    (void)state;
    struct rules rules = office("UTC");
    assert_business(&rules, "2026-02-27T16:00:00Z", "2026-03-02T10:00:00Z", 2 * HOUR_MS);
    assert_business(&rules, "2026-02-28T00:00:00Z", "2026-03-02T00:00:00Z", 0);
    assert_business(&rules, "2026-03-02T00:00:00Z", "2026-03-30T00:00:00Z", 20 * 8 * HOUR_MS);
    int32_t holidays[] = { day("2026-01-01"), day("2026-03-03"), day("2026-03-04"), day("2026-12-25") };
    rules.holidays = holidays;
    rules.n_holidays = 4;
    assert_business(&rules, "2026-03-02T16:00:00Z", "2026-03-05T10:00:00Z", 2 * HOUR_MS);
    assert_business(&rules, "2026-03-03T09:00:00Z", "2026-03-04T17:00:00Z", 0);
    assert_business(&rules, "2026-03-02T00:00:00Z", "2026-03-30T00:00:00Z", 18 * 8 * HOUR_MS);
}

static void several_times_a_day(void **state)
{
    (void)state;
    struct rules rules = office("UTC");
    rules.business_hours[0].n = 2;
    rules.business_hours[0].open[0] = (struct open_hours){ 8 * 3600, 12 * 3600 };
    rules.business_hours[0].open[1] = (struct open_hours){ 13 * 3600, 17 * 3600 + 1800 };
    assert_business(&rules, "2026-03-02T11:00:00Z", "2026-03-02T14:00:00Z", 2 * HOUR_MS);
    assert_business(&rules, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", 17 * HOUR_MS / 2);
    rules.business_hours[0].n = 0;
    assert_business(&rules, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", 0);
}

static void by_local_time(void **state)
{
    (void)state;
    struct rules rules = office("Europe/Berlin");
    assert_business(&rules, "2026-03-02T07:00:00Z", "2026-03-02T09:00:00Z", HOUR_MS);
    struct rules tokyo = office("Asia/Tokyo"); /* Monday 09:00 there is Monday 00:00 UTC */
    assert_business(&tokyo, "2026-03-01T23:00:00Z", "2026-03-02T01:00:00Z", HOUR_MS);
    /* the clock goes forward on Sunday: 40 hours a week all the same */
    assert_business(&rules, "2026-03-23T00:00:00Z", "2026-04-06T00:00:00Z", 80 * HOUR_MS);
}

static void days_of_23_and_25_hours(void **state)
{
    (void)state;
    struct rules rules = daily("Europe/Berlin", 0, MIDNIGHT);
    assert_business(&rules, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 23 * HOUR_MS);
    assert_business(&rules, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 25 * HOUR_MS);
    assert_business(&rules, "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", 31 * 24 * (int64_t)HOUR_MS);

    rules = daily("Europe/Berlin", 1 * 3600, 4 * 3600);
    assert_business(&rules, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 2 * HOUR_MS);
    assert_business(&rules, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 4 * HOUR_MS);

    rules = daily("Europe/Berlin", 2 * 3600 + 900, 2 * 3600 + 2700); /* 02:15 to 02:45 */
    assert_business(&rules, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 0);
    assert_business(&rules, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", HOUR_MS / 2); /* the first one counts */

    rules = daily("Europe/Berlin", 2 * 3600 + 1800, 4 * 3600); /* from the instant of the change on */
    assert_business(&rules, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", HOUR_MS);
}

static void up_to_midnight(void **state)
{
    (void)state;
    struct rules rules = daily("America/Sao_Paulo", 22 * 3600, MIDNIGHT);
    /* 2018-11-04 began at 01:00; 2018-02-17 had its last hour twice */
    assert_business(&rules, "2018-11-03T12:00:00Z", "2018-11-04T12:00:00Z", 2 * HOUR_MS);
    assert_business(&rules, "2018-02-17T12:00:00Z", "2018-02-18T12:00:00Z", 3 * HOUR_MS);
    rules = daily("America/Sao_Paulo", 0, 2 * 3600);
    assert_business(&rules, "2018-11-03T12:00:00Z", "2018-11-04T12:00:00Z", HOUR_MS);
    rules = daily("Pacific/Apia", 0, MIDNIGHT); /* without 2011-12-30 */
    assert_business(&rules, "2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z", 48 * HOUR_MS);
}

/* The clock went back from 00:01 to 23:01: the new day had begun, ended and began again. */
static void back_over_midnight(void **state)
{
    (void)state;
    struct rules rules = daily("America/St_Johns", 0, MIDNIGHT);
    assert_business(&rules, "2006-10-29T00:00:00Z", "2006-10-30T00:00:00Z", 24 * HOUR_MS);
    assert_business(&rules, "2006-10-29T02:31:30Z", "2006-10-29T02:41:30Z", 10 * 60000);
    assert_business(&rules, "2006-10-29T02:30:30Z", "2006-10-29T02:41:30Z", 11 * 60000);
}

/* All hours are business hours: every interval is as long as it is, and the parts of one make the whole. */
static void always_open(void **state)
{
    (void)state;
    struct rules rules = daily("America/New_York", 0, MIDNIGHT);
    int64_t at_us = instant("2020-01-01T00:00:00Z"), sum_ms = 0;
    for (int64_t step = 1; step < 400; step++) {
        int64_t next_us = at_us + step * 3 * HOUR_MS / 7 * 1000;
        int64_t part_ms = rules_business_ms(&rules, at_us, next_us);
        assert_int_equal(part_ms, (next_us - at_us) / 1000);
        sum_ms += part_ms;
        at_us = next_us;
    }
    assert_int_equal(rules_business_ms(&rules, instant("2020-01-01T00:00:00Z"), at_us), sum_ms);
}

static void lists(void **state)
{
    (void)state;
    struct map sources = { 0 };
    struct rules rules = { 0 };
    map_put(&sources, SPAN("web"), "web");
    map_put(&rules.lists, SPAN("source"), &sources);
    assert_false(rules_unlisted(&rules, "source", SPAN("web")));
    assert_true(rules_unlisted(&rules, "source", SPAN("Web")));
    assert_true(rules_unlisted(&rules, "source", SPAN("fair")));
    assert_false(rules_unlisted(&rules, "stage", SPAN("fair")));
    map_deinit(&sources);
    map_deinit(&rules.lists);
}

static int forget(void **state)
{
    (void)state;
    zones_deinit(&zones);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_a_day),
        cmocka_unit_test(over_weekends_and_holidays),
        cmocka_unit_test(several_times_a_day),
        cmocka_unit_test(by_local_time),
        cmocka_unit_test(days_of_23_and_25_hours),
        cmocka_unit_test(up_to_midnight),
        cmocka_unit_test(back_over_midnight),
        cmocka_unit_test(always_open),
        cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
