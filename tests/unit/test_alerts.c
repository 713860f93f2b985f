/* Alerts of a tenant: raised, cleared, held by hysteresis and `for`, row by row, against the period before; and any sequence of
 * events against a reference that looks at nothing but the numbers. */
#include "daemon/alert/assess.h"
#include "daemon/alert/outbox.h"
#include "tests/unit/memory_cells.h"
#include "tests/unit/unit.h"

static struct catalogue *catalogue;

static int start(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    catalogue = load_catalogue(NULL, &problems);
    problems_deinit(&problems);
    return catalogue ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    catalogue_destroy(catalogue);
    return 0;
}

/* A tenant with its rules; time passes by hand. */
struct bench {
    struct memory_cells *cells;
    struct alert_rules *rules;
    const struct alert_rule *watched[16];
    size_t n_watched;
    struct board *board;
    struct alert_book book;
    int64_t version, state_us, now_us;
    size_t events_max;
    struct arena arena;
    char told[4096]; /* "slow raised 3;slow {'owner':'u1'} cleared null;": since the last look */
    size_t more, left_out;
    int64_t next_us, last_version;
};

static struct settings *settings_of(const char *rules)
{
    static char text[8192];
    char variable[8300], *environment[] = { variable, NULL };
    struct problems problems = { 0 };
    snprintf(text, sizeof text, "%s", rules);
    for (char *at = text; *at; at++)
        if (*at == '\'') *at = '"';
    snprintf(variable, sizeof variable, "CRM_REPORTD_ALERTS=%s", text);
    struct settings *settings = settings_load(NULL, environment, NEED_RULES, &problems);
    problems_print(&problems, "", stderr);
    problems_deinit(&problems);
    assert_non_null(settings);
    return settings;
}

/* The rules, their quotes written '. */
static void watch(struct bench *bench, const char *rules)
{
    struct problems problems = { 0 };
    struct error error = { "" };
    struct watch watches[16];
    struct settings *settings = settings_of(rules);
    struct alert_rules *old = bench->rules;
    bench->rules = alert_rules_read(settings, catalogue, &problems, NULL);
    problems_print(&problems, "", stderr);
    problems_deinit(&problems);
    assert_non_null(bench->rules);
    bench->n_watched = bench->rules->n;
    for (size_t i = 0; i < bench->n_watched; i++) {
        bench->watched[i] = &bench->rules->at[i];
        watches[i] = bench->rules->at[i].watch;
    }
    board_watch(bench->board, watches, bench->n_watched);
    struct cell_reader reader = memory_reader(bench->cells);
    assert_true(board_load(bench->board, day("2026-03-15"), &reader, &error));
    alert_rules_destroy(old);
    settings_destroy(settings);
}

static struct bench *bench_create(const char *rules)
{
    struct bench *bench = must_zalloc(sizeof *bench);
    bench->cells = memory_cells_create();
    bench->board = board_create(catalogue, &bench->cells->rules, &bench->cells->names, NULL, 0);
    bench->version = 100;
    bench->state_us = bench->now_us = instant("2026-03-15T12:00:00Z");
    bench->events_max = 1000;
    watch(bench, rules);
    return bench;
}

static void bench_destroy(struct bench *bench)
{
    board_destroy(bench->board);
    alert_rules_destroy(bench->rules);
    alert_book_deinit(&bench->book);
    memory_cells_destroy(bench->cells);
    arena_deinit(&bench->arena);
    free(bench);
}

/* A fact comes (or, with a count below 0, goes). */
static void tell(struct bench *bench, const char *at, const char *text)
{
    struct cell_key key;
    struct cell_value value;
    make_cell(bench->cells, text, &key, &value);
    put_cell(bench->cells, day(at), &key, &value);
    board_add(bench->board, day(at), &key, &value);
    cell_value_deinit(&value);
    bench->version += 10;
    bench->state_us = bench->now_us;
}

