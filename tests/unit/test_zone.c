/* Time zones: loaded from the system, asked at days of 23 and 25 hours, at midnights that do not exist, and in 2100. */
#include "common/zone_bytes.h"
#include "daemon/settings/zone_file.h"
#include "daemon/settings/zone_rule.h"
#include "daemon/settings/zones.h"
#include "tests/unit/unit.h"

static struct zones zones;

static const struct zone *zone(const char *name)
{
    struct error error = { 0 };
    const struct zone *found = zones_get(&zones, name, &error);
    if (!found) fail_msg("%s", error.text);
    return found;
}

static double hours_of_day(const char *name, const char *date)
{
    int64_t begin_us = zone_midnight(zone(name), day(date)), end_us = zone_midnight(zone(name), day(date) + 1);
    return (double)(end_us - begin_us) / 3600e6;
}

static void assert_midnight(const char *name, const char *date, const char *expected)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(zone_midnight(zone(name), day(date)), text);
    assert_string_equal(text, expected);
}

static int offset(const char *name, const char *at)
{
    return zone_offset(zone(name), instant(at));
}

static void offsets(void **state)
{
    (void)state;
    assert_int_equal(offset("UTC", "2026-03-02T00:00:00Z"), 0);
    assert_int_equal(offset("Asia/Kolkata", "2026-03-02T00:00:00Z"), 19800);
    assert_int_equal(offset("Europe/Berlin", "2026-03-29T00:59:59.999999Z"), 3600);
    assert_int_equal(offset("Europe/Berlin", "2026-03-29T01:00:00Z"), 7200);
    assert_int_equal(offset("Europe/Berlin", "2026-10-25T00:59:59.999999Z"), 7200);
    assert_int_equal(offset("Europe/Berlin", "2026-10-25T01:00:00Z"), 3600);
    assert_int_equal(offset("Australia/Lord_Howe", "2026-01-15T00:00:00Z"), 39600);
    assert_int_equal(offset("Australia/Lord_Howe", "2026-07-15T00:00:00Z"), 37800);
}

static void rules_hold_after_the_listed_changes(void **state)
{
    (void)state;
    assert_int_equal(offset("America/New_York", "2100-07-01T00:00:00Z"), -4 * 3600);
    assert_int_equal(offset("America/New_York", "2100-01-01T00:00:00Z"), -5 * 3600);
    assert_int_equal(offset("America/New_York", "2199-07-01T00:00:00Z"), -4 * 3600);
    assert_int_equal(offset("Australia/Sydney", "2100-01-01T00:00:00Z"), 11 * 3600);
    assert_int_equal(offset("Australia/Sydney", "2100-07-01T00:00:00Z"), 10 * 3600);
    /* winter is the exception there: IST-1GMT0,M10.5.0,M3.5.0/1 */
    assert_int_equal(offset("Europe/Dublin", "2100-01-01T00:00:00Z"), 0);
    assert_int_equal(offset("Europe/Dublin", "2100-07-01T00:00:00Z"), 3600);
    /* March 29, 2099, 02:00 in Berlin: the last Sunday */
    assert_int_equal(offset("Europe/Berlin", "2099-03-29T00:59:59Z"), 3600);
    assert_int_equal(offset("Europe/Berlin", "2099-03-29T01:00:00Z"), 7200);
}

static void days_have_their_hours(void **state)
{
    (void)state;
    assert_true(hours_of_day("Europe/Berlin", "2026-03-02") == 24);
    assert_true(hours_of_day("Europe/Berlin", "2026-03-29") == 23);
    assert_true(hours_of_day("Europe/Berlin", "2026-10-25") == 25);
    assert_true(hours_of_day("Australia/Lord_Howe", "2026-04-05") == 24.5);
    assert_true(hours_of_day("America/Sao_Paulo", "2018-11-04") == 23);
    assert_true(hours_of_day("Pacific/Apia", "2011-12-30") == 0); /* the day that was left out */
}

static void midnights_that_do_not_exist(void **state)
{
    (void)state;
    assert_midnight("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"); /* 00:00 became 01:00 */
    assert_midnight("Africa/Cairo", "2023-04-28", "2023-04-27T22:00:00.000Z");
    assert_midnight("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z");
    assert_midnight("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00.000Z");
    assert_int_equal(local_day(instant("2018-11-04T03:00:00Z"), offset("America/Sao_Paulo", "2018-11-04T03:00:00Z")),
                     day("2018-11-04"));
}

