/* Periods: units of the calendar and of fiscal years, the named ones, the ones before, leap days. */
#include "common/period.h"
#include "tests/unit/unit.h"

static struct rules rules_of(int week_start, int fiscal_year_start)
{
    return (struct rules){ .week_start = week_start, .fiscal_year_start = fiscal_year_start };
}

static void assert_period(struct period period, const char *from, const char *to)
{
    char text[2][DAY_TEXT_BYTES];
    day_format(period.from, text[0]);
    day_format(period.to, text[1]);
    assert_string_equal(text[0], from);
    assert_string_equal(text[1], to);
}

static void assert_unit(const struct rules *rules, const char *unit_name, const char *at, const char *from, const char *to,
                        const char *label)
{
    enum unit unit;
    char text[LABEL_BYTES];
    assert_true(unit_parse(span_of(unit_name), &unit));
    assert_period(unit_period(rules, unit, day(at)), from, to);
    unit_label(rules, unit, day(at), text);
    assert_string_equal(text, label);
}

static void calendar_units(void **state)
{
    (void)state;
    struct rules rules = rules_of(0, 1);
    assert_unit(&rules, "day", "2026-03-04", "2026-03-04", "2026-03-04", "2026-03-04");
    assert_unit(&rules, "week", "2026-03-04", "2026-03-02", "2026-03-08", "2026-03-02");
    assert_unit(&rules, "week", "2026-03-08", "2026-03-02", "2026-03-08", "2026-03-02");
    assert_unit(&rules, "month", "2024-02-10", "2024-02-01", "2024-02-29", "2024-02");
    assert_unit(&rules, "month", "2100-02-10", "2100-02-01", "2100-02-28", "2100-02");
    assert_unit(&rules, "quarter", "2026-03-31", "2026-01-01", "2026-03-31", "2026-Q1");
    assert_unit(&rules, "quarter", "2026-12-31", "2026-10-01", "2026-12-31", "2026-Q4");
    assert_unit(&rules, "year", "2026-07-01", "2026-01-01", "2026-12-31", "2026");
    assert_unit(&rules, "week", "1969-12-31", "1969-12-29", "1970-01-04", "1969-12-29");
    assert_unit(&rules, "quarter", "1900-01-01", "1900-01-01", "1900-03-31", "1900-Q1");
    enum unit unit;
    assert_false(unit_parse(SPAN("decade"), &unit));
    assert_false(unit_parse(SPAN("Day"), &unit));
    assert_false(unit_parse(NO_SPAN, &unit));
}

static void weeks_begin_where_they_should(void **state)
{
    (void)state;
    struct rules sunday = rules_of(6, 1), saturday = rules_of(5, 1);
    assert_unit(&sunday, "week", "2026-03-01", "2026-03-01", "2026-03-07", "2026-03-01");
    assert_unit(&sunday, "week", "2026-02-28", "2026-02-22", "2026-02-28", "2026-02-22");
    assert_unit(&saturday, "week", "2026-03-06", "2026-02-28", "2026-03-06", "2026-02-28");
}

static void fiscal_units(void **state)
{
    (void)state;
    struct rules april = rules_of(0, 4), december = rules_of(0, 12), february = rules_of(0, 2);
    assert_unit(&april, "quarter", "2027-01-01", "2027-01-01", "2027-03-31", "2026-Q4");
    assert_unit(&april, "quarter", "2027-03-31", "2027-01-01", "2027-03-31", "2026-Q4");
    assert_unit(&april, "quarter", "2027-04-01", "2027-04-01", "2027-06-30", "2027-Q1");
    assert_unit(&april, "year", "2027-03-31", "2026-04-01", "2027-03-31", "2026");
    assert_unit(&april, "month", "2027-03-31", "2027-03-01", "2027-03-31", "2027-03");
    assert_unit(&december, "year", "2026-11-30", "2025-12-01", "2026-11-30", "2025");
    assert_unit(&december, "quarter", "2026-02-01", "2025-12-01", "2026-02-28", "2025-Q1");
    assert_unit(&december, "quarter", "2024-02-29", "2023-12-01", "2024-02-29", "2023-Q1");
    assert_unit(&february, "quarter", "2026-01-15", "2025-11-01", "2026-01-31", "2025-Q4");
}