static void wait_s(struct bench *bench, int64_t seconds)
{
    bench->now_us += seconds * 1000000;
}

/* Of the event: a text or a number under "data". */
static struct span part_of(struct span event, const char *key)
{
    char look[64];
    int n = snprintf(look, sizeof look, "\"%s\":", key);
    const char *at = memmem(event.at, event.len, look, (size_t)n);
    if (!at) return NO_SPAN;
    at += n;
    if (*at == '"') at++;
    return (struct span){ at, strcspn(at, ",}\"") };
}

static void note_told(struct bench *bench, const struct alert_change *change)
{
    size_t n = strlen(bench->told);
    struct span value = part_of(change->event, "value"), state = part_of(change->event, "state");
    assert_true(change->version > bench->last_version);
    bench->last_version = change->version;
    snprintf(bench->told + n, sizeof bench->told - n, "%.*s %.*s %.*s;", SPAN_ARG(change->field), SPAN_ARG(state),
             SPAN_ARG(value));
    for (char *at = bench->told + n; *at; at++)
        if (*at == '"') *at = '\'';
}

static void assess(struct bench *bench, bool all)
{
    struct alert_scene scene = { .tenant = SPAN("acme"),
                                 .rules = &bench->cells->rules,
                                 .names = &bench->cells->names,
                                 .board = bench->board,
                                 .watched = bench->watched,
                                 .n_watched = bench->n_watched,
                                 .book = &bench->book,
                                 .version = bench->version,
                                 .state_us = bench->state_us,
                                 .now_us = bench->now_us,
                                 .type_prefix = "crm.",
                                 .all = all,
                                 .events_max = bench->events_max };
    struct alert_changes changes = alert_assess(&scene, &bench->arena);
    for (size_t i = 0; i < changes.n; i++)
        if (changes.at[i].event.len) note_told(bench, &changes.at[i]);
    alert_book_apply(&bench->book, &changes, bench->version);
    board_watch_reset(bench->board);
    bench->more = changes.more;
    bench->left_out = changes.left_out;
    bench->next_us = changes.next_us;
    arena_reset(&bench->arena);
}

/* What is told now, and nothing else. */
static void expect(struct bench *bench, const char *want)
{
    bench->told[0] = 0;
    assess(bench, false);
    assert_string_equal(bench->told, want);
}

static void raised_once_cleared_once(void **state)
{
    (void)state;
    struct bench *bench = bench_create("[{'name':'many','metric':'leads','period':'this_month','above':2}]");
    tell(bench, "2026-03-10", "lead owner=u1 count=2");
    expect(bench, "");
    tell(bench, "2026-03-10", "lead owner=u1 count=1");
    expect(bench, "many raised 3;");
    tell(bench, "2026-03-11", "lead owner=u2 count=5");
    expect(bench, "");
    tell(bench, "2026-02-11", "lead owner=u2 count=5"); /* of another month */
    expect(bench, "");
    tell(bench, "2026-03-11", "lead owner=u2 count=-5");
    expect(bench, "");
    tell(bench, "2026-03-10", "lead owner=u1 count=-1"); /* it was none, as comes out late */
    expect(bench, "many cleared 2;");
    assess(bench, true);
    expect(bench, "");
    bench_destroy(bench);
}

static void held_by_hysteresis(void **state)
{
    (void)state;
    struct bench *bench = bench_create("[{'name':'low','metric':'leads','period':'today','below':3,'clear':5}]");
    expect(bench, "low raised 0;");
    tell(bench, "2026-03-15", "lead count=4");
    expect(bench, "");
    tell(bench, "2026-03-15", "lead count=1");
    expect(bench, "low cleared 5;");
    tell(bench, "2026-03-15", "lead count=-2");
    expect(bench, ""); /* 3 is not below 3 */
    tell(bench, "2026-03-15", "lead count=-1");
    expect(bench, "low raised 2;");
    bench_destroy(bench);
}

