/* Whose turn is next, of many desks. */
#include "daemon/publish/desk.h"
#include "tests/unit/unit.h"

enum {
    MANY = 2000,
    STEPS = 20000,
    TIMES = 50 /* instants: there are many at the same one */
};

static struct desk *put(struct queue *queue, int64_t waiting_since_us, int64_t next_at_us)
{
    struct desk *desk = must_zalloc(sizeof *desk);
    desk->place.queue = queue;
    desk->alerts.due_us = NEVER;
    desk->next_at_us = next_at_us;
    if (waiting_since_us == NEVER)
        queue_place(desk);
    else
        desk_mark_dirty(desk, waiting_since_us);
    return desk;
}

static void take_away(struct desk *desk)
{
    queue_leave(desk);
    free(desk);
}

static void who_waits_longest_is_first_of_those_that_may(void **state)
{
    struct queue queue;
    queue_init(&queue);
    struct desk *idle = put(&queue, NEVER, 0), *young = put(&queue, 30, 0), *old = put(&queue, 10, 0),
                *oldest = put(&queue, 5, 100);
    (void)state;
    assert_ptr_equal(queue_first(&queue, 50), old); /* the oldest had its turn not long ago */
    assert_ptr_equal(queue_first(&queue, 100), oldest);
    queue_leave(oldest); /* has its turn */
    assert_ptr_equal(queue_first(&queue, 100), old);
    queue_leave(old);
    assert_ptr_equal(queue_first(&queue, 100), young);
    queue_leave(young);
    assert_null(queue_first(&queue, 100));
    assert_int_equal(queue_next_us(&queue), NEVER);
    take_away(idle), take_away(young), take_away(old), take_away(oldest);
    queue_deinit(&queue);
}

/* Nothing changed, but a row of its alerts has its time. */
static void an_alert_that_comes_to_its_time_waits_from_then_on(void **state)
{
    struct queue queue;
    queue_init(&queue);
    struct desk *desk = put(&queue, NEVER, 0), *other = put(&queue, 60, 0);
    (void)state;
    desk->alerts.due_us = 50;
    queue_place(desk);
    queue_leave(other);
    assert_int_equal(queue_next_us(&queue), 50);
    assert_null(queue_first(&queue, 49));
    assert_false(queue_is_waited_in(&queue, 49));
    queue_place(other);
    assert_ptr_equal(queue_first(&queue, 60), desk);
    desk_mark_dirty(desk, 61); /* since 50, still */
    assert_ptr_equal(queue_first(&queue, 61), desk);
    take_away(desk), take_away(other);
    queue_deinit(&queue);
}

static void who_may_not_yet_is_waited_for(void **state)
{
    struct queue queue;
    queue_init(&queue);
    struct desk *desk = put(&queue, 10, 80);
    (void)state;
    assert_null(queue_first(&queue, 79));
    assert_true(queue_is_waited_in(&queue, 79));
    assert_int_equal(queue_next_us(&queue), 80);
    desk->next_at_us = 0; /* it is published in any case */
    queue_place(desk);
    assert_ptr_equal(queue_first(&queue, 79), desk);
    take_away(desk);
    assert_false(queue_is_waited_in(&queue, 79));
    queue_deinit(&queue);
}

/* ---- the same as by looking at all of them ---- */

static int64_t waits_since(const struct desk *desk)
{
    return desk->dirty && desk->waiting_since_us < desk->alerts.due_us ? desk->waiting_since_us : desk->alerts.due_us;
}

static int64_t longest_wait(struct desk **desks, int64_t now_us)
{
    int64_t since_us = NEVER;
    for (int i = 0; i < MANY; i++)
        if (waits_since(desks[i]) <= now_us && desks[i]->next_at_us <= now_us && waits_since(desks[i]) < since_us)
            since_us = waits_since(desks[i]);
    return since_us;
}

static int64_t some_time(unsigned *seed, int64_t from_us)
{
    return from_us + rand_r(seed) % TIMES;
}

/* It has its turn, and goes on: with something that came meanwhile, or an alert, or nothing. */
static void have_turn(struct desk *desk, unsigned *seed, int64_t now_us)
{
    queue_leave(desk);
    desk->dirty = false;
    desk->next_at_us = some_time(seed, now_us);
    desk->alerts.due_us = rand_r(seed) % 3 ? NEVER : some_time(seed, now_us + 1);
    if (rand_r(seed) % 2) desk_mark_dirty(desk, now_us);
    queue_place(desk);
}

static void turns_are_as_if_all_were_looked_at(void **state)
{
    struct queue queue;
    struct desk *desks[MANY];
    unsigned seed = 1;
    int64_t now_us = 0;
    size_t n_turns = 0;
    (void)state;
    queue_init(&queue);
    for (int i = 0; i < MANY; i++) desks[i] = put(&queue, rand_r(&seed) % 2 ? some_time(&seed, 0) : NEVER, some_time(&seed, 0));
    for (int step = 0; step < STEPS; step++) {
        struct desk *first = queue_first(&queue, now_us);
        assert_int_equal(first ? waits_since(first) : NEVER, longest_wait(desks, now_us));
        if (first && ++n_turns) have_turn(first, &seed, now_us);
        if (!first || rand_r(&seed) % 100 == 0) now_us++;
        desk_mark_dirty(desks[rand_r(&seed) % MANY], now_us);
    }
    assert_in_range(n_turns, STEPS / 2, STEPS - 1);
    for (int i = 0; i < MANY; i++) take_away(desks[i]);
    assert_null(queue_first(&queue, NEVER - 1));
    queue_deinit(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_longest_is_first_of_those_that_may),
        cmocka_unit_test(an_alert_that_comes_to_its_time_waits_from_then_on),
        cmocka_unit_test(who_may_not_yet_is_waited_for),
        cmocka_unit_test(turns_are_as_if_all_were_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
