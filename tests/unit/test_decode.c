/* From record to event: both content modes, the envelope, every reason for a rejection and which of two comes first. */
#include "tests/unit/intake.h"

static struct decoded d; /* its arena serves all tests */

struct rejected_case {
    const char *value;
    enum reason reason;
    const char *tenant, *about;
};

/* clang-format off */
static const struct rejected_case rejected_cases[] = {
    { "", REASON_NOT_JSON, "default", "value: " },
    { " ", REASON_NOT_JSON, "default", "value: " },
    { "{'specversion':'1.0',", REASON_NOT_JSON, "default", "value: " },
    { "{" TIMED ",'type':'crm.deal.won'} x", REASON_NOT_JSON, "default", "value: " },
    { "{" TIMED ",'type':'crm.deal.won','data':{'owner':'\xC3'}}", REASON_NOT_JSON, "default", "value: " },
    { "{" TIMED ",'type':'crm.deal.won','data':{'owner':'\\ud800'}}", REASON_NOT_JSON, "default", "value: " },
    { "{" TIMED ",'type':'crm.deal.won','data':{'amount':01}}", REASON_NOT_JSON, "default", "value: " },
    { "{" TIMED ",'type':'crm.deal.won','data':{'amount':NaN}}", REASON_NOT_JSON, "default", "value: " },
    { "[1]", REASON_NOT_CLOUDEVENTS, "default", "value: no JSON object" },
    { "null", REASON_NOT_CLOUDEVENTS, "default", "value: no JSON object" },
    { "'text'", REASON_NOT_CLOUDEVENTS, "default", "value: no JSON object" },
    { "7", REASON_NOT_CLOUDEVENTS, "default", "value: no JSON object" },
    { "{}", REASON_NOT_CLOUDEVENTS, "default", "specversion: " },
    { "{'specversion':1.0,'tenantid':'acme'}", REASON_NOT_CLOUDEVENTS, "default", "specversion: " },
    { "{'specversion':'0.3','tenantid':'acme'}", REASON_NOT_CLOUDEVENTS, "default", "specversion: " },
    { "{'specversion':'1.0 ','tenantid':'acme'}", REASON_NOT_CLOUDEVENTS, "default", "specversion: " },
    { "{'specversion':'1.0','specversion':'1.1'}", REASON_NOT_CLOUDEVENTS, "default", "specversion: " },

    { "{'specversion':'1.0','tenantid':'acme'}", REASON_MISSING_ATTRIBUTE, "acme", "id: missing" },
    { "{'specversion':'1.0','source':'/','subject':'s','type':'crm.deal.won'}", REASON_MISSING_ATTRIBUTE, "default", "id: missing" },
    { "{'specversion':'1.0','id':null,'source':'/','subject':'s','type':'crm.deal.won'}", REASON_MISSING_ATTRIBUTE, "default", "id: missing" },
    { "{'specversion':'1.0','id':'1','subject':'s','type':'crm.deal.won'}", REASON_MISSING_ATTRIBUTE, "default", "source: missing" },
    { "{'specversion':'1.0','id':'1','source':'/','type':'crm.deal.won'}", REASON_MISSING_ATTRIBUTE, "default", "subject: missing" },
    { "{'specversion':'1.0','id':'1','source':'/','subject':'s'}", REASON_MISSING_ATTRIBUTE, "default", "type: missing" },
    { "{'specversion':'1.0','id':7,'source':'/','subject':'s','type':'crm.deal.won'}", REASON_BAD_ATTRIBUTE, "default", "id: expected" },
    { "{'specversion':'1.0','id':'','source':'/','subject':'s','type':'crm.deal.won'}", REASON_BAD_ATTRIBUTE, "default", "id: expected" },
    { "{'specversion':'1.0','id':'1','source':{},'subject':'s','type':'crm.deal.won'}", REASON_BAD_ATTRIBUTE, "default", "source: expected" },
    { "{'specversion':'1.0','id':'1','source':'/','subject':[],'type':'crm.deal.won'}", REASON_BAD_ATTRIBUTE, "default", "subject: expected" },
    { "{'specversion':'1.0','id':'1','source':'/','subject':'','type':'crm.deal.won'}", REASON_BAD_ATTRIBUTE, "default", "subject: expected" },
    { "{'specversion':'1.0','id':'1','source':'/','subject':'s','type':true}", REASON_BAD_ATTRIBUTE, "default", "type: expected" },
    { "{'specversion':'1.0','id':'1','source':'/','subject':'s','type':''}", REASON_BAD_ATTRIBUTE, "default", "type: expected" },
    { "{" TIMED ",'type':'crm.deal.won','sequence':7}", REASON_BAD_ATTRIBUTE, "acme", "sequence: expected" },
    { "{" TIMED ",'type':'crm.deal.won','traceparent':7}", REASON_BAD_ATTRIBUTE, "acme", "traceparent: expected" },

    { "{" TIMED ",'type':'crm.deal.won','tenantid':'a b'}", REASON_BAD_TENANT, "default", "tenantid: expected" },
    { "{" TIMED ",'type':'crm.deal.won','tenantid':''}", REASON_BAD_TENANT, "default", "tenantid: expected" },
    { "{" TIMED ",'type':'crm.deal.won','tenantid':7}", REASON_BAD_TENANT, "default", "tenantid: expected" },
    { "{" TIMED ",'type':'crm.deal.won','tenantid':'a/b'}", REASON_BAD_TENANT, "default", "tenantid: expected" },
    { "{" TIMED ",'type':'crm.deal.won','tenantid':'\\u00e4'}", REASON_BAD_TENANT, "default", "tenantid: expected" },
    { "{" TIMED ",'type':'crm.deal.won','tenantid':'acme\\u0000'}", REASON_BAD_TENANT, "default", "tenantid: expected" },
    { "{" TIMED ",'type':'crm.deal.won','tenantid':'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345'}",
      REASON_BAD_TENANT, "default", "tenantid: expected" },

    { "{" TIMED ",'type':'deal.won'}", REASON_UNKNOWN_TYPE, "acme", "type: expected crm.<kind>.<verb>, the kind one of contact, account" },
    { "{" TIMED ",'type':'crm.'}", REASON_UNKNOWN_TYPE, "acme", "type: expected crm.<kind>" },
    { "{" TIMED ",'type':'crm.deal'}", REASON_UNKNOWN_TYPE, "acme", "type: expected crm.<kind>" },
    { "{" TIMED ",'type':'CRM.deal.won'}", REASON_UNKNOWN_TYPE, "acme", "type: expected crm.<kind>" },
    { "{" TIMED ",'type':'crm.deals.won'}", REASON_UNKNOWN_TYPE, "acme", "type: expected crm.<kind>" },
    { "{" TIMED ",'type':'crm..won'}", REASON_UNKNOWN_TYPE, "acme", "type: expected crm.<kind>" },
    { "{" TIMED ",'type':'crm.address.created'}", REASON_UNKNOWN_TYPE, "acme", "type: expected crm.<kind>" },
    { "{" TIMED ",'type':'crm.deal.'}", REASON_UNKNOWN_TYPE, "acme", "type: expected crm.deal.<verb>, the verb one of created, updated" },
    { "{" TIMED ",'type':'crm.deal.exploded'}", REASON_UNKNOWN_TYPE, "acme", "type: expected crm.deal.<verb>" },
    { "{" TIMED ",'type':'crm.deal.won.twice'}", REASON_UNKNOWN_TYPE, "acme", "type: expected crm.deal.<verb>" },
    { "{" TIMED ",'type':'crm.deal.won\\u0000x'}", REASON_UNKNOWN_TYPE, "acme", "type: expected crm.deal.<verb>" },
    { "{" TIMED ",'type':'crm.deal.completed'}", REASON_UNKNOWN_TYPE, "acme", "type: expected crm.deal.<verb>" },

    { "{" ENVELOPE ",'type':'crm.deal.won','time':'2026-03-01 08:00:00Z'}", REASON_BAD_TIME, "acme", "time: no date-time" },
    { "{" ENVELOPE ",'type':'crm.deal.won','time':'2026-02-30T08:00:00Z'}", REASON_BAD_TIME, "acme", "time: no date-time" },
    { "{" ENVELOPE ",'type':'crm.deal.won','time':'2026-03-01T08:00:00'}", REASON_BAD_TIME, "acme", "time: no date-time" },
    { "{" ENVELOPE ",'type':'crm.deal.won','time':'1899-12-31T23:59:59Z'}", REASON_BAD_TIME, "acme", "time: no date-time" },
    { "{" ENVELOPE ",'type':'crm.deal.won','time':''}", REASON_BAD_TIME, "acme", "time: no date-time" },
    { "{" ENVELOPE ",'type':'crm.deal.won','time':1772352000}", REASON_BAD_TIME, "acme", "time: no date-time" },
    { "{" ENVELOPE ",'type':'crm.deal.won','time':'2026-03-31T12:10:00.001Z'}", REASON_TOO_FAR_AHEAD, "acme", "time: 600001 ms after" },
    { "{" ENVELOPE ",'type':'crm.deal.won','time':'2199-01-01T00:00:00Z'}", REASON_TOO_FAR_AHEAD, "acme", "time: " },

    { EVENT("deal.won", "[]"), REASON_BAD_ATTRIBUTE, "acme", "data: expected a JSON object" },
    { EVENT("deal.won", "''"), REASON_BAD_ATTRIBUTE, "acme", "data: expected a JSON object" },
    { EVENT("deal.won", "false"), REASON_BAD_ATTRIBUTE, "acme", "data: expected a JSON object" },
    { "{" TIMED ",'type':'crm.deal.won','data_base64':'e30='}", REASON_BAD_ATTRIBUTE, "acme", "data_base64: expected" },
    { EVENT("deal.stage_changed", "{}"), REASON_MISSING_ATTRIBUTE, "acme", "data.stage: missing" },
    { EVENT("deal.stage_changed", "null"), REASON_MISSING_ATTRIBUTE, "acme", "data.stage: missing" },
    { EVENT("deal.stage_changed", "{'stage':null}"), REASON_MISSING_ATTRIBUTE, "acme", "data.stage: missing" },
    { EVENT("deal.stage_changed", "{'stage':''}"), REASON_MISSING_ATTRIBUTE, "acme", "data.stage: missing" },
    { EVENT("deal.stage_changed", "{'stage':'a','stage':null}"), REASON_MISSING_ATTRIBUTE, "acme", "data.stage: missing" },
    { EVENT("deal.stage_changed", "{'stage':7}"), REASON_BAD_ATTRIBUTE, "acme", "data.stage: expected" },
    { EVENT("contact.merged", "{}"), REASON_MISSING_ATTRIBUTE, "acme", "data.into: missing" },
    { EVENT("case.rated", "{}"), REASON_MISSING_ATTRIBUTE, "acme", "data.score: missing" },
    { EVENT("goal.set", "{'target':1,'period':'2026'}"), REASON_MISSING_ATTRIBUTE, "acme", "data.metric: missing" },
    { EVENT("goal.set", "{'metric':'leads','period':'2026'}"), REASON_MISSING_ATTRIBUTE, "acme", "data.target: missing" },
    { EVENT("goal.set", "{'metric':'leads','target':1}"), REASON_MISSING_ATTRIBUTE, "acme", "data.period: missing" },
};

