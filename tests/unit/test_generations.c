/* What a catalogue needs anew, or new time zone data, counts from then on; who no longer has what a tenant was counted by holds it. */
#include "daemon/tenant/terms.h"
#include "daemon/tenant/view.h"
#include "tests/unit/counting.h"

static char only_region[] = "CRM_REPORTD_TENANTS={\"default\":{\"custom\":{\"deal\":[\"region\"]}}}",
            with_area[] = "CRM_REPORTD_TENANTS={\"default\":{\"custom\":{\"deal\":[\"region\",\"area\"]}}}";
static const char few[] = "{\"dimensions\":[\"owner\"],\"metrics\":{\"won\":\"deal_won.count\"}}",
                  more[] = "{\"dimensions\":[\"owner\",\"source\",\"custom\"],\"metrics\":{\"won\":\"deal_won.count\","
                           "\"lost\":\"deal_lost.count\",\"income\":\"deal_won.amount\",\"leads\":\"lead.count\"}}";

/* "deal.created D1 "owner":"ann"" as a record. */
static struct record event_of(struct arena *arena, const char *type, const char *subject, const char *data)
{
    static int64_t offset = 0;
    struct buffer text = { 0 };
    buffer_printf(&text,
                  "{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"/s\",\"type\":\"crm.%s\",\"subject\":\"%s\","
                  "\"tenantid\":\"t0\",\"time\":\"2026-03-01T10:%02d:00Z\",\"data\":{%s}}",
                  (int)offset, type, subject, (int)(offset % 60), data);
    struct record record = { .value = arena_copy(arena, buffer_all(&text)), .topic = SPAN("t"), .offset = offset++ };
    record.timestamp_us = instant("2026-03-02T00:00:00Z");
    buffer_deinit(&text);
    return record;
}

static void expect(struct daemon *daemon, struct state *state, const char *query, const char *wanted)
{
    struct buffer request = { 0 }, answer = { 0 };
    struct error error = { "" };
    buffer_printf(&request, "{\"tenant\":\"t0\",%s}", query);
    assert_true(engine_answer(&daemon->engine, state, buffer_all(&request), &answer, &error));
    buffer_byte(&answer, 0);
    if (strcmp(answer.at, wanted) != 0) fail_msg("%s\nexpected %s\ngot      %s", query, wanted, answer.at);
    buffer_deinit(&request);
    buffer_deinit(&answer);
}

