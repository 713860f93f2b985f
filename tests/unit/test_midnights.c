/* Midnights by an injected clock: a tenant's day ends without any event, those with events that day are refreshed first, all
 * within midnight_spread; and what the clock has to do with a tenant is not forgotten when its commit goes wrong. */
#include "daemon/run/engine.h"
#include "daemon/state/keys.h"
#include "daemon/worker/midnights.h"
#include "tests/unit/unit.h"

#include <unistd.h>

enum {
    TENANTS = 600,
    BUSY_FROM = 500, /* tenants from here on have events on the second day, too */
    SPREAD_S = 60
};

/* ---- a source of one event for each tenant; and later of one more for the busy ones ---- */

struct feed {
    struct source base;
    struct arena arena;
    struct record records[TENANTS + TENANTS];
    int64_t next;
    size_t n;
    bool told;
    struct partition partition;
};

static void feed_add(struct feed *feed, int tenant, const char *at)
{
    struct buffer value = { 0 };
    buffer_printf(&value,
                  "{\"specversion\":\"1.0\",\"id\":\"%zu\",\"source\":\"/s\",\"type\":\"crm.case.opened\",\"subject\":\"%zu\","
                  "\"tenantid\":\"t%d\",\"time\":\"%s\",\"data\":{}}",
                  feed->n, feed->n, tenant, at);
    feed->records[feed->n] = (struct record){ .value = arena_copy(&feed->arena, buffer_all(&value)),
                                              .topic = span_of("t"),
                                              .offset = (int64_t)feed->n,
                                              .timestamp_us = instant(at) };
    feed->n++;
    buffer_deinit(&value);
}

static size_t feed_receive(struct source *base, struct record *records, size_t room, int timeout_ms)
{
    struct feed *feed = (struct feed *)base;
    size_t n = 0;
    (void)timeout_ms;
    while (feed->next >= 0 && (size_t)feed->next < feed->n && n < room) records[n++] = feed->records[feed->next++];
    return n;
}

static void feed_nothing(struct source *base)
{
    (void)base;
}

static void feed_idle(struct source *base, int timeout_ms)
{
    (void)base, (void)timeout_ms;
    usleep(1000); /* the worker waits by the real clock before it tries again */
}

static bool feed_change(struct source *base, struct change *change)
{
    struct feed *feed = (struct feed *)base;
    if (feed->told) return false;
    feed->told = true;
    feed->partition = (struct partition){ span_of("t"), 0 };
    *change = (struct change){ CHANGE_ASSIGNED, &feed->partition, 1 };
    return true;
}

static void feed_start(struct source *base, struct partition partition, int64_t offset)
{
    (void)partition;
    ((struct feed *)base)->next = offset;
}

static bool feed_view(struct source *base, struct partition_view *views, size_t n, int timeout_ms, struct error *error)
{
    (void)timeout_ms, (void)error;
    for (size_t i = 0; i < n; i++) {
        views[i].committed = NO_OFFSET;
        views[i].low = 0;
        views[i].high = (int64_t)((struct feed *)base)->n;
    }
    return true;
}

static void feed_commit(struct source *base, const struct position *positions, size_t n)
{
    (void)base, (void)positions, (void)n;
}

static size_t feed_positions(struct source *base, struct position *positions, size_t room)
{
    (void)base, (void)positions, (void)room;
    return 0;
}

static const char *feed_trouble(struct source *base)
{
    (void)base;
    return NULL;
}

static const struct source_ops feed_ops = { feed_receive, feed_nothing, feed_idle,      feed_change,  feed_nothing, feed_start,
                                            feed_view,    feed_commit,  feed_positions, feed_trouble, feed_nothing };

/* ---- marks nobody reads ---- */

static bool marks_read(struct mark_keeper *base, struct mark **marks, size_t *n, struct arena *arena, enum outcome *outcome,
                       struct error *error)
{
    (void)base, (void)marks, (void)arena, (void)outcome, (void)error;
    *n = 0;
    return true;
}

static bool marks_move(struct mark_keeper *base, const struct mark *old, const struct mark *new, bool *moved, size_t n,
                       enum outcome *outcome, struct error *error)
{
    (void)base, (void)old, (void)new, (void)outcome, (void)error;
    for (size_t i = 0; i < n; i++) moved[i] = true;
    return true;
}

static bool marks_add(struct mark_keeper *base, const struct span *tenants, size_t n, enum outcome *outcome, struct error *error)
{
    (void)base, (void)tenants, (void)n, (void)outcome, (void)error;
    return true;
}

static bool marks_tenants(struct mark_keeper *base, struct span **tenants, size_t *n, struct arena *arena, enum outcome *outcome,
                          struct error *error)
{
    (void)base, (void)tenants, (void)arena, (void)outcome, (void)error;
    *n = 0;
    return true;
}

static bool marks_connect(struct mark_keeper *base, bool *same, struct error *error)
{
    (void)base, (void)error;
    return *same = true;
}

static bool marks_connected(const struct mark_keeper *base)
{
    (void)base;
    return true;
}