static void only_after_its_time(void **state)
{
    (void)state;
    struct bench *bench = bench_create("[{'name':'many','metric':'leads','period':'today','above':2,'for':'10m'}]");
    tell(bench, "2026-03-15", "lead count=3");
    expect(bench, "");
    assert_int_equal(bench->book.n_pending, 1);
    assert_int_equal(bench->next_us - bench->now_us, INT64_C(600000000));
    wait_s(bench, 300);
    tell(bench, "2026-03-15", "lead count=1");
    expect(bench, "");
    wait_s(bench, 299);
    expect(bench, "");
    wait_s(bench, 1);
    expect(bench, "many raised 4;"); /* nothing came, the clock alone */
    assert_true(bench->next_us == INT64_MAX && bench->book.n_raised == 1);
    tell(bench, "2026-03-15", "lead count=-2");
    expect(bench, "many cleared 2;");
    tell(bench, "2026-03-15", "lead count=1");
    expect(bench, "");
    wait_s(bench, 599);
    tell(bench, "2026-03-15", "lead count=-1"); /* before its time: nobody hears of it */
    expect(bench, "");
    assert_int_equal(bench->book.rows.count, 0);
    tell(bench, "2026-03-15", "lead count=1");
    wait_s(bench, 599);
    expect(bench, "");
    wait_s(bench, 1); /* counted from the state that shows it, not from when it was looked at */
    expect(bench, "many raised 3;");
    bench_destroy(bench);
}

static void each_row_by_itself(void **state)
{
    (void)state;
    struct bench *bench = bench_create(
        "[{'name':'busy','metric':'leads','period':'today','by':['owner','source'],'above':1,'where':{'source':['web',null]}}]");
    tell(bench, "2026-03-15", "lead owner=u1 source=web count=2");
    tell(bench, "2026-03-15", "lead owner=u2 count=3");
    tell(bench, "2026-03-15", "lead owner=u3 source=fair count=9");
    expect(bench, "busy {'owner':'u1','source':'web'} raised 2;busy {'owner':'u2','source':null} raised 3;");
    tell(bench, "2026-03-15", "lead owner=u1 source=web count=-1");
    expect(bench, "busy {'owner':'u1','source':'web'} cleared 1;");
    tell(bench, "2026-03-15", "lead owner=u2 count=-3"); /* the row is no longer there */
    expect(bench, "busy {'owner':'u2','source':null} cleared null;");
    bench_destroy(bench);
}

static void against_the_period_before(void **state)
{
    (void)state;
    struct bench *bench =
        bench_create("[{'name':'up','metric':'leads','period':'this_month','by':['owner'],'change_above':0.5},"
                     "{'name':'down','metric':'leads','period':'this_month','by':['owner'],'change_below':-0.5}]");
    tell(bench, "2026-03-15", "lead owner=u1 count=9"); /* from nothing: no change is known */
    expect(bench, "");
    tell(bench, "2026-02-15", "lead owner=u1 count=6");
    expect(bench, "");
    tell(bench, "2026-03-15", "lead owner=u1 count=1");
    expect(bench, "up {'owner':'u1'} raised 10;");
    tell(bench, "2026-02-15", "lead owner=u2 count=4"); /* has none this month */
    expect(bench, "down {'owner':'u2'} raised 0;");
    tell(bench, "2026-02-15", "lead owner=u1 count=1"); /* late, in the month before */
    expect(bench, "up {'owner':'u1'} cleared 10;");
    tell(bench, "2026-03-15", "lead owner=u2 count=2");
    expect(bench, "down {'owner':'u2'} cleared 2;");
    bench_destroy(bench);
}

