/* The data of events: each attribute type right and wrong, required attributes, declared ones. */
#include "tests/unit/intake.h"

static struct decoded d; /* its arena serves all tests */

/* clang-format off */
static const struct {
    const char *type, *data, *name; /* the attribute that is wrong */
} bad_cases[] = {
    { "deal.won", "{'owner':7}", "owner" },
    { "deal.won", "{'owner':true}", "owner" },
    { "deal.won", "{'owner':{}}", "owner" },
    { "deal.won", "{'owner':['u1']}", "owner" },
    { "deal.won", "{'contact':1}", "contact" },
    { "contact.created", "{'name':1}", "name" },
    { "contact.created", "{'email':[]}", "email" },
    { "contact.created", "{'tags':'vip'}", "tags" },
    { "contact.created", "{'tags':{'a':1}}", "tags" },
    { "contact.created", "{'tags':['a',null]}", "tags" },
    { "contact.created", "{'tags':['a',1]}", "tags" },
    { "contact.created", "{'tags':[['a']]}", "tags" },
    { "deal.won", "{'amount':'12.345'}", "amount" },
    { "deal.won", "{'amount':12.345}", "amount" },
    { "deal.won", "{'amount':'1e3'}", "amount" },
    { "deal.won", "{'amount':1e13}", "amount" },
    { "deal.won", "{'amount':'1,000'}", "amount" },
    { "deal.won", "{'amount':' 1'}", "amount" },
    { "deal.won", "{'amount':'1.'}", "amount" },
    { "deal.won", "{'amount':'.5'}", "amount" },
    { "deal.won", "{'amount':'-'}", "amount" },
    { "deal.won", "{'amount':'EUR 1'}", "amount" },
    { "deal.won", "{'amount':'0x10'}", "amount" },
    { "deal.won", "{'amount':true}", "amount" },
    { "deal.won", "{'amount':[1]}", "amount" },
    { "deal.won", "{'amount':'10000000000000.00'}", "amount" },
    { "deal.won", "{'amount':-10000000000000}", "amount" },
    { "deal.won", "{'amount':99999999999999999999999999}", "amount" },
    { "deal.won", "{'amount':'1.5','currency':'JPY'}", "amount" },
    { "deal.won", "{'currency':'JPY','cost':0.1}", "cost" },
    { "deal.won", "{'currency':'KWD','amount':'1.2345'}", "amount" },
    { "deal.won", "{'currency':'KWD','amount':'1000000000000'}", "amount" },
    { "deal.won", "{'currency':null,'amount':'1.234'}", "amount" },
    { "campaign.started", "{'budget':'1.234'}", "budget" },
    { "deal.won", "{'currency':'eur'}", "currency" },
    { "deal.won", "{'currency':'EURO'}", "currency" },
    { "deal.won", "{'currency':'EU'}", "currency" },
    { "deal.won", "{'currency':'E1R'}", "currency" },
    { "deal.won", "{'currency':978}", "currency" },
    { "deal.won", "{'amount':'1.234','currency':'eur'}", "currency" },
    { "call.completed", "{'duration_s':-1}", "duration_s" },
    { "call.completed", "{'duration_s':-0.0001}", "duration_s" },
    { "call.completed", "{'duration_s':'12'}", "duration_s" },
    { "call.completed", "{'duration_s':1e13}", "duration_s" },
    { "call.completed", "{'duration_s':1.23456E13}", "duration_s" },
    { "call.completed", "{'duration_s':1000000000000}", "duration_s" },
    { "call.completed", "{'duration_s':true}", "duration_s" },
    { "call.completed", "{'wait_s':[]}", "wait_s" },
    { "meeting.held", "{'duration_s':-5}", "duration_s" },
    { "call.scheduled", "{'due':'2026-03-01'}", "due" },
    { "call.scheduled", "{'due':'2026-03-01T25:00:00Z'}", "due" },
    { "call.scheduled", "{'due':1772352000}", "due" },
    { "case.opened", "{'response_due':'soon'}", "response_due" },
    { "case.opened", "{'resolve_due':{}}", "resolve_due" },
    { "deal.won", "{'expected_close':'2026-02-29'}", "expected_close" },
    { "deal.won", "{'expected_close':'2026-3-1'}", "expected_close" },
    { "deal.won", "{'expected_close':'2026-03-01T00:00:00Z'}", "expected_close" },
    { "deal.won", "{'expected_close':20260301}", "expected_close" },
    { "call.missed", "{'callback':1}", "callback" },
    { "call.missed", "{'callback':'true'}", "callback" },
    { "case.rated", "{'score':0}", "score" },
    { "case.rated", "{'score':6}", "score" },
    { "case.rated", "{'score':4.5}", "score" },
    { "case.rated", "{'score':-3}", "score" },
    { "case.rated", "{'score':'5'}", "score" },
    { "case.rated", "{'score':true}", "score" },
    { "case.updated", "{'score':6}", "score" },
    { "goal.set", "{'metric':'leads','target':'many','period':'2026'}", "target" },
    { "goal.set", "{'metric':'leads','target':1e16,'period':'2026'}", "target" },
    { "goal.set", "{'metric':'leads','target':1000000000000000,'period':'2026'}", "target" },
    { "goal.set", "{'metric':'revenue','target':'1.234','currency':'EUR','period':'2026'}", "target" },
    { "goal.set", "{'metric':'leads','target':true,'period':'2026'}", "target" },
    { "goal.set", "{'metric':7,'target':1,'period':'2026'}", "metric" },
    { "goal.set", "{'metric':'leads','target':1,'period':2026}", "period" },
    { "goal.set", "{'metric':'leads','target':1,'period':'26'}", "period" },
    { "goal.set", "{'metric':'leads','target':1,'period':'202'}", "period" },
    { "goal.set", "{'metric':'leads','target':1,'period':'2026-'}", "period" },
    { "goal.set", "{'metric':'leads','target':1,'period':'2026-13'}", "period" },
    { "goal.set", "{'metric':'leads','target':1,'period':'2026-3'}", "period" },
    { "goal.set", "{'metric':'leads','target':1,'period':'2026-Q0'}", "period" },
    { "goal.set", "{'metric':'leads','target':1,'period':'2026-Q5'}", "period" },
    { "goal.set", "{'metric':'leads','target':1,'period':'2026-q1'}", "period" },
    { "goal.set", "{'metric':'leads','target':1,'period':'2026_Q1'}", "period" },
    { "goal.set", "{'metric':'leads','target':1,'period':'2026-03-01'}", "period" },
    { "goal.set", "{'metric':'leads','target':1,'period':'1899'}", "period" },
    { "goal.set", "{'metric':'leads','target':1,'period':'this_month'}", "period" },
    { "deal.won", "{'region':7}", "region" },
    { "deal.won", "{'region':['north']}", "region" },
    { "deal.won", "{'industry':false}", "industry" },
};
/* clang-format on */