/* Two or more things are wrong: the contract's order decides. Each case loses its first fault in the next one. */
static const struct rejected_case precedence_cases[] = {
    { "{'specversion':'0.3','id':'','type':'x','tenantid':'a b','time':'x'", REASON_NOT_JSON, "default", "" },
    { "{'specversion':'0.3','id':'','type':'x','tenantid':'a b','time':'x'}", REASON_NOT_CLOUDEVENTS, "default", "" },
    { "{'specversion':'1.0','id':'','type':'x','tenantid':'a b','time':'x'}", REASON_MISSING_ATTRIBUTE, "default", "source" },
    { "{'specversion':'1.0','id':'','source':'/','subject':'s','type':'x','tenantid':'a b','time':'x'}", REASON_BAD_ATTRIBUTE, "default", "id" },
    { "{'specversion':'1.0','id':'1','source':'/','subject':'s','type':'x','tenantid':'a b','time':'x'}", REASON_BAD_TENANT, "default", "" },
    { "{'specversion':'1.0','id':'1','source':'/','subject':'s','type':'x','tenantid':'b','time':'x'}", REASON_UNKNOWN_TYPE, "b", "" },
    { "{'specversion':'1.0','id':'1','source':'/','subject':'s','type':'crm.goal.set','tenantid':'b','time':'x','data':7}",
      REASON_BAD_TIME, "b", "" },
    { "{'specversion':'1.0','id':'1','source':'/','subject':'s','type':'crm.goal.set','time':'2030-01-01T00:00:00Z','data':7}",
      REASON_TOO_FAR_AHEAD, "default", "" },
    { EVENT("goal.set", "{'metric':7,'period':'x'}"), REASON_MISSING_ATTRIBUTE, "acme", "data.target" },
    { EVENT("goal.set", "{'metric':7,'period':'x','target':1}"), REASON_BAD_ATTRIBUTE, "acme", "data.metric" },
};
/* clang-format on */