static const struct mark_keeper_ops marks_ops = {
    .read = marks_read,
    .move = marks_move,
    .add_tenants = marks_add,
    .tenants = marks_tenants,
    .connect = marks_connect,
    .connected = marks_connected,
};

/* ---- a state that refuses when it is told to ---- */

struct moody {
    struct state base;
    struct state *real;
    struct commit *commits;
    size_t n;
    bool refuses;
};

static bool moody_read(struct state *base, struct hash_read *reads, size_t n, struct arena *arena, enum outcome *outcome,
                       struct error *error)
{
    struct state *real = ((struct moody *)base)->real;
    return real->ops->read(real, reads, n, arena, outcome, error);
}

static bool moody_timers(struct state *base, struct span key, int64_t until_us, size_t limit, struct arena *arena,
                         struct timer **timers, size_t *n, enum outcome *outcome, struct error *error)
{
    struct state *real = ((struct moody *)base)->real;
    return real->ops->timers(real, key, until_us, limit, arena, timers, n, outcome, error);
}

static bool moody_begin(struct state *base, struct commit *commits, size_t n, struct error *error)
{
    struct moody *moody = (struct moody *)base;
    moody->commits = commits;
    moody->n = n;
    return moody->refuses || moody->real->ops->commit_begin(moody->real, commits, n, error);
}

static bool moody_end(struct state *base, struct error *error)
{
    struct moody *moody = (struct moody *)base;
    if (!moody->refuses) return moody->real->ops->commit_end(moody->real, error);
    for (size_t i = 0; i < moody->n; i++) moody->commits[i].outcome = REFUSED;
    return (fail)(error, "out of memory");
}

static bool moody_clock(struct state *base, int64_t *now_us, enum outcome *outcome, struct error *error)
{
    struct state *real = ((struct moody *)base)->real;
    return real->ops->clock(real, now_us, outcome, error);
}

static const struct state_ops moody_ops = { .read = moody_read,
                                            .read_atomic = moody_read,
                                            .timers = moody_timers,
                                            .commit_begin = moody_begin,
                                            .commit_end = moody_end,
                                            .clock = moody_clock };

/* ---- the house ---- */

struct house {
    struct settings *settings;
    struct catalogue *catalogue;
    struct engine engine;
    struct feed feed;
    struct mark_keeper marks;
    struct moody state;
    _Atomic int64_t lag_us;
    int64_t now_us;
    struct worker *worker;
    int order[4 * TENANTS]; /* tenants in the order of their commits */
    size_t n_order;
};

static int64_t house_clock(void *context)
{
    return ((struct house *)context)->now_us;
}

static void note_commit(void *context, struct committed *committed)
{
    struct house *house = context;
    char digits[8] = { 0 };
    if (!committed->tenant.len) { /* nothing to look after in particular */
        committed_destroy(committed);
        return;
    }
    memcpy(digits, committed->tenant.at + 1, committed->tenant.len - 1);
    assert_true(house->n_order < sizeof house->order / sizeof *house->order);
    house->order[house->n_order++] = atoi(digits);
    committed_destroy(committed);
}

static int set_up(void **state)
{
    struct house *house = must_zalloc(sizeof *house);
    struct problems problems = { 0 };
    struct error error = { "" };
    struct catalogue_file shipped = catalogue_shipped();
    log_setup(LEVEL_ERROR, LOG_TEXT);
    house->settings = settings_load(NULL, NULL, NEED_RULES, &problems);
    house->catalogue = catalogue_load(&shipped, 1, &problems);
    assert_true(house->settings && house->catalogue && engine_init(&house->engine, house->settings, house->catalogue, &error));
    problems_deinit(&problems);
    house->feed.base.ops = &feed_ops;
    house->feed.next = -1;
    house->marks.ops = &marks_ops;
    house->state = (struct moody){ .base = { &moody_ops }, .real = state_memory_create(NULL, NULL) };
    house->now_us = instant("2026-03-01T12:00:00Z");
    struct worker_parts parts = engine_parts(&house->engine);
    assert_int_equal(parts.midnight_spread_us, SPREAD_S * MICROS_PER_SECOND);
    parts.source = &house->feed.base;
    parts.state = &house->state.base;
    parts.marks = &house->marks;
    parts.context = house;
    parts.clock = house_clock;
    parts.clock_is_set = true;
    parts.committed = note_commit;
    parts.durability_lag_us = &house->lag_us;
    house->worker = worker_create(&parts);
    *state = house;
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;
    worker_destroy(house->worker);
    house->state.real->ops->destroy(house->state.real);
    arena_deinit(&house->feed.arena);
    catalogue_destroy(house->catalogue);
    settings_destroy(house->settings);
    free(house);
    return 0;
}

/* Turns until the worker has looked at its clock once more. */
static void look(struct house *house)
{
    struct error error = { "" };
    usleep(101 * 1000);
    for (int i = 0; i < 4; i++)
        if (!worker_turn(house->worker, 0, &error)) fail_msg("the worker gave up: %s", error.text);
}

