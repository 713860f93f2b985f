/* Settings: the table's defaults, files with mistakes (tests/cases/settings), the environment, secrets, reload. */
#include "daemon/settings/properties.h"
#include "daemon/settings/raws.h"
#include "daemon/settings/rules_read.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static const char folder[] = SOURCE_DIR "/tests/cases/settings";

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* Settings of this text; fails with what is wrong. */
static struct settings *load(const char *text, char *const *environment, enum settings_need need)
{
    struct problems problems = { 0 };
    write_file("settings.json", text);
    struct settings *settings = settings_load("settings.json", environment, need, &problems);
    if (!settings) fail_msg("%s: %s", problems.at[0].where, problems.at[0].text);
    assert_int_equal(problems.n, 0);
    return settings;
}

static void every_default_is_right(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct settings *settings = settings_load(NULL, NULL, NEED_RULES, &problems);
    problems_print(&problems, "", stderr);
    assert_non_null(settings);
    assert_int_equal(settings->topics.in.n, 7);
    assert_string_equal(settings->topics.dead_letter, "crm.dead-letter");
    assert_string_equal(settings->prefix, "crm");
    assert_string_equal(settings->type_prefix, "crm.");
    assert_string_equal(settings->listen, "127.0.0.1:8380");
    assert_int_equal(settings->max_ahead_s, 600);
    assert_int_equal(settings->max_event_bytes, 1 << 20);
    assert_int_equal(settings->max_events, 10000);
    assert_int_equal(settings->snapshot_interval_ms, 200);
    assert_int_equal(settings->durability_lag_ms, 5000);
    assert_int_equal(settings->log_level, LEVEL_INFO);
    assert_int_equal(settings->metrics_periods.n, 4);
    assert_string_equal(settings->metrics_periods.at[3], "last_30_days");
    assert_string_equal(settings->alerts, "[]");
    assert_string_equal(property_get(settings, "group.id"), "crm-reportd");
    settings_destroy(settings);
    problems_deinit(&problems);
}

static void rows_are_well_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_setting_rows; i++) {
        const struct row *row = &setting_rows[i];
        char variable[VARIABLE_BYTES], other[VARIABLE_BYTES];
        row_variable(row->path, variable);
        assert_ptr_equal(row_find(row->path), row);
        assert_true(row->help && row->help[0]);
        assert_true(row->type != ROW_INTEGER || row->min < row->max);
        assert_true(!row->accepts || row->form);
        assert_true(row->type != ROW_CHOICE || row->choices);
        for (size_t j = 0; j < i; j++) {
            row_variable(setting_rows[j].path, other);
            assert_string_not_equal(variable, other);
        }
    }
    char variable[VARIABLE_BYTES];
    row_variable("redis.password_file", variable);
    assert_string_equal(variable, "CRM_REPORTD_REDIS_PASSWORD_FILE");
}

/* "NAME=value" texts of a case's environment, ended by NULL. */
static char **environment_of(const json_t *object)
{
    char **list = must_zalloc((json_object_size(object) + 1) * sizeof *list);
    size_t n = 0;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) if (asprintf(&list[n++], "%s=%s", name, json_string_value(value)) < 0)
        abort();
    return list;
}

static void free_list(char **list)
{
    for (char **at = list; *at; at++) free(*at);
    free(list);
}

/* NULL: the case has no file. */
static const char *file_of(const json_t *test)
{
    const json_t *object = json_object_get(test, "settings");
    const char *text = json_string_value(json_object_get(test, "text"));
    if (!text && !object) return NULL;
    char *written = text ? strdup(text) : json_dumps(object, 0);
    write_file("settings.json", written);
    free(written);
    return "settings.json";
}

static enum settings_need need_of(const json_t *test)
{
    const char *need = json_string_value(json_object_get(test, "need"));
    if (!need) return NEED_RULES;
    return strcmp(need, "all") == 0 ? NEED_ALL : NEED_REDIS;
}

static int compare(const char *name, const struct problems *found, const json_t *wanted)
{
    int wrong = json_array_size(wanted) != found->n;
    for (size_t i = 0; i < found->n; i++) {
        char line[2 * ERROR_TEXT_BYTES];
        const char *want = json_string_value(json_array_get(wanted, i));
        snprintf(line, sizeof line, "%s: %s", found->at[i].where, found->at[i].text);
        if (want && strcmp(line, want) == 0) continue;
        print_error("%s [%zu]\n  found  %s\n  wanted %s\n", name, i, line, want ? want : "nothing");
        wrong = 1;
    }
    if (json_array_size(wanted) > found->n) print_error("%s: only %zu problems\n", name, found->n);
    return wrong;
}

