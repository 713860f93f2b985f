/* Exact fractions: exact as far as amounts and counts go, near beyond that, never wrapped. */
#include "common/decimal.h"
#include "daemon/catalogue/rational.h"
#include "tests/unit/unit.h"

#include <math.h>

/* The largest amount there is, 15 digits in its smallest unit. */
#define LARGEST INT64_C(999999999999999)

static void assert_near(struct rational a, double expected)
{
    double relative = fabs(rational_double(a) / expected - 1);
    if (relative > 1e-15) fail_msg("%.17g instead of %.17g", rational_double(a), expected);
}

/* An amount by a share of counts, as forecasts are made: the product is long, the denominator is not even. */
static void amounts_by_shares_are_exact(void **state)
{
    (void)state;
    struct rational amount = rational_of(200 * LARGEST, 1);
    assert_int_equal(rational_rounded(rational_multiply(amount, rational_of(100, 151))), INT64_C(132450331125827682));
    assert_int_equal(rational_rounded(rational_multiply(rational_of(LARGEST, 1), rational_of(18500, 37001))),
                     INT64_C(499986486851706));
    assert_int_equal(rational_rounded(rational_multiply(rational_of(-INT64_MAX, 1), rational_of(INT64_MAX - 1, INT64_MAX))),
                     -(INT64_MAX - 1));
}

static void a_sum_of_unlike_shares_is_exact(void **state)
{
    (void)state;
    struct rational sum = rational_of(0, 1);
    for (int i = 1; i <= 40; i++) sum = rational_add(sum, rational_of(1, i));
    struct rational back = sum;
    for (int i = 40; i >= 1; i--) back = rational_subtract(back, rational_of(1, i));
    assert_true(rational_is_zero(back));
    assert_near(sum, 4.2785430389363755);
}

/* Longer than two of them have room together: as near as doubles are. */
static void what_is_too_long_is_near(void **state)
{
    (void)state;
    const struct rational share = rational_of(INT64_C(1000000000000000003), INT64_C(3000000000000000007));
    struct rational power = rational_of(1, 1);
    for (int i = 0; i < 5; i++) power = rational_multiply(power, share);
    assert_near(power, 1. / 243);
    for (int i = 0; i < 5; i++) power = rational_divide(power, share);
    assert_near(power, 1);
    struct rational mixed = rational_multiply(rational_of((__int128)1 << 70, 151), rational_of(151, ((__int128)1 << 60) + 1));
    assert_near(mixed, 1024);
    assert_int_equal(rational_compare(rational_of((__int128)1 << 65, 7), rational_of((__int128)1 << 64, 7)), 1);
}

static void what_is_larger_than_all_stays_the_largest(void **state)
{
    (void)state;
    struct rational large = rational_of(INT64_MAX, 1);
    for (int i = 0; i < 5; i++) large = rational_multiply(large, rational_of(INT64_MAX, 1));
    assert_int_equal(rational_rounded(large), INT64_MAX);
    assert_int_equal(rational_rounded(rational_subtract(rational_of(0, 1), large)), -INT64_MAX);
}

static void null_makes_null(void **state)
{
    (void)state;
    struct rational one = rational_of(1, 1);
    assert_true(rational_is_null(rational_of(3, 0)));
    assert_true(rational_is_null(rational_add(one, RATIONAL_NULL)));
    assert_true(rational_is_null(rational_multiply(RATIONAL_NULL, one)));
    assert_true(rational_is_null(rational_divide(one, rational_of(0, 1))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_by_shares_are_exact),
        cmocka_unit_test(a_sum_of_unlike_shares_is_exact),
        cmocka_unit_test(what_is_too_long_is_near),
        cmocka_unit_test(what_is_larger_than_all_stays_the_largest),
        cmocka_unit_test(null_makes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
