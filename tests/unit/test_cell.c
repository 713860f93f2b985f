/* Cells: their fields and values there and back, what is malformed, adding without ever wrapping. */
#include "daemon/counters/cell.h"
#include "tests/unit/unit.h"

static struct rules rules; /* deals with the custom attributes region and tier */

static int declare_customs(void **state)
{
    (void)state;
    rules.kind[KIND_DEAL].custom[0] = "region";
    rules.kind[KIND_DEAL].custom[1] = "tier";
    rules.kind[KIND_DEAL].n_custom = 2;
    kind_set_customs(&rules, KIND_DEAL);
    return 0;
}

static struct cell_key key_of(enum fact fact)
{
    return (struct cell_key){ .fact = (uint16_t)fact, .n = (uint16_t)cell_dims(&rules, fact) };
}

static struct cell_key parsed(const char *field, const struct rules *by)
{
    struct cell_key key;
    if (!cell_field_parse(span_of(field), by, &key)) fail_msg("not read: %s", field);
    return key;
}

static void assert_field(const struct cell_key *key, const char *expected)
{
    struct buffer text = { 0 };
    cell_field_write(key, &rules, &text);
    buffer_byte(&text, 0);
    assert_string_equal(text.at, expected);
    buffer_deinit(&text);
    struct cell_key back = parsed(expected, &rules);
    assert_int_equal(back.fact, key->fact);
    assert_int_equal(back.n, key->n);
    assert_memory_equal(back.dims, key->dims, sizeof key->dims);
}

static void fields(void **state)
{
    (void)state;
    struct cell_key key = key_of(FACT_DEAL_WON);
    assert_int_equal(key.n, 12);
    assert_field(&key, "deal_won");
    key.dims[0] = 3, key.dims[1] = 1, key.dims[3] = 7;
    assert_field(&key, "deal_won:3,1,,7");
    key.dims[10] = 9;
    assert_field(&key, "deal_won:3,1,,7;region=9");
    key.dims[11] = UINT32_MAX;
    assert_field(&key, "deal_won:3,1,,7;region=9;tier=4294967295");
    key.dims[10] = 0, key.dims[0] = 0;
    assert_field(&key, "deal_won:,1,,7;tier=4294967295");
    key.dims[9] = 12;
    assert_field(&key, "deal_won:,1,,7,,,,,,12;tier=4294967295");
    key = key_of(FACT_DEAL_WON);
    key.dims[11] = 4;
    assert_field(&key, "deal_won;tier=4");
    key = key_of(FACT_DUPLICATE_EVENT);
    assert_int_equal(key.n, 0);
    assert_field(&key, "duplicate_event");
}

static void what_the_rules_do_not_know(void **state)
{
    (void)state;
    static const struct rules plain;
    struct cell_key key = parsed("deal_won:3;region=9", &plain);
    assert_int_equal(key.n, 10);
    assert_int_equal(key.dims[0], 3);
    assert_int_equal(key.dims[10], 0);
    key = parsed("deal_won:3;colour=9;tier=2", &rules);
    assert_int_equal(key.dims[10], 0);
    assert_int_equal(key.dims[11], 2);
    key = parsed("lead:1,2,3,4,5,6", &rules); /* of a table that had more */
    assert_int_equal(key.n, 4);
    assert_int_equal(key.dims[3], 4);
    assert_int_equal(key.dims[4], 0);
}

static void bad_fields(void **state)
{
    (void)state;
    static const char *const bad[] = { "",
                                       "nonsense",
                                       "nonsense:1",
                                       ":1",
                                       "deal_won:",
                                       "deal_won:1,",
                                       "deal_won:0",
                                       "deal_won:01",
                                       "deal_won:-1",
                                       "deal_won:+1",
                                       "deal_won: 1",
                                       "deal_won:1 ",
                                       "deal_won:x",
                                       "deal_won:1:2",
                                       "deal_won:4294967296",
                                       "deal_won:99999999999999999999",
                                       "deal_won;",
                                       "deal_won;region",
                                       "deal_won;region=",
                                       "deal_won;region=0",
                                       "deal_won;=1",
                                       "deal_won;region=1;",
                                       "deal_won;region=1,2",
                                       "deal_won:1;;region=1",
                                       "Deal_won:1",
                                       "deal_wo:1",
                                       "deal_won 1" };
    struct cell_key key;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (cell_field_parse(span_of(bad[i]), &rules, &key)) fail_msg("read as a field: %s", bad[i]);
    assert_false(cell_field_parse(NO_SPAN, &rules, &key));
}

