/* Tenants counted anew beside a daemon that goes on: what comes for one while others are at work is in its numbers afterwards. */
#include "daemon/recount/restate.h"
#include "daemon/run/rebuilding.h"
#include "tests/unit/counting.h"
#include "tests/unit/private_redis.h"

static char tenants[] = "CRM_REPORTD_TENANTS={\"default\":{\"time_zone\":\"UTC\",\"retire_after\":4}}";

struct house {
    struct private_redis redis;
    struct daemon daemon; /* that counts */
    struct state *state;
    struct settings *settings; /* of the one that rebuilds */
    struct engine engine;
    void (*meanwhile)(struct house *house); /* once, when the first tenant is about to be stated again */
    int64_t offset;
    struct buffer answer; /* of the last question */
};

static struct house *at_work;

bool __wrap_restate(struct refold *refold, struct refold_tenant *into, struct view *view, tell_restated progress, void *context,
                    struct error *error);
bool __real_restate(struct refold *refold, struct refold_tenant *into, struct view *view, tell_restated progress, void *context,
                    struct error *error);

bool __wrap_restate(struct refold *refold, struct refold_tenant *into, struct view *view, tell_restated progress, void *context,
                    struct error *error)
{
    void (*meanwhile)(struct house *) = at_work->meanwhile;
    at_work->meanwhile = NULL;
    if (meanwhile) meanwhile(at_work);
    return __real_restate(refold, into, view, progress, context, error);
}

static int set_up(void **state)
{
    struct house *house = at_work = must_zalloc(sizeof *house);
    struct problems problems = { 0 };
    struct error error = { "" };
    char url[160];
    private_redis_create(&house->redis, "");
    snprintf(url, sizeof url, "CRM_REPORTD_REDIS_URL=%s", house->redis.url);
    char *environment[] = { tenants, url, NULL };
    open_daemon(&house->daemon, tenants, NULL);
    house->settings = settings_load(NULL, environment, NEED_REDIS, &problems);
    assert_non_null(house->settings);
    assert_true(engine_init(&house->engine, house->settings, house->daemon.catalogue, &error));
    struct redis_settings redis = engine_redis(&house->engine);
    house->state = state_redis_create(&redis);
    assert_true(state_redis_connect(house->state, &error));
    *state = house;
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;
    house->state->ops->destroy(house->state);
    close_daemon(&house->daemon);
    settings_destroy(house->settings);
    private_redis_destroy(&house->redis);
    buffer_deinit(&house->answer);
    free(house);
    return 0;
}

/* An event of that tenant at that time, which is the clock's, too. */
static void happens(struct house *house, int tenant, const char *type, const char *subject, const char *time, const char *data)
{
    char text[512];
    struct span name = event_tenant(tenant);
    int len = snprintf(text, sizeof text,
                       "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/crm\",\"type\":\"crm.%s\",\"subject\":\"%s\","
                       "\"tenantid\":\"%.*s\",\"time\":\"%s\",\"data\":%s}",
                       type, type, subject, SPAN_ARG(name), time, data);
    struct record record = {
        .value = { text, (size_t)len }, .topic = SPAN("t"), .offset = house->offset++, .timestamp_us = instant(time)
    };
    snprintf(text + len + 1, sizeof text - (size_t)len - 1, "SADD crm:tenants %.*s", SPAN_ARG(name));
    (void)private_redis_do(&house->redis, text + len + 1);
    assert_true(fold_once(&house->daemon, house->state, tenant, &record, 1, instant(time)));
}

static const char *ask(struct house *house, const char *request)
{
    struct error error = { "" };
    buffer_clear(&house->answer);
    assert_true(engine_answer(&house->engine, house->state, span_of(request), &house->answer, &error));
    buffer_byte(&house->answer, 0);
    return house->answer.at;
}

static bool rebuild(struct house *house, struct error *error)
{
    struct rebuild_options options = { .all = true, .from_entities = true };
    struct rebuild_result result;
    return engine_rebuild(&house->engine, &options, &result, error);
}

/* ---- a name that nobody had when the rebuild began ---- */

static void a_new_owner_comes(struct house *house)
{
    happens(house, 1, "contact.created", "C-2", "2026-03-02T09:00:00Z", "{\"owner\":\"carol\",\"source\":\"fair\"}");
}

static void what_came_with_new_names_is_there(void **state)
{
    struct house *house = *state;
    struct error error = { "" };
    const char *by_owner = "{\"tenant\":\"t1\",\"metric\":\"leads\",\"by\":[\"owner\",\"source\"]}";
    happens(house, 0, "contact.created", "C-1", "2026-03-01T09:00:00Z", "{\"owner\":\"anna\"}");
    happens(house, 1, "contact.created", "C-1", "2026-03-01T09:00:00Z", "{\"owner\":\"anna\",\"source\":\"web\"}");
    house->meanwhile = a_new_owner_comes;
    if (!rebuild(house, &error)) fail_msg("%s", error.text);
    assert_string_equal(ask(house, by_owner), "{\"rows\":[{\"owner\":\"anna\",\"source\":\"web\",\"value\":1},"
                                              "{\"owner\":\"carol\",\"source\":\"fair\",\"value\":1}]}");
}

/* ---- who left after the rebuild began ---- */

static void a_case_leaves(struct house *house)
{
    happens(house, 1, "case.opened", "S-2", "2026-03-20T09:00:00Z", "{}"); /* the day has come … */
    happens(house, 1, "case.opened", "S-3", "2026-03-20T10:00:00Z", "{}");
    assert_int_equal(tenant_retired(house->daemon.tenants[1]), 1);
}

static void of_whom_entities_leave_meanwhile_nothing_is_changed(void **state)
{
    struct house *house = *state;
    struct error error = { "" };
    const char *opened = "{\"tenant\":\"t1\",\"metric\":\"cases_opened\"}";
    happens(house, 0, "case.opened", "S-1", "2026-03-01T09:00:00Z", "{}");
    happens(house, 1, "case.opened", "S-1", "2026-03-01T09:00:00Z", "{}");
    happens(house, 1, "case.closed", "S-1", "2026-03-01T10:00:00Z", "{}");
    house->meanwhile = a_case_leaves;
    bool done = rebuild(house, &error);
    assert_string_equal(ask(house, opened), "{\"rows\":[{\"value\":3}]}");
    assert_false(done);
    assert_non_null(strstr(error.text, "tenant t1: 1 entities have left"));
    assert_int_equal(private_redis_do(&house->redis, "EXISTS crm:rebuild:{t1}:state"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_came_with_new_names_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_whom_entities_leave_meanwhile_nothing_is_changed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