static void check_rejected(const struct rejected_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        decode_text(&d, cases[i].value);
        assert_rejected(&d, cases[i].value, cases[i].reason, cases[i].tenant, cases[i].about);
    }
}

static void test_each_reason(void **state)
{
    (void)state;
    check_rejected(rejected_cases, sizeof rejected_cases / sizeof rejected_cases[0]);
}

static void test_precedence(void **state)
{
    (void)state;
    check_rejected(precedence_cases, sizeof precedence_cases / sizeof precedence_cases[0]);
}

static void test_reason_names(void **state)
{
    (void)state;
    for (int i = 1; i < N_REASONS; i++) assert_true(strlen(reason_names[i]) > 0);
    assert_string_equal(reason_names[REASON_TOO_FAR_AHEAD], "too_far_ahead");
    assert_true(reason_is_unreadable(REASON_NOT_JSON) && reason_is_unreadable(REASON_NOT_CLOUDEVENTS));
    assert_true(reason_is_unreadable(REASON_TOO_LARGE));
    assert_false(reason_is_unreadable(REASON_BAD_TIME) || reason_is_unreadable(REASON_TOO_MANY_EVENTS));
}

static void test_structured(void **state)
{
    (void)state;
    decode_text(&d,
                "{" TIMED ",'type':'crm.deal.won','sequence':'0007','traceparent':'00-ab','data':{'owner':'u\\u00e4'},'x':[{}]}");
    assert_true(d.good);
    assert_span(d.event.tenant, "acme");
    assert_span(d.event.id, "e1");
    assert_span(d.event.source, "/crm");
    assert_span(d.event.subject, "s1");
    assert_span(d.event.sequence, "0007");
    assert_span(d.event.traceparent, "00-ab");
    assert_int_equal(d.event.kind, KIND_DEAL);
    assert_int_equal(d.event.verb, VERB_WON);
    assert_int_equal(d.event.time_us, INT64_C(1772352000) * MICROS_PER_SECOND);
    assert_false(d.event.time_of_record);
    assert_int_equal(d.event.n_attributes, 1);
    assert_span(d.event.attributes[0].value.text, "u\xC3\xA4");
}

