/* The board: loaded or kept by differences, it is the same; its numbers are those of queries; changes are told. */
#include "daemon/report/board.h"
#include "daemon/report/document.h"
#include "tests/unit/memory_cells.h"
#include "tests/unit/unit.h"

#include <yyjson.h>

static struct memory_cells *cells;
static struct catalogue *catalogue;
static const char *const metrics_periods[] = { "today", "this_month", "last_30_days" };
static const struct board_limits no_limits = { 200, 0 };

static const char deals_report[] =
    "{\"only\":{\"reports\":[\"deals\"],\"metrics\":[\"leads\",\"sales_cycle\",\"revenue\",\"margin\",\"records\"]},"
    "\"reports\":{\"deals\":{\"by\":[[\"owner\"],[\"stage\",\"owner\"],[\"month\"]],"
    "\"metrics\":[\"revenue\",\"share\",\"won_deals\",\"forecast\",\"open_deals\",\"sales_cycle.p90\",\"margin\",\"sales_"
    "velocity\","
    "\"sales_calls\"],\"periods\":[\"this_month\",\"last_month\",\"all\"]}}}";

static int start_with(const char *more)
{
    struct problems problems = { 0 };
    cells = memory_cells_create();
    catalogue = load_catalogue(more, &problems);
    problems_print(&problems, "", stderr);
    problems_deinit(&problems);
    return catalogue ? 0 : -1;
}

static int start(void **state)
{
    (void)state;
    return start_with(deals_report);
}

static int end(void **state)
{
    (void)state;
    catalogue_destroy(catalogue);
    memory_cells_destroy(cells);
    return 0;
}

static struct board *new_board(const char *today)
{
    struct error error = { 0 };
    struct cell_reader reader = memory_reader(cells);
    struct board *board = board_create(catalogue, &cells->rules, &cells->names, metrics_periods, 3);
    assert_true(board_load(board, day(today), &reader, &error));
    return board;
}

/* Counts a fact, and tells the board. */
static void tell(struct board *board, const char *at, const char *text)
{
    struct cell_key key;
    struct cell_value value;
    make_cell(cells, text, &key, &value);
    put_cell(cells, *at ? day(at) : 0, &key, &value);
    board_add(board, *at ? day(at) : 0, &key, &value);
    cell_value_deinit(&value);
}

static struct board_document render(struct board *board, struct board_limits limits)
{
    struct board_document document;
    board_render(board, 0, &limits, &document);
    return document;
}

static const char *sections_of(struct board *board)
{
    static char text[1 << 20];
    struct span sections = render(board, no_limits).sections;
    assert_true(sections.len < sizeof text);
    memcpy(text, sections.at, sections.len);
    text[sections.len] = 0;
    return text;
}

/* A fact of any kind the report shows, of somebody, sometime. */
static void make_random(char *text, size_t room, char at[DAY_TEXT_BYTES])
{
    static const char *const facts[] = { "deal_won", "deal_lost", "stage_entered", "stage_left", "deal_expected" };
    const char *fact = facts[rand() % 5];
    day_format(day("2025-12-01") + rand() % 150, at);
    int n = snprintf(text, room, "%s owner=u%d stage=s%d currency=%s amount=%d count=%d", fact, rand() % 4, rand() % 3,
                     rand() % 3 ? "EUR" : "JPY", rand() % 5000 - 100, rand() % 3 ? 1 : -1);
    if (strncmp(fact, "deal_", 5) == 0 && strcmp(fact, "deal_expected"))
        snprintf(text + n, room - (size_t)n, " cost=%d seconds=%d", rand() % 500, rand() % 100000000);
    if (rand() % 6 == 0) snprintf(text, room, "stage_outcome stage=s%d pipeline=p%d count=2 won=1", rand() % 3, rand() % 2);
}

static void loaded_is_what_differences_make(void **state)
{
    (void)state;
    char text[256], at[DAY_TEXT_BYTES];
    srand(7);
    struct board *kept = new_board("2026-03-15");
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 20; i++) {
            make_random(text, sizeof text, at);
            tell(kept, at, text);
        }
        struct board *loaded = new_board("2026-03-15");
        char *expected = strdup(sections_of(loaded));
        assert_string_equal(sections_of(kept), expected);
        free(expected);
        board_destroy(loaded);
    }
    board_destroy(kept);
}