static int run_case(const char *name)
{
    char path[512];
    json_error_t cause;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    json_t *test = json_load_file(path, 0, &cause);
    if (!test) fail_msg("%s: %s", name, cause.text);
    const json_t *wanted = json_object_get(test, "problems");
    char **environment = environment_of(json_object_get(test, "environment"));
    struct problems problems = { 0 };
    struct settings *settings = settings_load(file_of(test), environment, need_of(test), &problems);
    int wrong = compare(name, &problems, wanted) || (settings != NULL) != (json_array_size(wanted) == 0);
    settings_destroy(settings);
    problems_deinit(&problems);
    free_list(environment);
    json_decref(test);
    return wrong;
}

static void each_mistake_has_its_words(void **state)
{
    (void)state;
    DIR *dir = opendir(folder);
    int wrong = 0, n = 0;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strstr(entry->d_name, ".json")) wrong += run_case(entry->d_name), n++;
    closedir(dir);
    assert_true(n >= 30);
    assert_int_equal(wrong, 0);
}

static void an_unreadable_file_is_the_only_problem(void **state)
{
    (void)state;
    static const char *const files[][2] = { { "nowhere.json", "cannot be read: No such file or directory" },
                                            { "/etc", "cannot be read: Is a directory" },
                                            { "/dev/null", "is no JSON: line 1, column 0: '[' or '{' expected" } };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct problems problems = { 0 };
        assert_null(settings_load(files[i][0], NULL, NEED_ALL, &problems));
        assert_int_equal(problems.n, 1);
        assert_string_equal(problems.at[0].where, files[i][0]);
        assert_string_equal(problems.at[0].text, files[i][1]);
        problems_deinit(&problems);
    }
}

static void the_environment_goes_over_the_file(void **state)
{
    (void)state;
    char *environment[] = { "CRM_REPORTD_WORKERS=3",
                            "CRM_REPORTD_TOPICS_IN=a, b ,c",
                            "CRM_REPORTD_METRICS_PERIODS=[\"today\"]",
                            "CRM_REPORTD_LOG_LEVEL=debug",
                            "CRM_REPORTD_LISTEN=",
                            "CRM_REPORTD_REDIS_URL=unix:///run/redis.sock",
                            "CRM_REPORTD_KAFKA_BOOTSTRAP_SERVERS=k:9092",
                            "CRM_REPORTD_KAFKA_GROUP_ID=mine",
                            "CRM_REPORTD_TENANTS_ACME_CURRENCY=USD",
                            "CRM_REPORTD_TENANTS_DEFAULT_FISCAL_YEAR_START=4",
                            "CRM_REPORTD_TENANTS_A_B_TIME_ZONE=Europe/Berlin",
                            "CRM_REPORTD_ALERTS=[{\"name\":\"x\"}]",
                            NULL };
    const char *text = "{\"workers\":2,\"kafka\":{\"client.id\":\"c\",\"linger.ms\":0.5,\"enable.idempotence\":true},"
                       "\"tenants\":{\"acme\":{\"currency\":\"EUR\"},\"a.b\":{}}}";
    struct settings *settings = load(text, environment, NEED_ALL);
    assert_int_equal(settings->workers, 3);
    assert_int_equal(settings->topics.in.n, 3);
    assert_string_equal(settings->topics.in.at[1], "b");
    assert_int_equal(settings->metrics_periods.n, 1);
    assert_int_equal(settings->log_level, LEVEL_DEBUG);
    assert_string_equal(settings->listen, "");
    assert_string_equal(settings->redis.url, "unix:///run/redis.sock");
    assert_string_equal(settings->alerts, "[{\"name\":\"x\"}]");
    assert_string_equal(property_get(settings, "bootstrap.servers"), "k:9092");
    assert_string_equal(property_get(settings, "group.id"), "mine");
    assert_string_equal(property_get(settings, "client.id"), "c");
    assert_string_equal(property_get(settings, "linger.ms"), "0.5");
    assert_string_equal(property_get(settings, "enable.idempotence"), "true");
    assert_string_equal(settings_rules(settings, SPAN("acme"))->currency, "USD");
    assert_int_equal(settings_rules(settings, SPAN("acme"))->fiscal_year_start, 4);
    assert_string_equal(settings_rules(settings, SPAN("a.b"))->zone->name, "Europe/Berlin");
    settings_destroy(settings);
}

