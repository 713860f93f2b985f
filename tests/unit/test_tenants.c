/* From tenants' settings to rules: what fills in what, in which form, and what the fingerprint tells apart. */
#include "daemon/intake/kinds.h"
#include "daemon/settings/rules_read.h"
#include "tests/unit/unit.h"

#include <unistd.h>

/* Settings whose `tenants` are this text, through the environment. Fails with what is wrong. */
static struct settings *tenants(const char *text)
{
    struct problems problems = { 0 };
    char *variable;
    if (asprintf(&variable, "CRM_REPORTD_TENANTS=%s", text) < 0) abort();
    char *environment[] = { variable, NULL };
    struct settings *settings = settings_load(NULL, environment, NEED_RULES, &problems);
    if (!settings) fail_msg("%s: %s", problems.at[0].where, problems.at[0].text);
    free(variable);
    return settings;
}

static void without_settings_the_contract_holds(void **state)
{
    (void)state;
    struct settings *settings = tenants("{}");
    const struct rules *rules = settings_rules(settings, SPAN("anybody"));
    assert_string_equal(rules->zone->name, "UTC");
    assert_int_equal(rules->week_start, 0);
    assert_int_equal(rules->fiscal_year_start, 1);
    assert_string_equal(rules->currency, "EUR");
    assert_int_equal(rules->stale_after_days, 30);
    for (int day = 0; day < 7; day++) assert_int_equal(rules->business_hours[day].n, day < 5);
    assert_int_equal(rules->business_hours[4].open[0].from_s, 9 * 3600);
    assert_int_equal(rules->business_hours[4].open[0].to_s, 17 * 3600);
    assert_int_equal(rules->n_holidays, 0);
    assert_int_equal(rules->kind[KIND_DEAL].n_expected, 4);
    assert_string_equal(rules->kind[KIND_DEAL].expected[3], "contact|account");
    assert_int_equal(rules->kind[KIND_CONTACT].n_expected, 3);
    assert_int_equal(rules->kind[KIND_CASE].n_expected, 1);
    assert_int_equal(rules->kind[KIND_DEAL].n_custom, 0);
    assert_false(rules_unlisted(rules, "source", SPAN("web")));
    assert_false(settings_knows_tenant(settings, SPAN("default")));
    settings_destroy(settings);
}

static void default_fills_in_key_by_key(void **state)
{
    (void)state;
    struct settings *settings = tenants("{\"default\":{\"currency\":\"CHF\",\"week_start\":\"sunday\",\"lists\":{\"source\":["
                                        "\"web\"],\"tags\":[\"vip\"]},\"custom\":{\"deal\":[\"region\"]}},"
                                        "\"acme\":{\"week_start\":\"saturday\",\"lists\":{\"source\":[\"fair\"]}}}");
    const struct rules *acme = settings_rules(settings, SPAN("acme")), *other = settings_rules_of(settings, SPAN("other"));
    assert_string_equal(acme->currency, "CHF");
    assert_int_equal(acme->week_start, 5);
    assert_int_equal(other->week_start, 6);
    assert_true(rules_unlisted(acme, "source", SPAN("web")));
    assert_false(rules_unlisted(acme, "source", SPAN("fair")));
    assert_false(rules_unlisted(acme, "tags", SPAN("anything"))); /* the key is replaced as a whole */
    assert_true(rules_unlisted(other, "tags", SPAN("anything")));
    assert_string_equal(acme->kind[KIND_DEAL].custom[0], "region");
    assert_int_equal(acme->stale_after_days, 30);
    assert_true(settings_knows_tenant(settings, SPAN("acme")));
    assert_false(settings_knows_tenant(settings, SPAN("other")));
    assert_int_equal(settings_tenants(settings).n, 2);
    assert_string_equal(settings_tenants(settings).at[0], "acme");
    settings_destroy(settings);
}