static void money_by_currency(void **state)
{
    (void)state;
    struct bench *bench = bench_create("[{'name':'eur','metric':'revenue','period':'this_month','above':100.5},"
                                       "{'name':'yen','metric':'revenue','period':'this_month','above':100,'currency':'JPY'},"
                                       "{'name':'poor','metric':'margin','period':'this_month','below':0.2}]");
    tell(bench, "2026-03-10", "deal_won currency=EUR amount=10050 cost=8040");
    expect(bench, "");
    tell(bench, "2026-03-10", "deal_won currency=JPY amount=101 cost=0");
    expect(bench, "yen raised 101;");
    tell(bench, "2026-03-10", "deal_won currency=EUR amount=1 cost=1");
    expect(bench, "eur raised 100.51;poor raised 0.19998010148243955;");
    bench_destroy(bench);
}

static void nothing_to_compare_is_no_alert(void **state)
{
    (void)state;
    struct bench *bench = bench_create("[{'name':'rate','metric':'close_rate','period':'today','below':0.5},"
                                       "{'name':'slow','metric':'resolution_time','stat':'p90','period':'today','above':2}]");
    expect(bench, "");
    tell(bench, "2026-03-15", "deal_lost currency=EUR");
    tell(bench, "2026-03-15", "case_resolved seconds=10800000");
    bench->told[0] = 0;
    assess(bench, false);
    assert_non_null(strstr(bench->told, "rate raised 0;slow raised 3"));
    tell(bench, "2026-03-15", "deal_lost currency=EUR count=-1");
    expect(bench, "rate cleared null;");
    bench_destroy(bench);
}

static void goals_by_goal(void **state)
{
    (void)state;
    static const char rules[] = "[{'name':'behind','metric':'goal_progress','period':'this_month','by':['goal'],'below':0.5},"
                                "{'name':'rich','metric':'actual','period':'this_month','by':['goal'],'above':90}]";
    struct bench *bench = bench_create(rules);
    put_fact(bench->cells, "", "goal goal=g metric=revenue goal_period=2026-03 target=100 currency=EUR");
    put_fact(bench->cells, "2026-03-02", "deal_won currency=EUR amount=4000");
    watch(bench, rules);
    expect(bench, "behind {'goal':'g'} raised 0.4;");
    tell(bench, "2026-03-10", "deal_won currency=EUR amount=5500");
    expect(bench, "behind {'goal':'g'} cleared 0.95;rich {'goal':'g'} raised 95;");
    bench_destroy(bench);
}

static void rules_that_come_and_go(void **state)
{
    (void)state;
    struct bench *bench = bench_create("[{'name':'a','metric':'leads','period':'today','above':1},{'name':'b','metric':'leads','"
                                       "period':'today','above':2,'for':'1h'}]");
    tell(bench, "2026-03-15", "lead owner=u1 count=3");
    expect(bench, "a raised 3;");
    watch(bench, "[{'name':'a','metric':'leads','period':'today','above':2},{'name':'c','metric':'leads','period':'today','by':['"
                 "owner'],'above':1}]");
    expect(bench, "c {'owner':'u1'} raised 3;"); /* a goes on; b, which only waited, is forgotten */
    assert_int_equal(bench->book.rows.count, 2);
    watch(bench, "[]");
    expect(bench, "a cleared ;c {'owner':'u1'} cleared ;");
    bench_destroy(bench);
}

static void too_many_at_once_wait(void **state)
{
    (void)state;
    struct bench *bench = bench_create("[{'name':'a','metric':'leads','period':'today','by':['owner'],'above':0}]");
    char text[64];
    for (int i = 0; i < 5; i++) {
        snprintf(text, sizeof text, "lead owner=u%d count=1", i);
        tell(bench, "2026-03-15", text);
    }
    bench->events_max = 3;
    expect(bench, "a {'owner':'u0'} raised 1;a {'owner':'u1'} raised 1;a {'owner':'u2'} raised 1;");
    assert_true(bench->more);
    bench->told[0] = 0;
    assess(bench, true);
    assert_string_equal(bench->told, "a {'owner':'u3'} raised 1;a {'owner':'u4'} raised 1;");
    assert_false(bench->more);
    bench_destroy(bench);
}

