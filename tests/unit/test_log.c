/* Lines of the log: their form, what is quoted, what is left out, and a cause once. */
#include "daemon/settings/log.h"
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <unistd.h>

static int ends[2];

static int start(void **state)
{
    (void)state;
    if (pipe(ends)) return -1;
    log_to(ends[1]);
    log_setup(LEVEL_INFO, LOG_TEXT);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    close(ends[0]);
    close(ends[1]);
    return 0;
}

/* What was logged since the last call. */
static const char *logged(void)
{
    static char text[65536];
    assert_int_equal(write(ends[1], "", 1), 1); /* so that read has something to wait for */
    ssize_t n = read(ends[0], text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = '\0';
    return text;
}

static void a_line_has_time_level_and_pairs(void **state)
{
    (void)state;
    int64_t at;
    log_event(LEVEL_WARN, "partition_lost", "topic=%s partition=%d lag=%" PRId64 " left=%zu share=%.3f who=%.*s", "crm.deals", -3,
              INT64_C(123456789012), (size_t)7, 0.5, 2, "abc");
    const char *line = logged();
    assert_true(instant_parse((struct span){ line, strcspn(line, " ") }, &at));
    assert_string_equal(
        strchr(line, ' '),
        " warning event=partition_lost topic=crm.deals partition=-3 lag=123456789012 left=7 share=0.500 who=ab\n");
}

static void values_that_need_it_are_quoted(void **state)
{
    (void)state;
    log_event(LEVEL_INFO, "x", "a=%s b=%s c=%s d=%s:%d e=%d%%", "two words", "", "say \"hi\"\\\n", "host", 80, 5);
    assert_non_null(strstr(logged(), " a=\"two words\" b=\"\" c=\"say \\\"hi\\\"\\\\\\u000a\" d=host:80 e=5%\n"));
}

static void json_is_json(void **state)
{
    (void)state;
    log_setup(LEVEL_INFO, LOG_JSON);
    log_event(LEVEL_ERROR, "x", "a=%s b=%d", "two \"words\"\n", 5);
    json_t *line = json_loads(logged(), JSON_DISABLE_EOF_CHECK, NULL);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(line, "event")), "x");
    assert_string_equal(json_string_value(json_object_get(line, "a")), "two \"words\"\n");
    assert_string_equal(json_string_value(json_object_get(line, "b")), "5");
    json_decref(line);
}

static void the_level_decides(void **state)
{
    (void)state;
    log_event(LEVEL_DEBUG, "hidden", "a=%d", 1);
    assert_string_equal(logged(), "");
    log_setup(LEVEL_DEBUG, LOG_TEXT);
    log_event(LEVEL_DEBUG, "seen", "a=%d", 1);
    assert_non_null(strstr(logged(), "debug event=seen a=1"));
    log_setup(LEVEL_ERROR, LOG_TEXT);
    assert_false(log_wants(LEVEL_WARN));
    log_event(LEVEL_WARN, "hidden", "a=%d", 1);
    assert_string_equal(logged(), "");
}

static void a_cause_is_told_once(void **state)
{
    (void)state;
    struct log_cause cause = { 0 };
    char longer[700];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_false(log_cause_over(&cause, "redis_back", "127.0.0.1"));
    assert_true(log_cause(&cause, LEVEL_WARN, "redis_away", "127.0.0.1", "Connection refused"));
    assert_false(log_cause(&cause, LEVEL_WARN, "redis_away", "127.0.0.1", "Connection refused"));
    assert_true(log_cause(&cause, LEVEL_WARN, "redis_away", "", "out of memory"));
    assert_true(log_cause(&cause, LEVEL_WARN, "redis_away", "", longer));
    assert_false(log_cause(&cause, LEVEL_WARN, "redis_away", "", longer));
    assert_true(log_cause_over(&cause, "redis_back", "127.0.0.1"));
    assert_false(log_cause_over(&cause, "redis_back", "127.0.0.1"));
    const char *text = logged();
    assert_non_null(strstr(text, "event=redis_away where=127.0.0.1 cause=\"Connection refused\"\n"));
    assert_non_null(strstr(text, "event=redis_away cause=\"out of memory\"\n"));
    assert_non_null(strstr(text, "event=redis_back where=127.0.0.1 after=5\n"));
}

enum {
    THREADS = 4,
    LINES = 50
};

static void *write_lines(void *argument)
{
    for (int i = 0; i < LINES; i++)
        log_event(LEVEL_INFO, "line", "thread=%d text=%s", *(int *)argument, "some words that make the line longer");
    return NULL;
}

static void lines_of_threads_stay_whole(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    int numbers[THREADS], lines = 0;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (const char *at = logged(), *end; *at; at = end + 1, lines++) {
        static const char tail[] = " text=\"some words that make the line longer\"";
        assert_non_null(end = strchr(at, '\n'));
        assert_true(end - at > (ptrdiff_t)sizeof tail);
        assert_memory_equal(end - (sizeof tail - 1), tail, sizeof tail - 1);
        assert_memory_equal(at + 24, " info event=line thread=", 24);
    }
    assert_int_equal(lines, THREADS * LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_time_level_and_pairs, start, stop),
        cmocka_unit_test_setup_teardown(values_that_need_it_are_quoted, start, stop),
        cmocka_unit_test_setup_teardown(json_is_json, start, stop),
        cmocka_unit_test_setup_teardown(the_level_decides, start, stop),
        cmocka_unit_test_setup_teardown(a_cause_is_told_once, start, stop),
        cmocka_unit_test_setup_teardown(lines_of_threads_stay_whole, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
