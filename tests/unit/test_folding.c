/* Days that fold into their months change no answer that can still be asked; of the others it is said which days there are. What
 * comes late for a folded day counts in its month. */
#include "daemon/command/effective.h"
#include "daemon/recount/census.h"
#include "daemon/recount/differences.h"
#include "tests/unit/counting.h"

#define TENANTS_SETTING(keys) "CRM_REPORTD_TENANTS={\"default\":{\"time_zone\":\"Europe/Berlin\"" keys "}}"
static char folds[] = TENANTS_SETTING(",\"fold_after\":300"), keeps[] = TENANTS_SETTING("");

enum {
    HISTORIES = 12,
    EVENTS = 400,
    MONTHS = 30,
    QUESTIONS = 300
};

/* The same events, counted twice: with folding and without. */
struct pair {
    struct daemon folding, keeping;
    struct state *folded, *kept;
    struct arena arena;
    struct dice dice;
    int64_t now_us, offset;
};

static void open_pair(struct pair *pair, uint64_t seed)
{
    *pair = (struct pair){ .folded = state_memory_create(NULL, NULL), .kept = state_memory_create(NULL, NULL) };
    pair->dice.state = seed * 31;
    pair->now_us = instant("2024-02-10T08:00:00Z");
    open_daemon(&pair->folding, folds, NULL);
    open_daemon(&pair->keeping, keeps, NULL);
}

static void close_pair(struct pair *pair)
{
    close_daemon(&pair->folding);
    close_daemon(&pair->keeping);
    pair->folded->ops->destroy(pair->folded);
    pair->kept->ops->destroy(pair->kept);
    arena_deinit(&pair->arena);
}

static void count_both(struct pair *pair, const struct record *records, size_t n)
{
    for (int turn = 0; turn < 2; turn++, n = 0) { /* the second lets timers ring */
        assert_true(fold_once(&pair->folding, pair->folded, 0, records, n, pair->now_us));
        assert_true(fold_once(&pair->keeping, pair->kept, 0, records, n, pair->now_us));
    }
}

static const char *const types[] = { "deal.created",   "deal.won",    "deal.lost",     "deal.stage_changed",
                                     "case.opened",    "case.closed", "case.reopened", "contact.created",
                                     "call.completed", "email.sent",  "deal.updated" };

/* Now, or up to two years ago. */
static void event(struct pair *pair)
{
    struct dice *dice = &pair->dice;
    struct buffer text = { 0 };
    char time[INSTANT_TEXT_BYTES];
    const char *type = types[dice_below(dice, sizeof types / sizeof *types)];
    int64_t ago_us = dice_below(dice, 3) ? 0 : (int64_t)dice_below(dice, 730) * MICROS_PER_DAY;
    instant_format(pair->now_us - ago_us - (int64_t)dice_below(dice, 86400) * MICROS_PER_SECOND, time);
    buffer_printf(&text,
                  "{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"/s\",\"type\":\"crm.%s\",\"subject\":\"%.2s%u\","
                  "\"tenantid\":\"t0\",\"time\":\"%s\",\"data\":{\"owner\":\"o%u\",\"amount\":\"%u\",\"stage\":\"s%u\","
                  "\"contact\":\"co%u\"}}",
                  (int)pair->offset, type, type, dice_below(dice, 60), time, dice_below(dice, 3), dice_below(dice, 500),
                  dice_below(dice, 3), dice_below(dice, 60));
    struct record record = {
        .value = buffer_all(&text), .topic = SPAN("t"), .offset = pair->offset++, .timestamp_us = pair->now_us
    };
    count_both(pair, &record, 1);
    buffer_deinit(&text);
}

static void live(struct pair *pair)
{
    for (int month = 0; month < MONTHS; month++) {
        for (int i = 0; i < EVENTS / MONTHS; i++) event(pair);
        pair->now_us += (int64_t)(25 + dice_below(&pair->dice, 12)) * MICROS_PER_DAY;
        if (dice_below(&pair->dice, 3) == 0) tenant_drop(pair->folding.tenants[0]);
        count_both(pair, NULL, 0);
    }
}

static void ask(struct daemon *daemon, struct state *state, const struct pair *pair, struct span request, struct buffer *answer)
{
    struct error error = { "" };
    daemon->engine.set_clock_us = pair->now_us;
    buffer_clear(answer);
    if (!engine_answer(&daemon->engine, state, request, answer, &error)) fail_msg("%s", error.text);
    buffer_byte(answer, 0);
}

