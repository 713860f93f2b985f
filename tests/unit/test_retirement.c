/* Closed entities leave when they were left alone for longer than `retire_after`: their numbers stay, who comes later is rejected. */
#include "tests/unit/counting.h"

#define TENANTS_SETTING(keys) "CRM_REPORTD_TENANTS={\"default\":{" keys "}}"
static char after_ten[] = TENANTS_SETTING("\"retire_after\":10"), after_forty[] = TENANTS_SETTING("\"retire_after\":40"),
            never[] = TENANTS_SETTING("");

struct house {
    struct daemon daemon;
    struct state *state;
    struct arena arena;
    int64_t now_us, offset;
    size_t refused;
};

static void note_refusal(void *context, const struct entry *entry)
{
    struct house *house = context;
    assert_int_equal(entry->refused, REASON_AFTER_RETENTION);
    house->refused++;
}

static void change_settings(struct house *house, char *settings)
{
    if (house->daemon.settings) close_daemon(&house->daemon);
    open_daemon(&house->daemon, settings, NULL);
    house->daemon.refused = note_refusal;
    house->daemon.context = house;
}

static void open_house(struct house *house, char *settings)
{
    *house = (struct house){ .state = state_memory_create(NULL, NULL), .now_us = instant("2026-03-02T12:00:00Z") };
    change_settings(house, settings);
}

static void close_house(struct house *house)
{
    close_daemon(&house->daemon);
    house->state->ops->destroy(house->state);
    arena_deinit(&house->arena);
}

/* An event that happens now: "deal.created", "D1", "\"owner\":\"ann\"". */
static void event(struct house *house, const char *type, const char *subject, const char *data)
{
    char time[INSTANT_TEXT_BYTES];
    struct buffer text = { 0 };
    house->now_us += MICROS_PER_SECOND;
    instant_format(house->now_us, time);
    buffer_printf(&text,
                  "{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"/s\",\"type\":\"crm.%s\",\"subject\":\"%s\","
                  "\"tenantid\":\"t0\",\"time\":\"%s\",\"data\":{%s}}",
                  (int)house->offset, type, subject, time, data);
    struct record record = {
        .value = buffer_all(&text), .topic = SPAN("t"), .offset = house->offset++, .timestamp_us = house->now_us
    };
    assert_true(fold_once(&house->daemon, house->state, 0, &record, 1, house->now_us));
    buffer_deinit(&text);
}

/* Day by day, as a daemon sees them. */
static void pass_days(struct house *house, int days)
{
    for (int i = 0; i < days; i++) {
        house->now_us += MICROS_PER_DAY;
        for (int turn = 0; turn < 3; turn++) /* midnight, timers; then who leaves */
            assert_true(fold_once(&house->daemon, house->state, 0, NULL, 0, house->now_us));
    }
}

static void expect(struct house *house, const char *query, const char *wanted)
{
    struct buffer request = { 0 }, answer = { 0 };
    struct error error = { "" };
    house->daemon.engine.set_clock_us = house->now_us;
    buffer_printf(&request, "{\"tenant\":\"t0\",%s}", query);
    assert_true(engine_answer(&house->daemon.engine, house->state, buffer_all(&request), &answer, &error));
    buffer_byte(&answer, 0);
    if (strcmp(answer.at, wanted) != 0) fail_msg("%s\nexpected %s\ngot      %s", query, wanted, answer.at);
    buffer_deinit(&request);
    buffer_deinit(&answer);
}

static const struct tenant *tenant_of(const struct house *house)
{
    return house->daemon.tenants[0];
}

