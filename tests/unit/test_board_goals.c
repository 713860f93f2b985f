/* Goals on the board: they follow differences, a goal nobody had makes it stale, loaded again it says the same. */
#include "daemon/report/board.h"
#include "tests/unit/memory_cells.h"
#include "tests/unit/unit.h"

static struct memory_cells *cells;
static struct catalogue *catalogue;

static const char report[] =
    "{\"only\":{\"reports\":[\"targets\",\"sales\"],\"metrics\":[\"revenue\",\"close_rate\",\"forecast\"]},"
    "\"reports\":{\"targets\":{\"by\":[[\"goal\"]],\"metrics\":[\"target\",\"actual\",\"goal_progress\",\"projection\"],"
    "\"periods\":[\"this_month\",\"this_quarter\"]},"
    "\"sales\":{\"by\":[[\"owner\"]],\"metrics\":[\"revenue\"],\"periods\":[\"this_month\"]}}}";

static int start(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    cells = memory_cells_create();
    catalogue = load_catalogue(report, &problems);
    problems_print(&problems, "", stderr);
    problems_deinit(&problems);
    return catalogue ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    catalogue_destroy(catalogue);
    memory_cells_destroy(cells);
    return 0;
}

static void load(struct board *board)
{
    struct error error = { 0 };
    struct cell_reader reader = memory_reader(cells);
    assert_true(board_load(board, day("2026-03-15"), &reader, &error));
    assert_false(board_is_stale(board));
}

static void catch_up(struct board *board)
{
    struct error error = { 0 };
    struct cell_reader reader = memory_reader(cells);
    assert_true(board_catch_up(board, &reader, &error));
    assert_false(board_is_stale(board));
}

static struct board *new_board(void)
{
    struct board *board = board_create(catalogue, &cells->rules, &cells->names, NULL, 0);
    load(board);
    return board;
}

static void tell(struct board *board, const char *at, const char *text)
{
    struct cell_key key;
    struct cell_value value;
    make_cell(cells, text, &key, &value);
    put_cell(cells, *at ? day(at) : 0, &key, &value);
    board_add(board, *at ? day(at) : 0, &key, &value);
    cell_value_deinit(&value);
}

/* Rows of this month; quotes as '. */
static const char *rows_of(struct board *board)
{
    static char text[1 << 16];
    struct board_limits limits = { 200, 0 };
    struct board_document document;
    board_render(board, 0, &limits, &document);
    const char *from = memmem(document.sections.at, document.sections.len, "\"rows\":", 7);
    snprintf(text, sizeof text, "%.*s", (int)(strstr(from, "]}") + 1 - from), from);
    for (size_t i = 0; text[i]; i++)
        if (text[i] == '"') text[i] = '\'';
    return text;
}

static void a_goal_follows_its_metric(void **state)
{
    (void)state;
    put_fact(cells, "", "goal goal=g metric=revenue goal_period=2026-03 target=100 currency=EUR owner=anna");
    struct board *board = new_board();
    assert_string_equal(rows_of(board),
                        "'rows':[{'goal':'g','target':{'EUR':100.00},'actual':{},'goal_progress':0,'projection':{}}]");
    assert_false(board_touched(board, 0));
    tell(board, "2026-02-28", "deal_won owner=anna currency=EUR amount=7000");
    tell(board, "2026-03-01", "deal_won owner=ben currency=EUR amount=7000");
    assert_false(board_touched(board, 0));
    assert_true(board_touched(board, 1));
    tell(board, "2026-03-31", "deal_won owner=anna currency=EUR amount=3000");
    assert_true(board_touched(board, 0));
    assert_string_equal(rows_of(board), "'rows':[{'goal':'g','target':{'EUR':100.00},'actual':{'EUR':30.00},'goal_progress':0.3,"
                                        "'projection':{'EUR':62.00}}]");
    assert_false(board_is_stale(board));
    board_destroy(board);
}

