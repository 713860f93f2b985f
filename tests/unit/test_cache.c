/* The cache against a plain list: what goes first when it is too large, and what goes because nothing used it. */
#include "daemon/tenant/cache.h"
#include "unit.h"

#include <stdlib.h>

enum {
    ITEMS = 50,
    STEPS = 200000
};

struct item {
    struct cached cached;
    bool there;
    long used; /* the step in which it was used last */
};

static struct item items[ITEMS];

static void forget(struct cached *cached)
{
    ((struct item *)cached)->there = false;
}

static void add(struct cache *cache, struct item *item, size_t bytes, long step)
{
    *item = (struct item){ { .bytes = bytes, .forget = forget }, true, step };
    cache_add(cache, &item->cached);
}

static size_t bytes_there(void)
{
    size_t bytes = 0;
    for (int i = 0; i < ITEMS; i++) bytes += items[i].there ? items[i].cached.bytes : 0;
    return bytes;
}

static long oldest_use(void)
{
    long oldest = STEPS;
    for (int i = 0; i < ITEMS; i++)
        if (items[i].there && items[i].used < oldest) oldest = items[i].used;
    return oldest;
}

static void the_oldest_goes_first(void **state)
{
    (void)state;
    struct cache cache = { .limit_bytes = 100 };
    for (int i = 0; i < 4; i++) add(&cache, &items[i], 30, i);
    cache_use(&cache, &items[0].cached);
    cache_trim(&cache);
    assert_true(items[0].there && !items[1].there && items[2].there && items[3].there);
    cache_resize(&cache, &items[0].cached, 80);
    cache_trim(&cache);
    assert_true(items[0].there && !items[2].there && !items[3].there);
    assert_int_equal(cache.bytes, 80);
}

static void what_was_not_used_since_the_last_time_goes(void **state)
{
    (void)state;
    struct cache cache = { .limit_bytes = SIZE_MAX };
    for (int i = 0; i < 4; i++) add(&cache, &items[i], 10, i);
    cache_forget_unused(&cache); /* the first time: all are new */
    assert_int_equal(cache.bytes, 40);
    cache_use(&cache, &items[3].cached); /* the newest one all along */
    cache_use(&cache, &items[1].cached);
    cache_forget_unused(&cache);
    assert_true(!items[0].there && items[1].there && !items[2].there && items[3].there);
    add(&cache, &items[0], 10, 5);
    cache_forget_unused(&cache);
    assert_true(items[0].there && !items[1].there && !items[3].there);
    cache_forget_unused(&cache);
    assert_true(!items[0].there && !cache.bytes && !cache.oldest && !cache.newest);
    cache_forget_unused(&cache);
}

/* Any order of all calls. */
static void it_is_as_a_plain_list_says(void **state)
{
    (void)state;
    struct cache cache = { .limit_bytes = 1000 };
    long last_time = -1;
    srand(7);
    for (long step = 0; step < STEPS; step++) {
        struct item *item = &items[rand() % ITEMS];
        int what = rand() % 100;
        if (!item->there) {
            add(&cache, item, (size_t)(rand() % 60), step);
        } else if (what < 60) {
            cache_use(&cache, &item->cached);
            item->used = step;
        } else if (what < 80) {
            cache_resize(&cache, &item->cached, (size_t)(rand() % 60));
        } else if (what < 95) {
            cache_remove(&cache, &item->cached);
            item->there = false;
        }
        if (what == 98) {
            long oldest = oldest_use();
            bool too_large = bytes_there() > cache.limit_bytes;
            cache_trim(&cache);
            assert_true(bytes_there() <= cache.limit_bytes && (oldest_use() > oldest) == too_large);
        } else if (what == 99) {
            bool kept[ITEMS];
            for (int i = 0; i < ITEMS; i++) kept[i] = items[i].there && items[i].used > last_time;
            cache_forget_unused(&cache);
            for (int i = 0; i < ITEMS; i++) assert_int_equal(items[i].there, kept[i]);
            last_time = step;
        }
        assert_int_equal(cache.bytes, bytes_there());
    }
}

static int empty(void **state)
{
    (void)state;
    memset(items, 0, sizeof items);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_oldest_goes_first, empty),
        cmocka_unit_test_setup(what_was_not_used_since_the_last_time_goes, empty),
        cmocka_unit_test_setup(it_is_as_a_plain_list_says, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
