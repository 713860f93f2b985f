/* Alert rules as they are written: what is right, what is wrong (all of it at once, with suggestions), what makes no sense. */
#include "daemon/alert/rule.h"
#include "tests/unit/memory_cells.h"
#include "tests/unit/unit.h"

#include <unistd.h>

static struct catalogue *catalogue;
static char folder[64];

static int start(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    catalogue = load_catalogue(NULL, &problems);
    problems_deinit(&problems);
    snprintf(folder, sizeof folder, "/tmp/test-alert-rules-XXXXXX");
    return catalogue && mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    char path[96];
    static const char *const files[] = { "settings.json", "secret", "empty", "key" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
    catalogue_destroy(catalogue);
    return 0;
}

static void write_file(const char *name, const char *text)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* What was read, and what there is to say of it. */
struct outcome_of {
    struct settings *settings;
    struct alert_rules *rules;
    struct problems wrong, advice;
};

/* `rules`: the list, its quotes written '. */
static struct outcome_of read_rules_by(const struct catalogue *by, const char *rules)
{
    struct outcome_of outcome = { 0 };
    static char text[8192], path[96];
    snprintf(text, sizeof text,
             "{'tenants':{'acme':{'lists':{'source':['web']},'custom':{'deal':['region']},'currency':'CHF'}},'alerts':%s}",
             rules);
    for (char *at = text; *at; at++)
        if (*at == '\'') *at = '"';
    write_file("settings.json", text);
    snprintf(path, sizeof path, "%s/settings.json", folder);
    outcome.settings = settings_load(path, NULL, NEED_RULES, &outcome.wrong);
    problems_print(&outcome.wrong, "settings ", stderr);
    assert_non_null(outcome.settings);
    outcome.rules = alert_rules_read(outcome.settings, by, &outcome.wrong, &outcome.advice);
    assert_int_equal(outcome.rules == NULL, !by || outcome.wrong.n > 0);
    return outcome;
}

static struct outcome_of read_rules(const char *rules)
{
    return read_rules_by(catalogue, rules);
}

static void forget(struct outcome_of *outcome)
{
    alert_rules_destroy(outcome->rules);
    settings_destroy(outcome->settings);
    problems_deinit(&outcome->wrong);
    problems_deinit(&outcome->advice);
}

/* Each line "where: text", in order. */
static void assert_problems(const struct problems *problems, const char *const *want, size_t n)
{
    char line[700];
    for (size_t i = 0; i < problems->n && i < n; i++) {
        snprintf(line, sizeof line, "%s: %s", problems->at[i].where, problems->at[i].text);
        assert_string_equal(line, want[i]);
    }
    assert_int_equal(problems->n, n);
}
#define ASSERT_WRONG(rules, ...)                                                                                                 \
    assert_said(rules, true, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))