static void closed_entities_leave_and_their_numbers_stay(void **unused)
{
    (void)unused;
    struct house house;
    open_house(&house, after_ten);
    event(&house, "case.opened", "S1", "\"owner\":\"ann\",\"priority\":\"high\"");
    event(&house, "case.opened", "S2", "\"owner\":\"bob\"");
    event(&house, "case.closed", "S1", "");
    pass_days(&house, 10);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].entities, 2);
    pass_days(&house, 1);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].entities, 1);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].retired, 1);
    expect(&house, "\"metric\":\"cases_handled\",\"by\":[\"owner\"]", "{\"rows\":[{\"owner\":\"ann\",\"value\":1}]}");
    expect(&house, "\"metric\":\"cases_opened\"", "{\"rows\":[{\"value\":2}]}");
    expect(&house, "\"metric\":\"open_cases\",\"by\":[\"owner\"]", "{\"rows\":[{\"owner\":\"bob\",\"value\":1}]}");

    /* Too late: it stays as it was counted. Also what would have been a repeat. */
    event(&house, "case.reopened", "S1", "\"owner\":\"cid\"");
    event(&house, "case.rated", "S1", "\"score\":5");
    assert_int_equal(house.refused, 2);
    expect(&house, "\"metric\":\"cases_handled\",\"by\":[\"owner\"]", "{\"rows\":[{\"owner\":\"ann\",\"value\":1}]}");
    expect(&house, "\"metric\":\"customer_satisfaction\"", "{\"rows\":[{\"value\":null}]}");
    expect(&house, "\"metric\":\"rejected_events\",\"by\":[\"reason\"]",
           "{\"rows\":[{\"reason\":\"after_retention\",\"value\":2}]}");

    /* The other goes on as ever, however long. */
    pass_days(&house, 100);
    event(&house, "case.closed", "S2", "");
    expect(&house, "\"metric\":\"cases_handled\"", "{\"rows\":[{\"value\":2}]}");
    pass_days(&house, 11);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].entities, 0);
    expect(&house, "\"metric\":\"cases_handled\"", "{\"rows\":[{\"value\":2}]}");
    close_house(&house);
}

/* What ends each kind that ends at all. */
static void only_what_is_closed_leaves(void **unused)
{
    (void)unused;
    static const struct {
        enum kind kind;
        const char *first, *then;
        bool leaves;
    } rows[] = {
        { KIND_DEAL, "deal.created", "deal.won", true },
        { KIND_DEAL, "deal.created", "deal.lost", true },
        { KIND_DEAL, "deal.created", "deal.deleted", true },
        { KIND_DEAL, "deal.created", "deal.proposal_sent", false },
        { KIND_DEAL, "deal.won", "deal.proposal_sent", false }, /* never created */
        { KIND_CALL, "call.scheduled", "call.completed", true },
        { KIND_CALL, "call.scheduled", "call.cancelled", true },
        { KIND_CALL, "call.missed", "call.missed", true },
        { KIND_CALL, "call.cancelled", "call.scheduled", false },
        { KIND_MEETING, "meeting.scheduled", "meeting.held", true },
        { KIND_MEETING, "meeting.scheduled", "meeting.scheduled", false },
        { KIND_EMAIL, "email.sent", "email.opened", true },
        { KIND_CASE, "case.opened", "case.resolved", true },
        { KIND_CASE, "case.opened", "case.responded", false },
        { KIND_INTERACTION, "interaction.logged", "interaction.logged", true },
        { KIND_RESPONSE, "response.received", "response.received", true },
        { KIND_VISIT, "visit.started", "visit.ended", true },
        { KIND_CONTACT, "contact.created", "contact.qualified", false },
        { KIND_ACCOUNT, "account.created", "account.churned", false },
        { KIND_CAMPAIGN, "campaign.started", "campaign.ended", false },
        { KIND_USER, "user.created", "user.deactivated", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct house house;
        open_house(&house, after_ten);
        event(&house, rows[i].first, "X1", "");
        event(&house, rows[i].then, "X1", "");
        pass_days(&house, 30);
        bool left = tenant_of(&house)->kind[rows[i].kind].retired == 1;
        if (left != rows[i].leaves) fail_msg("%s, %s: %s", rows[i].first, rows[i].then, left ? "left" : "stays");
        close_house(&house);
    }
}

/* A promise that is still to be missed, and a deleted deal that somebody names: what they say may change yet. */
static void what_may_still_change_stays(void **unused)
{
    (void)unused;
    struct house house;
    open_house(&house, after_ten);
    event(&house, "case.opened", "S1", "\"response_due\":\"2026-05-01T12:00:00Z\"");
    event(&house, "case.closed", "S1", "");
    event(&house, "deal.created", "D1", "");
    event(&house, "deal.deleted", "D1", "");
    event(&house, "call.scheduled", "C1", "\"deal\":\"D1\"");
    pass_days(&house, 40);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].entities, 1);
    assert_int_equal(tenant_of(&house)->kind[KIND_DEAL].entities, 1);
    expect(&house, "\"metric\":\"unknown_references\"", "{\"rows\":[{\"value\":1}]}");
    event(&house, "call.scheduled", "C1", "\"deal\":null");
    pass_days(&house, 60);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].entities, 0);
    assert_int_equal(tenant_of(&house)->kind[KIND_DEAL].entities, 0);
    expect(&house, "\"metric\":\"unknown_references\"", "{\"rows\":[{\"value\":0}]}");
    expect(&house, "\"metric\":\"sla_compliance\"", "{\"rows\":[{\"value\":0}]}");
    close_house(&house);
}