static void what_is_wanted_may_change(void **state)
{
    (void)state;
    put_fact(cells, "", "goal goal=g metric=revenue goal_period=2026-03 target=100 currency=EUR");
    put_fact(cells, "2026-03-02", "deal_won owner=anna currency=EUR amount=3000");
    struct board *board = new_board();
    tell(board, "", "goal goal=g metric=revenue goal_period=2026-03 target=60 currency=EUR"); /* the new before the old goes */
    tell(board, "", "goal goal=g metric=revenue goal_period=2026-03 target=100 currency=EUR count=-1");
    assert_false(board_is_stale(board));
    assert_non_null(strstr(rows_of(board), "'target':{'EUR':60.00},'actual':{'EUR':30.00},'goal_progress':0.5"));
    tell(board, "", "goal goal=g metric=revenue goal_period=2026-03 target=60 currency=EUR count=-1");
    assert_string_equal(rows_of(board), "'rows':[]");
    tell(board, "", "goal goal=g metric=revenue goal_period=2026-03 target=60 currency=EUR owner=ben");
    assert_true(board_is_stale(board));
    catch_up(board);
    assert_non_null(strstr(rows_of(board), "'actual':{},'goal_progress':0"));
    board_destroy(board);
}

/* One goal after the other, more than it catches up with one by one; all follow. */
static void many_goals_one_by_one(void **state)
{
    (void)state;
    char text[128];
    struct board *board = new_board();
    put_fact(cells, "2026-03-02", "deal_won owner=u7 currency=EUR amount=3000");
    load(board);
    for (int i = 0; i < 150; i++) {
        snprintf(text, sizeof text, "goal goal=g%d metric=revenue goal_period=2026-03 target=100 currency=EUR owner=u%d", i, i);
        tell(board, "", text);
        assert_true(board_is_stale(board));
        catch_up(board);
    }
    assert_non_null(strstr(rows_of(board), "'goal':'g7','target':{'EUR':100.00},'actual':{'EUR':30.00},'goal_progress':0.3"));
    tell(board, "2026-03-03", "deal_won owner=u149 currency=EUR amount=100");
    assert_true(board_touched(board, 0));
    assert_non_null(strstr(rows_of(board), "'goal':'g149','target':{'EUR':100.00},'actual':{'EUR':1.00}"));
    board_destroy(board);
}

static void goals_that_nobody_shows_cost_nothing(void **state)
{
    (void)state;
    struct board *board = new_board();
    tell(board, "", "goal goal=old metric=revenue goal_period=2024-03 target=100 currency=EUR");
    tell(board, "", "goal goal=odd metric=nothing goal_period=2026-03 target=100 currency=EUR");
    tell(board, "", "goal goal=own metric=goal_progress goal_period=2026-03 target=100 currency=EUR");
    assert_false(board_is_stale(board));
    assert_string_equal(rows_of(board),
                        "'rows':[{'goal':'odd','target':100,'actual':null,'goal_progress':null,'projection':null},"
                        "{'goal':'own','target':100,'actual':null,'goal_progress':null,'projection':null}]");
    board_destroy(board);
}

static void a_forecast_as_goal_follows_its_weights(void **state)
{
    (void)state;
    put_fact(cells, "", "goal goal=g metric=forecast goal_period=2026-03 target=100 currency=EUR");
    put_fact(cells, "2026-03-20", "deal_expected pipeline=p stage=s currency=EUR amount=10000");
    struct board *board = new_board();
    assert_non_null(strstr(rows_of(board), "'goal_progress':0.5"));
    tell(board, "2020-01-01", "stage_outcome pipeline=p stage=s won=1");
    assert_true(board_touched(board, 0));
    assert_non_null(strstr(rows_of(board), "'actual':{'EUR':66.67}"));
    board_destroy(board);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_goal_follows_its_metric),
        CASE(what_is_wanted_may_change),
        CASE(many_goals_one_by_one),
        CASE(goals_that_nobody_shows_cost_nothing),
        CASE(a_forecast_as_goal_follows_its_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
