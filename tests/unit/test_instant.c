/* Instants and civil days: every day there and back, RFC 3339 as it should be and as it should not. */
#include "tests/unit/unit.h"

static int32_t civil_day(int year, int month, int day_of_month)
{
    return day_of_civil((struct civil){ year, month, day_of_month });
}

static void every_day_there_and_back(void **state)
{
    (void)state;
    int weekday = day_weekday(civil_day(1899, 12, 31));
    assert_int_equal(weekday, 6); /* a Sunday */
    for (int32_t at = civil_day(1900, 1, 1); at <= civil_day(2199, 12, 31); at++) {
        struct civil civil = civil_of_day(at), before = civil_of_day(at - 1);
        assert_true(civil_valid(civil));
        assert_int_equal(day_of_civil(civil), at);
        if (civil.day > 1)
            assert_int_equal(civil.day, before.day + 1);
        else
            assert_int_equal(civil.month, before.month % 12 + 1);
        weekday = (weekday + 1) % 7;
        assert_int_equal(day_weekday(at), weekday);
    }
}

static void known_days(void **state)
{
    (void)state;
    assert_int_equal(civil_day(1970, 1, 1), 0);
    assert_int_equal(civil_day(2026, 3, 2), 20514);
    assert_int_equal(day_weekday(civil_day(2026, 3, 2)), 0);
    assert_int_equal(civil_day(2000, 3, 1) - civil_day(2000, 2, 28), 2);
    assert_int_equal(civil_day(1900, 3, 1) - civil_day(1900, 2, 28), 1);
    assert_int_equal(civil_day(2100, 3, 1) - civil_day(2100, 2, 28), 1);
    assert_false(civil_valid((struct civil){ 2100, 2, 29 }));
    assert_true(civil_valid((struct civil){ 2096, 2, 29 }));
    assert_false(civil_valid((struct civil){ 0, 12, 31 }));
    assert_true(civil_valid((struct civil){ 9999, 12, 31 }));
    assert_false(civil_valid((struct civil){ 10000, 1, 1 }));
}

