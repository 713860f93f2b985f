/* What the HTTP interface is made of, without any socket: tables, tokens, the hub of updates, the shelf of documents. */
#include "daemon/http/csv.h"
#include "daemon/http/hub.h"
#include "daemon/http/routes.h"
#include "daemon/http/shelf.h"
#include "daemon/http/tokens.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- tables ---- */

static void assert_table(bool (*write)(struct span, struct buffer *), const char *json, const char *want)
{
    struct buffer out = { 0 };
    assert_true(write(span_of(json), &out));
    buffer_byte(&out, '\0');
    assert_string_equal(out.at, want);
    buffer_deinit(&out);
}

static bool by_owner(struct span json, struct buffer *out)
{
    struct span by = SPAN("owner"), value = SPAN("value");
    return csv_write_rows(json, &by, 1, &value, 1, out);
}

static void numbers_stay_as_written(void **state)
{
    (void)state;
    assert_table(
        by_owner,
        "{\"rows\":[{\"owner\":\"a\",\"value\":12.50},{\"owner\":null,\"value\":1e-7},{\"owner\":\"b\",\"value\":null}]}",
        "owner,value\r\na,12.50\r\n,1e-7\r\nb,\r\n");
    assert_table(by_owner, "{\"rows\":[]}", "owner,value\r\n");
}

static void money_has_a_column_per_currency(void **state)
{
    (void)state;
    assert_table(by_owner,
                 "{\"rows\":[{\"owner\":\"a\",\"value\":{\"USD\":1.00}},{\"owner\":\"b\",\"value\":{\"EUR\":2.00,\"USD\":3.00}},"
                 "{\"owner\":\"c\",\"value\":{}}]}",
                 "owner,value:EUR,value:USD\r\na,,1.00\r\nb,2.00,3.00\r\nc,,\r\n");
}

static void texts_are_quoted_and_never_formulas(void **state)
{
    (void)state;
    assert_table(by_owner,
                 "{\"rows\":[{\"owner\":\"a,\\\"b\\\"\",\"value\":-1},{\"owner\":\"=1+1\",\"value\":2},{\"owner\":"
                 "\"two\\nlines\",\"value\":3},"
                 "{\"owner\":\"@x\",\"value\":4}]}",
                 "owner,value\r\n\"a,\"\"b\"\"\",-1\r\n\"'=1+1\",2\r\n\"two\nlines\",3\r\n\"'@x\",4\r\n");
}

static void a_report_is_one_table(void **state)
{
    (void)state;
    assert_table(csv_write_report,
                 "{\"report\":\"r\",\"sections\":[{\"columns\":[{\"name\":\"owner\",\"role\":\"dimension\"},{\"name\":\"won\","
                 "\"role\":\"metric\"},"
                 "{\"name\":\"revenue\",\"role\":\"metric\"}],\"periods\":[{\"name\":\"today\",\"from\":\"2026-03-01\",\"to\":"
                 "\"2026-03-01\","
                 "\"complete\":false,\"total\":{\"won\":1,\"revenue\":{\"EUR\":5.00}},\"previous\":null,"
                 "\"rows\":[{\"owner\":\"a\",\"won\":1,\"revenue\":{\"EUR\":5.00}}]}]}]}",
                 "section,period,from,to,complete,row,owner,won,revenue:EUR\r\n"
                 "0,today,2026-03-01,2026-03-01,false,total,,1,5.00\r\n"
                 "0,today,2026-03-01,2026-03-01,false,row,a,1,5.00\r\n");
}

/* A declared attribute may be called as one of the first columns. */
static void a_dimension_may_be_called_as_a_column(void **state)
{
    (void)state;
    assert_table(csv_write_report,
                 "{\"sections\":[{\"columns\":[{\"name\":\"row\",\"role\":\"dimension\"},{\"name\":\"won\",\"role\":\"metric\"}],"
                 "\"periods\":[{\"name\":\"all\",\"from\":null,\"to\":null,\"complete\":false,"
                 "\"total\":{\"won\":3},\"previous\":null,\"rows\":[{\"row\":\"a\",\"won\":1},{\"row\":\"b\",\"won\":2}]}]}]}",
                 "section,period,from,to,complete,row,row,won\r\n"
                 "0,all,,,false,total,,3\r\n"
                 "0,all,,,false,row,a,1\r\n"
                 "0,all,,,false,row,b,2\r\n");
}

