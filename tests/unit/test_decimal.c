/* Decimals and money: digit by digit, the decimals of each currency, rounding half away from zero. */
#include "common/decimal.h"
#include "tests/unit/unit.h"

static struct decimal decimal(const char *text)
{
    struct decimal read;
    if (!decimal_parse(span_of(text), &read)) fail_msg("not read: %s", text);
    return read;
}

static void assert_decimal(const char *text, int64_t digits, int scale)
{
    struct decimal read = decimal(text);
    assert_int_equal(read.digits, digits);
    assert_int_equal(read.scale, scale);
}

static void good_decimals(void **state)
{
    (void)state;
    assert_decimal("0", 0, 0);
    assert_decimal("-0.000", 0, 0);
    assert_decimal("7", 7, 0);
    assert_decimal("+7", 7, 0);
    assert_decimal("007", 7, 0);
    assert_decimal("-1250.00", -1250, 0);
    assert_decimal("1250.10", 12501, 1);
    assert_decimal("0.1", 1, 1); /* no double on the way */
    assert_decimal("0.30000000000000000000000000000", 3, 1);
    assert_decimal("0.000000000000000001", 1, 18);
    assert_decimal("9223372036854775807", INT64_MAX, 0);
    assert_decimal("-9223372036854775808", INT64_MIN, 0);
    assert_decimal("-9.223372036854775808", INT64_MIN, 18);
    assert_decimal("00000000000000000000000000000001", 1, 0);
}

static void assert_plain(const char *number, const char *plain)
{
    char room[DECIMAL_PLAIN_BYTES];
    struct span found = decimal_plain(span_of(number), room);
    if (!span_is(found, plain)) fail_msg("%s became %.*s, not %s", number, SPAN_ARG(found), plain);
}

static void exponents_are_written_out(void **state)
{
    (void)state;
    assert_plain("1250.00", "1250.00");
    assert_plain("1E+3", "1000");
    assert_plain("1e0", "1");
    assert_plain("-1.5e1", "-15");
    assert_plain("1.25e1", "12.5");
    assert_plain("125e-2", "1.25");
    assert_plain("125e-3", "0.125");
    assert_plain("5e-05", "0.00005");
    assert_plain("0.0125e3", "12.5");
    assert_plain("0.0125e1", "0.125");
    assert_plain("-0.00e-99", "0");
    assert_plain("1e100", "1" /* and a hundred zeros */
                          "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000");
    assert_plain("1e126", "");
    assert_plain("1e-126", "");
    assert_plain("1e99999999999999999999", "");
    assert_plain("-1e-99999999999999999999", "");
    char longest[200] = "";
    memset(longest, '9', 150);
    strcpy(longest + 150, "e1");
    assert_plain(longest, "");
}

static void bad_decimals(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "-",
        "+",
        ".",
        "-.5",
        ".5",
        "5.",
        "1.2.3",
        "1,5",
        "1e3",
        "1E3",
        "0x10",
        "1 ",
        " 1",
        "--1",
        "+-1",
        "1-",
        "1.-5",
        "nan",
        "inf",
        "1_0",
        "1'000",
        "\xD9\xA1",
        "9223372036854775808",
        "-9223372036854775809",
        "0.0000000000000000001",
        "92233720368547758.071",
        "99999999999999999999999999999999999999999999999999",
    };
    struct decimal read = { 5, 1 };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (decimal_parse(span_of(bad[i]), &read)) fail_msg("read as a decimal: %s", bad[i]);
    assert_false(decimal_parse((struct span){ "1\0", 2 }, &read));
    assert_false(decimal_parse(NO_SPAN, &read));
    assert_int_equal(read.digits, 5);
}

static void currencies(void **state)
{
    (void)state;
    assert_int_equal(currency_decimals(SPAN("EUR")), 2);
    assert_int_equal(currency_decimals(SPAN("XXQ")), 2);
    assert_int_equal(currency_decimals(SPAN("JPY")), 0);
    assert_int_equal(currency_decimals(SPAN("KRW")), 0);
    assert_int_equal(currency_decimals(SPAN("KWD")), 3);
    assert_int_equal(currency_decimals(SPAN("TND")), 3);
    assert_int_equal(currency_decimals(SPAN("CLF")), 4);
    assert_int_equal(currency_decimals(SPAN("UYW")), 4);
    assert_true(currency_valid(SPAN("EUR")));
    assert_false(currency_valid(SPAN("eur")));
    assert_false(currency_valid(SPAN("EU")));
    assert_false(currency_valid(SPAN("EURO")));
    assert_false(currency_valid(SPAN("E1R")));
    assert_false(currency_valid(NO_SPAN));
}