/* The value of a row of a period of a section as JSON, quotes as '. */
static char *value_in(const char *sections, size_t section, size_t period, const char *line, size_t row, const char *name)
{
    yyjson_doc *doc = yyjson_read(sections, strlen(sections), YYJSON_READ_NUMBER_AS_RAW);
    assert_non_null(doc);
    yyjson_val *at = yyjson_arr_get(yyjson_obj_get(yyjson_arr_get(yyjson_doc_get_root(doc), section), "periods"), period);
    at = yyjson_obj_get(at, line);
    if (yyjson_is_arr(at)) at = yyjson_arr_get(at, row);
    char *text = yyjson_val_write(yyjson_obj_get(at, name), 0, NULL);
    for (size_t i = 0; text && text[i]; i++)
        if (text[i] == '"') text[i] = '\'';
    yyjson_doc_free(doc);
    return text;
}

static void numbers_are_those_of_queries(void **state)
{
    (void)state;
    static const char *const metrics[] = { "revenue", "won_deals", "forecast", "open_deals", "margin" };
    static const char *const periods[] = { "this_month", "last_month", "all" };
    char text[256], at[DAY_TEXT_BYTES], request[256], expected[512];
    srand(11);
    struct board *board = new_board("2026-03-15");
    for (int i = 0; i < 200; i++) {
        make_random(text, sizeof text, at);
        tell(board, at, text);
    }
    const char *sections = sections_of(board);
    for (size_t m = 0; m < 5; m++) {
        for (size_t p = 0; p < 3; p++) {
            char *total = value_in(sections, 0, p, "total", 0, metrics[m]);
            snprintf(request, sizeof request, "{'metric':'%s','period':'%s'}", metrics[m], periods[p]);
            snprintf(expected, sizeof expected, "{'rows':[{'value':%s}]}", total);
            assert_string_equal(ask(cells, catalogue, "2026-03-15", request), expected);
            free(total);
            char *owner = value_in(sections, 0, p, "rows", 1, "owner"), *row = value_in(sections, 0, p, "rows", 1, metrics[m]);
            snprintf(request, sizeof request, "{'metric':'%s','period':'%s','where':{'owner':[%s]}}", metrics[m], periods[p],
                     owner);
            snprintf(expected, sizeof expected, "{'rows':[{'value':%s}]}", row);
            assert_string_equal(ask(cells, catalogue, "2026-03-15", request), expected);
            free(owner);
            free(row);
        }
    }
    board_destroy(board);
}

/* Each differs from another one in one thing only. */
static const struct {
    const char *name, *column, *formula;
} alike[] = {
    { "count", "count", "deal_won.count" },
    { "amount", "amount", "deal_won.amount" },
    { "spread", "spread.p90", "distribution(deal_won.seconds)" },
    { "seconds", "seconds", "deal_won.seconds / deal_won.count" },
    { "each", "each", "deal_won.amount / deal_won.count" },
    { "first", "first", "deal_won.count[pipeline=p1]" },
    { "second", "second", "deal_won.count[pipeline=p2]" },
    { "first_two", "first_two", "deal_won.count[pipeline=p1|p2]" },
    { "not_first", "not_first", "deal_won.count[pipeline!=p1]" },
    { "any", "any", "deal_won.count[pipeline=*]" },
    { "none", "none", "deal_won.count[pipeline=null]" },
    { "first_stage", "first_stage", "deal_won.count[stage=p1]" },
    { "first_both", "first_both", "deal_won.count[pipeline=p1,stage=p1]" },
    { "level", "level", "level(deal_won.count)" },
    { "before", "before", "before(level(deal_won.count))" },
    { "ever", "ever", "ever(deal_won.count)" },
    { "expected", "expected", "deal_expected.amount" },
    { "probable", "probable", "weighted(deal_expected.amount, win_probability)" },
    { "likely", "likely", "likely(deal_expected.amount, win_probability, 0.3)" },
    { "monthly", "monthly", "per(customer_retained.count, month)" },
    { "quarterly", "quarterly", "per(customer_retained.count, quarter, year)" },
    { "monthly_before", "monthly_before", "before(per(customer_retained.count, month))" },
};
enum {
    N_ALIKE = sizeof alike / sizeof *alike
};