static const char *const metrics[] = { "leads",           "revenue",        "open_deals",      "open_amount",
                                       "cases_handled",   "open_cases",     "new_customers",   "sales_cycle",
                                       "resolution_time", "stage_duration", "win_probability", "customer_lifetime_value",
                                       "activities",      "records",        "close_rate" };

/* Ends of days that may be cut, or not. */
static int32_t some_day(struct dice *dice, int32_t today, bool whole, bool is_end)
{
    int32_t day = today - (int32_t)dice_below(dice, 900);
    struct period month = month_period(month_of_day(day));
    return !whole ? day : is_end ? month.to : month.from;
}

static void put_question(struct pair *pair, bool *by_days, int32_t *from, int32_t *to, struct buffer *out)
{
    static const char *const by[] = {
        "", ",\"by\":[\"owner\"]", ",\"by\":[\"month\"]", ",\"by\":[\"day\"]", ",\"by\":[\"week\"]", ",\"by\":[\"quarter\"]"
    };
    struct dice *dice = &pair->dice;
    int32_t today = local_day(pair->now_us, 0);
    uint32_t chosen = dice_below(dice, sizeof by / sizeof *by);
    char first[DAY_TEXT_BYTES], last[DAY_TEXT_BYTES];
    *by_days = chosen == 3 || chosen == 4;
    *from = some_day(dice, today, dice_below(dice, 3), false);
    *to = some_day(dice, today, dice_below(dice, 3), true);
    if (*to < *from) *to = month_period(month_of_day(*from)).to;
    day_format(*from, first);
    day_format(*to, last);
    const char *metric = metrics[dice_below(dice, sizeof metrics / sizeof *metrics)];
    buffer_printf(out, "{\"tenant\":\"t0\",\"metric\":\"%s\",\"from\":\"%s\",\"to\":\"%s\"%s}", metric, first, last, by[chosen]);
}

/* Does the question take single days before that one? */
static bool takes_days(bool by_days, int32_t from, int32_t to, int32_t days_from)
{
    struct period first = month_period(month_of_day(from)), last = month_period(month_of_day(to));
    return (first.from < days_from && (by_days || from != first.from)) || (last.from < days_from && to != last.to);
}

static void question(struct pair *pair, size_t *refused, size_t *answered)
{
    struct buffer request = { 0 }, got = { 0 }, want = { 0 };
    bool by_days;
    int32_t from, to, days_from = pair->folding.tenants[0]->days_from;
    put_question(pair, &by_days, &from, &to, &request);
    ask(&pair->folding, pair->folded, pair, buffer_all(&request), &got);
    ask(&pair->keeping, pair->kept, pair, buffer_all(&request), &want);
    bool says_so = strstr(got.at, "\"days_folded\""), takes = takes_days(by_days, from, to, days_from);
    if (says_so && !takes) fail_msg("%.*s\nrefused: %s", SPAN_ARG(buffer_all(&request)), got.at);
    if (!says_so && strcmp(got.at, want.at) != 0)
        fail_msg("%.*s\nwith folding %s\nwithout      %s", SPAN_ARG(buffer_all(&request)), got.at, want.at);
    *refused += says_so;
    *answered += !says_so && from < days_from;
    buffer_deinit(&request);
    buffer_deinit(&got);
    buffer_deinit(&want);
}

/* No cell of a day before the line, and all others as they would be without it. */
static size_t compare_cells(struct pair *pair)
{
    struct error error = { "" };
    struct worker_parts parts = engine_parts(&pair->folding.engine);
    struct view folded = { 0 }, kept = { 0 };
    struct census got = { 0 }, want = { 0 };
    const struct tenant *like = pair->folding.tenants[0];
    assert_true(view_open(&folded, pair->folded, &parts.tenants, like->name, like->rules, &error));
    assert_true(view_open(&kept, pair->kept, &parts.tenants, like->name, pair->keeping.tenants[0]->rules, &error));
    assert_true(folded.tenant->days_from == like->days_from);
    folded.tenant->days_from = NO_DAY; /* looks at all days */
    assert_true(census_add_cells(&got, &folded, &error) && census_add_cells(&want, &kept, &error));
    size_t at = 0, n = 0, gone = 0;
    for (struct map_slot *slot; (slot = map_next(&want.cells, &at));) {
        const struct census_cell *cell = slot->value;
        const struct cell_value *value = census_cell(&got, cell);
        bool is_gone = cell->bucket.type == BUCKET_DAY && cell->bucket.number < like->days_from;
        struct cell_value rest = { 0 };
        assert_true(cell_value_add(&rest, &cell->value, 1) && (!value || cell_value_add(&rest, value, -1)));
        n += is_gone ? value != NULL : !cell_value_is_zero(&rest);
        gone += is_gone;
        cell_value_deinit(&rest);
    }
    assert_true(gone > 0);
    census_deinit(&got);
    census_deinit(&want);
    view_close(&folded);
    view_close(&kept);
    return n;
}

