/* The table of pages: what was put in and not taken out is there, and room is taken for no more than that. */
#include "daemon/tenant/page_table.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

enum {
    NUMBERS = 5000,
    STEPS = 200000
};

/* No page is looked into. */
static struct page *page_of(size_t number)
{
    return (struct page *)(uintptr_t)(8 * (number + 1));
}

static size_t blocks_of(const struct page_table *table)
{
    size_t n = 0;
    for (size_t i = 0; i < table->room; i++) n += table->blocks[i] != NULL;
    return n;
}

static void assert_holds(const struct page_table *table, const bool *there)
{
    size_t at = 0, number = 0;
    for (struct page *page; (page = page_table_next(table, &at)); number++) {
        while (number < NUMBERS && !there[number]) number++;
        assert_ptr_equal(page, page_of(number));
    }
    while (number < NUMBERS && !there[number]) number++;
    assert_int_equal(number, NUMBERS);
}

static void holds_what_was_put_in(void **state)
{
    (void)state;
    static bool there[NUMBERS];
    struct page_table table = { 0 };
    srand(5);
    assert_null(page_table_get(&table, 0));
    assert_holds(&table, there);
    for (int i = 0; i < STEPS; i++) {
        uint32_t number = (uint32_t)(rand() % NUMBERS);
        assert_ptr_equal(page_table_get(&table, number), there[number] ? page_of(number) : NULL);
        if (there[number])
            page_table_remove(&table, number);
        else
            page_table_put(&table, number, page_of(number));
        there[number] = !there[number];
        if (i % 20000 == 0) assert_holds(&table, there);
    }
    for (uint32_t number = 0; number < NUMBERS; number++)
        if (there[number]) page_table_remove(&table, number);
    assert_int_equal(blocks_of(&table), 0);
    assert_null(page_table_get(&table, UINT32_MAX));
    page_table_deinit(&table);
    assert_int_equal(page_table_bytes(&table), 0);
}

/* A few of ten million, as of a large company. */
static void few_of_many_take_little(void **state)
{
    (void)state;
    struct page_table table = { 0 };
    for (uint32_t i = 0; i < 100; i++) page_table_put(&table, i * 99991, page_of(i));
    assert_int_equal(blocks_of(&table), 100);
    assert_true(page_table_bytes(&table) < 10000000 / PAGE_BLOCK * 8 * 3 / 2);
    for (uint32_t i = 0; i < 100; i++) assert_ptr_equal(page_table_get(&table, i * 99991), page_of(i));
    page_table_deinit(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(holds_what_was_put_in), cmocka_unit_test(few_of_many_take_little) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