/* A report that shows them all, forwards or backwards. */
static void write_report(const char *name, bool backwards, struct buffer *out)
{
    buffer_printf(
        out, "\"%s\":{\"by\":[[\"owner\"],[\"month\"]],\"periods\":[\"this_month\",\"last_quarter\",\"all\"],\"metrics\":", name);
    for (size_t i = 0; i < N_ALIKE; i++)
        buffer_printf(out, "%c\"%s\"", i ? ',' : '[', alike[backwards ? N_ALIKE - 1 - i : i].column);
    buffer_str(out, "]}");
}

static int start_alike(void **state)
{
    (void)state;
    struct buffer text = { 0 };
    buffer_str(&text, "{\"only\":{\"reports\":[\"forwards\",\"backwards\"]},\"metrics\":");
    for (size_t i = 0; i < N_ALIKE; i++)
        buffer_printf(&text, "%c\"%s\":{\"formula\":\"%s\"%s}", i ? ',' : '{', alike[i].name, alike[i].formula,
                      strstr(alike[i].formula, "seconds") ? ",\"unit\":\"hours\"" : "");
    buffer_str(&text, "},\"reports\":{");
    write_report("forwards", false, &text);
    buffer_byte(&text, ',');
    write_report("backwards", true, &text);
    buffer_put(&text, "}}", sizeof "}}");
    int started = start_with(text.at);
    buffer_deinit(&text);
    return started;
}

/* As make_random, in pipelines and stages of the same names, and what is kept by calendar units. */
static void make_any(char *text, size_t room, char at[DAY_TEXT_BYTES])
{
    static const char *const pipelines[] = { "", " pipeline=p1", " pipeline=p2", " stage=p1", " pipeline=p1 stage=p1" };
    static const char *const units[] = { "month", "quarter", "year" };
    const char *pipeline = pipelines[rand() % 5];
    day_format(day("2025-09-01") + rand() % 200, at);
    if (rand() % 5 == 0)
        snprintf(text, room, "customer_retained owner=u%d unit=%s", rand() % 3, units[rand() % 3]);
    else if (rand() % 4 == 0)
        snprintf(text, room, "stage_outcome stage=p1 pipeline=p%d count=2 won=1", 1 + rand() % 2);
    else if (rand() % 3 == 0)
        snprintf(text, room, "deal_expected owner=u%d currency=EUR amount=%d%s", rand() % 3, rand() % 9000, pipeline);
    else
        snprintf(text, room, "deal_won owner=u%d currency=%s amount=%d seconds=%d%s", rand() % 3, rand() % 3 ? "EUR" : "JPY",
                 rand() % 5000, rand() % 100000000, pipeline);
}

/* The value that a query of nothing else has; null where it cannot be asked so. `filter`: a further field of the request, or "". */
static void assert_asked(const char *name, const char *days, const char *filter, const char *value)
{
    char metric[64], request[256], expected[512];
    snprintf(metric, sizeof metric, "%s", name);
    char *stat = strchr(metric, '.');
    if (stat) *stat++ = 0;
    snprintf(request, sizeof request, "{'metric':'%s',%s%s%s%s%s}", metric, days, filter, stat ? ",'stat':'" : "",
             stat ? stat : "", stat ? "'" : "");
    snprintf(expected, sizeof expected, "{'rows':[{'value':%s}]}", value);
    const char *answer = ask(cells, catalogue, "2026-03-15", request);
    if (strstr(answer, "'error'") && !strcmp(value, "null")) return;
    if (strcmp(answer, expected)) fail_msg("%s: %s, the report has %s", request, answer, value);
}