static void no_answer_changes_that_can_be_asked(void **unused)
{
    (void)unused;
    size_t refused = 0, answered = 0;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        struct pair pair;
        open_pair(&pair, seed);
        live(&pair);
        for (int i = 0; i < QUESTIONS; i++) question(&pair, &refused, &answered);
        assert_int_equal(compare_cells(&pair), 0);
        close_pair(&pair);
    }
    assert_true(refused > 100 && answered > 100);
}

static void the_refusal_says_what_there_is(void **unused)
{
    (void)unused;
    struct pair pair;
    struct buffer answer = { 0 };
    open_pair(&pair, 1);
    pair.now_us = instant("2024-02-10T08:00:00Z");
    event(&pair);
    pair.now_us = instant("2026-03-31T12:00:00Z");
    count_both(&pair, NULL, 0);
    assert_int_equal(pair.folding.tenants[0]->days_from, day("2025-06-01")); /* 300 days ago was June 4 */
    ask(&pair.folding, pair.folded, &pair,
        SPAN("{\"tenant\":\"t0\",\"metric\":\"leads\",\"from\":\"2025-05-02\",\"to\":\"2025-05-31\"}"), &answer);
    assert_string_equal(
        answer.at, "{\"error\":{\"code\":\"days_folded\",\"message\":\"the request takes single days before 2025-06-01, of which "
                   "only whole months are kept: let \\\"from\\\" be 2025-06-01 or later, or ask for whole months, quarters or "
                   "years there, not by day or week\"}}");
    ask(&pair.folding, pair.folded, &pair,
        SPAN("{\"tenant\":\"t0\",\"metric\":\"leads\",\"from\":\"2025-05-01\",\"to\":\"2025-05-31\"}"), &answer);
    assert_string_equal(answer.at, "{\"rows\":[{\"value\":0}]}");
    buffer_deinit(&answer);
    close_pair(&pair);
}

/* Named periods of reports that show days or weeks reach back so far; "all" reaches for ever. */
static void a_report_of_days_asks_for_more(void **unused)
{
    (void)unused;
    static const struct {
        const char *by, *period;
        const char *problem;
    } rows[] = {
        { "day", "this_month", NULL },
        { "week", "last_90_days", NULL },
        { "month", "all", NULL },
        { "day", "last_year", "is 300, expected 0 or at least 761: the report \"mine\" shows days or weeks of last_year" },
        { "week", "all", "is 300, expected 0: the report \"mine\" shows days or weeks of all" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        struct problems problems = { 0 };
        char *environment[] = { folds, NULL };
        snprintf(text, sizeof text,
                 "{\"metrics\":{\"leads\":\"lead.count\"},\"reports\":{\"mine\":{\"by\":[[\"%s\"]],\"metrics\":[\"leads\"],"
                 "\"periods\":[\"%s\"]}}}",
                 rows[i].by, rows[i].period);
        struct settings *settings = settings_load(NULL, environment, NEED_RULES, &problems);
        struct catalogue_file file = { "own", span_of(text) };
        struct catalogue *catalogue = catalogue_load(&file, 1, &problems);
        assert_true(settings && catalogue);
        catalogue_check_folding(catalogue, settings, &problems);
        assert_int_equal(problems.n, rows[i].problem ? 1 : 0);
        if (rows[i].problem) assert_string_equal(problems.at[0].text, rows[i].problem);
        if (rows[i].problem) assert_string_equal(problems.at[0].where, "tenants.default.fold_after");
        problems_deinit(&problems);
        catalogue_destroy(catalogue);
        settings_destroy(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_answer_changes_that_can_be_asked),
        cmocka_unit_test(the_refusal_says_what_there_is),
        cmocka_unit_test(a_report_of_days_asks_for_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