static void secrets_come_from_files(void **state)
{
    (void)state;
    char *environment[] = { "CRM_REPORTD_KAFKA_SSL_KEY_PASSWORD_FILE=key", NULL };
    assert_true(mkdir("etc", 0700) == 0 || access("etc", R_OK) == 0);
    write_file("etc/redis", "red sesame\n");
    write_file("etc/sasl", "open sesame\r\nsecond line\n");
    write_file("etc/key", "key sesame");
    write_file("etc/settings.json",
               "{\"kafka\":{\"bootstrap.servers\":\"k\",\"sasl.password_file\":\"sasl\"},"
               "\"redis\":{\"url\":\"redis://r\",\"password_file\":\"redis\"},\"catalogue\":[\"my.json\",\"/abs.json\"]}");
    struct problems problems = { 0 };
    struct settings *settings = settings_load("etc/settings.json", environment, NEED_ALL, &problems);
    problems_print(&problems, "", stderr);
    assert_non_null(settings);
    assert_string_equal(settings->redis.password, "red sesame");
    assert_string_equal(property_get(settings, "sasl.password"), "open sesame");
    assert_string_equal(property_get(settings, "ssl.key.password"), "key sesame");
    assert_null(property_get(settings, "sasl.password_file"));
    assert_string_equal(settings->catalogue.at[0], "etc/my.json");
    assert_string_equal(settings->catalogue.at[1], "/abs.json");
    settings_destroy(settings);
    problems_deinit(&problems);
}