/* Units cover the calendar without gap or overlap, and a label names one unit only. */
static void units_follow_each_other(void **state)
{
    (void)state;
    for (int fiscal = 1; fiscal <= 12; fiscal++) {
        struct rules rules = rules_of(fiscal % 7, fiscal);
        for (int unit = 0; unit < N_UNITS; unit++) {
            char before[LABEL_BYTES] = "", label[LABEL_BYTES];
            for (int32_t at = day("1995-01-01"); at < day("2005-01-01");) {
                struct period period = unit_period(&rules, (enum unit)unit, at);
                assert_true(period.from <= at && at <= period.to);
                struct period last = unit_period(&rules, (enum unit)unit, period.to);
                assert_true(last.from == period.from && last.to == period.to);
                unit_label(&rules, (enum unit)unit, period.to, label);
                assert_true(strcmp(before, label) < 0);
                memcpy(before, label, sizeof before);
                at = period.to + 1;
                assert_int_equal(unit_period(&rules, (enum unit)unit, at).from, at);
            }
        }
    }
}

struct named_case {
    const char *name, *from, *to, *previous_from, *previous_to;
};

/* On Wednesday, March 4, 2026. */
/* clang-format off */
static const struct named_case named_cases[] = {
    { "today",        "2026-03-04", "2026-03-04", "2026-03-03", "2026-03-03" },
    { "yesterday",    "2026-03-03", "2026-03-03", "2026-03-02", "2026-03-02" },
    { "tomorrow",     "2026-03-05", "2026-03-05", "2026-03-04", "2026-03-04" },
    { "this_week",    "2026-03-02", "2026-03-08", "2026-02-23", "2026-03-01" },
    { "last_week",    "2026-02-23", "2026-03-01", "2026-02-16", "2026-02-22" },
    { "next_week",    "2026-03-09", "2026-03-15", "2026-03-02", "2026-03-08" },
    { "this_month",   "2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28" },
    { "last_month",   "2026-02-01", "2026-02-28", "2026-01-01", "2026-01-31" },
    { "next_month",   "2026-04-01", "2026-04-30", "2026-03-01", "2026-03-31" },
    { "this_quarter", "2026-01-01", "2026-03-31", "2025-10-01", "2025-12-31" },
    { "last_quarter", "2025-10-01", "2025-12-31", "2025-07-01", "2025-09-30" },
    { "next_quarter", "2026-04-01", "2026-06-30", "2026-01-01", "2026-03-31" },
    { "this_year",    "2026-01-01", "2026-12-31", "2025-01-01", "2025-12-31" },
    { "last_year",    "2025-01-01", "2025-12-31", "2024-01-01", "2024-12-31" },
    { "next_year",    "2027-01-01", "2027-12-31", "2026-01-01", "2026-12-31" },
    { "last_7_days",  "2026-02-26", "2026-03-04", "2026-02-19", "2026-02-25" },
    { "last_30_days", "2026-02-03", "2026-03-04", "2026-01-04", "2026-02-02" },
    { "last_90_days", "2025-12-05", "2026-03-04", "2025-09-06", "2025-12-04" },
};
/* clang-format on */

static void labels_are_read_back(void **state)
{
    (void)state;
    static const char *const none[] = { "",        "2026-", "2026-13",    "2026xQ1", "2026-Q0", "2026-Q5",
                                        "2026-q1", "26",    "2026-03-01", "abcd",    "abcd-Q1" };
    struct period period;
    for (int start = 1; start <= 12; start++) {
        struct rules rules = rules_of(0, start);
        for (int unit = UNIT_MONTH; unit <= UNIT_YEAR; unit++) {
            char label[LABEL_BYTES];
            struct period expected = unit_period(&rules, (enum unit)unit, day("2026-03-04"));
            unit_label(&rules, (enum unit)unit, day("2026-03-04"), label);
            assert_true(period_labelled(&rules, span_of(label), &period));
            assert_int_equal(period.from, expected.from);
            assert_int_equal(period.to, expected.to);
        }
        for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_false(period_labelled(&rules, span_of(none[i]), &period));
    }
}