/* The total and a row of each section. How many values were not nothing? */
static size_t compare_metric(const char *sections, size_t period, const char *name)
{
    static const char *const days[] = { "'period':'this_month'", "'period':'last_quarter'", "'period':'all'" };
    char *total = value_in(sections, 0, period, "total", 0, name), *row = value_in(sections, 0, period, "rows", 1, name);
    char *owner = value_in(sections, 0, period, "rows", 1, "owner"), text[128];
    assert_asked(name, days[period], "", total);
    snprintf(text, sizeof text, ",'where':{'owner':[%s]}", owner);
    if (strcmp(row, "null")) assert_asked(name, days[period], text, row);
    char *unit = value_in(sections, 1, period, "rows", 0, name), *label = value_in(sections, 1, period, "rows", 0, "month");
    int year, month;
    assert_int_equal(sscanf(label, "'%d-%d'", &year, &month), 2);
    struct period within = month_period(year * 12 + month - 1);
    char from[DAY_TEXT_BYTES], to[DAY_TEXT_BYTES];
    day_format(within.from, from);
    day_format(within.to, to);
    snprintf(text, sizeof text, "'from':'%s','to':'%s'", from, to);
    if (strcmp(unit, "null")) assert_asked(name, text, "", unit);
    size_t n = (strcmp(total, "null") && strcmp(total, "0")) + (strcmp(unit, "null") && strcmp(unit, "0"));
    free(total), free(row), free(owner), free(unit), free(label);
    return n;
}

static void metrics_that_share_sums_are_what_they_are_alone(void **state)
{
    (void)state;
    char text[256], at[DAY_TEXT_BYTES];
    size_t compared = 0;
    srand(3);
    struct board *board = new_board("2026-03-15");
    for (int i = 0; i < 400; i++) {
        make_any(text, sizeof text, at);
        tell(board, at, text);
    }
    for (size_t report = 0; report < 2; report++) {
        struct board_document document;
        board_render(board, report, &no_limits, &document);
        char *sections = strndup(document.sections.at, document.sections.len);
        for (size_t i = 0; i < N_ALIKE; i++)
            for (size_t period = 0; period < 3; period++) compared += compare_metric(sections, period, alike[i].column);
        free(sections);
    }
    assert_true(compared > 180);
    board_destroy(board);
}

static void assert_value(struct board *board, size_t section, size_t period, const char *line, size_t row, const char *name,
                         const char *expected)
{
    char *value = value_in(sections_of(board), section, period, line, row, name);
    assert_string_equal(value ? value : "nothing", expected);
    free(value);
}

static void rows_by_the_first_metric_then_by_name(void **state)
{
    (void)state;
    struct board *board = new_board("2026-03-15");
    tell(board, "2026-03-01", "deal_won owner=b currency=EUR amount=300");
    tell(board, "2026-03-01", "deal_won owner=a currency=USD amount=900");
    tell(board, "2026-03-01", "deal_won owner=d currency=EUR amount=100 cost=50");
    tell(board, "2026-03-01", "deal_won currency=USD amount=900");
    tell(board, "2026-02-01", "deal_won owner=a currency=EUR amount=500");
    tell(board, "2026-03-01", "call owner=z purpose=sales");
    static const char *const owners[] = { "'b'", "'d'", "'a'", "null", "'z'", "nothing" };
    for (size_t i = 0; i < 6; i++) assert_value(board, 0, 0, "rows", i, "owner", owners[i]);
    assert_value(board, 0, 0, "rows", 0, "share", "{'EUR':0.75,'USD':0}");
    assert_value(board, 0, 0, "rows", 1, "margin", "{'EUR':0.5}");
    assert_value(board, 0, 0, "total", 0, "share", "{'EUR':1,'USD':1}");
    assert_value(board, 0, 0, "total", 0, "revenue", "{'EUR':4.00,'USD':18.00}");
    assert_value(board, 0, 0, "total", 0, "sales_velocity", "{'EUR':0.27,'USD':1.20}");
    assert_value(board, 0, 0, "previous", 0, "revenue", "{'EUR':5.00}");
    assert_value(board, 0, 0, "total", 0, "sales_cycle.p90", "null");
    assert_value(board, 0, 2, "total", 0, "sales_velocity", "null");
    assert_value(board, 1, 0, "rows", 4, "stage", "nothing");
    assert_value(board, 1, 0, "total", 0, "sales_calls", "1");
    assert_value(board, 1, 0, "rows", 0, "sales_calls", "null");
    assert_value(board, 2, 2, "rows", 0, "month", "'2026-02'");
    assert_value(board, 2, 2, "rows", 1, "revenue", "{'EUR':4.00,'USD':18.00}");
    board_destroy(board);
}