static bool lies_in(struct span text, struct span whole)
{
    return text.at >= whole.at && text.at + text.len <= whole.at + whole.len;
}

/* Texts stay where the record has them, but for those with escapes: also when something else has been decoded meanwhile. */
static void test_texts_stay_in_the_record(void **state)
{
    (void)state;
    static const char *const endings[] = { "'x':1", "'x':[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]" };
    for (size_t i = 0; i < 2; i++) {
        char text[512];
        struct decoded first = { 0 }, other = { 0 };
        snprintf(text, sizeof text,
                 "{'specversion':'1.0','id':'\\u0041b','source':'\\/"
                 "crm','subject':'s\xC3\xA4','tenantid':'acme','type':'crm.deal.won',"
                 "'data':{'owner':'ann','team':'a\\'\\\\b','contact':'','tags':['x','\\u0079']},%s}",
                 endings[i]);
        for (char *c = text; *c; c++)
            if (*c == '\'' && (c == text || c[-1] != '\\')) *c = '"';
        for (char *c; (c = strstr(text, "\\'"));) c[1] = '"';
        struct record record = { .value = span_of(text), .timestamp_us = NOW_US };
        decode_record(&first, &record);
        decode_text(&other, EVENT("deal.lost", "{'owner':'\\u0062ob','reason':'price','team':'another'}"));
        assert_true(first.good && other.good);
        assert_span(first.event.id, "Ab");
        assert_span(first.event.source, "/crm");
        assert_span(first.event.subject, "s\xC3\xA4");
        assert_span(first.event.tenant, "acme");
        assert_true(lies_in(first.event.tenant, record.value));
        assert_false(lies_in(first.event.id, record.value));
        for (size_t a = 0; a < first.event.n_attributes; a++) {
            const struct event_attribute *given = &first.event.attributes[a];
            if (given->attribute == ATTRIBUTE_OWNER) assert_span(given->value.text, "ann");
            if (given->attribute == ATTRIBUTE_OWNER) assert_true(lies_in(given->value.text, record.value));
            if (given->attribute == ATTRIBUTE_TEAM) assert_span(given->value.text, "a\"\\b");
        }
        assert_in_range(first.event.n_attributes, 2, 4);
        arena_deinit(&first.arena);
        arena_deinit(&other.arena);
    }
}