static void what_is_no_answer_is_no_table(void **state)
{
    (void)state;
    struct buffer out = { 0 };
    static const char *const wrong[] = { "", "x", "[]", "{}", "{\"rows\":", "{\"error\":{}}", "7" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(by_owner(span_of(wrong[i]), &out));
        assert_false(csv_write_report(span_of(wrong[i]), &out));
    }
    assert_int_equal(out.len, 0);
    buffer_deinit(&out);
}

/* ---- tokens ---- */

static bool load_bytes(struct tokens *tokens, struct span text, struct error *error)
{
    char name[] = "/tmp/test_http_parts.XXXXXX";
    int fd = mkstemp(name);
    assert_int_equal(write(fd, text.at, text.len), text.len);
    close(fd);
    *error = (struct error){ "" };
    bool fine = tokens_load(tokens, name, error);
    unlink(name);
    return fine;
}

static bool load(struct tokens *tokens, const char *text, struct error *error)
{
    return load_bytes(tokens, span_of(text), error);
}

static struct scope opens(const struct tokens *tokens, const char *authorization)
{
    static struct arena arena; /* of the tenant's name: until the next one is asked for */
    arena_reset(&arena);
    return tokens_scope(tokens, span_of(authorization), &arena);
}

static void a_token_opens_what_it_says(void **state)
{
    (void)state;
    struct tokens tokens;
    struct error error;
    assert_true(load(&tokens, "# all\n0123456789abcdef\n\n fedcba9876543210\tacme \r\n", &error));
    assert_int_equal(tokens.n, 2);
    assert_true(opens(&tokens, "Bearer 0123456789abcdef").all);
    assert_true(span_is(opens(&tokens, "bearer fedcba9876543210").tenant, "acme"));
    assert_true(span_is(opens(&tokens, "Basic YW55Ym9keTpmZWRjYmE5ODc2NTQzMjEw").tenant, "acme"));
    static const char *const nothing[] = { "",
                                           "Bearer",
                                           "Bearer ",
                                           "Bearer 0123456789abcde",
                                           "Bearer 0123456789abcdef0",
                                           "0123456789abcdef",
                                           "Basic",
                                           "Basic !",
                                           "Basic MDEyMzQ1Njc4OWFiY2RlZg==",
                                           "Bearer fedcba9876543210 ",
                                           "Digest fedcba9876543210" };
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        struct scope scope = opens(&tokens, nothing[i]);
        assert_false(scope.all);
        assert_null(scope.tenant.at);
    }
    tokens_deinit(&tokens);
}

static void without_tokens_all_is_open(void **state)
{
    (void)state;
    struct tokens tokens;
    struct error error = { "" };
    assert_true(tokens_load(&tokens, "", &error));
    assert_true(tokens_none(&tokens) && opens(&tokens, "").all);
    tokens_deinit(&tokens);
}

static void a_wrong_file_is_told_without_its_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } wrong[] = { { "secret-but-so\n", "line 1: found a token of 13 characters, expected 16 to 512" },
                  { "# x\nsecret-and-long-enough a b\n", "line 2: expected TOKEN, or TOKEN TENANT" },
                  { "secret-and-long-enough {a}\n", "line 1: expected TOKEN, or TOKEN TENANT" },
                  { "secret-and-long-enough acme\nsecret-and-long-enough globex\n",
                    "line 2: the same token stands in a line before" },
                  { "secret-and-long-enough\nsecret-and-long-enough acme\n", "line 2: the same token stands in a line before" },
                  { "# nothing\n", "holds no token" } };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct tokens tokens;
        struct error error;
        assert_false(load(&tokens, wrong[i].text, &error));
        assert_non_null(strstr(error.text, wrong[i].says));
        assert_null(strstr(error.text, "secret"));
        assert_int_equal(tokens.n, 0);
    }
}