static void midnights_that_come_twice(void **state)
{
    (void)state;
    /* Havana went back from 01:00 to 00:00: the first counts */
    assert_midnight("America/Havana", "2025-11-02", "2025-11-02T04:00:00.000Z");
    assert_true(hours_of_day("America/Havana", "2025-11-02") == 25);
    /* Sao Paulo went back from 00:00 to 23:00: the midnight after that hour is the only one */
    assert_midnight("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00.000Z");
    assert_true(hours_of_day("America/Sao_Paulo", "2018-02-17") == 25);
}

static void local_times(void **state)
{
    (void)state;
    const struct zone *berlin = zone("Europe/Berlin");
    int32_t forward = day("2026-03-29"), back = day("2026-10-25");
    assert_int_equal(zone_instant(berlin, forward, 2 * 3600 - 1), instant("2026-03-29T00:59:59Z"));
    assert_int_equal(zone_instant(berlin, forward, 2 * 3600), instant("2026-03-29T01:00:00Z"));
    assert_int_equal(zone_instant(berlin, forward, 2 * 3600 + 1800), instant("2026-03-29T01:00:00Z"));
    assert_int_equal(zone_instant(berlin, forward, 3 * 3600), instant("2026-03-29T01:00:00Z"));
    assert_int_equal(zone_instant(berlin, forward, 3 * 3600 + 1), instant("2026-03-29T01:00:01Z"));
    assert_int_equal(zone_instant(berlin, back, 2 * 3600), instant("2026-10-25T00:00:00Z"));
    assert_int_equal(zone_instant(berlin, back, 3 * 3600), instant("2026-10-25T02:00:00Z"));
    assert_int_equal(zone_instant(berlin, back, 86400), zone_midnight(berlin, back + 1));
}

/* Every local time is the first instant that shows it, or lies in a gap; whatever the zone. */
static void local_times_agree_with_offsets(void **state)
{
    (void)state;
    static const char *const names[] = { "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Gaza", "Africa/Casablanca" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct zone *at = zone(names[i]);
        int64_t before_us = INT64_MIN;
        for (int32_t second = 0; second < 2000 * 86400; second += 1800) {
            int32_t local = day("2009-01-01") + second / 86400;
            int64_t found_us = zone_instant(at, local, second % 86400);
            int64_t shown_s = found_us / MICROS_PER_SECOND + zone_offset(at, found_us);
            int64_t asked_s = (int64_t)local * 86400 + second % 86400;
            assert_true(found_us >= before_us);
            assert_true(shown_s >= asked_s);
            int64_t just_before_s = found_us / MICROS_PER_SECOND - 1 + zone_offset(at, found_us - 1);
            assert_true(shown_s == asked_s || just_before_s < asked_s);
            before_us = found_us;
        }
    }
}

static void names(void **state)
{
    (void)state;
    assert_ptr_equal(zone("Europe/Berlin"), zone("Europe/Berlin"));
    assert_true(zone("Europe/Berlin")->fingerprint != zone("Europe/Vienna")->fingerprint);
    static const char *const bad[] = { "",          "Europe",      "Europe/",      "/Europe/Berlin", "../zoneinfo/UTC",
                                       "right/UTC", "zone.tab",    "localtime",    "Europe/Berlin ", "+02:00",
                                       "CET-1CEST", "Europe//Nix", "Nix/Nirgends", "europe/berlin" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error error = { 0 };
        if (zones_get(&zones, bad[i], &error)) fail_msg("found: %s", bad[i]);
        assert_non_null(strstr(error.text, "unknown time zone"));
    }
    struct error error = { 0 };
    assert_null(zones_get(&zones, "Europe/Berlni", &error));
    assert_string_equal(error.text, "unknown time zone \"Europe/Berlni\", did you mean \"Europe/Berlin\"?");
}

static void a_zone_comes_back_from_few_bytes(void **state)
{
    (void)state;
    static const char *const names[] = {
        "UTC",          "Europe/Berlin", "America/New_York", "Asia/Kolkata",     "Africa/Casablanca", "Asia/Tehran",
        "Pacific/Apia", "Asia/Gaza",     "Africa/Cairo",     "Antarctica/Troll", "Europe/Dublin",     "America/Sao_Paulo"
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct buffer bytes = { 0 };
        struct arena arena = { 0 };
        struct zone again = { 0 };
        const struct zone *was = zone(names[i]);
        zone_write(was, &bytes);
        assert_true(zone_read(buffer_all(&bytes), &again, &arena));
        assert_int_equal(again.n_steps, was->n_steps);
        for (size_t step = 0; step < was->n_steps; step++) {
            assert_int_equal(again.steps[step].from_us, was->steps[step].from_us);
            assert_int_equal(again.steps[step].offset_s, was->steps[step].offset_s);
        }
        if (bytes.len > 2 * was->n_steps + 1000) fail_msg("%s: %zu bytes for %zu steps", names[i], bytes.len, was->n_steps);
        for (size_t cut = 1; cut < bytes.len && cut < 100; cut++) { /* whatever it says, it ends */
            struct zone broken = { 0 };
            (void)!zone_read((struct span){ bytes.at + cut, bytes.len - cut }, &broken, &arena);
        }
        assert_false(zone_read((struct span){ bytes.at, 1 }, &again, &arena));
        assert_false(zone_read(NO_SPAN, &again, &arena));
        arena_deinit(&arena);
        buffer_deinit(&bytes);
    }
}