static void what_is_handed_over_later_is_dropped(void **unused)
{
    (void)unused;
    struct house house;
    open_house(&house, after_ten);
    event(&house, "contact.created", "K1", "\"source\":\"web\"");
    event(&house, "deal.created", "D1", "\"amount\":\"100\",\"contact\":\"K1\"");
    event(&house, "call.completed", "C1", "\"deal\":\"D1\"");
    event(&house, "call.completed", "C2", "\"deal\":\"D1\"");
    event(&house, "deal.won", "D1", "");
    pass_days(&house, 5);
    event(&house, "call.updated_by_nobody", "C9", ""); /* rejected: unknown_type */
    event(&house, "call.completed", "C1", "\"duration_s\":5");
    pass_days(&house, 7);
    assert_int_equal(tenant_of(&house)->kind[KIND_DEAL].retired, 1);
    assert_int_equal(tenant_of(&house)->kind[KIND_CALL].entities, 1);
    const char *calls = "\"metric\":\"sales_calls_per_opportunity\"", *before = "{\"rows\":[{\"value\":2}]}";
    expect(&house, calls, before);
    event(&house, "call.completed", "C3", "\"deal\":\"D1\"");
    event(&house, "call.deleted", "C1", "");
    expect(&house, calls, before);
    expect(&house, "\"metric\":\"calls\"", "{\"rows\":[{\"value\":2}]}");
    expect(&house, "\"metric\":\"unknown_references\"", "{\"rows\":[{\"value\":0}]}");
    /* What it had handed over goes along with whom it was handed to. */
    expect(&house, "\"metric\":\"lead_revenue\",\"by\":[\"source\"]",
           "{\"rows\":[{\"source\":\"web\",\"value\":{\"EUR\":100.00}}]}");
    event(&house, "contact.updated", "K1", "\"source\":\"fair\"");
    expect(&house, "\"metric\":\"lead_revenue\",\"by\":[\"source\"]",
           "{\"rows\":[{\"source\":\"fair\",\"value\":{\"EUR\":100.00}}]}");
    assert_int_equal(house.refused, 0);
    close_house(&house);
}

/* Of what is old already when the setting comes some days are waited for; a rule that becomes shorter counts at once. */
static void the_setting_comes_changes_and_goes(void **unused)
{
    (void)unused;
    struct house house;
    open_house(&house, never);
    event(&house, "case.opened", "S1", "");
    event(&house, "case.closed", "S1", "");
    pass_days(&house, 60);
    change_settings(&house, after_forty);
    pass_days(&house, 7);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].entities, 1);
    event(&house, "case.opened", "S2", "");
    event(&house, "case.closed", "S2", "");
    pass_days(&house, 2);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].entities, 1); /* S1 has left */
    pass_days(&house, 20);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].entities, 1);
    change_settings(&house, after_ten);
    pass_days(&house, 2);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].entities, 0);
    change_settings(&house, never);
    event(&house, "case.reopened", "S2", ""); /* its mark stays */
    assert_int_equal(house.refused, 1);
    event(&house, "case.opened", "S3", "");
    event(&house, "case.closed", "S3", "");
    pass_days(&house, 100);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].entities, 1);
    assert_int_equal(tenant_of(&house)->retirement.after_days, 0);
    expect(&house, "\"metric\":\"cases_handled\"", "{\"rows\":[{\"value\":3}]}");
    close_house(&house);
}

