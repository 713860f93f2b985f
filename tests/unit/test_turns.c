/* Whose turn it is: of partitions that are far behind one is read at a time, the others never wait. */
#include "daemon/source/turns.h"
#include "unit.h"

enum {
    PARTITIONS = 4,
    FAR = 10 * TURN_OFFSETS
};

static struct owned owned;
static struct turns turns;
static int64_t now_ms;

static int begin(void **state)
{
    (void)state;
    now_ms = 1000;
    for (int i = 0; i < PARTITIONS; i++) owned_add(&owned, SPAN("crm.deals"), i);
    for (int i = 0; i < PARTITIONS; i++) owned.positions[i].next = owned.positions[i].high = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    turns_deinit(&turns);
    owned_deinit(&owned);
    return 0;
}

static bool follow(void)
{
    return turns_follow(&turns, &owned, now_ms);
}

static void assert_waits(bool first, bool second, bool third, bool fourth)
{
    bool waits[PARTITIONS] = { first, second, third, fourth };
    for (size_t i = 0; i < PARTITIONS; i++) assert_int_equal(turns_waits(&turns, i), waits[i]);
}

/* Nothing is asked for anew while nobody is behind, nor for a single one that is. */
static void alone_nobody_waits(void **state)
{
    (void)state;
    assert_false(follow());
    owned.positions[2].high = FAR;
    assert_false(follow());
    assert_waits(false, false, false, false);
    for (; owned.positions[2].next < FAR; owned.positions[2].next += 1000) assert_false(follow());
}

static void one_at_a_time(void **state)
{
    (void)state;
    owned.positions[0].high = owned.positions[2].high = owned.positions[3].high = FAR;
    owned.positions[1].high = TURN_BEHIND; /* has no more than anybody may have */
    assert_true(follow());
    assert_waits(false, false, true, true);
    owned.positions[0].next = TURN_OFFSETS - 1;
    assert_false(follow());
    owned.positions[0].next = TURN_OFFSETS;
    assert_true(follow());
    assert_waits(true, false, false, true);
    owned.positions[2].next = TURN_OFFSETS;
    assert_true(follow());
    assert_waits(true, false, true, false);
    owned.positions[3].next = TURN_OFFSETS;
    assert_true(follow());
    assert_waits(false, false, true, true);
}

/* Not every few records: a turn goes on until hardly anything is left. */
static void a_turn_ends_with_what_there_is(void **state)
{
    (void)state;
    owned.positions[0].high = owned.positions[1].high = TURN_BEHIND + 1;
    assert_true(follow());
    assert_waits(false, true, false, false);
    owned.positions[0].next = TURN_BEHIND - TURN_DONE;
    assert_false(follow());
    owned.positions[0].next = TURN_BEHIND + 1 - TURN_DONE;
    assert_true(follow());
    assert_waits(false, false, false, false);
}

static void who_comes_to_be_behind_waits_from_the_next_turn_on(void **state)
{
    (void)state;
    owned.positions[0].high = FAR;
    assert_false(follow());
    owned.positions[1].high = FAR;
    assert_false(follow());
    owned.positions[0].next = TURN_OFFSETS;
    assert_true(follow());
    assert_waits(true, false, false, false);
}

static void what_fits_a_turn_comes_first(void **state)
{
    (void)state;
    for (int i = 0; i < PARTITIONS; i++) owned.positions[i].high = FAR;
    assert_true(follow());
    assert_waits(false, true, true, true);
    owned.positions[2].next = FAR - TURN_OFFSETS;
    owned.positions[3].next = FAR - TURN_BEHIND - 1;
    assert_false(follow());
    owned.positions[0].next = TURN_OFFSETS;
    assert_true(follow());
    assert_waits(true, true, true, false);
    owned.positions[3].next = FAR;
    assert_true(follow());
    assert_waits(true, true, false, false);
    owned.positions[2].next = FAR;
    assert_true(follow());
    assert_waits(false, true, false, false);
}