static void a_token_may_stand_there_twice(void **state)
{
    (void)state;
    struct tokens tokens;
    struct error error;
    assert_true(load(&tokens, "0123456789abcdef acme\n0123456789abcdef acme\nfedcba9876543210\nfedcba9876543210", &error));
    assert_true(span_is(opens(&tokens, "Bearer 0123456789abcdef").tenant, "acme"));
    assert_true(opens(&tokens, "Bearer fedcba9876543210").all);
    tokens_deinit(&tokens);
}

/* Else what stands behind it would be left out: the tenant, and the token opened all of them. */
static void a_zero_byte_ends_no_line(void **state)
{
    (void)state;
    static const char *const lines[] = { "0123456789abcdef\0 acme\n", "0123456789abcdef\0acme", "0123456789abcdef ac\0me\n" };
    static const size_t lens[] = { 23, 21, 23 };
    for (size_t i = 0; i < 3; i++) {
        struct tokens tokens;
        struct error error;
        assert_false(load_bytes(&tokens, (struct span){ lines[i], lens[i] }, &error));
    }
}

/* ---- the hub ---- */

static int woken;
static void wake(struct follower *follower)
{
    (void)follower;
    woken++;
}

static void assert_news(struct follower *follower, const char *want)
{
    struct buffer out = { 0 };
    assert_int_equal(hub_news(follower, &out), want[0] != '\0');
    buffer_byte(&out, '\0');
    assert_string_equal(out.at, want);
    buffer_deinit(&out);
}

#define UPDATE(report, version) "id: " version "\nevent: report\ndata: {\"report\":\"" report "\",\"version\":" version "}\n\n"

static void a_follower_sees_the_newest_of_its_tenant(void **state)
{
    (void)state;
    struct hub hub = { 0 };
    struct follower a = { .wake = wake }, b = { .wake = wake };
    hub_follow(&hub, &a, SPAN("acme"));
    hub_follow(&hub, &b, SPAN("globex"));
    woken = 0;
    hub_hint(&hub, SPAN("acme"), SPAN("service"), 7);
    hub_hint(&hub, SPAN("acme"), SPAN("conversion"), 8);
    hub_hint(&hub, SPAN("acme"), SPAN("service"), 9);
    hub_hint(&hub, SPAN("initech"), SPAN("service"), 10);
    assert_int_equal(hub_tell(&hub, 1000), INT64_MAX);
    assert_int_equal(woken, 1);
    assert_news(&a, UPDATE("conversion", "8") UPDATE("service", "9"));
    assert_news(&a, "");
    assert_news(&b, "");
    hub_hint(&hub, SPAN("acme"), SPAN("service"), 11);
    assert_news(&a, UPDATE("service", "11"));
    hub_leave(&hub, &a);
    hub_leave(&hub, &b);
    hub_leave(&hub, &b); /* once more does no harm */
    assert_int_equal(hub.n_followers, 0);
    assert_int_equal(hub.tenants.count, 0);
}

static void who_comes_later_sees_what_comes_later(void **state)
{
    (void)state;
    struct hub hub = { 0 };
    struct follower followers[3] = { { .wake = wake }, { .wake = wake }, { .wake = wake } };
    hub_follow(&hub, &followers[0], SPAN("acme"));
    hub_hint(&hub, SPAN("acme"), SPAN("service"), 7);
    hub_follow(&hub, &followers[1], SPAN("acme"));
    hub_follow(&hub, &followers[2], SPAN("acme"));
    assert_news(&followers[1], "");
    hub_leave(&hub, &followers[1]); /* from the middle */
    assert_news(&followers[0], UPDATE("service", "7"));
    hub_hint(&hub, SPAN("acme"), SPAN("service"), 8);
    assert_news(&followers[2], UPDATE("service", "8"));
    hub_leave(&hub, &followers[0]);
    hub_leave(&hub, &followers[2]);
}