/* Many pages, a few with each commit; somebody else goes on in the middle. */
static void many_leave_a_few_at_a_time(void **unused)
{
    (void)unused;
    enum {
        CASES = 10000
    };
    struct house house;
    open_house(&house, after_ten);
    for (int i = 0; i < CASES; i++) {
        char id[16];
        snprintf(id, sizeof id, "S%d", i);
        event(&house, "case.opened", id, "\"owner\":\"ann\"");
        event(&house, "case.closed", id, "");
    }
    uint64_t pages = tenant_of(&house)->kind[KIND_CASE].pages, bytes = tenant_of(&house)->kind[KIND_CASE].bytes;
    assert_true(pages > 300); /* more than go with one commit */
    pass_days(&house, 10);
    house.now_us += MICROS_PER_DAY;
    assert_true(fold_once(&house.daemon, house.state, 0, NULL, 0, house.now_us));
    assert_true(fold_once(&house.daemon, house.state, 0, NULL, 0, house.now_us));
    assert_true(tenant_of(&house)->retirement.under_way);
    uint64_t some = tenant_of(&house)->kind[KIND_CASE].retired;
    assert_in_range(some, 1, CASES - 1);
    change_settings(&house, after_ten);
    pass_days(&house, 1);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].entities, 0);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].retired, CASES);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].bytes, CASES * 12);
    assert_true(bytes > CASES * 24);
    for (int i = 0; i < CASES; i += 100) {
        char id[16];
        snprintf(id, sizeof id, "S%d", i);
        event(&house, "case.reopened", id, "");
    }
    assert_int_equal(house.refused, CASES / 100);
    expect(&house, "\"metric\":\"cases_handled\",\"by\":[\"owner\"]", "{\"rows\":[{\"owner\":\"ann\",\"value\":10000}]}");
    close_house(&house);
}

/* Others come, and the pages become more: marks go where their entities would stand now. */
static void who_left_is_known_among_more_pages(void **unused)
{
    (void)unused;
    enum {
        LEFT = 40,
        CAME = 400
    };
    struct house house;
    char subject[16];
    open_house(&house, after_ten);
    for (int i = 0; i < LEFT; i++) {
        snprintf(subject, sizeof subject, "S%d-0", i);
        event(&house, "case.opened", subject, "\"owner\":\"ann\"");
        event(&house, "case.closed", subject, "");
    }
    pass_days(&house, 12);
    assert_int_equal(tenant_of(&house)->kind[KIND_CASE].retired, LEFT);
    uint64_t pages = tenant_of(&house)->kind[KIND_CASE].pages;
    for (int i = 0; i < CAME; i++) {
        snprintf(subject, sizeof subject, "T%d-0", i);
        event(&house, "case.opened", subject, "\"owner\":\"bob\"");
    }
    assert_true(tenant_of(&house)->kind[KIND_CASE].pages >= 4 * pages);
    for (int i = 0; i < LEFT; i++) {
        snprintf(subject, sizeof subject, "S%d-0", i);
        event(&house, "case.reopened", subject, "");
    }
    assert_int_equal(house.refused, LEFT);
    expect(&house, "\"metric\":\"open_cases\",\"by\":[\"owner\"]", "{\"rows\":[{\"owner\":\"bob\",\"value\":400}]}");
    close_house(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_entities_leave_and_their_numbers_stay),
        cmocka_unit_test(only_what_is_closed_leaves),
        cmocka_unit_test(what_may_still_change_stays),
        cmocka_unit_test(what_is_handed_over_later_is_dropped),
        cmocka_unit_test(the_setting_comes_changes_and_goes),
        cmocka_unit_test(many_leave_a_few_at_a_time),
        cmocka_unit_test(who_left_is_known_among_more_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