static void what_is_beyond_the_limit_is_one_row(void **state)
{
    (void)state;
    char text[128];
    struct board *board = new_board("2026-03-15");
    for (int i = 1; i <= 9; i++) {
        snprintf(text, sizeof text, "deal_won owner=u%d currency=EUR amount=%d00 seconds=86400000", i, i);
        tell(board, "2026-03-01", text);
    }
    struct span sections = render(board, (struct board_limits){ 2, 0 }).sections;
    char *copy = strndup(sections.at, sections.len);
    char *owner = value_in(copy, 0, 0, "rows", 2, "owner"), *revenue = value_in(copy, 0, 0, "rows", 2, "revenue");
    char *won = value_in(copy, 0, 0, "rows", 2, "won_deals"), *none = value_in(copy, 0, 0, "rows", 3, "owner");
    assert_string_equal(owner, "'(other)'");
    assert_string_equal(revenue, "{'EUR':28.00}");
    assert_string_equal(won, "7");
    assert_null(none);
    assert_true(render(board, (struct board_limits){ 200, sections.len }).sections.len <= sections.len);
    free(copy), free(owner), free(revenue), free(won);
    board_destroy(board);
}

#define CHANGE(row, metric, from, to)                                                                                            \
    "{\"section\":0,\"period\":\"this_month\",\"row\":" row ",\"metric\":\"" metric "\",\"from\":" from ",\"to\":" to "}"

static void changes_against_what_was_sent(void **state)
{
    (void)state;
    struct board *board = new_board("2026-03-15");
    tell(board, "2026-03-01", "deal_won owner=a currency=EUR amount=300");
    struct board_document document = render(board, no_limits);
    assert_true(document.changed);
    assert_false(document.has_changes);
    board_sent(board, 0);
    assert_false(board_touched(board, 0));
    document = render(board, no_limits);
    assert_false(document.changed);
    assert_true(document.has_changes);
    assert_int_equal(document.changes.len, 2);
    tell(board, "", "record kind=deal");
    assert_false(board_touched(board, 0));
    tell(board, "2026-03-02", "deal_won owner=b count=1 currency=EUR");
    assert_true(board_touched(board, 0));
    document = render(board, no_limits);
    assert_true(document.changed);
    char *changes = strndup(document.changes.at, document.changes.len);
    assert_non_null(strstr(changes, CHANGE("{}", "won_deals", "1", "2")));
    assert_non_null(strstr(changes, CHANGE("{\"owner\":\"b\"}", "revenue", "null", "{}")));
    assert_non_null(strstr(changes, CHANGE("{\"owner\":\"b\"}", "won_deals", "null", "1")));
    assert_null(strstr(changes, "\"owner\":\"a\""));
    free(changes);
    tell(board, "2026-03-02", "deal_won owner=b count=-1 currency=EUR");
    assert_false(render(board, no_limits).changed);
    tell(board, "2026-03-02", "deal_won owner=a count=-1 currency=EUR amount=-300");
    document = render(board, no_limits);
    changes = strndup(document.changes.at, document.changes.len);
    assert_non_null(strstr(changes, CHANGE("{\"owner\":\"a\"}", "won_deals", "1", "null")));
    assert_false(document.truncated);
    free(changes);
    board_destroy(board);
}

static void more_than_a_thousand_changes_are_cut(void **state)
{
    (void)state;
    char text[128];
    struct board *board = new_board("2026-03-15");
    (void)render(board, no_limits);
    board_sent(board, 0);
    for (int i = 0; i < 150; i++) {
        snprintf(text, sizeof text, "deal_won owner=u%d currency=EUR amount=100", i);
        tell(board, "2026-03-01", text);
    }
    struct board_document document = render(board, no_limits);
    size_t n = 0;
    for (size_t i = 0; i + 9 < document.changes.len; i++) n += !memcmp(document.changes.at + i, "\"section\"", 9);
    assert_int_equal(n, 1000);
    assert_true(document.truncated);
    board_destroy(board);
}