static void assert_value(enum fact fact, const struct cell_value *value, const char *expected)
{
    struct buffer text = { 0 }, again = { 0 };
    cell_value_write(fact, value, &text);
    buffer_byte(&text, 0);
    assert_string_equal(text.at, expected);
    struct cell_value back = { .sums = { 99, 99, 99, 99, 99, 99 } };
    histogram_add(&back.spread[3], 5, 1);
    assert_true(cell_value_parse(fact, span_of(expected), &back));
    assert_memory_equal(back.sums, value->sums, sizeof back.sums);
    cell_value_write(fact, &back, &again);
    assert_true(span_is(buffer_all(&again), expected));
    buffer_deinit(&text);
    buffer_deinit(&again);
    cell_value_deinit(&back);
}

static void values(void **state)
{
    (void)state;
    struct cell_value value = { 0 };
    assert_true(cell_value_is_zero(&value));
    assert_value(FACT_DEAL_WON, &value, "");
    value.sums[0] = 1, value.sums[1] = 130000, value.sums[3] = 86400000, value.sums[4] = 2;
    assert_value(FACT_DEAL_WON, &value, "1 130000 0 86400000 2");
    histogram_add(&value.spread[3], 86400000, 1);
    assert_value(FACT_DEAL_WON, &value, "1 130000 0 86400000 2|seconds 1362:1");
    assert_false(cell_value_is_zero(&value));
    memset(value.sums, 0, sizeof value.sums);
    assert_false(cell_value_is_zero(&value)); /* +5 s and −5 s of two other days: sums are 0, the spread is not */
    assert_value(FACT_DEAL_WON, &value, "|seconds 1362:1");
    cell_value_clear(&value);
    assert_true(cell_value_is_zero(&value));

    value.sums[0] = INT64_MIN, value.sums[1] = INT64_MAX;
    histogram_add(&value.spread[1], 0, -1);
    histogram_add(&value.spread[2], 3, 1);
    histogram_add(&value.spread[2], 1, 1);
    assert_value(FACT_CASE_CLOSED, &value, "-9223372036854775808 9223372036854775807|seconds 0:-1|business_seconds 1:1,3:1");
    cell_value_deinit(&value);
}

static void bad_values(void **state)
{
    (void)state;
    static const char *const bad[] = { " ",
                                       "1 ",
                                       " 1",
                                       "1  2",
                                       "1,2",
                                       "x",
                                       "01",
                                       "1 2 3 4 5",
                                       "1|",
                                       "1|seconds",
                                       "1|seconds ",
                                       "1|seconds 1",
                                       "1|seconds 1:0",
                                       "1|seconds 1:1,",
                                       "1|seconds 1:1|",
                                       "1||seconds 1:1",
                                       "1 |seconds 1:1",
                                       "1|seconds 1:1|seconds 2:1",
                                       "1|count 1:1",
                                       "1|nonsense 1:1",
                                       "1|seconds  1:1",
                                       "1|seconds 1:1 2:1",
                                       "9223372036854775808" };
    struct cell_value value = { 0 };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (cell_value_parse(FACT_CASE_CLOSED, span_of(bad[i]), &value)) fail_msg("read as a value: %s", bad[i]);
        assert_true(cell_value_is_zero(&value));
    }
    cell_value_deinit(&value);
}

static void adding(void **state)
{
    (void)state;
    struct cell_value sum = { 0 }, value = { .sums = { 1, 250, 0, 1500, 2 } };
    histogram_add(&value.spread[3], 1500, 1);
    assert_true(cell_value_add(&sum, &value, 1));
    assert_true(cell_value_add(&sum, &value, 2));
    assert_int_equal(sum.sums[1], 750);
    assert_int_equal(histogram_total(&sum.spread[3]), 3);
    assert_true(cell_value_add(&sum, &value, -3));
    assert_true(cell_value_is_zero(&sum));
    cell_value_deinit(&sum);
    cell_value_deinit(&value);
}

static void overflow_changes_nothing(void **state)
{
    (void)state;
    struct cell_value sum = { .sums = { 5, INT64_MAX - 1 } }, one = { .sums = { 1, 1 } }, least = { .sums = { 1, INT64_MIN } };
    histogram_add(&one.spread[3], 7, 1);
    assert_true(cell_value_add(&sum, &one, 1));
    assert_false(cell_value_add(&sum, &one, 1));
    assert_false(cell_value_add(&sum, &least, -1));
    assert_int_equal(sum.sums[0], 6);
    assert_int_equal(sum.sums[1], INT64_MAX);
    assert_int_equal(histogram_total(&sum.spread[3]), 1);
    assert_true(cell_value_add(&sum, &least, 1));
    assert_int_equal(sum.sums[1], -1);
    cell_value_deinit(&sum);
    cell_value_deinit(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(what_the_rules_do_not_know),
        cmocka_unit_test(bad_fields),
        cmocka_unit_test(values),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(adding),
        cmocka_unit_test(overflow_changes_nothing),
    };
    return cmocka_run_group_tests(tests, declare_customs, NULL);
}