static void run_until_read(struct house *house)
{
    struct error error = { "" };
    for (int i = 0; i < 1000 && (house->feed.next < 0 || (size_t)house->feed.next < house->feed.n); i++)
        if (!worker_turn(house->worker, 0, &error)) fail_msg("the worker gave up: %s", error.text);
    assert_int_equal(house->feed.next, house->feed.n);
    look(house);
}

static void feed_all(struct house *house, int from, const char *at)
{
    for (int tenant = from; tenant < TENANTS; tenant++) feed_add(&house->feed, tenant, at);
    run_until_read(house);
}

/* ---- tests ---- */

static void busy_tenants_go_first_and_all_within_the_spread(void **state)
{
    struct house *house = *state;
    feed_all(house, 0, "2026-03-01T10:00:00Z");
    assert_int_equal(house->n_order, TENANTS);
    house->now_us = instant("2026-03-02T00:01:00Z");
    for (int i = 0; i < 8; i++) look(house), house->now_us += 10 * MICROS_PER_SECOND;
    assert_int_equal(house->n_order, 2 * TENANTS);

    feed_all(house, BUSY_FROM, "2026-03-02T00:02:00Z");
    house->n_order = 0;
    int64_t midnight_us = instant("2026-03-03T00:00:00Z");
    house->now_us = midnight_us - 1;
    look(house);
    assert_int_equal(house->n_order, 0);
    house->now_us = midnight_us;
    look(house);
    assert_true(house->n_order > 0 && house->n_order < 100);
    house->now_us = midnight_us + SPREAD_S / 2 * MICROS_PER_SECOND;
    look(house);
    assert_in_range(house->n_order, 200, 400);
    for (int i = 0; i < TENANTS - BUSY_FROM; i++) assert_true(house->order[i] >= BUSY_FROM);
    house->now_us = midnight_us + (SPREAD_S - 1) * MICROS_PER_SECOND;
    look(house);
    look(house);
    assert_int_equal(house->n_order, TENANTS);
    look(house);
    assert_int_equal(house->n_order, TENANTS); /* and only once */
}

/* The tenant's memory is dropped when its commit is refused: without an event nothing else would bring it back. */
static void a_refused_midnight_comes_again(void **state)
{
    struct house *house = *state;
    feed_add(&house->feed, 0, "2026-03-01T10:00:00Z");
    run_until_read(house);
    assert_int_equal(house->n_order, 1);
    house->state.refuses = true;
    house->now_us = instant("2026-03-02T00:00:01Z");
    look(house);
    look(house);
    assert_int_equal(house->n_order, 1);
    house->state.refuses = false;
    for (int i = 0; i < 100 && house->n_order == 1; i++) look(house);
    assert_int_equal(house->n_order, 2);
}

/* Somebody else has committed to the tenant since: its midnight is theirs. */
static void the_last_to_commit_does_the_midnight(void **state)
{
    struct house *house = *state;
    struct arena arena = { 0 };
    struct error error = { "" };
    feed_add(&house->feed, 0, "2026-03-01T10:00:00Z");
    run_until_read(house);
    struct commit other = { .state_key = key_state(&arena, "crm", SPAN("t0")), .version = 1 };
    assert_true(house->state.real->ops->commit_begin(house->state.real, &other, 1, &error));
    assert_int_equal(other.outcome, DONE);
    house->now_us = instant("2026-03-02T00:00:01Z");
    look(house);
    look(house);
    assert_int_equal(house->n_order, 1);
    assert_int_equal(worker_counts(house->worker).conflicts, 0);
    arena_deinit(&arena);
}

static void shares_are_even(void **state)
{
    (void)state;
    struct midnight_wave wave = { 0 };
    size_t waiting = 100000, before = waiting;
    int64_t spread_us = 60 * MICROS_PER_SECOND, began_us = instant("2026-03-02T00:00:00Z");
    for (int tenth = 0; tenth < 600; tenth++) {
        size_t share = midnight_share(&wave, waiting, spread_us, began_us + tenth * 100 * MICROS_PER_MS);
        assert_true(share <= 250);
        waiting -= share;
        if (tenth == 299) assert_in_range(waiting, 40000, 50000);
    }
    assert_int_equal(waiting, 0);
    assert_int_equal(midnight_share(&wave, 0, spread_us, began_us), 0);
    assert_int_equal(midnight_share(&wave, 3, spread_us, began_us), 3);                   /* a few need not wait */
    assert_int_equal(midnight_share(&wave, before, 0, began_us), before);                 /* no spread: all at once */
    wave = (struct midnight_wave){ began_us, 5000 };                                      /* looked away for a minute: */
    assert_int_equal(midnight_share(&wave, 5000, spread_us, began_us + spread_us), 5000); /* all that is late */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(busy_tenants_go_first_and_all_within_the_spread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_midnight_comes_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_to_commit_does_the_midnight, set_up, tear_down),
        cmocka_unit_test(shares_are_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