static void test_structured_by_content_type(void **state)
{
    (void)state;
    static const char *const types[] = { "content-type: application/cloudevents+json",
                                         "Content-Type: application/cloudevents+json",
                                         "content-type: application/cloudevents+json; charset=UTF-8",
                                         "content-type: Application/CloudEvents+JSON" };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        decode_with(&d, (const char *[]){ types[i], "ce_specversion: 9", NULL }, EVENT("deal.won", "{}"), NOW_US);
        if (!d.good) fail_msg("%s: %s", types[i], d.rejection.message);
        assert_int_equal(d.event.kind, KIND_DEAL);
    }
    decode_with(&d, (const char *[]){ "content-type: application/json", NULL }, EVENT("deal.won", "{}"), NOW_US);
    assert_rejected(&d, "content-type application/json", REASON_NOT_CLOUDEVENTS, "default", "ce_specversion: ");
}

static void test_optional_attributes(void **state)
{
    (void)state;
    decode_text(
        &d, "{'specversion':'1.0','id':'1','source':'/','subject':'s','type':'crm.user.signed_in','tenantid':null,'time':null,"
            "'sequence':null,'traceparent':'','data':null,'data_base64':null}");
    assert_true(d.good);
    assert_span(d.event.tenant, "default");
    assert_true(d.event.time_of_record);
    assert_int_equal(d.event.time_us, NOW_US);
    assert_int_equal(d.event.sequence.len + d.event.traceparent.len + d.event.n_attributes, 0);
}

static void test_last_of_a_name_holds(void **state)
{
    (void)state;
    decode_text(&d,
                "{" TIMED ",'type':7,'type':'crm.deal.won','data':[],'data':{'owner':7,'owner':'a','amount':'x','amount':null}}");
    assert_true(d.good);
    assert_int_equal(d.event.n_attributes, 2);
    assert_span(d.event.attributes[0].value.text, "a");
    assert_int_equal(d.event.attributes[1].value.type, VALUE_NULL);
}

static void test_record_time(void **state)
{
    (void)state;
    static const char *const untimed = "{" ENVELOPE ",'type':'crm.deal.won'}";
    decode_with(&d, NULL, untimed, NO_INSTANT);
    assert_rejected(&d, "no time at all", REASON_BAD_TIME, "acme", "time: missing");
    decode_with(&d, NULL, untimed, INT64_MAX);
    assert_rejected(&d, "a timestamp beyond the calendar", REASON_BAD_TIME, "acme", "time: missing");
    decode_with(&d, NULL, "{" ENVELOPE ",'type':'crm.deal.won','time':'2199-12-31T23:59:59.9999999Z'}", NO_INSTANT);
    assert_true(d.good); /* nothing to be ahead of */
    assert_int_equal(d.event.time_us % MICROS_PER_SECOND, 999999);
    decode_with(&d, NULL, "{" ENVELOPE ",'type':'crm.deal.won','time':'2026-03-31T14:10:00.0000009+02:00'}", NOW_US);
    assert_true(d.good);
    assert_int_equal(d.event.time_us, NOW_US + settings.max_ahead_us);
}

#define BINARY "ce_specversion: 1.0", "ce_id: e1", "ce_source: /crm", "ce_subject: s1"
#define BINARY_DEAL BINARY, "ce_type: crm.deal.won", "ce_tenantid: acme"

static void test_binary(void **state)
{
    (void)state;
    decode_with(&d,
                (const char *[]){ BINARY_DEAL, "content-type: application/json", "ce_time: 2026-03-01T08:00:00Z",
                                  "ce_sequence: 1", "ce_traceparent: 00", "ce_data: x", "ce_other: x", "other: \xFF", NULL },
                "{'owner':'u1','specversion':'9'}", NOW_US);
    assert_true(d.good);
    assert_span(d.event.tenant, "acme");
    assert_span(d.event.id, "e1");
    assert_span(d.event.sequence, "1");
    assert_int_equal(d.event.time_us, INT64_C(1772352000) * MICROS_PER_SECOND);
    assert_int_equal(d.event.n_attributes, 1);
    static const char *const no_data[] = { NULL, "", "null", "{}" };
    for (size_t i = 0; i < sizeof no_data / sizeof no_data[0]; i++) {
        decode_with(&d, (const char *[]){ BINARY_DEAL, NULL }, no_data[i], NOW_US);
        if (!d.good) fail_msg("%s: %s", no_data[i] ? no_data[i] : "no value", d.rejection.message);
        assert_true(d.event.time_of_record && d.event.n_attributes == 0);
    }
}

