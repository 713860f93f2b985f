/* The state in memory by itself: versions without a clock, timers against a plain row of them; and all keys. */
#include "daemon/state/keys.h"
#include "daemon/state/schedule.h"
#include "tests/unit/unit.h"

static void versions_without_a_clock(void **unused)
{
    (void)unused;
    struct state *state = state_memory_create(NULL, NULL);
    struct error error = { 0 };
    for (int64_t version = 0; version < 12; version++) {
        struct commit commit = { .state_key = SPAN("s"), .timers_key = SPAN("t"), .version = version };
        assert_true(state->ops->commit_begin(state, &commit, 1, &error));
        assert_true(state->ops->commit_end(state, &error));
        assert_int_equal(commit.outcome, DONE);
        assert_int_equal(commit.version_new, version + 1);
    }
    state->ops->destroy(state);
}

enum {
    MEMBERS = 200,
    STEPS = 20000,
    INSTANTS = 50
};

struct plain {
    int64_t at_us[MEMBERS]; /* NEVER: none */
    char names[MEMBERS][16];
};

static int by_instant_and_member(const void *a, const void *b)
{
    const struct timer *x = a, *y = b;
    if (x->at_us != y->at_us) return x->at_us < y->at_us ? -1 : 1;
    return span_compare(x->member, y->member);
}

static size_t plain_due(const struct plain *plain, int64_t until_us, struct timer timers[MEMBERS])
{
    size_t n = 0;
    for (size_t i = 0; i < MEMBERS; i++)
        if (plain->at_us[i] != NEVER && plain->at_us[i] <= until_us)
            timers[n++] = (struct timer){ span_of(plain->names[i]), plain->at_us[i] };
    qsort(timers, n, sizeof *timers, by_instant_and_member);
    return n;
}

static void compare(struct schedule *schedule, const struct plain *plain, struct arena *arena)
{
    struct timer expected[MEMBERS], *found;
    int64_t until_us = rand() % (INSTANTS + 1);
    size_t limit = (size_t)(rand() % MEMBERS) + 1, n = plain_due(plain, until_us, expected);
    if (n > limit) n = limit;
    assert_int_equal(schedule_due(schedule, until_us, limit, arena, &found), n);
    for (size_t i = 0; i < n; i++) assert_int_equal(by_instant_and_member(&found[i], &expected[i]), 0);
    arena_reset(arena);
}

static void timers_as_a_plain_row(void **unused)
{
    (void)unused;
    struct schedule schedule = { 0 };
    struct plain plain;
    struct arena arena = { 0 };
    for (int i = 0; i < MEMBERS; i++) {
        plain.at_us[i] = NEVER;
        snprintf(plain.names[i], sizeof plain.names[i], "m%d", i);
    }
    srand(7);
    for (int step = 0; step < STEPS; step++) {
        int i = rand() % MEMBERS;
        plain.at_us[i] = rand() % 3 ? rand() % INSTANTS : NEVER;
        schedule_set(&schedule, span_of(plain.names[i]), plain.at_us[i]);
        if (step % 10 == 0) compare(&schedule, &plain, &arena);
    }
    schedule_deinit(&schedule);
    arena_deinit(&arena);
}

static void keys(void **unused)
{
    (void)unused;
    struct arena arena = { 0 };
    const struct span t = SPAN("acme");
    const struct {
        struct span key;
        const char *expected;
    } rows[] = {
        { key_tenants(&arena, "crm"), "crm:tenants" },
        { key_marks(&arena, "p"), "p:marks" },
        { key_state(&arena, "crm", t), "crm:{acme}:state" },
        { key_names(&arena, "crm", t), "crm:{acme}:names" },
        { key_timers(&arena, "crm", t), "crm:{acme}:timers" },
        { key_months(&arena, "crm", t), "crm:{acme}:months" },
        { key_now(&arena, "crm", t), "crm:{acme}:now" },
        { key_day(&arena, "crm", t, day("2026-03-02")), "crm:{acme}:day:2026-03-02" },
        { key_month(&arena, "crm", t, 2026 * 12 + 2), "crm:{acme}:month:2026-03" },
        { key_month(&arena, "crm", t, 1900 * 12 + 11), "crm:{acme}:month:1900-12" },
        { key_page(&arena, "crm", t, KIND_DEAL, UINT32_MAX), "crm:{acme}:deal:4294967295" },
        { key_report(&arena, "crm", t, "service"), "crm:{acme}:report:service" },
        { key_metrics(&arena, "crm", t, "today"), "crm:{acme}:metrics:today" },
        { key_channel(&arena, "crm", t), "crm:{acme}:reports" },
        { key_published(&arena, "crm", t), "crm:{acme}:published" },
        { key_versions(&arena, "crm", t), "crm:{acme}:versions" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!span_is(rows[i].key, rows[i].expected)) fail_msg("%.*s is not %s", SPAN_ARG(rows[i].key), rows[i].expected);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(versions_without_a_clock), cmocka_unit_test(timers_as_a_plain_row),
                                        cmocka_unit_test(keys) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