static void what_is_needed_anew_counts_from_then_on(void **unused)
{
    (void)unused;
    struct daemon narrow, wider, again;
    struct arena arena = { 0 };
    struct state *state = state_memory_create(NULL, NULL);
    int64_t now_us = instant("2026-03-02T00:00:00Z");
    open_daemon(&narrow, only_region, few);
    open_daemon(&wider, with_area, more);
    open_daemon(&again, with_area, few);
    narrow.engine.set_clock_us = wider.engine.set_clock_us = again.engine.set_clock_us = now_us;

    struct record first[] = {
        event_of(&arena, "deal.created", "D1",
                 "\"owner\":\"ann\",\"source\":\"web\",\"amount\":\"10\",\"region\":\"n\",\"area\":\"x\""),
        event_of(&arena, "deal.won", "D1", ""),
        event_of(&arena, "deal.created", "D2", "\"owner\":\"bob\",\"source\":\"fair\",\"amount\":\"20\""),
        event_of(&arena, "deal.won", "D2", ""),
        event_of(&arena, "deal.created", "D3", "\"owner\":\"bob\""),
        event_of(&arena, "deal.lost", "D3", ""),
        event_of(&arena, "contact.created", "K1", ""),
    };
    count(&narrow, state, first, 7, now_us);
    expect(&narrow, state, "\"metric\":\"won\",\"by\":[\"owner\"]",
           "{\"rows\":[{\"owner\":\"ann\",\"value\":1},{\"owner\":\"bob\",\"value\":1}]}");
    /* Nothing new has come: what is needed anew is not there, the rest stands. */
    expect(&wider, state, "\"metric\":\"won\",\"by\":[\"source\"]", "{\"rows\":[{\"source\":null,\"value\":2}]}");

    struct record second[] = {
        event_of(&arena, "deal.created", "D4",
                 "\"owner\":\"ann\",\"source\":\"web\",\"amount\":\"40\",\"region\":\"s\",\"area\":\"y\""),
        event_of(&arena, "deal.won", "D4", ""),
        event_of(&arena, "deal.updated", "D2", "\"owner\":\"cid\""),
        event_of(&arena, "contact.created", "K2", ""),
    };
    count(&wider, state, second, 4, now_us);
    expect(&wider, state, "\"metric\":\"won\",\"by\":[\"owner\"]",
           "{\"rows\":[{\"owner\":\"ann\",\"value\":2},{\"owner\":\"cid\",\"value\":1}]}");
    expect(&wider, state, "\"metric\":\"won\",\"by\":[\"source\"]",
           "{\"rows\":[{\"source\":\"fair\",\"value\":1},{\"source\":\"web\",\"value\":1},{\"source\":null,\"value\":1}]}");
    expect(&wider, state, "\"metric\":\"won\",\"by\":[\"area\"]",
           "{\"rows\":[{\"area\":\"y\",\"value\":1},{\"area\":null,\"value\":2}]}");
    expect(&wider, state, "\"metric\":\"income\"", "{\"rows\":[{\"value\":{\"EUR\":60.00}}]}");
    expect(&wider, state, "\"metric\":\"lost\"", "{\"rows\":[{\"value\":0}]}");
    expect(&wider, state, "\"metric\":\"leads\"", "{\"rows\":[{\"value\":1}]}");

    /* Back to the catalogue that needs less: nothing is lost, what came in between goes on. */
    struct record third[] = {
        event_of(&arena, "deal.reopened", "D1", ""),
        event_of(&arena, "deal.updated", "D3", "\"source\":\"web\""),
        event_of(&arena, "deal.created", "D5", "\"owner\":\"dan\",\"source\":\"web\",\"amount\":\"50\",\"area\":\"y\""),
        event_of(&arena, "deal.won", "D5", ""),
        event_of(&arena, "contact.created", "K3", ""),
    };
    count(&again, state, third, 5, now_us);
    expect(&again, state, "\"metric\":\"won\",\"by\":[\"owner\"]",
           "{\"rows\":[{\"owner\":\"ann\",\"value\":1},{\"owner\":\"cid\",\"value\":1},{\"owner\":\"dan\",\"value\":1}]}");
    expect(&wider, state, "\"metric\":\"won\",\"by\":[\"source\"]",
           "{\"rows\":[{\"source\":\"fair\",\"value\":1},{\"source\":\"web\",\"value\":2}]}");
    expect(&wider, state, "\"metric\":\"won\",\"by\":[\"area\",\"region\"]",
           "{\"rows\":[{\"area\":\"y\",\"region\":\"s\",\"value\":1},{\"area\":\"y\",\"region\":null,\"value\":1},{\"area\":null,"
           "\"region\":null,\"value\":1}]}");
    expect(&wider, state, "\"metric\":\"income\"", "{\"rows\":[{\"value\":{\"EUR\":110.00}}]}");
    expect(&wider, state, "\"metric\":\"lost\",\"by\":[\"source\"]", "{\"rows\":[{\"source\":\"web\",\"value\":1}]}");
    expect(&wider, state, "\"metric\":\"leads\"", "{\"rows\":[{\"value\":2}]}");
    close_daemon(&narrow);
    close_daemon(&wider);
    close_daemon(&again);
    state->ops->destroy(state);
    arena_deinit(&arena);
}

static void one_who_no_longer_declares_an_attribute_holds(void **unused)
{
    (void)unused;
    struct daemon wider, narrow;
    struct arena arena = { 0 };
    struct error error = { "" };
    struct state *state = state_memory_create(NULL, NULL);
    open_daemon(&wider, with_area, more);
    open_daemon(&narrow, only_region, more);
    struct record record = event_of(&arena, "deal.created", "D1", "\"area\":\"x\"");
    count(&wider, state, &record, 1, record.timestamp_us);
    struct worker_parts parts = engine_parts(&narrow.engine);
    struct view view;
    assert_true(view_open(&view, state, &parts.tenants, SPAN("t0"), settings_rules(narrow.settings, SPAN("t0")), &error));
    assert_true(view.tenant->held);
    assert_true(span_is(view.tenant->undeclared, "area"));
    view_close(&view);
    close_daemon(&wider);
    close_daemon(&narrow);
    state->ops->destroy(state);
    arena_deinit(&arena);
}