static const struct {
    const char *const headers[8];
    const char *value;
    enum reason reason;
    const char *tenant, *about;
} binary_cases[] = {
    { { BINARY_DEAL }, "{", REASON_NOT_JSON, "acme", "value: " },
    { { BINARY_DEAL }, " ", REASON_NOT_JSON, "acme", "value: " },
    { { BINARY_DEAL }, "[]", REASON_BAD_ATTRIBUTE, "acme", "data: expected a JSON object" },
    { { BINARY_DEAL, "ce_specversion: 0.3" }, "{}", REASON_NOT_CLOUDEVENTS, "default", "ce_specversion: " },
    { { BINARY_DEAL, "ce_specversion: 0.3" }, "{", REASON_NOT_JSON, "default", "value: " },
    { { "ce_id: 1", "ce_source: /" }, "{}", REASON_NOT_CLOUDEVENTS, "default", "specversion: " },
    { { BINARY }, "{}", REASON_MISSING_ATTRIBUTE, "default", "ce_type: missing" },
    { { BINARY_DEAL, "ce_id: " }, "{}", REASON_BAD_ATTRIBUTE, "acme", "ce_id: expected" },
    { { BINARY_DEAL, "ce_id: a\xC0\x80" }, "{}", REASON_BAD_ATTRIBUTE, "acme", "ce_id: expected" },
    { { BINARY_DEAL, "ce_subject: \xED\xA0\x80" }, "{}", REASON_BAD_ATTRIBUTE, "acme", "ce_subject: expected" },
    { { BINARY_DEAL, "ce_source: \xF4\x90\x80\x80" }, "{}", REASON_BAD_ATTRIBUTE, "acme", "ce_source: expected" },
    { { BINARY_DEAL, "ce_sequence: \xE2\x82" }, "{}", REASON_BAD_ATTRIBUTE, "acme", "ce_sequence: expected" },
    { { BINARY_DEAL, "ce_traceparent: \x80" }, "{}", REASON_BAD_ATTRIBUTE, "acme", "ce_traceparent: expected" },
    { { BINARY_DEAL, "ce_tenantid: " }, "{}", REASON_BAD_TENANT, "default", "ce_tenantid: expected" },
    { { BINARY_DEAL, "ce_tenantid: \xFF" }, "{}", REASON_BAD_TENANT, "default", "ce_tenantid: expected" },
    { { BINARY_DEAL, "ce_type: crm.deal.lots" }, "{}", REASON_UNKNOWN_TYPE, "acme", "ce_type: expected" },
    { { BINARY_DEAL, "ce_time: yesterday" }, "{}", REASON_BAD_TIME, "acme", "ce_time: no date-time" },
    { { BINARY_DEAL, "ce_time: \xFF" }, "{}", REASON_BAD_TIME, "acme", "ce_time: no date-time" },
    { { BINARY_DEAL, "ce_time: 2027-01-01T00:00:00Z" }, "{}", REASON_TOO_FAR_AHEAD, "acme", "ce_time: " },
    { { BINARY_DEAL }, "{'amount':'x'}", REASON_BAD_ATTRIBUTE, "acme", "data.amount: expected" },
};

static void test_binary_rejected(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof binary_cases / sizeof binary_cases[0]; i++) {
        decode_with(&d, binary_cases[i].headers, binary_cases[i].value, NOW_US);
        const char *last = NULL;
        for (size_t h = 0; h < 8 && binary_cases[i].headers[h]; h++) last = binary_cases[i].headers[h];
        assert_rejected(&d, last, binary_cases[i].reason, binary_cases[i].tenant, binary_cases[i].about);
    }
}