/* Of type, data and the attribute: "data.amount: expected …". */
static void test_bad_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_cases / sizeof bad_cases[0]; i++) {
        char value[512], about[64];
        snprintf(value, sizeof value, "{" TIMED ",'type':'crm.%s','data':%s}", bad_cases[i].type, bad_cases[i].data);
        snprintf(about, sizeof about, "data.%s: expected", bad_cases[i].name);
        decode_text(&d, value);
        assert_rejected(&d, value, REASON_BAD_ATTRIBUTE, "acme", about);
    }
}

/* The only attribute that the data names, or the one given. */
static const struct value *value_of(const char *type, const char *data, uint16_t attribute)
{
    char value[512];
    snprintf(value, sizeof value, "{" TIMED ",'type':'crm.%s','data':%s}", type, data);
    decode_text(&d, value);
    if (!d.good) fail_msg("%s: %s", value, d.rejection.message);
    for (size_t i = 0; i < d.event.n_attributes; i++)
        if (d.event.attributes[i].attribute == attribute) return &d.event.attributes[i].value;
    fail_msg("%s: attribute %d is not there", value, attribute);
    return NULL;
}

static const struct {
    const char *data;
    enum attribute attribute;
    int64_t digits;
    int scale;
} money_cases[] = {
    { "{'amount':'1250.00'}", ATTRIBUTE_AMOUNT, 1250, 0 },
    { "{'amount':1250.00}", ATTRIBUTE_AMOUNT, 1250, 0 },
    { "{'amount':0.07}", ATTRIBUTE_AMOUNT, 7, 2 },
    { "{'amount':1E+3}", ATTRIBUTE_AMOUNT, 1000, 0 },
    { "{'amount':-125e-2}", ATTRIBUTE_AMOUNT, -125, 2 },
    { "{'amount':'-12.5'}", ATTRIBUTE_AMOUNT, -125, 1 },
    { "{'amount':-0}", ATTRIBUTE_AMOUNT, 0, 0 },
    { "{'amount':'1.230000000000000000000000'}", ATTRIBUTE_AMOUNT, 123, 2 },
    { "{'amount':9999999999999.99}", ATTRIBUTE_AMOUNT, 999999999999999, 2 },
    { "{'amount':'-9999999999999.99'}", ATTRIBUTE_AMOUNT, -999999999999999, 2 },
    { "{'amount':'1.234','currency':'KWD'}", ATTRIBUTE_AMOUNT, 1234, 3 },
    { "{'amount':'5.000','currency':'JPY'}", ATTRIBUTE_AMOUNT, 5, 0 },
    { "{'amount':'1.25','currency':''}", ATTRIBUTE_AMOUNT, 125, 2 },
    { "{'amount':'1.25','currency':'XYZ'}", ATTRIBUTE_AMOUNT, 125, 2 },
    { "{'cost':'3','amount':'4'}", ATTRIBUTE_COST, 3, 0 },
};