static void a_board_knows_what_it_holds(void **state)
{
    (void)state;
    char text[256], at[DAY_TEXT_BYTES];
    struct board *board = new_board("2026-03-15");
    size_t empty = board_bytes(board);
    assert_true(empty > 1000 && empty < 1000000);
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "deal_won owner=u%d currency=EUR amount=1 seconds=%d", i, i * 1000000);
        day_format(day("2026-01-01") + i % 74, at);
        tell(board, at, text);
    }
    size_t full = board_bytes(board);
    assert_true(full > empty + 100000);
    (void)render(board, no_limits);
    assert_true(board_bytes(board) > full);
    board_destroy(board);
}

static void a_new_day_moves_the_periods(void **state)
{
    (void)state;
    struct error error = { 0 };
    struct cell_reader reader = memory_reader(cells);
    struct board *board = new_board("2026-03-31");
    tell(board, "2026-03-01", "deal_won owner=a currency=EUR amount=300");
    (void)render(board, no_limits);
    board_sent(board, 0);
    assert_true(board_load(board, day("2026-04-01"), &reader, &error));
    assert_int_equal(board_today(board), day("2026-04-01"));
    assert_true(render(board, no_limits).changed);
    assert_value(board, 0, 0, "total", 0, "revenue", "{}");
    assert_value(board, 0, 0, "previous", 0, "revenue", "{'EUR':3.00}");
    assert_value(board, 0, 1, "total", 0, "revenue", "{'EUR':3.00}");
    board_destroy(board);
}

static void collect(void *context, struct span name, struct span value)
{
    buffer_printf(context, "%.*s=%.*s ", SPAN_ARG(name), SPAN_ARG(value));
}

static void single_numbers(void **state)
{
    (void)state;
    struct buffer text = { 0 };
    struct board *board = new_board("2026-03-15");
    tell(board, "2026-03-01", "deal_won owner=a currency=EUR amount=300 seconds=0");
    tell(board, "2026-03-01", "deal_won owner=a currency=JPY amount=0");
    tell(board, "2026-03-15", "lead");
    assert_true(board_metrics_touched(board));
    board_metrics(board, 0, collect, &text);
    buffer_byte(&text, '|');
    board_metrics(board, 1, collect, &text);
    buffer_byte(&text, 0);
    assert_false(board_metrics_touched(board));
    assert_string_equal(text.at, "leads=1 sales_calls=0 won_deals=0 open_deals=0 records=0 |"
                                 "leads=1 sales_calls=0 revenue:EUR=3.00 won_deals=2 margin:EUR=1 open_deals=0 "
                                 "sales_cycle.average=0 sales_cycle.p50=0 sales_cycle.p90=0 sales_cycle.p95=0 "
                                 "sales_velocity:EUR=0.20 forecast:EUR=3.00 records=0 ");
    buffer_deinit(&text);
    board_destroy(board);
}

static void documents(void **state)
{
    (void)state;
    struct buffer out = { 0 };
    struct document_head head = {
        "deals", SPAN("a,\"version\":7"), 1842, instant("2026-03-02T14:05:12.4Z"), &cells->rules, 0x3f9c
    };
    document_write(&head, SPAN("[1]"), &out);
    buffer_byte(&out, 0);
    assert_string_equal(out.at, "{\"report\":\"deals\",\"tenant\":\"a,\\\"version\\\":7\",\"version\":1842,"
                                "\"as_of\":\"2026-03-02T14:05:12.400Z\",\"time_zone\":\"UTC\",\"week_start\":\"monday\","
                                "\"catalogue\":\"0000000000003f9c\",\"sections\":[1]}");
    out.len--;
    assert_true(span_is(document_sections(buffer_all(&out)), "[1]"));
    assert_int_equal(document_version(buffer_all(&out)), 1842);
    assert_int_equal(document_version(SPAN("{}")), 0);
    assert_int_equal(document_sections(SPAN("{\"a\":1}")).len, 0);
    buffer_deinit(&out);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(loaded_is_what_differences_make),
        CASE(numbers_are_those_of_queries),
        cmocka_unit_test_setup_teardown(metrics_that_share_sums_are_what_they_are_alone, start_alike, end),
        CASE(rows_by_the_first_metric_then_by_name),
        CASE(what_is_beyond_the_limit_is_one_row),
        CASE(changes_against_what_was_sent),
        CASE(more_than_a_thousand_changes_are_cut),
        CASE(a_board_knows_what_it_holds),
        CASE(a_new_day_moves_the_periods),
        CASE(single_numbers),
        CASE(documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