static void utc_needs_no_file(void **state)
{
    (void)state;
    struct zones none = { 0 };
    struct error error = { 0 };
    setenv("TZDIR", "/nonexistent", 1);
    const struct zone *utc = zones_get(&none, "UTC", &error);
    const struct zone *berlin = zones_get(&none, "Europe/Berlin", &error);
    unsetenv("TZDIR");
    assert_non_null(utc);
    assert_int_equal(utc->fingerprint, zone("UTC")->fingerprint);
    assert_null(berlin);
    assert_non_null(strstr(error.text, "/nonexistent/Europe/Berlin: No such file"));
    zones_deinit(&none);
}

static void assert_turns(const char *text, int year, const char *first, int first_s, const char *second, int second_s)
{
    struct zone_rule rule;
    struct zone_turn turns[2];
    assert_true(zone_rule_parse(span_of(text), &rule));
    assert_true(rule.changes);
    zone_rule_turns(&rule, year, turns);
    assert_int_equal(turns[0].at_s, instant(first) / MICROS_PER_SECOND);
    assert_int_equal(turns[0].offset_s, first_s);
    assert_int_equal(turns[1].at_s, instant(second) / MICROS_PER_SECOND);
    assert_int_equal(turns[1].offset_s, second_s);
}

static void good_rules(void **state)
{
    (void)state;
    struct zone_rule rule;
    assert_true(zone_rule_parse(SPAN("<+0530>-5:30"), &rule));
    assert_false(rule.changes);
    assert_int_equal(rule.standard_s, 19800);
    assert_turns("EST5EDT,M3.2.0,M11.1.0", 2026, "2026-03-08T07:00:00Z", -14400, "2026-11-01T06:00:00Z", -18000);
    assert_turns("IST-1GMT0,M10.5.0,M3.5.0/1", 2026, "2026-03-29T01:00:00Z", 3600, "2026-10-25T01:00:00Z", 0);
    assert_turns("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2026, "2026-03-29T01:00:00Z", -3600, "2026-10-25T01:00:00Z", -7200);
    assert_turns("EET-2EEST,M3.4.4/50,M10.4.4/50", 2026, "2026-03-28T00:00:00Z", 10800, "2026-10-23T23:00:00Z", 7200);
    assert_turns("AAA3BBB,J60,J300/1:30:15", 2024, "2024-03-01T05:00:00Z", -7200, "2024-10-27T03:30:15Z", -10800);
    assert_turns("AAA3BBB,59,299", 2024, "2024-02-29T05:00:00Z", -7200, "2024-10-26T04:00:00Z", -10800);
    assert_turns("AAA3BBB,59,299", 2023, "2023-03-01T05:00:00Z", -7200, "2023-10-27T04:00:00Z", -10800);
}

static void bad_rules(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "CET",
                                       "C1",
                                       "CET-",
                                       "<>-1",
                                       "<CET-1",
                                       "CET-25",
                                       "CET-1:60",
                                       "CET-1CEST",
                                       "CET-1CEST,",
                                       "CET-1CEST,M3.5.0",
                                       "CET-1CEST,M3.5.0,",
                                       "CET-1CEST,M3.5.0,M10.5.0/3 ",
                                       "CET-1CEST,M13.5.0,M10.5.0",
                                       "CET-1CEST,M0.5.0,M10.5.0",
                                       "CET-1CEST,M3.0.0,M10.5.0",
                                       "CET-1CEST,M3.6.0,M10.5.0",
                                       "CET-1CEST,M3.5.7,M10.5.0",
                                       "CET-1CEST,M3.5,M10.5.0",
                                       "CET-1CEST,J0,J365",
                                       "CET-1CEST,J1,J366",
                                       "CET-1CEST,J1/168,J365",
                                       "CET-1CEST,M3.5.0/,M10.5.0" };
    struct zone_rule rule;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (zone_rule_parse(span_of(bad[i]), &rule)) fail_msg("read as a rule: %s", bad[i]);
}