#define ASSERT_ADVICE(rules, ...)                                                                                                \
    assert_said(rules, false, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void assert_said(const char *rules, bool wrong, const char *const *want, size_t n)
{
    struct outcome_of outcome = read_rules(rules);
    assert_problems(wrong ? &outcome.wrong : &outcome.advice, want, n);
    if (!wrong) assert_int_equal(outcome.wrong.n, 0);
    forget(&outcome);
}

static void a_rule_is_read(void **state)
{
    (void)state;
    struct outcome_of outcome = read_rules(
        "[{'name':'slow','tenant':'acme','metric':'resolution_time','stat':'p90','period':'this_week','by':['owner','priority'],"
        "'where':{'channel':['phone',null]},'above':4.5,'clear':4,'for':'10m','description':'too slow'}]");
    assert_non_null(outcome.rules);
    assert_int_equal(outcome.rules->n, 1);
    const struct alert_rule *rule = &outcome.rules->at[0];
    assert_string_equal(rule->name, "slow");
    assert_string_equal(rule->watch.metric->name, "resolution_time");
    assert_int_equal(rule->watch.stat, STAT_P90);
    assert_int_equal(rule->watch.n_by, 2);
    assert_string_equal(rule->watch.by[1].name, "priority");
    assert_int_equal(rule->watch.n_where, 1);
    assert_int_equal(rule->watch.where[0].n_values, 2);
    assert_true((long long)rule->limit.num * 10 == (long long)rule->limit.den * 45);
    assert_int_equal(rational_compare(rule->clear, rational_of(4, 1)), 0);
    assert_int_equal(rule->for_us, INT64_C(600000000));
    assert_int_equal(rule->test, ALERT_ABOVE);
    assert_string_equal(rule->condition, "\"where\":{\"channel\":[\"phone\",null]},\"above\":4.5,\"clear\":4,\"for\":\"10m\"");
    assert_true(alert_rule_applies(rule, SPAN("acme")) && !alert_rule_applies(rule, SPAN("other")));
    assert_int_equal(outcome.advice.n, 0);
    forget(&outcome);
}

/* 0.6 is three fifths, not the double next to it. */
static void limits_are_what_is_written(void **state)
{
    (void)state;
    struct outcome_of outcome = read_rules("[{'name':'a','metric':'close_rate','period':'today','above':0.6},"
                                           "{'name':'b','metric':'profit','period':'today','below':-1250.25}]");
    assert_non_null(outcome.rules);
    assert_int_equal(rational_compare(outcome.rules->at[0].limit, rational_of(3, 5)), 0);
    assert_int_equal(rational_compare(outcome.rules->at[1].limit, rational_of(-125025, 100)), 0);
    assert_int_equal(rational_compare(outcome.rules->at[1].clear, rational_of(-125025, 100)), 0);
    forget(&outcome);
}

static void all_mistakes_are_told_at_once(void **state)
{
    (void)state;
    ASSERT_WRONG(
        "[{'name':'a b','metric':'close_rat','above':1},"
        "{'name':'x','metric':'close_rate','period':'this_mont','above':0.5,'for':'10x','by':['owners'],'foo':1},"
        "{'name':'x','metric':'leads','period':'today','by':['month'],'where':{'source':'web'},'above':'5'},{'metric':7}]",
        "alerts[0].name: found the text \"a b\", expected 1 to 64 of A-Z a-z 0-9 . _ -",
        "alerts[0].metric: no metric \"close_rat\", did you mean \"close_rate\"?",
        "alerts[0].period: is missing, expected the name of a period such as \"this_month\"",
        "alerts[1].foo: unknown key; did you mean for?",
        "alerts[1].for: found the text \"10x\", expected a time of 1s to 366d such as \"30s\", \"10m\", \"2h\" or \"3d\"",
        "alerts[1].by: no dimension \"owners\", did you mean \"owner\"?",
        "alerts[1].period: no period \"this_mont\", did you mean \"this_month\"?",
        "alerts[2].above: found the text \"5\", expected a number of at most 15 digits",
        "alerts[2].by: \"month\" is a unit of time, expected dimensions",
        "alerts[2].where: \"where\": \"source\" must be a list of values",
        "alerts[3].name: is missing, expected a name of the rule's own",
        "alerts[3]: has no threshold, expected one of \"above\", \"below\", \"change_above\" and \"change_below\"",
        "alerts[3].metric: found the number 7, expected the name of a metric",
        "alerts[3].period: is missing, expected the name of a period such as \"this_month\"",
        "alerts[2].name: \"x\" is the name of another rule, too");
}

static void a_metric_that_is_none_hides_nothing(void **state)
{
    (void)state;
    ASSERT_WRONG(
        "[{'name':'a','metric':'leds','period':'this_mont','stat':'p9','by':['owners'],'where':{'sorce':['web']},'above':1},"
        "{'name':'b','period':'today','by':['month'],'where':{'day':['x']},'above':1},"
        "{'name':'c','metric':'nothing','period':'today','stat':'p90','by':['owner','region'],'where':{'source':'web'},"
        "'above':1}]",
        "alerts[0].metric: no metric \"leds\", did you mean \"leads\"?",
        "alerts[0].stat: no statistic \"p9\": there are average, p50, p90 and p95",
        "alerts[0].by: no dimension \"owners\", did you mean \"owner\"?",
        "alerts[0].period: no period \"this_mont\", did you mean \"this_month\"?",
        "alerts[0].where: no dimension \"sorce\", did you mean \"source\"?",
        "alerts[1].metric: is missing, expected the name of a metric",
        "alerts[1].by: \"month\" is a unit of time, expected dimensions",
        "alerts[1].where: \"where\" takes no day: use \"from\" and \"to\"", "alerts[2].metric: no metric \"nothing\"",
        "alerts[2].where: \"where\": \"source\" must be a list of values");
}

/* Of a catalogue that is wrong itself nobody knows what metrics it has. */
static void without_a_catalogue_the_rest_is_told(void **state)
{
    (void)state;
    struct outcome_of outcome = read_rules_by(NULL, "[{'name':'a','metric':'any','period':'today','above':1},"
                                                    "{'name':'b','metric':7,'period':'todday','by':['owners'],'above':'x'}]");
    assert_problems(&outcome.wrong,
                    (const char *const[]){ "alerts[1].above: found the text \"x\", expected a number of at most 15 digits",
                                           "alerts[1].metric: found the number 7, expected the name of a metric",
                                           "alerts[1].by: no dimension \"owners\", did you mean \"owner\"?",
                                           "alerts[1].period: no period \"todday\", did you mean \"today\"?" },
                    4);
    forget(&outcome);
    outcome = read_rules_by(NULL, "[{'name':'a','metric':'any','period':'today','above':1}]");
    assert_int_equal(outcome.wrong.n + outcome.advice.n, 0);
    forget(&outcome);
}

static void thresholds_that_contradict(void **state)
{
    (void)state;
    ASSERT_WRONG(
        "[{'name':'a','metric':'leads','period':'today','above':5,'below':2},"
        "{'name':'b','metric':'leads','period':'today','above':5,'clear':6},"
        "{'name':'c','metric':'leads','period':'today','below':5,'clear':4},"
        "{'name':'d','metric':'leads','period':'all','change_above':0.2},"
        "{'name':'e','metric':'leads','stat':'p90','period':'today','above':5},"
        "{'name':'f','metric':'retained_customers','period':'today','above':5},"
        "{'name':'g','metric':'leads','currency':'EUR','period':'today','above':5},"
        "{'name':'h','metric':'leads','period':'today','above':1e30}]",
        "alerts[0].below: stands beside \"above\", expected one of them",
        "alerts[1].clear: is on the wrong side of \"above\", expected a number at or below it",
        "alerts[2].clear: is on the wrong side of \"below\", expected a number at or above it",
        "alerts[3].period: \"all\" has no period before it, as \"change_above\" needs",
        "alerts[4].stat: leads is no distribution: it has no \"p90\"",
        "alerts[5].period: retained_customers is counted for one month, quarter or year only, or by one of them over whole ones",
        "alerts[6].currency: leads has no currency",
        "alerts[7].above: found the number 1e+30, expected a number of at most 15 digits");
}

static void custom_attributes_of_some_tenant(void **state)
{
    (void)state;
    ASSERT_WRONG(
        "[{'name':'a','metric':'won_deals','period':'today','by':['region'],'above':5},"
        "{'name':'b','tenant':'acme','metric':'won_deals','period':'today','by':['region'],'above':5},"
        "{'name':'c','tenant':'other','metric':'won_deals','period':'today','by':['region'],'above':5}]",
        "alerts[2].by: won_deals has no dimension \"region\"; it has owner, team, source, campaign, pipeline, sale, stage, "
        "currency, loss_reason, competitor");
}

static void rules_that_can_never_fire(void **state)
{
    (void)state;
    ASSERT_ADVICE("[{'name':'a','metric':'close_rate','period':'today','above':1},{'name':'b','metric':'open_deals','period':'"
                  "today','below':0},"
                  "{'name':'c','metric':'conversion_rate','period':'today','above':1.2},{'name':'d','metric':'leads','period':'"
                  "today','change_below':-1},"
                  "{'name':'e','metric':'win_probability','period':'all','below':0.05},{'name':'f','metric':'same_day_rate','"
                  "period':'today','above':1},"
                  "{'name':'g','metric':'renewal_rate','period':'today','above':1},{'name':'h','metric':'resolution_time','"
                  "period':'today','below':0},"
                  "{'name':'i','metric':'retention_rate','period':'last_month','above':1}]",
                  "alerts[0]: can never fire: close_rate is never above 1, and \"above\" asks for more than 1",
                  "alerts[1]: can never fire: open_deals is never below 0, and \"below\" asks for less than 0",
                  "alerts[2]: can never fire: conversion_rate is never above 1, and \"above\" asks for more than 1.2",
                  "alerts[3]: can never fire: the change of leads is never below -1, and \"change_below\" asks for less than -1",
                  "alerts[4]: can never fire: win_probability is never below 0.05, and \"below\" asks for less than 0.05",
                  "alerts[5]: can never fire: same_day_rate is never above 1, and \"above\" asks for more than 1",
                  "alerts[6]: can never fire: renewal_rate is never above 1, and \"above\" asks for more than 1",
                  "alerts[7]: can never fire: resolution_time is never below 0, and \"below\" asks for less than 0",
                  "alerts[8]: can never fire: retention_rate is never above 1, and \"above\" asks for more than 1");
}

static void filters_that_nothing_passes(void **state)
{
    (void)state;
    ASSERT_ADVICE("[{'name':'a','metric':'sales_calls','period':'today','above':3,'where':{'purpose':['service']}},"
                  "{'name':'b','metric':'calls','period':'today','above':3,'where':{'hour':['24']}},"
                  "{'name':'c','metric':'leads','period':'today','above':3,'where':{'owner':[]}},"
                  "{'name':'d','metric':'activities','period':'today','above':3,'where':{'activity':['calls','call']}},"
                  "{'name':'e','tenant':'acme','metric':'leads','period':'today','above':3,'where':{'source':['fair',null]}}]",
                  "alerts[0]: can never fire: sales_calls counts only other values of \"purpose\" than \"where\" asks for",
                  "alerts[1]: \"where\": \"hour\" is never \"24\"",
                  "alerts[1]: can never fire: nothing passes \"where\": \"hour\"",
                  "alerts[2]: can never fire: \"where\": \"owner\" is an empty list, which nothing passes",
                  "alerts[3]: \"where\": \"activity\" is never \"calls\"",
                  "alerts[4]: \"where\": \"fair\" is not in the tenant's list of \"source\"");
}

static void rules_that_never_end_or_always_hold(void **state)
{
    (void)state;
    ASSERT_ADVICE("[{'name':'a','metric':'sla_compliance','period':'today','below':0.5,'clear':1.1},"
                  "{'name':'b','metric':'leads','period':'today','above':5,'clear':-1},{'name':'c','metric':'leads','period':'"
                  "today','above':-1},"
                  "{'name':'d','tenant':'acne','metric':'leads','period':'today','above':1}]",
                  "alerts[0]: can never clear: sla_compliance is never above 1",
                  "alerts[1]: can never clear: leads is never below 0", "alerts[2]: always fires: leads is never below 0",
                  "alerts[3]: no settings of a tenant \"acne\", did you mean \"acme\"?");
}

static void rules_that_can_fire_are_left_alone(void **state)
{
    (void)state;
    assert_said("[{'name':'a','metric':'campaign_roi','period':'this_month','above':1},{'name':'b','metric':'profit','period':'"
                "today','below':0},"
                "{'name':'c','metric':'close_rate','period':'today','above':0.99},{'name':'d','metric':'list_growth_rate','"
                "period':'today','below':-0.1},"
                "{'name':'e','metric':'sales_calls_per_opportunity','period':'today','above':1},{'name':'f','metric':'adoption_"
                "rate','period':'today','above':1},"
                "{'name':'g','metric':'leads','period':'today','change_below':-0.99},{'name':'h','metric':'leads','period':'"
                "today','below':1,'clear':1},"
                "{'name':'i','metric':'customer_satisfaction','period':'today','above':4},{'name':'j','metric':'revenue','period'"
                ":'today','below':0}]",
                false, NULL, 0);
}

/* Who qualifies today may have become a lead last month. */
static void a_share_of_others_of_the_period_may_be_above_1(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct catalogue *own = load_catalogue("{\"metrics\":{\"qualified_rate\":\"lead_qualified.count / lead.count\"}}", &problems);
    struct outcome_of outcome = read_rules_by(own, "[{'name':'a','metric':'qualified_rate','period':'today','above':1}]");
    assert_int_equal(problems.n + outcome.wrong.n + outcome.advice.n, 0);
    forget(&outcome);
    catalogue_destroy(own);
}

static void webhooks(void **state)
{
    (void)state;
    write_file("secret", "hush\n");
    write_file("empty", "");
    struct outcome_of outcome =
        read_rules("[{'name':'a','metric':'leads','period':'today','above':1,"
                   "'webhook':{'url':'https://example.com/x?token=1','secret_file':'secret','timeout_ms':500}}]");
    assert_non_null(outcome.rules);
    assert_string_equal(outcome.rules->at[0].webhook->secret, "hush");
    assert_int_equal(outcome.rules->at[0].webhook->timeout_ms, 500);
    assert_int_equal(outcome.rules->at[0].webhook->attempts, 10);
    forget(&outcome);
    char missing[256], empty[256];
    snprintf(missing, sizeof missing,
             "alerts[0].webhook.secret_file: the file \"%s/none\" cannot be read: No such file or directory", folder);
    snprintf(empty, sizeof empty,
             "alerts[1].webhook.secret_file: the file \"%s/empty\" is empty, expected the secret in its first line", folder);
    ASSERT_WRONG(
        "[{'name':'a','metric':'leads','period':'today','above':1,'webhook':{'url':'ftp://secret-token','secret_file':'none'}},"
        "{'name':'b','metric':'leads','period':'today','above':1,'webhook':{'secret_file':'empty','attempts':0}},"
        "{'name':'c','metric':'leads','period':'today','above':1,'webhook':'https://example.com'}]",
        "alerts[0].webhook.url: found a text, expected a URL https://host/… or http://host/…", missing,
        "alerts[1].webhook.url: is missing, expected https://…", empty,
        "alerts[1].webhook.attempts: found the number 0, expected a whole number 1…100",
        "alerts[2].webhook: found the text \"https://example.com\", expected an object such as {\"url\":…,\"secret_file\":…}");
}

/* What is no base64 would sign with another key, or with none at all. */
static void a_webhooks_key_is_base64(void **state)
{
    (void)state;
    static const char *const wrong[] = { "whsec_", "whsec_!", "whsec_MfKQ9r8GKYqrTwjUPD8IL",
                                         "whsec_MfKQ9r8GKY-rTwjUPD8ILA==", "whsec_MfKQ9r8GKYqrTwjUPD8ILA== " };
    static const char rule[] = "[{'name':'a','metric':'leads','period':'today','above':1,"
                               "'webhook':{'url':'https://example.com/','secret_file':'key'}}]";
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_file("key", wrong[i]);
        ASSERT_WRONG(
            rule, "alerts[0].webhook.secret_file: the file \"key\" begins with whsec_, expected the base64 of a key behind it");
    }
    write_file("key", "whsec_MfKQ9r8GKYqrTwjUPD8ILA==\n");
    struct outcome_of outcome = read_rules(rule);
    assert_non_null(outcome.rules);
    forget(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_read),
        cmocka_unit_test(limits_are_what_is_written),
        cmocka_unit_test(all_mistakes_are_told_at_once),
        cmocka_unit_test(a_metric_that_is_none_hides_nothing),
        cmocka_unit_test(without_a_catalogue_the_rest_is_told),
        cmocka_unit_test(thresholds_that_contradict),
        cmocka_unit_test(custom_attributes_of_some_tenant),
        cmocka_unit_test(rules_that_can_never_fire),
        cmocka_unit_test(filters_that_nothing_passes),
        cmocka_unit_test(rules_that_never_end_or_always_hold),
        cmocka_unit_test(rules_that_can_fire_are_left_alone),
        cmocka_unit_test(a_share_of_others_of_the_period_may_be_above_1),
        cmocka_unit_test(webhooks),
        cmocka_unit_test(a_webhooks_key_is_base64),
    };
    return cmocka_run_group_tests(tests, start, end);
}