static void named_periods(void **state)
{
    (void)state;
    struct rules rules = rules_of(0, 1);
    size_t n = sizeof named_cases / sizeof named_cases[0], names = 0;
    for (const struct named_case *row = named_cases; row < named_cases + n; row++) {
        struct span name = span_of(row->name);
        struct period period, other;
        assert_true(period_named(&rules, name, day("2026-03-04"), &period));
        assert_period(period, row->from, row->to);
        assert_true(period_previous(&rules, name, period, &other));
        assert_period(other, row->previous_from, row->previous_to);
    }
    while (period_names[names]) names++;
    assert_int_equal(names, n + 1); /* and "all" */
}

static void all_has_no_other(void **state)
{
    (void)state;
    struct rules rules = rules_of(0, 1);
    struct period period, other;
    assert_true(period_named(&rules, SPAN("all"), 0, &period));
    assert_int_equal(period.from, PERIOD_BEGIN);
    assert_int_equal(period.to, PERIOD_END);
    assert_false(period_previous(&rules, SPAN("all"), period, &other));
    assert_false(period_previous(&rules, NO_SPAN, period, &other));
    assert_false(period_named(&rules, SPAN("last_8_days"), 0, &period));
    assert_false(period_named(&rules, SPAN("All"), 0, &period));
    assert_false(period_named(&rules, NO_SPAN, 0, &period));
}

static void fiscal_named_periods(void **state)
{
    (void)state;
    struct rules rules = rules_of(0, 4);
    struct period period;
    assert_true(period_named(&rules, SPAN("this_year"), day("2026-03-04"), &period));
    assert_period(period, "2025-04-01", "2026-03-31");
    assert_true(period_named(&rules, SPAN("this_quarter"), day("2026-03-04"), &period));
    assert_period(period, "2026-01-01", "2026-03-31");
    assert_true(period_named(&rules, SPAN("next_quarter"), day("2026-03-04"), &period));
    assert_period(period, "2026-04-01", "2026-06-30");
}

static void ranges_and_leap_days(void **state)
{
    (void)state;
    struct rules rules = rules_of(0, 1);
    struct period period = { day("2024-02-28"), day("2024-02-29") }, other;
    assert_true(period_previous(&rules, NO_SPAN, period, &other));
    assert_period(other, "2024-02-26", "2024-02-27");

    period = month_period(2025 * 12 + 1); /* a month by name is a month, by its dates it is those dates */
    assert_period(period, "2025-02-01", "2025-02-28");
    assert_true(period_previous(&rules, NO_SPAN, period, &other));
    assert_period(other, "2025-01-04", "2025-01-31");
}

static void months(void **state)
{
    (void)state;
    assert_int_equal(month_of_day(day("2026-03-31")), 2026 * 12 + 2);
    assert_int_equal(month_of_day(day("1969-12-31")), 1969 * 12 + 11);
    for (int32_t month = 1900 * 12; month < 2200 * 12; month++) {
        struct period period = month_period(month);
        assert_int_equal(month_of_day(period.from), month);
        assert_int_equal(month_of_day(period.to), month);
        assert_int_equal(month_of_day(period.to + 1), month + 1);
    }
    static const char *const none[] = { "", "2026", "2026-", "2026-1", "2026-13", "2026-00", "2026-Q1", "2026-03-01" };
    char label[LABEL_BYTES];
    int32_t month;
    month_label(2026 * 12 + 2, label);
    assert_string_equal(label, "2026-03");
    assert_true(month_parse(span_of(label), &month));
    assert_int_equal(month, 2026 * 12 + 2);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_false(month_parse(span_of(none[i]), &month));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar_units),       cmocka_unit_test(weeks_begin_where_they_should),
        cmocka_unit_test(fiscal_units),         cmocka_unit_test(units_follow_each_other),
        cmocka_unit_test(labels_are_read_back), cmocka_unit_test(named_periods),
        cmocka_unit_test(all_has_no_other),     cmocka_unit_test(fiscal_named_periods),
        cmocka_unit_test(ranges_and_leap_days), cmocka_unit_test(months),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