static void test_money(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof money_cases / sizeof money_cases[0]; i++) {
        const struct value *value = value_of("deal.won", money_cases[i].data, (uint16_t)money_cases[i].attribute);
        assert_int_equal(value->type, VALUE_DECIMAL);
        assert_int_equal(value->decimal.digits, money_cases[i].digits);
        assert_int_equal(value->decimal.scale, money_cases[i].scale);
    }
}

static void test_tenants_own_currency(void **state)
{
    (void)state;
    decode_text(&d, "{" TIMED ",'type':'crm.deal.won','tenantid':'tokyo','data':{'amount':'1.5'}}");
    assert_rejected(&d, "yen have no decimals", REASON_BAD_ATTRIBUTE, "tokyo", "data.amount: expected");
    assert_non_null(strstr(d.rejection.message, "decimals of the tenant's currency: 0"));
    decode_text(&d, "{" TIMED ",'type':'crm.deal.won','tenantid':'tokyo','data':{'amount':'1.5','currency':'EUR','region':7}}");
    assert_true(d.good); /* tokyo declares no region: ignored */
    assert_int_equal(d.event.n_attributes, 2);
}

static const struct {
    const char *type, *data;
    enum attribute attribute;
    int64_t integer;
} integer_cases[] = {
    { "call.completed", "{'duration_s':0}", ATTRIBUTE_DURATION, 0 },
    { "call.completed", "{'duration_s':-0.0}", ATTRIBUTE_DURATION, 0 },
    { "call.completed", "{'duration_s':12}", ATTRIBUTE_DURATION, 12000 },
    { "call.completed", "{'duration_s':12.3}", ATTRIBUTE_DURATION, 12300 },
    { "call.completed", "{'duration_s':12.3459}", ATTRIBUTE_DURATION, 12345 },
    { "call.completed", "{'duration_s':0.00099999999999999999999999999}", ATTRIBUTE_DURATION, 0 },
    { "call.completed", "{'wait_s':999999999999.999}", ATTRIBUTE_WAIT, 999999999999999 },
    { "call.scheduled", "{'due':'2026-03-01T09:00:00.5+01:00'}", ATTRIBUTE_DUE, INT64_C(1772352000500000) },
    { "case.opened", "{'response_due':'1970-01-01T00:00:00Z'}", ATTRIBUTE_RESPONSE_DUE, 0 },
    { "deal.won", "{'expected_close':'1970-01-02'}", ATTRIBUTE_EXPECTED_CLOSE, 1 },
    { "deal.won", "{'expected_close':'2024-02-29'}", ATTRIBUTE_EXPECTED_CLOSE, 19782 },
    { "call.missed", "{'callback':true}", ATTRIBUTE_CALLBACK, 1 },
    { "call.missed", "{'callback':false}", ATTRIBUTE_CALLBACK, 0 },
    { "case.rated", "{'score':1}", ATTRIBUTE_SCORE, 1 },
    { "case.rated", "{'score':5.0}", ATTRIBUTE_SCORE, 5 },
};

static void test_integers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof integer_cases / sizeof integer_cases[0]; i++) {
        const struct value *value = value_of(integer_cases[i].type, integer_cases[i].data, (uint16_t)integer_cases[i].attribute);
        assert_int_equal(value->type, VALUE_INTEGER);
        if (value->integer != integer_cases[i].integer) fail_msg("%s: %lld", integer_cases[i].data, (long long)value->integer);
    }
}

static void test_goals(void **state)
{
    (void)state;
    static const char *const periods[] = { "2026", "2026-03", "2026-12", "2026-Q1", "2026-Q4" };
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        char data[128];
        snprintf(data, sizeof data, "{'metric':'leads','target':0.12345,'period':'%s'}", periods[i]);
        assert_span(value_of("goal.set", data, ATTRIBUTE_PERIOD)->text, periods[i]);
    }
    assert_int_equal(d.event.attributes[1].value.decimal.scale, 5);
    const char *money = "{'metric':'revenue','target':'100000.50','currency':'EUR','period':'2026'}";
    assert_int_equal(value_of("goal.set", money, ATTRIBUTE_TARGET)->decimal.digits, 1000005);
}

