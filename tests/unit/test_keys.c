/* Names in the state that are read back. */
#include "daemon/state/keys.h"
#include "tests/unit/unit.h"

static void timers_are_readable(void **state)
{
    (void)state;
    static const char *const wrong[] = { "", "deal", "deal:", "dea:1", "\00217", "17", ":1", "deals:1" };
    struct arena arena = { 0 };
    enum kind kind;
    struct span id;
    for (int each = 0; each < N_ENTITY_KINDS; each++) {
        struct span member = timer_member(&arena, (enum kind)each, SPAN("a:b/ü"));
        assert_true(timer_member_read(member, &kind, &id));
        assert_int_equal(kind, each);
        assert_true(span_is(id, "a:b/ü"));
    }
    assert_true(span_is(timer_member(&arena, KIND_DEAL, SPAN("D-1")), "deal:D-1"));
    assert_true(span_is(timer_member(&arena, KIND_ADDRESS, SPAN("e1")), "address:e1"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(timer_member_read(span_of(wrong[i]), &kind, &id));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(timers_are_readable) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