static void good_instants(void **state)
{
    (void)state;
    assert_int_equal(instant("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(instant("1969-12-31T23:59:59.999999Z"), -1);
    assert_int_equal(instant("2026-03-02T14:05:12.400Z"), INT64_C(1772460312400000));
    assert_int_equal(instant("2026-03-02t15:05:12.4+01:00"), INT64_C(1772460312400000));
    assert_int_equal(instant("2026-03-02T08:35:12.4z"), instant("2026-03-02T14:05:12.4+05:30"));
    assert_int_equal(instant("2026-03-02T00:00:00-00:00"), instant("2026-03-02T00:00:00Z"));
    assert_int_equal(instant("2026-03-02T00:00:00.1234567899999Z"), instant("2026-03-02T00:00:00.123456Z"));
    assert_int_equal(instant("2026-01-01T00:30:00+23:59"), instant("2025-12-31T00:31:00Z"));
    assert_int_equal(instant("2024-02-29T23:59:59Z") + MICROS_PER_SECOND, instant("2024-03-01T00:00:00Z"));
}

static void years_are_those_of_utc(void **state)
{
    (void)state;
    int64_t at_us;
    assert_int_equal(instant("9999-12-31T23:30:00Z"), INT64_C(253402299000000000));
    assert_false(instant_parse(SPAN("0001-01-01T00:30:00+01:00"), &at_us));
    assert_false(instant_parse(SPAN("9999-12-31T23:30:00-01:00"), &at_us));
    assert_true(instant_is_possible(instant("1899-12-31T23:30:00-01:00")));
    assert_true(instant_is_possible(instant("2200-01-01T00:30:00+01:00")));
    assert_false(instant_is_possible(instant("1900-01-01T00:30:00+01:00")));
    assert_false(instant_is_possible(instant("2199-12-31T23:30:00-01:00")));
    assert_true(instant_is_possible(instant("2199-12-31T23:59:59.999999Z")));
    assert_false(instant_is_possible(NO_INSTANT) || instant_is_possible(NEVER));
}

static void leap_seconds_are_the_next(void **state)
{
    (void)state;
    int64_t at_us;
    assert_int_equal(instant("2016-12-31T23:59:60Z"), instant("2017-01-01T00:00:00Z"));
    assert_int_equal(instant("2017-01-01T00:59:60.5+01:00"), instant("2017-01-01T00:00:00.5Z"));
    assert_false(instant_parse(SPAN("2016-12-31T12:30:60Z"), &at_us));
    assert_false(instant_parse(SPAN("2016-12-30T23:59:60Z"), &at_us));
    assert_false(instant_parse(SPAN("2016-12-31T23:59:60+01:00"), &at_us));
    assert_false(instant_parse(SPAN("9999-12-31T23:59:60Z"), &at_us));
}

static void bad_instants(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026",
        "2026-03-02",
        "2026-03-02T",
        "2026-03-02T14",
        "2026-03-02T14:05",
        "2026-03-02T14:05Z",
        "2026-03-02T14:05:12",
        "2026-03-02 14:05:12Z",
        "2026-03-02T14:05:12 Z",
        " 2026-03-02T14:05:12Z",
        "2026-03-02T14:05:12Z ",
        "2026-03-02T14:05:12ZZ",
        "2026-03-02T14:05:12.Z",
        "2026-03-02T14:05:12,4Z",
        "2026-03-02T14:05:12.4",
        "2026-03-02T14:05:12.4.4Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T23:60:00Z",
        "2026-03-02T23:59:61Z",
        "2026-03-02T14:05:12+1:00",
        "2026-03-02T14:05:12+0100",
        "2026-03-02T14:05:12+01",
        "2026-03-02T14:05:12+01:",
        "2026-03-02T14:05:12+01:0",
        "2026-03-02T14:05:12+24:00",
        "2026-03-02T14:05:12+01:60",
        "2026-03-02T14:05:12+01:00:00",
        "2026-03-02T14:05:12\342\210\22201:00",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-1-01T00:00:00Z",
        "26-01-01T00:00:00Z",
        "+2026-01-01T00:00:00Z",
        "-2026-01-01T00:00:00Z",
        "02026-01-01T00:00:00Z",
        "2026/01/01T00:00:00Z",
        "20260101T000000Z",
        "0000-01-01T00:00:00Z",
        "2O26-01-01T00:00:00Z",
        "2026-01-01T00:00:0\xD9\xA0Z",
        "1772460312",
        "Mon, 02 Mar 2026 14:05:12 GMT",
    };
    int64_t at_us = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (instant_parse(span_of(bad[i]), &at_us)) fail_msg("read as an instant: %s", bad[i]);
    assert_false(instant_parse((struct span){ "2026-03-02T14:05:12Z\0", 21 }, &at_us));
    assert_false(instant_parse(NO_SPAN, &at_us));
    assert_int_equal(at_us, 7);
}

static void every_beginning_is_bad(void **state)
{
    (void)state;
    const char *text = "2026-03-02T14:05:12.400+01:00";
    int64_t at_us;
    for (size_t n = 0; n < strlen(text); n++) assert_false(instant_parse((struct span){ text, n }, &at_us));
}

static void days(void **state)
{
    (void)state;
    int32_t at;
    assert_true(day_parse(SPAN("2024-02-29"), &at));
    assert_int_equal(at, civil_day(2024, 2, 29));
    assert_true(day_parse(SPAN("9999-12-31"), &at) && day_parse(SPAN("0001-01-01"), &at));
    static const char *const bad[] = { "2023-02-29",
                                       "2024-2-29",
                                       "2024-02-29 ",
                                       "2024-02-29T00:00:00Z",
                                       "",
                                       "0000-12-31",
                                       "10000-01-01",
                                       "2024-02-30",
                                       "20240229",
                                       "2024-02",
                                       "0" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(day_parse(span_of(bad[i]), &at));
}

static void local_days(void **state)
{
    (void)state;
    int64_t at_us = instant("2026-03-01T23:30:00Z");
    assert_int_equal(local_day(at_us, 0), civil_day(2026, 3, 1));
    assert_int_equal(local_day(at_us, 3600), civil_day(2026, 3, 2));
    assert_int_equal(local_day(instant("1969-12-31T23:59:59.999999Z"), 0), -1);
    assert_int_equal(local_day(0, -1), -1);
    assert_int_equal(local_day(INT64_MAX, 86400), INT64_MAX / MICROS_PER_DAY + 1);
}

static void texts(void **state)
{
    (void)state;
    char text[INSTANT_TEXT_BYTES];
    instant_format(instant("2026-03-02T14:05:12.4009Z"), text);
    assert_string_equal(text, "2026-03-02T14:05:12.400Z");
    instant_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    day_format(civil_day(1900, 1, 1), text);
    assert_string_equal(text, "1900-01-01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_there_and_back),
        cmocka_unit_test(known_days),
        cmocka_unit_test(good_instants),
        cmocka_unit_test(years_are_those_of_utc),
        cmocka_unit_test(leap_seconds_are_the_next),
        cmocka_unit_test(bad_instants),
        cmocka_unit_test(every_beginning_is_bad),
        cmocka_unit_test(days),
        cmocka_unit_test(local_days),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