/* Its broker may be away, and not that of the others: it is asked for all the same, and has turns again once something came. */
static void silence_ends_a_turn(void **state)
{
    (void)state;
    owned.positions[0].high = TURN_BEHIND + 100;
    owned.positions[1].high = FAR;
    assert_true(follow());
    assert_waits(false, true, false, false);
    now_ms += TURN_SILENT_MS - 1;
    owned.positions[0].next = 1;
    assert_false(follow());
    now_ms += TURN_SILENT_MS - 1;
    assert_false(follow());
    now_ms += 1;
    assert_true(follow());
    assert_waits(false, false, false, false);
    owned.positions[1].next = TURN_OFFSETS;
    assert_false(follow());
    owned.positions[0].next = 2;
    owned.positions[1].next = 2 * TURN_OFFSETS;
    assert_true(follow());
    assert_waits(false, true, false, false);
}

/* Alone, too: what comes of others must not wait behind what will never come. */
static void who_is_silent_for_ever_has_no_turns(void **state)
{
    (void)state;
    owned.positions[0].high = FAR;
    for (int turn = 0; turn < 3; turn++) {
        assert_false(follow());
        now_ms += TURN_SILENT_MS;
    }
    owned.positions[1].high = owned.positions[2].high = FAR;
    assert_true(follow());
    assert_waits(false, false, true, false);
}

/* One whose end is not known, or that is not started, is nobody to wait for. */
static void only_what_is_read_has_turns(void **state)
{
    (void)state;
    owned.positions[0].high = owned.positions[1].high = owned.positions[2].high = FAR;
    owned.positions[0].next = NO_OFFSET;
    owned.positions[1].high = NO_OFFSET;
    assert_false(follow());
    assert_waits(false, false, false, false);
    owned.positions[0].next = 0;
    turns_restart(&turns);
    assert_true(follow());
    assert_waits(false, false, true, false);
}

static void others_begin_anew(void **state)
{
    (void)state;
    owned.positions[0].high = owned.positions[1].high = FAR;
    assert_true(follow());
    owned_clear(&owned);
    assert_false(follow());
    owned_add(&owned, SPAN("crm.calls"), 7);
    owned.positions[0].next = 0;
    owned.positions[0].high = FAR;
    assert_false(follow());
    assert_false(turns_waits(&turns, 0));
}

/* A rebalance may give as many others: nothing of those before stays with them. */
static void as_many_others_begin_anew(void **state)
{
    (void)state;
    owned.positions[0].high = owned.positions[1].high = FAR;
    assert_true(follow());
    now_ms += TURN_SILENT_MS;
    assert_true(follow()); /* the first was silent, and is fetched along with the second */
    assert_waits(false, false, false, false);
    owned_clear(&owned);
    for (int i = 0; i < PARTITIONS; i++) owned_add(&owned, SPAN("crm.calls"), i);
    for (int i = 0; i < PARTITIONS; i++) owned.positions[i].next = 0;
    owned.positions[0].high = owned.positions[1].high = FAR;
    turns_restart(&turns);
    for (size_t i = 0; i < PARTITIONS; i++) assert_false(turns_waits(&turns, i));
    assert_true(follow());
    assert_waits(false, true, false, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(alone_nobody_waits, begin, end),
        cmocka_unit_test_setup_teardown(one_at_a_time, begin, end),
        cmocka_unit_test_setup_teardown(a_turn_ends_with_what_there_is, begin, end),
        cmocka_unit_test_setup_teardown(who_comes_to_be_behind_waits_from_the_next_turn_on, begin, end),
        cmocka_unit_test_setup_teardown(what_fits_a_turn_comes_first, begin, end),
        cmocka_unit_test_setup_teardown(silence_ends_a_turn, begin, end),
        cmocka_unit_test_setup_teardown(who_is_silent_for_ever_has_no_turns, begin, end),
        cmocka_unit_test_setup_teardown(only_what_is_read_has_turns, begin, end),
        cmocka_unit_test_setup_teardown(others_begin_anew, begin, end),
        cmocka_unit_test_setup_teardown(as_many_others_begin_anew, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
