/* The daemon's memory: shares of one limit, and caches that give way. */
#include "daemon/run/memory.h"
#include "tests/unit/unit.h"

#define MIB ((size_t)1 << 20)

static void test_shares_leave_room(void **state)
{
    (void)state;
    struct memory memory;
    memory_share(&memory, 256 * MIB, 2);
    assert_true(2 * 2 * memory.round + memory.boards + 2 * memory.inbox + memory.cache < 200 * MIB);
    assert_true(memory.round > 4 * MIB);
    assert_int_equal(memory.unused, 16384);
}

static void test_caches_give_way_and_come_back(void **state)
{
    (void)state;
    struct memory memory;
    memory_share(&memory, 256 * MIB, 1);
    for (int i = 0; i < 1000; i++) memory_balance(&memory, 100 * MIB + memory.cache);
    assert_in_range(100 * MIB + memory.cache, 208 * MIB, 214 * MIB);
    memory_balance(&memory, 150 * MIB + memory.cache); /* others took 50 MiB more */
    assert_in_range(150 * MIB + memory.cache, 208 * MIB, 214 * MIB);
    for (int i = 0; i < 1000; i++) memory_balance(&memory, 100 * MIB + memory.cache);
    assert_in_range(100 * MIB + memory.cache, 208 * MIB, 214 * MIB);
}

static void test_something_stays_for_the_caches(void **state)
{
    (void)state;
    struct memory memory;
    memory_share(&memory, 256 * MIB, 1);
    for (int i = 0; i < 10; i++) memory_balance(&memory, 1000 * MIB);
    assert_int_equal(memory.cache, 16 * MIB);
    memory_balance(&memory, 0); /* not known */
    assert_int_equal(memory.cache, 16 * MIB);
}

static void test_this_process_is_resident(void **state)
{
    (void)state;
    assert_in_range(memory_resident(), MIB, 1024 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_leave_room),
        cmocka_unit_test(test_caches_give_way_and_come_back),
        cmocka_unit_test(test_something_stays_for_the_caches),
        cmocka_unit_test(test_this_process_is_resident),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