/* null, an empty text and an empty list clear, whatever the type. */
static void test_clearing(void **state)
{
    (void)state;
    for (int i = 0; i < N_ATTRIBUTES; i++) {
        enum kind kind = 0;
        while (!(kind_rows[kind].attributes >> i & 1)) kind++;
        static const char *const empty[] = { "null", "''" };
        for (int k = 0; k < 2; k++) {
            char type[64], data[64];
            snprintf(type, sizeof type, "%s.%s", kind_rows[kind].name, kind == KIND_GOAL ? "removed" : "deleted");
            snprintf(data, sizeof data, "{'%s':%s}", attribute_rows[i].name, empty[k]);
            assert_int_equal(value_of(type, data, (uint16_t)i)->type, VALUE_NULL);
        }
    }
    assert_int_equal(value_of("contact.created", "{'tags':[]}", ATTRIBUTE_TAGS)->type, VALUE_NULL);
    assert_int_equal(value_of("contact.created", "{'tags':['']}", ATTRIBUTE_TAGS)->type, VALUE_NULL);
    assert_int_equal(value_of("deal.won", "{'region':null}", ATTRIBUTE_CUSTOM + 2)->type, VALUE_NULL);
    assert_int_equal(value_of("deal.won", "{'region':''}", ATTRIBUTE_CUSTOM + 2)->type, VALUE_NULL);
}

static void test_texts(void **state)
{
    (void)state;
    const struct value *tags = value_of("contact.created", "{'tags':['vip','','b\\u0000']}", ATTRIBUTE_TAGS);
    assert_int_equal(tags->type, VALUE_TEXTS);
    assert_int_equal(tags->texts.n, 2);
    assert_span(tags->texts.at[0], "vip");
    assert_true(span_equal(tags->texts.at[1], SPAN("b\0")));
    assert_span(value_of("deal.won", "{'sale':'Something ELSE '}", ATTRIBUTE_SALE)->text, "Something ELSE ");
    assert_span(value_of("contact.merged", "{'into':'s1'}", ATTRIBUTE_INTO)->text, "s1"); /* itself: allowed */
}

static void check_length(const char *type, const char *format, int limit)
{
    for (int over = 0; over < 2; over++) {
        char value[MAX_EVENT_BYTES], data[MAX_EVENT_BYTES / 2];
        snprintf(data, sizeof data, format, limit + over, 0);
        snprintf(value, sizeof value, "{" TIMED ",'type':'crm.%s','data':%s}", type, data);
        decode_text(&d, value);
        if (over) assert_rejected(&d, format, REASON_BAD_ATTRIBUTE, "acme", "data.");
        if (!over && !d.good) fail_msg("%s: %s", format, d.rejection.message);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    check_length("deal.won", "{'stage':'%0*d'}", TEXT_BYTES_MAX);
    check_length("deal.won", "{'region':'%0*d'}", TEXT_BYTES_MAX);
    check_length("deal.won", "{'contact':'%0*d'}", ID_BYTES_MAX);
    check_length("contact.created", "{'name':'%0*d'}", TEXT_BYTES_MAX);
    check_length("contact.created", "{'tags':['a','%0*d']}", TEXT_BYTES_MAX);
}

/* An attribute of the contract comes before a declared one of the same name (amount), but only where its kind has it (industry). */
static void test_declared_attributes(void **state)
{
    (void)state;
    assert_span(value_of("deal.won", "{'region':'north'}", ATTRIBUTE_CUSTOM + 2)->text, "north");
    assert_span(value_of("deal.won", "{'industry':'steel'}", ATTRIBUTE_CUSTOM + 1)->text, "steel");
    assert_span(value_of("account.created", "{'industry':'steel'}", ATTRIBUTE_INDUSTRY)->text, "steel");
    value_of("deal.won", "{'region':'a','amount':'1','owner':'u','shade':7,'Region':7,'due':7,'':7}", ATTRIBUTE_AMOUNT);
    assert_int_equal(d.event.n_attributes, 3);
    assert_int_equal(d.event.attributes[0].attribute, ATTRIBUTE_OWNER);
    assert_int_equal(d.event.attributes[2].attribute, ATTRIBUTE_CUSTOM + 2);
    value_of("contact.created", "{'region':7,'amount':'x','name':'n'}", ATTRIBUTE_NAME);
    assert_int_equal(d.event.n_attributes, 1);
}

static int reset(void **state)
{
    (void)state;
    arena_deinit(&d.arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_values), cmocka_unit_test(test_money),   cmocka_unit_test(test_tenants_own_currency),
        cmocka_unit_test(test_integers),   cmocka_unit_test(test_goals),   cmocka_unit_test(test_clearing),
        cmocka_unit_test(test_texts),      cmocka_unit_test(test_lengths), cmocka_unit_test(test_declared_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, reset);
}