static void rows_of_a_rule_are_bounded(void **state)
{
    (void)state;
    struct bench *bench = bench_create("[{'name':'a','metric':'leads','period':'today','by':['owner'],'above':0}]");
    char text[64];
    for (int i = 0; i < ALERT_ROWS_MAX + 7; i++) {
        snprintf(text, sizeof text, "lead owner=u%d count=1", i);
        tell(bench, "2026-03-15", text);
    }
    bench->events_max = SIZE_MAX;
    assess(bench, true);
    assert_int_equal(bench->book.n_raised, ALERT_ROWS_MAX);
    assert_int_equal(bench->left_out, 7);
    assess(bench, true);
    assert_int_equal(bench->book.n_raised, ALERT_ROWS_MAX);
    assert_false(bench->more);
    tell(bench, "2026-03-15", "lead owner=u3 count=-1");
    expect(bench, "a {'owner':'u3'} cleared null;");
    assert_true(bench->more); /* without another event: the next one has room */
    assess(bench, true);
    assert_int_equal(bench->book.n_raised, ALERT_ROWS_MAX);
    assert_int_equal(bench->left_out, 6);
    assert_false(bench->more);
    bench_destroy(bench);
}

/* What stands in the state is all that has to be known: a book loaded from its texts goes on like the one that wrote them. */
static void a_book_is_what_is_kept_of_it(void **state)
{
    (void)state;
    struct bench *bench = bench_create("[{'name':'a','metric':'leads','period':'today','by':['owner'],'above':1},"
                                       "{'name':'b','metric':'leads','period':'today','above':1,'for':'10m'}]");
    tell(bench, "2026-03-15", "lead owner=u\"1\\ count=2");
    assess(bench, false);
    struct span pairs[16] = { SPAN(":version"), SPAN("777"), SPAN(":tenant_version"), SPAN("776") };
    size_t n = 4, at = 0;
    struct arena arena = { 0 };
    for (struct map_slot *slot; (slot = map_next(&bench->book.rows, &at));) {
        pairs[n++] = arena_copy(&arena, slot->key);
        pairs[n++] = arena_copy(&arena, ((struct alert_row *)slot->value)->text);
    }
    alert_book_load(&bench->book, pairs, n);
    assert_true(bench->book.version == 777 && bench->book.tenant_version == 776);
    assert_true(bench->book.n_raised == 1 && bench->book.n_pending == 1);
    assess(bench, true);
    wait_s(bench, 600);
    expect(bench, "b raised 2;");
    tell(bench, "2026-03-15", "lead owner=u\"1\\ count=-1");
    expect(bench, "a {'owner':'u\\'1\\\\'} cleared 1;b cleared 1;");
    arena_deinit(&arena);
    bench_destroy(bench);
}

static const char u1[] = "a {\"owner\":\"u1\"}", u2[] = "a {\"owner\":\"u2\"}", u3[] = "a {\"owner\":\"u3\"}";