/* The problem that a secret of these bytes is as the password of Redis; NULL: it is taken as `taken`. */
static void assert_secret(struct span bytes, const char *wrong, struct span taken)
{
    struct problems problems = { 0 };
    struct arena arena = { 0 };
    struct setting_reading reading = { &problems, &arena, "secret", true };
    const char *secret = NULL;
    FILE *file = fopen("secret", "w");
    assert_int_equal(fwrite(bytes.at, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(secret_read(&reading, "secret", &secret), !wrong);
    if (wrong)
        assert_non_null(strstr(problems.at[0].text, wrong));
    else
        assert_true(span_is(taken, secret));
    problems_deinit(&problems);
    arena_deinit(&arena);
}

static void a_secret_is_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    enum {
        LONG = 70000
    };
    char *text = malloc(LONG);
    memset(text, 's', LONG);
    assert_secret(SPAN("a b \r\nc"), NULL, SPAN("a b "));
    assert_secret(SPAN("\nsecond"), "is empty", NO_SPAN);
    assert_secret((struct span){ text, 5000 }, NULL, (struct span){ text, 5000 });
    assert_secret((struct span){ text, LONG }, "is too long", NO_SPAN);
    text[5000] = '\n';
    assert_secret((struct span){ text, LONG }, NULL, (struct span){ text, 5000 });
    text[3] = '\0'; /* a key of random bytes: its first three would sign */
    assert_secret((struct span){ text, 100 }, "holds a zero byte", NO_SPAN);
    free(text);
}

static void a_key_has_several_lines(void **state)
{
    (void)state;
    static const char pem[] = "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n";
    write_file("pem", pem);
    struct settings *settings = load("{\"kafka\":{\"bootstrap.servers\":\"k\",\"ssl.key.pem_file\":\"pem\"},"
                                     "\"redis\":{\"url\":\"redis://r\"}}",
                                     NULL, NEED_ALL);
    assert_string_equal(property_get(settings, "ssl.key.pem"), pem);
    settings_destroy(settings);
}

static void replay_needs_no_secret(void **state)
{
    (void)state;
    struct settings *settings =
        load("{\"kafka\":{\"sasl.password_file\":\"/nowhere\"},\"redis\":{\"password_file\":\"/nowhere\"}}", NULL, NEED_RULES);
    assert_string_equal(settings->redis.password, "");
    assert_null(property_get(settings, "sasl.password"));
    settings_destroy(settings);
}

static void what_is_wrong_does_not_hide_the_rest(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    write_file("settings.json", "{\"workers\":0,\"prefix\":7,\"topics\":{\"in\":[3]},\"tenants\":3,\"alerts\":3,\"max_rows\":7}");
    struct settings *settings = settings_inspect("settings.json", NULL, NEED_RULES, &problems);
    assert_non_null(settings);
    assert_int_equal(problems.n, 5);
    assert_int_equal(settings->max_rows, 7);
    assert_string_equal(settings->prefix, "");
    assert_string_equal(settings->alerts, "");
    assert_string_equal(settings->topics.in.at[0], "");
    assert_string_equal(settings_rules(settings, SPAN("x"))->currency, "EUR");
    settings_destroy(settings);
    problems_deinit(&problems);
}

static void reload_changes_what_can_change(void **state)
{
    (void)state;
    struct settings *old = load("{\"workers\":2,\"max_rows\":10,\"log\":{\"level\":\"info\"}}", NULL, NEED_RULES);
    struct problems problems = { 0 }, notes = { 0 };
    write_file("settings.json", "{\"workers\":4,\"max_rows\":10,\"log\":{\"level\":\"debug\"},\"tenants\":{\"acme\":{}}}");
    struct settings *now = settings_reload(old, NULL, &problems, &notes);
    assert_non_null(now);
    assert_int_equal(now->workers, 2);
    assert_int_equal(now->log_level, LEVEL_DEBUG);
    assert_false(settings_knows_tenant(now, SPAN("acme")));
    assert_int_equal(notes.n, 3);
    assert_string_equal(notes.at[0].where, "workers");
    assert_string_equal(notes.at[0].text, "differs, needs a restart");
    assert_string_equal(notes.at[1].where, "log.level");
    assert_string_equal(notes.at[1].text, "changed");
    assert_string_equal(notes.at[2].where, "tenants");
    settings_destroy(old);
    problems_deinit(&notes);

    struct settings *again = settings_reload(now, NULL, &problems, &notes);
    assert_non_null(again);
    assert_int_equal(again->workers, 2);
    assert_int_equal(notes.n, 2); /* the restart is still due */
    settings_destroy(again);
    write_file("settings.json", "{\"workers\":0}");
    assert_null(settings_reload(now, NULL, &problems, &notes));
    assert_int_equal(problems.n, 1);
    assert_int_equal(now->log_level, LEVEL_DEBUG);
    settings_destroy(now);
    problems_deinit(&problems);
    problems_deinit(&notes);
}

static void a_secret_that_is_another_needs_a_restart(void **state)
{
    (void)state;
    write_file("redis", "first\n");
    write_file("sasl", "first\n");
    struct settings *old = load("{\"kafka\":{\"bootstrap.servers\":\"k\",\"sasl.password_file\":\"sasl\"},"
                                "\"redis\":{\"url\":\"redis://r\",\"password_file\":\"redis\"}}",
                                NULL, NEED_ALL);
    write_file("redis", "second\n");
    write_file("sasl", "second\n");
    for (int times = 0; times < 2; times++) { /* it is still due */
        struct problems problems = { 0 }, notes = { 0 };
        struct settings *now = settings_reload(old, NULL, &problems, &notes);
        assert_non_null(now);
        assert_int_equal(notes.n, 2);
        assert_string_equal(notes.at[0].where, "kafka.sasl.password_file");
        assert_string_equal(notes.at[1].where, "redis.password_file");
        assert_string_equal(notes.at[1].text, "holds another secret, needs a restart");
        assert_string_equal(now->redis.password, "first");
        assert_string_equal(property_get(now, "sasl.password"), "first");
        settings_destroy(old);
        problems_deinit(&notes);
        old = now;
    }
    settings_destroy(old);
}

static void the_shipped_example_is_right(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct settings *settings = settings_load(SOURCE_DIR "/config/crm-reportd.json", NULL, NEED_ALL, &problems);
    problems_print(&problems, "", stderr);
    assert_non_null(settings);
    settings_destroy(settings);
    problems_deinit(&problems);
}

static void the_readme_has_the_tables(void **state)
{
    (void)state;
    struct buffer readme = { 0 }, rows = { 0 }, keys = { 0 };
    FILE *file = fopen(SOURCE_DIR "/config/README.md", "r");
    char chunk[4096];
    assert_non_null(file);
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, file));) buffer_put(&readme, chunk, n);
    fclose(file);
    rows_write_table(&rows);
    tenant_keys_write_table(&keys);
    if (!memmem(readme.at, readme.len, rows.at, rows.len) || !memmem(readme.at, readme.len, keys.at, keys.len))
        fail_msg("config/README.md does not have the tables that crm-reportd check --settings prints");
    buffer_deinit(&readme);
    buffer_deinit(&rows);
    buffer_deinit(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_right),
        cmocka_unit_test(rows_are_well_made),
        cmocka_unit_test(each_mistake_has_its_words),
        cmocka_unit_test(an_unreadable_file_is_the_only_problem),
        cmocka_unit_test(the_environment_goes_over_the_file),
        cmocka_unit_test(secrets_come_from_files),
        cmocka_unit_test(a_secret_is_taken_whole_or_not_at_all),
        cmocka_unit_test(a_key_has_several_lines),
        cmocka_unit_test(replay_needs_no_secret),
        cmocka_unit_test(what_is_wrong_does_not_hide_the_rest),
        cmocka_unit_test(reload_changes_what_can_change),
        cmocka_unit_test(a_secret_that_is_another_needs_a_restart),
        cmocka_unit_test(the_shipped_example_is_right),
        cmocka_unit_test(the_readme_has_the_tables),
    };
    char temporary[] = "/tmp/test_settings.XXXXXX", remove[64];
    if (!mkdtemp(temporary) || chdir(temporary)) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(remove, sizeof remove, "rm -r %s", temporary);
    return failed || system(remove);
}