static void test_binary_text(void **state)
{
    (void)state;
    static const char *const texts[] = { "\x7F",         "\xC2\x80",         "\xDF\xBF",         "\xE0\xA0\x80", "\xED\x9F\xBF",
                                         "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "a%20b" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char header[32] = "ce_subject: ";
        strcat(header, texts[i]);
        decode_with(&d, (const char *[]){ BINARY_DEAL, header, NULL }, "{}", NOW_US);
        assert_true(d.good);
        assert_span(d.event.subject, texts[i]); /* as it is: percent signs mean nothing in Kafka */
    }
}

static void test_null_header_is_none(void **state)
{
    (void)state;
    struct header headers[] = { { SPAN("ce_specversion"), SPAN("1.0") },
                                { SPAN("ce_id"), SPAN("1") },
                                { SPAN("ce_source"), SPAN("/") },
                                { SPAN("ce_type"), SPAN("crm.deal.won") },
                                { SPAN("ce_subject"), SPAN("s") },
                                { SPAN("ce_tenantid"), NO_SPAN },
                                { SPAN("ce_id"), NO_SPAN } };
    struct record record = { .headers = headers, .n_headers = 6, .timestamp_us = NOW_US };
    decode_record(&d, &record);
    assert_true(d.good);
    assert_span(d.event.tenant, "default");
    record.n_headers = 7;
    decode_record(&d, &record);
    assert_rejected(&d, "null id", REASON_MISSING_ATTRIBUTE, "default", "ce_id: missing");
}

/* n zeros as the value of an attribute of the envelope. */
static void decode_long(const char *attribute, int n)
{
    char text[MAX_EVENT_BYTES];
    snprintf(text, sizeof text, "{" TIMED ",'type':'crm.deal.won','%s':'%0*d'}", attribute, n, 0);
    decode_text(&d, text);
}

static void test_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *attribute;
        int limit;
    } limits[] = { { "id", 256 }, { "subject", 256 }, { "source", 1024 }, { "sequence", 1024 }, { "traceparent", 1024 } };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        decode_long(limits[i].attribute, limits[i].limit);
        if (!d.good) fail_msg("%s: %s", limits[i].attribute, d.rejection.message);
        decode_long(limits[i].attribute, limits[i].limit + 1);
        assert_rejected(&d, limits[i].attribute, REASON_BAD_ATTRIBUTE, "acme", limits[i].attribute);
    }
    decode_long("tenantid", 64);
    assert_true(d.good);
}

static void test_too_large(void **state)
{
    (void)state;
    char value[MAX_EVENT_BYTES + 2];
    size_t len = (size_t)snprintf(value, sizeof value, "{" TIMED ",'type':'crm.deal.won'}");
    memset(value + len, ' ', sizeof value - len);
    value[MAX_EVENT_BYTES] = 0;
    decode_text(&d, value);
    assert_true(d.good);
    value[MAX_EVENT_BYTES] = ' ';
    value[MAX_EVENT_BYTES + 1] = 0;
    decode_text(&d, value);
    assert_rejected(&d, "too large", REASON_TOO_LARGE, "default", "value: 4097 bytes; expected at most 4096");
    decode_with(&d, (const char *[]){ BINARY_DEAL, NULL }, value, NOW_US);
    assert_rejected(&d, "too large, binary", REASON_TOO_LARGE, "acme", "value: 4097 bytes");
}

/* More values than the room on the stack holds. */
static void test_many_values(void **state)
{
    (void)state;
    char value[MAX_EVENT_BYTES];
    size_t len = (size_t)snprintf(value, sizeof value, "{" TIMED ",'type':'crm.contact.created','data':{'tags':['a'");
    while (len < MAX_EVENT_BYTES - 16) len += (size_t)snprintf(value + len, sizeof value - len, ",''");
    snprintf(value + len, sizeof value - len, ",'b']}}");
    decode_text(&d, value);
    assert_true(d.good);
    assert_int_equal(d.event.attributes[0].value.texts.n, 2);
    assert_span(d.event.attributes[0].value.texts.at[1], "b");
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
        cmocka_unit_test(test_each_reason),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_reason_names),
        cmocka_unit_test(test_structured),
        cmocka_unit_test(test_texts_stay_in_the_record),
        cmocka_unit_test(test_structured_by_content_type),
        cmocka_unit_test(test_optional_attributes),
        cmocka_unit_test(test_last_of_a_name_holds),
        cmocka_unit_test(test_record_time),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_binary_rejected),
        cmocka_unit_test(test_binary_text),
        cmocka_unit_test(test_null_header_is_none),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_many_values),
    };
    return cmocka_run_group_tests(tests, NULL, reset);
}