/* A book as Redis has it after it was set back: what was told otherwise since is told again, what is over is told so. */
static void told_again_after_a_set_back(void **state)
{
    (void)state;
    struct bench *bench = bench_create("[{'name':'a','metric':'leads','period':'today','by':['owner'],'above':1}]");
    struct alert_book told = { 0 }, older = { 0 }, before = { 0 };
    int64_t raised_us = bench->now_us;
    tell(bench, "2026-03-15", "lead owner=u1 count=2");
    tell(bench, "2026-03-15", "lead owner=u5 count=5");
    expect(bench, "a {'owner':'u1'} raised 2;a {'owner':'u5'} raised 5;");
    alert_book_keep_raised(&before, &bench->book); /* so it is set back to */
    before.version = bench->book.version;
    wait_s(bench, 60);
    tell(bench, "2026-03-15", "lead owner=u1 count=-1");
    tell(bench, "2026-03-15", "lead owner=u2 count=2");
    tell(bench, "2026-03-15", "lead owner=u3 count=3");
    expect(bench, "a {'owner':'u1'} cleared 1;a {'owner':'u2'} raised 2;a {'owner':'u3'} raised 3;");
    assert_false(alert_book_compare(&before, &bench->book, &older)); /* forward nothing was lost */
    assert_true(alert_book_compare(&bench->book, &before, &older));
    assert_true(older.n_raised == 1 && alert_book_row(&older, span_of(u1))); /* not u5, of which nothing was told since */
    alert_book_keep_raised(&told, &bench->book);
    alert_book_deinit(&bench->book);
    bench->book = before;
    wait_s(bench, 60);
    tell(bench, "2026-03-15", "lead owner=u1 count=2"); /* what is counted meanwhile */
    tell(bench, "2026-03-15", "lead owner=u2 count=-1");
    alert_book_recall(&bench->book, &told, &older);
    expect(bench, "a {'owner':'u1'} raised 3;a {'owner':'u2'} cleared 1;a {'owner':'u3'} raised 3;");
    const struct alert_row *row = alert_book_row(&bench->book, span_of(u1));
    assert_true(row->raised_us == raised_us && !row->again);
    assert_true(!alert_book_row(&bench->book, span_of(u2)) && alert_book_row(&bench->book, span_of(u3)));
    alert_book_deinit(&older);
    alert_book_deinit(&told);
    bench_destroy(bench);
}

/* Of an event that was not sent yet nobody knows: its row may have been told as raised. */
static void an_event_that_was_forgotten_is_kept(void **state)
{
    (void)state;
    struct alert_book told = { 0 };
    alert_book_keep_event(&told, span_of(u1),
                          SPAN("{\"id\":\"x\",\"data\":{\"rule\":\"a\",\"version\":9,\"state\":\"cleared\",\"raised_at\":\"2026-"
                               "03-15T12:00:00.000Z\",\"raised_version\":7}}"));
    const struct alert_row *row = alert_book_row(&told, span_of(u1));
    assert_true(row && row->state == ALERT_RAISED && row->version == 7 && row->raised_us == instant("2026-03-15T12:00:00Z"));
    alert_book_keep_event(&told, span_of(u2), SPAN("no JSON"));
    assert_int_equal(told.rows.count, 1);
    alert_book_deinit(&told);
}

/* ---- against a reference ---- */

enum {
    OWNERS = 4
};

/* What should stand of one owner: nothing but numbers and times. */
struct reference {
    int leads;
    bool raised;
    int64_t breach_us; /* since when it is above the limit; -1 */
    int raises, clears;
};

static void refer(struct reference *of, int64_t state_us, int64_t now_us)
{
    const int limit = 5, clear = 3;
    const int64_t for_us = 60 * 1000000;
    if (of->leads <= limit) of->breach_us = -1;
    if (of->leads > limit && of->breach_us < 0) of->breach_us = state_us;
    bool due = of->breach_us >= 0 && now_us - of->breach_us >= for_us;
    if (of->raised && of->leads <= clear)
        of->raised = false, of->breach_us = -1, of->clears++;
    else if (!of->raised && due)
        of->raised = true, of->raises++;
}

static size_t count_in(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text += strlen(what)) n++;
    return n;
}

