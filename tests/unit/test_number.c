/* Whole numbers at the front of a text, in one form only. */
#include "common/number.h"
#include "tests/unit/unit.h"

static void assert_taken(const char *text, int64_t expected, const char *left)
{
    struct span rest = span_of(text);
    int64_t value;
    if (!number_take(&rest, &value)) fail_msg("not taken: %s", text);
    assert_int_equal(value, expected);
    assert_true(span_is(rest, left));
}

static void good_numbers(void **state)
{
    (void)state;
    assert_taken("0", 0, "");
    assert_taken("12,3", 12, ",3");
    assert_taken("-7:", -7, ":");
    assert_taken("9223372036854775807 1", INT64_MAX, " 1");
    assert_taken("-9223372036854775808", INT64_MIN, "");
}

static void bad_numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "-", "+1", " 1", "x", ",", "--1", "01", "-0", "00", "-01", "9223372036854775808", "-9223372036854775809"
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct span rest = span_of(bad[i]);
        int64_t value = 5;
        if (number_take(&rest, &value)) fail_msg("taken: %s", bad[i]);
        assert_true(span_is(rest, bad[i]));
        assert_int_equal(value, 5);
        assert_int_equal(number_or_zero(rest), 0);
    }
    assert_int_equal(number_or_zero(SPAN("-12")), -12);
    assert_int_equal(number_or_zero(SPAN("12 ")), 0);
    assert_int_equal(number_or_zero(NO_SPAN), 0);
}

static void pieces(void **state)
{
    (void)state;
    struct span text = SPAN("a=b|c");
    assert_true(span_is(until_take(&text, '='), "a"));
    assert_false(byte_take(&text, '|'));
    assert_true(byte_take(&text, '='));
    assert_true(span_is(until_take(&text, '|'), "b"));
    assert_true(byte_take(&text, '|'));
    assert_true(span_is(until_take(&text, '|'), "c"));
    assert_int_equal(text.len, 0);
    assert_false(byte_take(&text, '|'));
    text = NO_SPAN;
    assert_int_equal(until_take(&text, '|').len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_numbers),
        cmocka_unit_test(bad_numbers),
        cmocka_unit_test(pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
