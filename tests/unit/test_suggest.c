/* "Did you mean …?" */
#include "common/suggest.h"
#include "tests/unit/unit.h"

static int distance(const char *a, const char *b)
{
    int there = edit_distance(span_of(a), span_of(b));
    assert_int_equal(there, edit_distance(span_of(b), span_of(a)));
    return there;
}

static void distances_count_edits(void **state)
{
    (void)state;
    assert_int_equal(distance("", ""), 0);
    assert_int_equal(distance("", "abc"), 3);
    assert_int_equal(distance("revenue", "revenue"), 0);
    assert_int_equal(distance("revenue", "revnue"), 1);
    assert_int_equal(distance("revenue", "revneue"), 1); /* swapped */
    assert_int_equal(distance("kitten", "sitting"), 3);
    assert_int_equal(distance("won", "lost"), 3);
    char long_name[66] = { 0 };
    memset(long_name, 'a', 65);
    assert_int_equal(distance(long_name, "a"), 99);
}

static void the_nearest_is_suggested_if_near_enough(void **state)
{
    (void)state;
    static const char *const names[] = { "open_deals", "open_amount", "won_deals", NULL };
    assert_string_equal(suggest_from(SPAN("open_deal"), names), "open_deals");
    assert_string_equal(suggest_from(SPAN("wondeals"), names), "won_deals");
    assert_null(suggest_from(SPAN("leads"), names));
    assert_null(suggest_from(SPAN(""), names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_count_edits),
        cmocka_unit_test(the_nearest_is_suggested_if_near_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