static void followers_are_woken_at_once_then_after_a_rest(void **state)
{
    (void)state;
    struct hub hub = { 0 };
    struct follower a = { .wake = wake }, b = { .wake = wake }, other = { .wake = wake };
    int64_t began = 5000, rest = HUB_REST_MS * 1000;
    hub_follow(&hub, &a, SPAN("acme"));
    hub_follow(&hub, &b, SPAN("acme"));
    hub_follow(&hub, &other, SPAN("globex"));
    woken = 0;
    hub_hint(&hub, SPAN("acme"), SPAN("service"), 7);
    assert_int_equal(hub_tell(&hub, began), INT64_MAX);
    assert_int_equal(woken, 2);
    hub_hint(&hub, SPAN("acme"), SPAN("service"), 8);
    hub_hint(&hub, SPAN("acme"), SPAN("service"), 9);
    assert_int_equal(hub_tell(&hub, began + rest - 1), began + rest);
    assert_int_equal(woken, 2);
    hub_hint(&hub, SPAN("globex"), SPAN("service"), 10); /* the others do not wait for it */
    assert_int_equal(hub_tell(&hub, began + rest - 1), began + rest);
    assert_int_equal(woken, 3);
    assert_int_equal(hub_tell(&hub, began + rest), INT64_MAX);
    assert_int_equal(woken, 5);
    assert_news(&a, UPDATE("service", "9"));
    assert_news(&b, UPDATE("service", "9"));
    hub_hint(&hub, SPAN("acme"), SPAN("service"), 11);
    hub_leave(&hub, &a);
    hub_leave(&hub, &b);
    assert_int_equal(hub_tell(&hub, INT64_MAX / 2), INT64_MAX); /* nobody is left */
    hub_leave(&hub, &other);
}

/* ---- the shelf ---- */

static void ask_for(struct exchange *exchange)
{
    exchange_init(exchange);
    exchange->tenant = SPAN("acme");
    exchange->report = SPAN("service");
}

static void answer(struct exchange *exchange, const char *text)
{
    buffer_str(answer_with(exchange, type_json), text);
    snprintf(exchange->answer.etag, ETAG_BYTES, "\"%s\"", text);
}

static void end(struct exchange *exchange)
{
    sheet_release(exchange->answer.sheet);
    exchange_deinit(exchange);
}

static void assert_has(struct shelf *shelf, int64_t now_us, const char *text)
{
    struct exchange exchange;
    ask_for(&exchange);
    assert_int_equal(shelf_ask(shelf, &exchange, now_us), SHELF_HAS);
    assert_true(span_is(exchange.answer.fixed, text));
    assert_int_equal(exchange.answer.status, 200);
    end(&exchange);
}

static void one_question_answers_all_who_wait(void **state)
{
    (void)state;
    struct shelf shelf = { 0 };
    struct exchange one, two, three;
    ask_for(&one), ask_for(&two), ask_for(&three);
    assert_int_equal(shelf_ask(&shelf, &one, 0), SHELF_ASK);
    assert_int_equal(shelf_ask(&shelf, &two, 1), SHELF_WAITS);
    assert_int_equal(shelf_ask(&shelf, &three, 2), SHELF_WAITS);
    answer(&one, "7");
    struct exchange *waited = shelf_take(&shelf, &one);
    assert_ptr_equal(waited, &three);
    assert_ptr_equal(waited->next, &two);
    assert_true(span_is(two.answer.fixed, "7") && span_is(three.answer.fixed, "7"));
    assert_string_equal(two.answer.etag, "\"7\"");
    assert_has(&shelf, 999999, "7");
    struct exchange late;
    ask_for(&late);
    assert_int_equal(shelf_ask(&shelf, &late, 5000000), SHELF_ASK); /* five seconds old */
    end(&one), end(&two), end(&three), end(&late);
    shelf_deinit(&shelf);
}

static void a_hint_makes_what_was_asked_before_it_old(void **state)
{
    (void)state;
    struct shelf shelf = { 0 };
    struct exchange one, two, three;
    ask_for(&one), ask_for(&two), ask_for(&three);
    assert_int_equal(shelf_ask(&shelf, &one, 0), SHELF_ASK);
    shelf_hint(&shelf, SPAN("acme"), SPAN("service"));
    assert_int_equal(shelf_ask(&shelf, &two, 1), SHELF_ASK); /* who knows of the hint does not get what was asked for before it */
    answer(&one, "7"), answer(&two, "8");
    assert_null(shelf_take(&shelf, &one));
    assert_null(shelf_take(&shelf, &two));
    assert_int_equal(shelf_ask(&shelf, &three, 3), SHELF_ASK); /* neither was kept */
    answer(&three, "8");
    assert_null(shelf_take(&shelf, &three));
    assert_has(&shelf, 5, "8");
    shelf_hint(&shelf, SPAN("acme"), SPAN("conversion"));
    assert_has(&shelf, 6, "8");
    shelf_clear(&shelf);
    struct exchange four;
    ask_for(&four);
    assert_int_equal(shelf_ask(&shelf, &four, 7), SHELF_ASK);
    end(&one), end(&two), end(&three), end(&four);
    shelf_deinit(&shelf);
}