static void one_whose_state_does_not_say_what_it_has_kept_is_held(void **unused)
{
    (void)unused;
    struct daemon daemon;
    struct arena arena = { 0 };
    struct error error = { "" };
    struct state *state = state_memory_create(NULL, NULL);
    open_daemon(&daemon, with_area, more);
    struct record record = event_of(&arena, "deal.created", "D1", "");
    count(&daemon, state, &record, 1, record.timestamp_us);
    struct worker_parts parts = engine_parts(&daemon.engine);
    struct span key = key_state(&arena, parts.tenants.prefix, SPAN("t0"));
    struct hash_write write = { key, SPAN("kept:0"), NO_SPAN };
    struct commit commit = {
        .tenant = SPAN("t0"), .state_key = key, .version = daemon.tenants[0]->version, .writes = &write, .n_writes = 1
    };
    commit.timers_key = key_timers(&arena, parts.tenants.prefix, SPAN("t0"));
    assert_true(state->ops->commit_begin(state, &commit, 1, &error) && state->ops->commit_end(state, &error));
    struct view view;
    struct buffer why = { 0 };
    assert_true(view_open(&view, state, &parts.tenants, SPAN("t0"), daemon.tenants[0]->rules, &error));
    assert_true(view.tenant->held);
    terms_write_changed(view.tenant, &why);
    assert_true(span_is(buffer_all(&why), "the form of its state"));
    buffer_deinit(&why);
    view_close(&view);
    close_daemon(&daemon);
    state->ops->destroy(state);
    arena_deinit(&arena);
}

/* ---- other time zone data ---- */

static char berlin[] = "CRM_REPORTD_TENANTS={\"default\":{\"time_zone\":\"Europe/Berlin\"}}";

static struct record at(struct record record, struct arena *arena, const char *time_text)
{
    char *text = arena_text(arena, record.value), *time = strstr(text, "2026-03-01T10:");
    memcpy(time, time_text, strlen(time_text));
    record.value = span_of(text);
    record.timestamp_us = instant("2026-03-02T21:00:00Z");
    return record;
}

static void other_time_zone_data_count_from_then_on(void **unused)
{
    (void)unused;
    struct daemon before, after;
    struct arena arena = { 0 };
    struct state *state = state_memory_create(NULL, NULL);
    const char *hours = "\"metric\":\"resolution_business_time\",\"stat\":\"average\"", *overdue = "\"metric\":\"overdue_deals\"";
    open_daemon(&before, berlin, NULL);
    open_elsewhere(&after, berlin, NULL, "Europe/Kyiv");
    int64_t now_us = instant("2026-03-02T21:00:00Z"); /* midnight is at 23:00 for the one, at 22:00 for the other */
    before.engine.set_clock_us = after.engine.set_clock_us = now_us;
    struct record first[] = {
        at(event_of(&arena, "case.opened", "S1", ""), &arena, "2026-03-02T07:00:00Z"),
        at(event_of(&arena, "case.resolved", "S1", ""), &arena, "2026-03-02T12:00:00Z"),
        event_of(&arena, "deal.created", "D1", "\"expected_close\":\"2026-03-02\""),
    };
    count(&before, state, first, 3, now_us);
    expect(&before, state, hours, "{\"rows\":[{\"value\":4}]}"); /* 9:00 to 13:00 */
    expect(&after, state, hours, "{\"rows\":[{\"value\":4}]}");

    struct record second[] = {
        event_of(&arena, "case.updated", "S1", "\"owner\":\"ann\""),
        event_of(&arena, "deal.updated", "D1", "\"owner\":\"ann\""),
    };
    count(&after, state, second, 2, now_us);
    expect(&after, state, hours, "{\"rows\":[{\"value\":5}]}"); /* 9:00 to 14:00 */
    expect(&after, state, overdue, "{\"rows\":[{\"value\":0}]}");

    /* One that still has the old data knows them as older, and goes on by the newer ones. */
    struct record third[] = {
        event_of(&arena, "case.updated", "S1", "\"owner\":\"bob\""),
        at(event_of(&arena, "case.opened", "S2", ""), &arena, "2026-03-02T07:00:00Z"),
        at(event_of(&arena, "case.resolved", "S2", ""), &arena, "2026-03-02T12:00:00Z"),
    };
    now_us = instant("2026-03-02T22:30:00Z");
    count(&before, state, third, 3, now_us);
    expect(&after, state, hours, "{\"rows\":[{\"value\":5}]}");
    expect(&after, state, overdue, "{\"rows\":[{\"value\":1}]}");
    assert_int_equal(before.tenants[0]->generations.stored, 2);
    close_daemon(&before);
    close_daemon(&after);
    state->ops->destroy(state);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed_anew_counts_from_then_on),
        cmocka_unit_test(one_who_no_longer_declares_an_attribute_holds),
        cmocka_unit_test(one_whose_state_does_not_say_what_it_has_kept_is_held),
        cmocka_unit_test(other_time_zone_data_count_from_then_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