/* A file of version 2: an empty old block, the changes given, two types (+1 h, +2 h), the rule behind. */
static void put_file(struct buffer *file, const int64_t *times, int n, const char *rule)
{
    static const uint8_t types[] = { 0, 0, 0x0E, 0x10, 0, 0, 0, 0, 0x1C, 0x20, 1, 0 };
    for (int block = 0; block < 2; block++) {
        uint32_t counts[] = { 0, 0, 0, block ? (uint32_t)n : 0, 2, 4 };
        buffer_str(file, "TZif2");
        for (int i = 0; i < 15; i++) buffer_byte(file, 0);
        for (int i = 0; i < 6; i++)
            for (int shift = 24; shift >= 0; shift -= 8) buffer_byte(file, (uint8_t)(counts[i] >> shift));
        for (int i = 0; block && i < n; i++)
            for (int shift = 56; shift >= 0; shift -= 8) buffer_byte(file, (uint8_t)((uint64_t)times[i] >> shift));
        for (int i = 0; block && i < n; i++) buffer_byte(file, (uint8_t)((i + 1) % 2));
        buffer_put(file, types, sizeof types);
        buffer_put(file, "XXX", 4);
    }
    buffer_byte(file, '\n');
    buffer_str(file, rule);
    buffer_byte(file, '\n');
}

static bool parse(const int64_t *times, int n, const char *rule, struct zone *into)
{
    struct buffer file = { 0 };
    struct error error = { 0 };
    put_file(&file, times, n, rule);
    bool parsed = zone_file_parse(buffer_all(&file), into, &error);
    assert_int_equal(parsed, !error.text[0]);
    buffer_deinit(&file);
    return parsed;
}

static void files(void **state)
{
    (void)state;
    struct zone at = { 0 };
    assert_true(parse((int64_t[]){ -(INT64_C(1) << 59), 1000, 2000, 2000 }, 4, "", &at));
    /* the beginning is +2; 1000: +1; at 2000 the later of both: +1, so nothing */
    assert_int_equal(at.n_steps, 2);
    assert_int_equal(at.steps[0].offset_s, 7200);
    assert_int_equal(at.steps[1].from_us, 1000 * MICROS_PER_SECOND);
    free(at.steps);

    assert_true(parse(NULL, 0, "XXX-3", &at));
    assert_int_equal(at.n_steps, 1);
    assert_int_equal(at.steps[0].offset_s, 10800);
    free(at.steps);

    assert_true(parse(NULL, 0, "XXX3EDT4,0/0,J365/23", &at)); /* summer all year */
    assert_int_equal(at.n_steps, 3);
    assert_int_equal(zone_offset(&at, instant("2026-01-01T03:00:00Z")), -4 * 3600);
    free(at.steps);

    assert_false(parse((int64_t[]){ 2000, 1000 }, 2, "", &at));
    assert_false(parse((int64_t[]){ 1000 }, 1, "nonsense", &at));
    assert_false(parse((int64_t[]){ INT64_MAX }, 1, "", &at));
}

static void cut_files_are_refused(void **state)
{
    (void)state;
    struct buffer file = { 0 };
    put_file(&file, (int64_t[]){ 1000, 2000 }, 2, "CET-1CEST,M3.5.0,M10.5.0/3");
    for (size_t n = 0; n < file.len; n++) {
        struct error error = { 0 };
        struct zone at = { 0 };
        char *copy = malloc(n ? n : 1); /* so that a read beyond the end is seen */
        memcpy(copy, file.at, n);
        assert_false(zone_file_parse((struct span){ copy, n }, &at, &error));
        assert_true(error.text[0]);
        free(copy);
    }
    buffer_deinit(&file);
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
        cmocka_unit_test(offsets),
        cmocka_unit_test(rules_hold_after_the_listed_changes),
        cmocka_unit_test(days_have_their_hours),
        cmocka_unit_test(midnights_that_do_not_exist),
        cmocka_unit_test(midnights_that_come_twice),
        cmocka_unit_test(local_times),
        cmocka_unit_test(local_times_agree_with_offsets),
        cmocka_unit_test(names),
        cmocka_unit_test(a_zone_comes_back_from_few_bytes),
        cmocka_unit_test(utc_needs_no_file),
        cmocka_unit_test(good_rules),
        cmocka_unit_test(bad_rules),
        cmocka_unit_test(files),
        cmocka_unit_test(cut_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
