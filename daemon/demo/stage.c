#include "daemon/demo/stage.h"

#include "daemon/command/effective.h"
#include "daemon/demo/cast.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum {
    PARTITIONS = 4,
    CACHE_MB = 64
};

/* Two rules that a service or sales manager would write; the dashboard shows what they raise. */
static const char alerts[] =
    "{\"name\":\"fewer_convert\",\"metric\":\"conversion_rate\",\"period\":\"this_month\",\"change_below\":-0.2,\"for\":\"3s\","
    "\"description\":\"a fifth fewer leads than last month become customers\"},\n"
    "  "
    "{\"name\":\"slow_service\",\"metric\":\"resolution_time\",\"stat\":\"p90\",\"period\":\"this_week\",\"above\":16,\"clear\":"
    "12,"
    "\"description\":\"one case in ten takes longer than 16 hours\"}";

/* What a user would write: the tenants, their alerts, and where the servers are. */
static void write_settings(const struct stage *stage, struct buffer *out)
{
    buffer_printf(out,
                  "{\n \"kafka\": {\"bootstrap.servers\": \"%s\", \"group.id\": \"crm-reportd-demo\"},\n"
                  " \"redis\": {\"url\": \"unix://%s\"},\n \"cache_mb\": %d, \"log\": {\"level\": \"warning\"},\n"
                  " \"alerts\": [%s],\n \"tenants\": {",
                  kafka_mock_servers(stage->kafka), stage->redis.socket, CACHE_MB, alerts);
    cast_settings(out);
    buffer_str(out, "}\n}\n");
}

static bool save(const char *file, struct span text, struct error *error)
{
    FILE *out = fopen(file, "we");
    bool fine = out && fwrite(text.at, 1, text.len, out) == text.len;
    if (out && fclose(out) != 0) fine = false;
    return fine || fail(error, "%s cannot be written: %s", file, strerror(errno));
}

static bool open_settings(struct stage *stage, struct error *error)
{
    struct buffer text = { 0 };
    struct problems problems = { 0 };
    snprintf(stage->settings_file, sizeof stage->settings_file, "%s/settings.json", stage->redis.folder);
    write_settings(stage, &text);
    bool fine = save(stage->settings_file, buffer_all(&text), error);
    if (fine) stage->settings = settings_load(stage->settings_file, NULL, NEED_ALL, &problems);
    if (stage->settings) stage->catalogue = catalogue_effective(stage->settings, &problems);
    if (problems.n) fine = problems_fail(&problems, error);
    problems_deinit(&problems);
    buffer_deinit(&text);
    return fine;
}

/* The daemon's log goes to a file: the screen is for the reports. */
static bool open_log(struct stage *stage, struct error *error)
{
    snprintf(stage->log_file, sizeof stage->log_file, "%s/log", stage->redis.folder);
    stage->log = fopen(stage->log_file, "ae");
    if (!stage->log) return fail(error, "%s cannot be written: %s", stage->log_file, strerror(errno));
    log_setup((enum log_level)stage->settings->log_level, LOG_TEXT);
    log_to(fileno(stage->log));
    return true;
}

static bool open_kafka(struct stage *stage, struct error *error)
{
    stage->kafka = kafka_mock_create(1, error);
    return stage->kafka && open_settings(stage, error);
}

static bool open_topics(struct stage *stage, struct error *error)
{
    const struct settings *settings = stage->settings;
    bool fine = kafka_mock_topic(stage->kafka, settings->topics.reports, 1, error) &&
                kafka_mock_topic(stage->kafka, settings->topics.alerts, 1, error) &&
                kafka_mock_topic(stage->kafka, settings->topics.dead_letter, 1, error);
    for (size_t i = 0; fine && i < settings->topics.in.n; i++)
        fine = kafka_mock_topic(stage->kafka, settings->topics.in.at[i], PARTITIONS, error);
    return fine;
}

static bool take_alerts(struct stage *stage, struct error *error)
{
    struct problems problems = { 0 };
    stage->engine.alerts = alert_rules_read(stage->settings, stage->catalogue, &problems, NULL);
    if (!stage->engine.alerts) problems_fail(&problems, error);
    problems_deinit(&problems);
    return stage->engine.alerts != NULL;
}

static bool open_daemon(struct stage *stage, struct error *error)
{
    if (!engine_init(&stage->engine, stage->settings, stage->catalogue, error) || !take_alerts(stage, error)) return false;
    stage->dashboard = dashboard_connect(stage->redis.socket, stage->settings->prefix, error);
    if (stage->dashboard) stage->daemon = daemon_start(&stage->engine, false, error);
    return stage->daemon != NULL;
}

static bool open_http(struct stage *stage, struct error *error)
{
    struct http_settings settings = http_settings_of(&stage->engine, stage->daemon);
    settings.any_port = true;
    stage->http = http_start(&settings, error);
    if (stage->http) http_where(stage->http, stage->where);
    return stage->http != NULL;
}

static bool open_sender(struct stage *stage, const struct demo_options *options, struct error *error)
{
    REQUIRE(n_cast <= STAGE_TENANTS_MAX);
    for (size_t i = 0; i < n_cast; i++) stage->zones[i] = settings_rules(stage->settings, span_of(cast[i].name))->zone;
    struct sender_settings settings = { .servers = kafka_mock_servers(stage->kafka),
                                        .seed = (uint64_t)options->seed,
                                        .rate = (int)options->rate,
                                        .zones = stage->zones,
                                        .news = stage->news = news_create() };
    stage->sender = sender_start(&settings, error);
    return stage->sender != NULL;
}

bool stage_open(struct stage *stage, const struct demo_options *options, struct error *error)
{
    *stage = (struct stage){ 0 };
    return redis_process_start(&stage->redis, options->keep, error) && open_kafka(stage, error) && open_log(stage, error) &&
           open_topics(stage, error) && open_daemon(stage, error) && open_http(stage, error) &&
           open_sender(stage, options, error);
}

void stage_settle(struct stage *stage)
{
    sender_stop(stage->sender);
    stage->sender = NULL;
    http_stop(stage->http);
    stage->http = NULL;
    daemon_stop(stage->daemon);
    stage->daemon = NULL;
}

void stage_close(struct stage *stage, bool keep)
{
    stage_settle(stage);
    news_destroy(stage->news);
    dashboard_close(stage->dashboard);
    kafka_mock_destroy(stage->kafka);
    catalogue_destroy(stage->catalogue);
    settings_destroy(stage->settings);
    log_to(STDERR_FILENO);
    if (stage->log) fclose(stage->log);
    if (!keep) redis_process_stop(&stage->redis);
}

bool stage_failed(struct stage *stage, struct error *error)
{
    if (stage->daemon && daemon_failed(stage->daemon, error)) return true;
    return redis_process_gone(&stage->redis) && !fail(error, "redis-server has ended");
}