static void rules_are_in_order(void **state)
{
    (void)state;
    struct settings *settings =
        tenants("{\"a\":{\"holidays\":[\"2026-12-25\",\"2026-01-01\",\"2026-12-25\"],\"custom\":{\"deal\":[\"z\",\"b\",\"R\"]},"
                "\"business_hours\":{\"sunday\":[[\"14:00\",\"24:00\"],[\"08:30\",\"12:00\"],[\"12:00\",\"13:00\"]]},"
                "\"expected\":{\"deal\":[\"z\",\"contact|account|b\"]}}}");
    const struct rules *rules = settings_rules(settings, SPAN("a"));
    assert_int_equal(rules->n_holidays, 2);
    assert_int_equal(rules->holidays[0], day("2026-01-01"));
    assert_int_equal(rules->holidays[1], day("2026-12-25"));
    assert_string_equal(rules->kind[KIND_DEAL].custom[0], "R");
    assert_string_equal(rules->kind[KIND_DEAL].custom[2], "z");
    assert_int_equal(rules->business_hours[0].n, 0);
    assert_int_equal(rules->business_hours[6].n, 3);
    assert_int_equal(rules->business_hours[6].open[0].from_s, 8 * 3600 + 1800);
    assert_int_equal(rules->business_hours[6].open[2].to_s, 86400);
    assert_int_equal(rules->kind[KIND_DEAL].n_expected, 2);
    assert_int_equal(rules->kind[KIND_CONTACT].n_expected, 0);
    settings_destroy(settings);
}

static uint64_t fingerprint(const char *keys)
{
    char text[512];
    snprintf(text, sizeof text, "{\"a\":{%s}}", keys);
    struct settings *settings = tenants(text);
    uint64_t number = settings_rules(settings, SPAN("a"))->fingerprint;
    settings_destroy(settings);
    return number;
}

static void equal_content_has_equal_fingerprints(void **state)
{
    (void)state;
    assert_int_equal(fingerprint(""), fingerprint("\"currency\":\"EUR\",\"holidays\":[]"));
    assert_int_equal(fingerprint("\"holidays\":[\"2026-01-01\",\"2026-05-01\"]"),
                     fingerprint("\"holidays\":[\"2026-05-01\",\"2026-01-01\"]"));
    assert_int_equal(fingerprint("\"lists\":{\"source\":[\"a\",\"b\"],\"stage\":[\"c\"]}"),
                     fingerprint("\"lists\":{\"stage\":[\"c\"],\"source\":[\"b\",\"a\"]}"));
    /* By which declared attributes a tenant was counted stands beside it, in its generations. */
    assert_int_equal(fingerprint("\"custom\":{\"deal\":[\"x\",\"y\"]}"), fingerprint(""));
    /* It stands in Redis: the same on every machine and in every version that reads the same rules. */
    assert_true(fingerprint("") == UINT64_C(0x2c4548b3ad8d61d0));
}

static void each_key_changes_the_fingerprint(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "",
        "\"time_zone\":\"Europe/Berlin\"",
        "\"week_start\":\"sunday\"",
        "\"fiscal_year_start\":4",
        "\"currency\":\"USD\"",
        "\"business_hours\":{}",
        "\"holidays\":[\"2026-01-01\"]",
        "\"stale_after\":31",
        "\"lists\":{\"source\":[\"a\"]}",
        "\"lists\":{\"stage\":[\"a\"]}",
        "\"expected\":{}",
    };
    enum {
        N = sizeof keys / sizeof keys[0]
    };
    uint64_t numbers[N];
    for (int i = 0; i < N; i++) {
        numbers[i] = fingerprint(keys[i]);
        for (int j = 0; j < i; j++) assert_true(numbers[i] != numbers[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_settings_the_contract_holds),
        cmocka_unit_test(default_fills_in_key_by_key),
        cmocka_unit_test(rules_are_in_order),
        cmocka_unit_test(equal_content_has_equal_fingerprints),
        cmocka_unit_test(each_key_changes_the_fingerprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