static void smallest_units(void **state)
{
    (void)state;
    assert_int_equal(decimal_minor(decimal("1250"), 2), 125000);
    assert_int_equal(decimal_minor(decimal("-1250.5"), 2), -125050);
    assert_int_equal(decimal_minor(decimal("1250.49"), 0), 1250);
    assert_int_equal(decimal_minor(decimal("1250.5"), 0), 1251);
    assert_int_equal(decimal_minor(decimal("-1250.5"), 0), -1251);
    assert_int_equal(decimal_minor(decimal("-1250.4999"), 0), -1250);
    assert_int_equal(decimal_minor(decimal("0.005"), 2), 1);
    assert_int_equal(decimal_minor(decimal("999999999999999"), 4), INT64_MAX);
    assert_int_equal(decimal_minor(decimal("-999999999999999"), 4), INT64_MIN);
}

static void what_fits(void **state)
{
    (void)state;
    assert_true(decimal_fits(decimal("1.25"), 2));
    assert_true(decimal_fits(decimal("1.25000"), 2));
    assert_false(decimal_fits(decimal("1.255"), 2));
    assert_false(decimal_fits(decimal("0.5"), 0));
    assert_true(decimal_fits(decimal("9999999999999.99"), 2));
    assert_true(decimal_fits(decimal("-9999999999999.99"), 2));
    assert_false(decimal_fits(decimal("10000000000000"), 2));
    assert_false(decimal_fits(decimal("-10000000000000.00"), 2));
    assert_true(decimal_fits(decimal("999999999999999"), 0));
    assert_false(decimal_fits(decimal("9223372036854775807"), 4));
}

static void quotients(void **state)
{
    (void)state;
    assert_int_equal(divide_rounded(7, 2), 4);
    assert_int_equal(divide_rounded(-7, 2), -4);
    assert_int_equal(divide_rounded(7, -2), -4);
    assert_int_equal(divide_rounded(-7, -2), 4);
    assert_int_equal(divide_rounded(1, 3), 0);
    assert_int_equal(divide_rounded(2, 3), 1);
    assert_int_equal(divide_rounded(-1, 2), -1);
    assert_int_equal(divide_rounded(0, 5), 0);
    assert_int_equal(divide_rounded(INT64_MIN, 1), INT64_MIN);
    assert_int_equal(divide_rounded((__int128)INT64_MAX * 1000, 1000), INT64_MAX);
    assert_int_equal(divide_rounded((__int128)INT64_MAX * 1000, 3), INT64_MAX);
}

static void assert_money(int64_t minor, int decimals, const char *expected)
{
    char text[MONEY_TEXT_BYTES];
    money_format(minor, decimals, text);
    assert_string_equal(text, expected);
}

static void money(void **state)
{
    (void)state;
    assert_money(1234500, 2, "12345.00");
    assert_money(-5, 2, "-0.05");
    assert_money(0, 2, "0.00");
    assert_money(0, 0, "0");
    assert_money(-42, 0, "-42");
    assert_money(10, 1, "1.0");
    assert_money(1, 3, "0.001");
    assert_money(100000, 4, "10.0000");
    assert_money(INT64_MAX, 2, "92233720368547758.07");
    assert_money(INT64_MIN, 4, "-922337203685477.5808");
    assert_money(INT64_MIN, 18, "-9.223372036854775808");
}

static void money_there_and_back(void **state)
{
    (void)state;
    for (int decimals = 0; decimals <= 4; decimals++) {
        for (int64_t minor = -100500; minor <= 100500; minor += 37) {
            char text[MONEY_TEXT_BYTES];
            money_format(minor, decimals, text);
            assert_int_equal(decimal_minor(decimal(text), decimals), minor);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_decimals),
        cmocka_unit_test(exponents_are_written_out),
        cmocka_unit_test(bad_decimals),
        cmocka_unit_test(currencies),
        cmocka_unit_test(smallest_units),
        cmocka_unit_test(what_fits),
        cmocka_unit_test(quotients),
        cmocka_unit_test(money),
        cmocka_unit_test(money_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