static void any_sequence_equals_the_reference(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 40; seed++) {
        struct bench *bench =
            bench_create("[{'name':'a','metric':'leads','period':'this_month','by':['owner'],'above':5,'clear':3,'for':'1m'}]");
        struct reference of[OWNERS] = { 0 };
        size_t raises = 0, clears = 0;
        srand(seed);
        for (int i = 0; i < OWNERS; i++) of[i].breach_us = -1;
        for (int step = 0; step < 300; step++) {
            int owner = rand() % OWNERS, more = rand() % 7 - 3;
            char text[64];
            if (of[owner].leads + more >= 0 && more && rand() % 4) {
                snprintf(text, sizeof text, "lead owner=u%d count=%d", owner, more);
                tell(bench, rand() % 2 ? "2026-03-15" : "2026-03-02", text);
                of[owner].leads += more;
            }
            if (rand() % 3 == 0) wait_s(bench, rand() % 50);
            bench->told[0] = 0;
            assess(bench, rand() % 5 == 0);
            raises += count_in(bench->told, "raised");
            clears += count_in(bench->told, "cleared");
            size_t want_raises = 0, want_clears = 0, want_raised = 0;
            for (int i = 0; i < OWNERS; i++) {
                refer(&of[i], bench->state_us, bench->now_us);
                want_raises += (size_t)of[i].raises, want_clears += (size_t)of[i].clears, want_raised += of[i].raised;
            }
            assert_int_equal(raises, want_raises);
            assert_int_equal(clears, want_clears);
            assert_int_equal(bench->book.n_raised, want_raised);
        }
        assert_true(raises > 0);
        bench_destroy(bench);
    }
}

/* ---- the outbox ---- */

static void letters_of_a_row_go_one_by_one(void **state)
{
    (void)state;
    struct alert_outbox outbox = { 0 };
    size_t at = 0;
    alert_outbox_put(&outbox, SPAN("12 a"), SPAN("second of a"));
    alert_outbox_put(&outbox, SPAN("9 a"), SPAN("first of a"));
    alert_outbox_put(&outbox, SPAN("10 a {\"owner\":\"u1\"}"), SPAN("of a row"));
    alert_outbox_put(&outbox, SPAN("9 a"), SPAN("the same once more"));
    struct alert_letter *first = alert_outbox_next(&outbox, &at);
    assert_true(span_is(first->event, "first of a") && first->version == 9 && span_is(first->field, "a"));
    assert_true(span_is(alert_outbox_next(&outbox, &at)->event, "of a row"));
    assert_null(alert_outbox_next(&outbox, &at));
    first->state = LETTER_UNDERWAY;
    at = 0;
    assert_true(span_is(alert_outbox_next(&outbox, &at)->event, "of a row"));
    const struct span pairs[] = { SPAN("9 a"), SPAN("first of a"), SPAN("12 a"), SPAN("second of a") };
    alert_outbox_replace(&outbox, pairs, 4);
    assert_int_equal(outbox.n, 2);
    assert_int_equal(outbox.at[0]->state, LETTER_UNDERWAY);
    at = 0;
    assert_null(alert_outbox_next(&outbox, &at));
    alert_outbox_remove(&outbox, SPAN("9 a"));
    at = 0;
    assert_true(span_is(alert_outbox_next(&outbox, &at)->event, "second of a"));
    alert_outbox_deinit(&outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raised_once_cleared_once),
        cmocka_unit_test(held_by_hysteresis),
        cmocka_unit_test(only_after_its_time),
        cmocka_unit_test(each_row_by_itself),
        cmocka_unit_test(against_the_period_before),
        cmocka_unit_test(money_by_currency),
        cmocka_unit_test(nothing_to_compare_is_no_alert),
        cmocka_unit_test(goals_by_goal),
        cmocka_unit_test(rules_that_come_and_go),
        cmocka_unit_test(too_many_at_once_wait),
        cmocka_unit_test(rows_of_a_rule_are_bounded),
        cmocka_unit_test(a_book_is_what_is_kept_of_it),
        cmocka_unit_test(told_again_after_a_set_back),
        cmocka_unit_test(an_event_that_was_forgotten_is_kept),
        cmocka_unit_test(any_sequence_equals_the_reference),
        cmocka_unit_test(letters_of_a_row_go_one_by_one),
    };
    return cmocka_run_group_tests(tests, start, end);
}
