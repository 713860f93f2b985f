/* Histograms: percentiles against the exact order statistic, sums and differences, the text form. */
#include "common/histogram.h"
#include "tests/unit/unit.h"

#include <math.h>

enum {
    VALUES_MAX = 3000
};

static uint64_t seed = 42;

static uint64_t dice(void) /* splitmix64 */
{
    uint64_t z = seed += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

/* All magnitudes alike often, and 0 and 1 not seldom. */
static int64_t any_duration(void)
{
    int bits = (int)(dice() % 64);
    return bits ? (int64_t)(dice() >> (64 - bits)) : 0;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Nearest rank, in integers: the smallest with at least that percentage at or below it. */
static int64_t exact(const int64_t *sorted, size_t n, int percent)
{
    size_t rank = (n * (size_t)percent + 99) / 100;
    return sorted[(rank ? rank : 1) - 1];
}

static void assert_percentiles(int64_t *values, size_t n)
{
    struct histogram histogram = { 0 };
    for (size_t i = 0; i < n; i++) histogram_add(&histogram, values[i], 1);
    assert_int_equal(histogram_total(&histogram), n);
    qsort(values, n, sizeof *values, by_value);
    static const int percents[] = { 0, 1, 7, 29, 50, 90, 95, 99, 100 };
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++) {
        double want = (double)exact(values, n, percents[i]), got = histogram_percentile(&histogram, percents[i] / 100.0);
        if (fabs(got - want) > want * 0.01) fail_msg("p%d of %zu values: %.1f, exact %.1f", percents[i], n, got, want);
    }
    histogram_deinit(&histogram);
}

static void percentiles_are_near(void **state)
{
    (void)state;
    static int64_t values[VALUES_MAX];
    for (int round = 0; round < 300; round++) {
        size_t n = 1 + dice() % (round % 10 ? 40 : VALUES_MAX);
        for (size_t i = 0; i < n; i++) values[i] = any_duration();
        assert_percentiles(values, n);
    }
}

static void small_values_are_exact(void **state)
{
    (void)state;
    for (int64_t value = 0; value < 128; value++) {
        struct histogram histogram = { 0 };
        histogram_add(&histogram, value, 3);
        assert_true(histogram_percentile(&histogram, 0.5) == (double)value);
        histogram_deinit(&histogram);
    }
    assert_percentiles((int64_t[]){ 0, 1 }, 2);
    assert_percentiles((int64_t[]){ 0, 0, 0, 1, 1, 2 }, 6);
}

/* Each power of two and its neighbours, where buckets change their width; and the longest duration there is. */
static void edges(void **state)
{
    (void)state;
    for (int bits = 0; bits < 63; bits++)
        for (int beside = -1; beside <= 1; beside++) assert_percentiles((int64_t[]){ (INT64_C(1) << bits) + beside }, 1);
    assert_percentiles((int64_t[]){ INT64_MAX, INT64_MAX - 1 }, 2);
}

static void shares_are_not_rounded_up(void **state)
{
    (void)state;
    struct histogram histogram = { 0 };
    for (int64_t value = 1; value <= 100; value++) histogram_add(&histogram, value, 1);
    for (int percent = 1; percent <= 100; percent++)
        assert_true(histogram_percentile(&histogram, percent / 100.0) == (double)percent);
    histogram_deinit(&histogram);
}

static void assert_text(const struct histogram *histogram, const char *expected)
{
    struct buffer text = { 0 };
    histogram_write(histogram, &text);
    assert_true(span_is(buffer_all(&text), expected));
    buffer_deinit(&text);
}

static void differences_leave_nothing(void **state)
{
    (void)state;
    struct histogram all = { 0 }, part = { 0 };
    for (int i = 0; i < 500; i++) {
        int64_t value = any_duration();
        histogram_add(&part, value, 1 + i % 3);
        histogram_add(&all, value, 1 + i % 3);
    }
    histogram_merge(&all, &part, 2);
    assert_int_equal(histogram_total(&all), 3 * histogram_total(&part));
    histogram_merge(&all, &part, 0);
    histogram_merge(&all, &part, -1);
    histogram_merge(&all, &part, -2);
    assert_int_equal(all.n, 0);
    histogram_merge(&all, &part, -1);
    assert_int_equal(histogram_total(&all), -histogram_total(&part));
    histogram_deinit(&all);
    histogram_deinit(&part);
}

static void assert_same(const struct histogram *a, const struct histogram *b)
{
    struct histogram_bar one, other;
    const struct histogram_bar *as = histogram_bars(a, &one), *bs = histogram_bars(b, &other);
    assert_int_equal(a->n, b->n);
    for (uint32_t i = 0; i < a->n; i++) {
        assert_int_equal(as[i].bucket, bs[i].bucket);
        assert_int_equal(as[i].count, bs[i].count);
    }
}

/* Merging is adding value by value, in any order. */
static void merging_is_adding(void **state)
{
    (void)state;
    for (int round = 0; round < 500; round++) {
        struct histogram added = { 0 }, merged = { 0 }, other = { 0 };
        for (int i = (int)(dice() % 30); i > 0; i--) {
            int64_t value = (int64_t)(dice() % 40), count = (int64_t)(dice() % 7) - 3;
            histogram_add(&added, value, count);
            histogram_add(i % 2 ? &merged : &other, value, count);
        }
        histogram_merge(&merged, &other, 1);
        assert_same(&merged, &added);
        struct histogram_bar one;
        const struct histogram_bar *bars = histogram_bars(&merged, &one);
        for (uint32_t i = 0; i < merged.n; i++) {
            assert_true(bars[i].count != 0);
            assert_true(!i || bars[i - 1].bucket < bars[i].bucket);
        }
        histogram_deinit(&added);
        histogram_deinit(&merged);
        histogram_deinit(&other);
    }
}

/* However few come to however many: into bars that are there, before, between and behind them, and out of them again. */
static void few_go_into_many(void **state)
{
    (void)state;
    for (int few = 1; few <= 40; few++) {
        struct histogram many = { 0 }, part = { 0 }, before = { 0 }, added = { 0 };
        for (int i = 0; i < 200; i++) {
            int64_t value = 10 + (int64_t)(dice() % 5000), count = 1 + (int64_t)(dice() % 3);
            histogram_add(&many, value, count);
            histogram_add(&before, value, count);
            histogram_add(&added, value, count);
        }
        for (int i = 0; i < few; i++) {
            int64_t value = (int64_t)(dice() % 9000), count = (int64_t)(dice() % 5) - 2;
            histogram_add(&part, value, count);
            histogram_add(&added, value, 2 * count);
        }
        histogram_merge(&many, &part, 2);
        assert_same(&many, &added);
        histogram_merge(&many, &part, -2);
        assert_same(&many, &before);
        histogram_deinit(&many);
        histogram_deinit(&part);
        histogram_deinit(&before);
        histogram_deinit(&added);
    }
}

/* One bar lies in the histogram; a second one needs memory; whatever comes and goes, the numbers are the same. */
static void one_bar_takes_no_memory(void **state)
{
    (void)state;
    struct histogram histogram = { 0 }, other = { 0 };
    histogram_add(&histogram, 0, 2);
    histogram_add(&histogram, 0, 3);
    assert_int_equal(histogram_bytes(&histogram), 0);
    assert_text(&histogram, "0:5");
    assert_int_equal(histogram_total(&histogram), 5);
    histogram_add(&histogram, 0, -5);
    assert_int_equal(histogram.n, 0);
    histogram_add(&histogram, 86400000, -1); /* another, after the first has gone */
    histogram_merge(&histogram, &(struct histogram){ 0 }, 1);
    assert_text(&histogram, "1362:-1");
    assert_int_equal(histogram_bytes(&histogram), 0);
    histogram_merge(&other, &histogram, -3);
    assert_text(&other, "1362:3");
    assert_true(histogram_percentile(&other, 0.5) == histogram_percentile(&other, 1));
    histogram_add(&histogram, 7, 1);
    assert_text(&histogram, "7:1,1362:-1");
    assert_true(histogram_bytes(&histogram) > 0);
    histogram_merge(&histogram, &other, 1);
    assert_text(&histogram, "7:1,1362:2");
    histogram_add(&histogram, 7, -1);
    assert_text(&histogram, "1362:2"); /* in its memory now */
    histogram_merge(&other, &histogram, 1);
    assert_text(&other, "1362:5");
    histogram_clear(&other);
    assert_text(&other, "");
    histogram_add(&other, 9, 1);
    assert_text(&other, "9:1");
    histogram_deinit(&other);
    histogram_deinit(&histogram);
}

static void texts(void **state)
{
    (void)state;
    struct histogram histogram = { 0 };
    assert_text(&histogram, "");
    assert_true(histogram_parse(&histogram, NO_SPAN));
    histogram_add(&histogram, 86400000, 2);
    histogram_add(&histogram, 7, -1);
    assert_text(&histogram, "7:-1,1362:2");
    assert_true(histogram_parse(&histogram, SPAN("7:1,9:4")));
    assert_text(&histogram, "9:4,1362:2");
    histogram_clear(&histogram);
    assert_text(&histogram, "");
    histogram_add(&histogram, INT64_MAX, 1);
    assert_text(&histogram, "3711:1");
    histogram_deinit(&histogram);
}

static void bad_texts(void **state)
{
    (void)state;
    static const char *const bad[] = { "1",       "1:",   ":1",   "1:0",  "1:1,",   ",1:1",          "1:1,,2:1",
                                       "1:1 ",    " 1:1", "1: 1", "-1:1", "3712:1", "x:1",           "1:x",
                                       "1:1;2:1", "01:1", "1:01", "1:+1", "1:1:1",  "99999999999:1", "1:9223372036854775808" };
    struct histogram histogram = { 0 };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (histogram_parse(&histogram, span_of(bad[i]))) fail_msg("read as a histogram: %s", bad[i]);
    histogram_deinit(&histogram);
}

static void counts_do_not_wrap(void **state)
{
    (void)state;
    struct histogram histogram = { 0 }, other = { 0 };
    histogram_add(&histogram, 5, INT64_MAX);
    histogram_add(&histogram, 5, INT64_MAX);
    histogram_add(&histogram, 6, INT64_MAX);
    assert_int_equal(histogram_total(&histogram), INT64_MAX);
    histogram_merge(&other, &histogram, -3);
    assert_int_equal(histogram_total(&other), INT64_MIN);
    histogram_deinit(&histogram);
    histogram_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_near),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(edges),
        cmocka_unit_test(shares_are_not_rounded_up),
        cmocka_unit_test(differences_leave_nothing),
        cmocka_unit_test(merging_is_adding),
        cmocka_unit_test(few_go_into_many),
        cmocka_unit_test(one_bar_takes_no_memory),
        cmocka_unit_test(texts),
        cmocka_unit_test(bad_texts),
        cmocka_unit_test(counts_do_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
