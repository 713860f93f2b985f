/* What is read of a tenant where somebody damaged it: what cannot be is passed over, or an error of this tenant, never the end of
 * the process. */
#include "daemon/run/engine.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/stored.h"
#include "tests/unit/unit.h"

struct house {
    struct settings *settings;
    struct catalogue *catalogue;
    struct engine engine;
    struct tenant_settings tenants;
    struct state *state;
    struct arena arena;
};

static const struct span tenant_name = { "acme", 4 };

static int set_up(void **state)
{
    struct house *house = must_zalloc(sizeof *house);
    struct problems problems = { 0 };
    struct error error = { "" };
    struct catalogue_file shipped = catalogue_shipped();
    house->settings = settings_load(NULL, NULL, NEED_RULES, &problems);
    house->catalogue = catalogue_load(&shipped, 1, &problems);
    assert_true(engine_init(&house->engine, house->settings, house->catalogue, &error));
    house->tenants = engine_parts(&house->engine).tenants;
    house->state = state_memory_create(NULL, NULL);
    problems_deinit(&problems);
    *state = house;
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;
    house->state->ops->destroy(house->state);
    arena_deinit(&house->arena);
    catalogue_destroy(house->catalogue);
    settings_destroy(house->settings);
    free(house);
    return 0;
}

static const struct rules *rules_of(const struct house *house)
{
    return settings_rules(house->settings, tenant_name);
}

/* ---- a view ---- */

static void store(struct house *house, const struct hash_write *writes, size_t n)
{
    struct error error = { "" };
    struct commit commit = { .tenant = tenant_name,
                             .state_key = key_state(&house->arena, house->tenants.prefix, tenant_name),
                             .writes = writes,
                             .n_writes = n };
    assert_true(house->state->ops->commit_begin(house->state, &commit, 1, &error));
    assert_int_equal(commit.outcome, DONE);
}

static void count_line(void *n, enum list list, struct span id, const struct list_line *line)
{
    (void)list, (void)id, (void)line;
    ++*(size_t *)n;
}

static bool count_cell(void *n, const struct cell_key *key, const struct cell_value *value)
{
    (void)key, (void)value;
    ++*(size_t *)n;
    return true;
}

static void what_names_nothing_is_passed_over(void **state)
{
    struct house *house = *state;
    struct arena *arena = &house->arena;
    const char *prefix = house->tenants.prefix;
    struct span names = key_names(arena, prefix, tenant_name), now = key_now(arena, prefix, tenant_name),
                deals = key_list(arena, prefix, tenant_name, list_names[LIST_OPEN_DEALS]),
                stale = key_list(arena, prefix, tenant_name, list_names[LIST_STALE_DEALS]);
    const struct hash_write writes[] = {
        { names, SPAN("1"), SPAN("EUR") },
        { names, SPAN("2"), SPAN("u1") },
        { deals, SPAN("deal D-1"), SPAN("100 1 0 0 2 20000") },
        { deals, SPAN("deal D-2"), SPAN("100 3 0 0 2 20000") },
        { deals, SPAN("deal D-3"), SPAN("100 1 0 0 -1 20000") },
        { deals, SPAN("deal D-4"), SPAN("100 1 0 4294967297 2 20000") },
        { deals, SPAN("deal"), SPAN("100 1 0 0 2 20000") },
        { deals, SPAN(""), SPAN("100 1 0 0 2 20000") },
        { stale, SPAN("deal D-1"), SPAN("1 0") },
        { stale, SPAN("D-1"), SPAN("1 0") },
        { now, SPAN("lead_untouched:1,2"), SPAN("1") },
        { now, SPAN("lead_untouched:1,3"), SPAN("1") },
        { now, SPAN("lead_untouched:4294967295"), SPAN("1") },
    };
    struct error error = { "" };
    struct view view;
    size_t n_deals = 0, n_stale = 0, n_cells = 0;
    store(house, writes, sizeof writes / sizeof *writes);
    assert_true(view_open(&view, house->state, &house->tenants, tenant_name, rules_of(house), &error));
    struct cell_reader reader = view_reader(&view);
    assert_true(reader.lines(&view, LIST_OPEN_DEALS, count_line, &n_deals, &error));
    assert_true(reader.lines(&view, LIST_STALE_DEALS, count_line, &n_stale, &error));
    assert_true(reader.cells(&view, (struct bucket){ BUCKET_NOW, 0 }, count_cell, &n_cells, &error));
    assert_int_equal(n_deals, 1);
    assert_int_equal(n_stale, 1);
    assert_int_equal(n_cells, 1);
    view_close(&view);
}

/* ---- all of it ---- */

static bool refuse(struct state *state, struct hash_read *reads, size_t n, struct arena *arena, enum outcome *outcome,
                   struct error *error)
{
    (void)state, (void)reads, (void)n, (void)arena;
    *outcome = REFUSED;
    return (fail)(error, "no");
}

static void why_not_all_could_be_read_is_known(void **state)
{
    struct house *house = *state;
    struct state_ops ops = *house->state->ops;
    struct state refusing = { &ops };
    struct error error = { "" };
    struct view view;
    ops.read_atomic = refuse;
    assert_false(view_open_whole(&view, &refusing, &house->tenants, tenant_name, rules_of(house), &error));
    assert_int_equal(view.outcome, REFUSED);
    view_close(&view);
}

static bool take_any(void *context, const struct stored *stored)
{
    (void)context, (void)stored;
    return true;
}

static void what_an_attempt_before_said_is_no_failure(void **state)
{
    struct house *house = *state;
    struct error error = { "" };
    struct view view;
    assert_true(view_open(&view, house->state, &house->tenants, tenant_name, rules_of(house), &error));
    (void)(fail)(&error, "it moved on");
    assert_true(view_entities(&view, ALL_KINDS, take_any, NULL, &error));
    view_close(&view);
}

/* ---- a tenant ---- */

static struct hash_read fields_of(struct span *values, size_t n)
{
    return (struct hash_read){ .values = values, .n_values = n };
}

static void what_was_repaired_is_read(void **state)
{
    struct house *house = *state;
    struct cache cache = { .limit_bytes = SIZE_MAX };
    struct span version[] = { SPAN("version"), SPAN("7") }, odd[] = { SPAN("version"), SPAN("7"), SPAN("clock"), SPAN("soon") };
    struct span whole[] = { SPAN("1"), SPAN("EUR"), SPAN("2"), SPAN("u1") },
                gap[] = { SPAN("1"), SPAN("EUR"), SPAN("1"), SPAN("u1") };
    struct hash_read fine = fields_of(version, 2), malformed = fields_of(odd, 4), none = fields_of(NULL, 0);
    struct hash_read names = fields_of(whole, 4), with_gap = fields_of(gap, 4);
    struct error error = { "" };
    struct tenant *tenant = tenant_create(tenant_name, rules_of(house), &cache);
    assert_false(tenant_restore(tenant, &house->tenants, &fine, &with_gap, &none, &error));
    assert_int_equal(tenant->version, 0);
    assert_false(tenant_restore(tenant, &house->tenants, &malformed, &names, &none, &error));
    assert_int_equal(tenant->version, 0);
    assert_true(tenant_restore(tenant, &house->tenants, &fine, &names, &none, &error));
    assert_int_equal(tenant->version, 7);
    assert_int_equal(tenant->names.n, 3);
    tenant_destroy(tenant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_names_nothing_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(why_not_all_could_be_read_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_an_attempt_before_said_is_no_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_repaired_is_read, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
