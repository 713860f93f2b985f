/* The one mark that speaks for all slots of a cluster: never beyond what any of them says. */
#include "daemon/source/source.h"
#include "daemon/state/slot_marks.h"
#include "tests/unit/unit.h"

enum {
    SLOTS = 3
};

struct fixture {
    struct slot_marks slots[SLOTS], *all[SLOTS];
    struct arena arena;
    struct mark *marks;
    size_t n;
};

static int begin(void **state)
{
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    for (size_t i = 0; i < SLOTS; i++) fixture->all[i] = &fixture->slots[i];
    *state = fixture;
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < SLOTS; i++) slot_marks_deinit(&fixture->slots[i]);
    arena_deinit(&fixture->arena);
    free(fixture);
    return 0;
}

static void set(struct fixture *fixture, size_t slot, int64_t next, uint64_t life)
{
    struct mark mark = {
        .partition = SPAN("crm.deals:0"), .next = next, .last = next - 1, .last_timestamp_us = next * 10, .life = life
    };
    slot_marks_set(&fixture->slots[slot], &mark);
}

static const struct mark *merged(struct fixture *fixture)
{
    slot_marks_merge(fixture->all, SLOTS, &fixture->marks, &fixture->n, &fixture->arena);
    assert_int_equal(fixture->n, 1);
    assert_true(span_is(fixture->marks[0].partition, "crm.deals:0"));
    return &fixture->marks[0];
}

static void the_lowest_with_its_record(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, 0, 90, 7);
    set(fixture, 1, 40, 7);
    set(fixture, 2, 60, 7);
    const struct mark *mark = merged(fixture);
    assert_int_equal(mark->next, 40);
    assert_int_equal(mark->last, 39);
    assert_int_equal(mark->last_timestamp_us, 400);
    assert_int_equal(mark->life, 7);
}

/* The record stays that by which the partition is recognised: positions still hold. */
static void a_slot_that_has_lost_its_mark(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, 0, 90, 7);
    set(fixture, 2, 60, 7);
    const struct mark *mark = merged(fixture);
    assert_int_equal(mark->next, 0);
    assert_int_equal(mark->last, 59);
    assert_int_equal(mark->life, 7);
}

static void a_new_slot_says_nothing(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, 0, 90, 7);
    set(fixture, 2, 60, 7);
    fixture->slots[1].is_new = true;
    assert_int_equal(merged(fixture)->next, 60);
    set(fixture, 1, 50, 7); /* but what it has counts */
    assert_int_equal(merged(fixture)->next, 50);
}

static void lives_that_differ(void **state)
{
    struct fixture *fixture = *state;
    for (size_t odd = 0; odd < SLOTS; odd++) {
        for (size_t i = 0; i < SLOTS; i++) set(fixture, i, 30 + 10 * (int64_t)i, i == odd ? 8 : 7);
        const struct mark *mark = merged(fixture);
        assert_int_equal(mark->next, 30);
        assert_true(mark->last >= 0);
        assert_int_equal(mark->last_timestamp_us, INT64_MAX); /* of no record */
    }
}

static void nothing_anywhere(void **state)
{
    struct fixture *fixture = *state;
    slot_marks_merge(fixture->all, SLOTS, &fixture->marks, &fixture->n, &fixture->arena);
    assert_int_equal(fixture->n, 0);
}

static void what_another_lacks(void **state)
{
    struct fixture *fixture = *state;
    assert_false(slot_lacks_marks(&fixture->slots[1], &fixture->slots[0]));
    set(fixture, 0, 90, 7);
    assert_true(slot_lacks_marks(&fixture->slots[1], &fixture->slots[0]));
    set(fixture, 1, 1, 1);
    assert_false(slot_lacks_marks(&fixture->slots[1], &fixture->slots[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_lowest_with_its_record, begin, end),
        cmocka_unit_test_setup_teardown(a_slot_that_has_lost_its_mark, begin, end),
        cmocka_unit_test_setup_teardown(a_new_slot_says_nothing, begin, end),
        cmocka_unit_test_setup_teardown(lives_that_differ, begin, end),
        cmocka_unit_test_setup_teardown(nothing_anywhere, begin, end),
        cmocka_unit_test_setup_teardown(what_another_lacks, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