static void what_fails_is_told_to_all_and_not_kept(void **state)
{
    (void)state;
    struct shelf shelf = { 0 };
    struct exchange one, two, three;
    ask_for(&one), ask_for(&two), ask_for(&three);
    assert_int_equal(shelf_ask(&shelf, &one, 0), SHELF_ASK);
    assert_int_equal(shelf_ask(&shelf, &two, 0), SHELF_WAITS);
    answer_problem(&one, 503, "redis_away", "gone");
    one.answer.retry_after_s = 1;
    assert_ptr_equal(shelf_take(&shelf, &one), &two);
    assert_int_equal(two.answer.status, 503);
    assert_int_equal(two.answer.retry_after_s, 1);
    assert_true(span_equal(buffer_all(&two.answer.text), buffer_all(&one.answer.text)));
    assert_int_equal(shelf_ask(&shelf, &three, 2), SHELF_ASK);
    end(&one), end(&two), end(&three);
    shelf_deinit(&shelf);
}

static void the_shelf_is_bounded(void **state)
{
    (void)state;
    struct shelf shelf = { 0 };
    for (int i = 0; i < 3 * SHELF_REPORTS_MAX; i++) {
        struct exchange exchange;
        char name[16];
        int len = snprintf(name, sizeof name, "t%d", i);
        ask_for(&exchange);
        exchange.tenant = (struct span){ name, (size_t)len };
        assert_int_equal(shelf_ask(&shelf, &exchange, 0), SHELF_ASK);
        answer(&exchange, "7");
        assert_null(shelf_take(&shelf, &exchange));
        end(&exchange);
        assert_true(shelf.reports.count <= SHELF_REPORTS_MAX);
    }
    shelf_deinit(&shelf);
}

/* ---- entity tags ---- */

static void if_none_match_names_a_tag(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_init(&exchange);
    static const struct {
        const char *header;
        bool matches;
    } cases[] = { { "\"17\"", true }, { "W/\"17\"", true }, { "\"1\", \"17\"", true }, { "*", true }, { "\"1\"", false },
                  { "17", false },    { "", false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        exchange.if_none_match = span_of(cases[i].header);
        assert_int_equal(exchange_matches(&exchange, "\"17\""), cases[i].matches);
        assert_false(exchange_matches(&exchange, ""));
    }
    exchange_deinit(&exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stay_as_written),
        cmocka_unit_test(money_has_a_column_per_currency),
        cmocka_unit_test(texts_are_quoted_and_never_formulas),
        cmocka_unit_test(a_report_is_one_table),
        cmocka_unit_test(a_dimension_may_be_called_as_a_column),
        cmocka_unit_test(what_is_no_answer_is_no_table),
        cmocka_unit_test(a_token_opens_what_it_says),
        cmocka_unit_test(without_tokens_all_is_open),
        cmocka_unit_test(a_wrong_file_is_told_without_its_secrets),
        cmocka_unit_test(a_token_may_stand_there_twice),
        cmocka_unit_test(a_zero_byte_ends_no_line),
        cmocka_unit_test(a_follower_sees_the_newest_of_its_tenant),
        cmocka_unit_test(who_comes_later_sees_what_comes_later),
        cmocka_unit_test(followers_are_woken_at_once_then_after_a_rest),
        cmocka_unit_test(one_question_answers_all_who_wait),
        cmocka_unit_test(a_hint_makes_what_was_asked_before_it_old),
        cmocka_unit_test(what_fails_is_told_to_all_and_not_kept),
        cmocka_unit_test(the_shelf_is_bounded),
        cmocka_unit_test(if_none_match_names_a_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
