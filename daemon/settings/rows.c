#include "daemon/settings/rows.h"

#include "common/period.h"
#include "daemon/settings/forms.h"

#include <ctype.h>
#include <inttypes.h>

#define AT(member) offsetof(struct settings, member)
#define MEBI (INT64_C(1) << 20)

/* clang-format off */
const struct row setting_rows[] = {
    { .path = "kafka", .type = ROW_PROPERTIES, .offset = AT(kafka), .need = NEED_ALL, .standard = "{\"group.id\":\"crm-reportd\",\"client.id\":\"crm-reportd\"}",
      .help = "Any librdkafka property; `bootstrap.servers` has to be given. `sasl.password_file`, `ssl.key.password_file` … read a secret from a file" },
    { .path = "topics.in", .type = ROW_LIST, .offset = AT(topics.in), .min = 1, .max = 1000, .accepts = form_topic, .form = "a topic name",
      .standard = "crm.deals,crm.calls,crm.emails,crm.support,crm.contacts,crm.marketing,crm.goals", .help = "Topics to read events from" },
    { .path = "topics.reports", .type = ROW_TEXT, .offset = AT(topics.reports), .accepts = form_topic, .form = "a topic name", .standard = "crm.reports", .help = "Compacted topic for report snapshots" },
    { .path = "topics.alerts", .type = ROW_TEXT, .offset = AT(topics.alerts), .accepts = form_topic, .form = "a topic name", .standard = "crm.alerts", .help = "Topic for alerts" },
    { .path = "topics.dead_letter", .type = ROW_TEXT, .offset = AT(topics.dead_letter), .accepts = form_topic, .form = "a topic name", .standard = "crm.dead-letter", .help = "Topic for rejected events" },
    { .path = "redis.url", .type = ROW_TEXT, .offset = AT(redis.url), .accepts = form_redis_url, .form = "redis://[user:password@]host[:port][/database], rediss://…, unix:///path, redis-sentinel://host[:port],…/master-name[/database] or redis-cluster://host[:port],…", .need = NEED_REDIS, .secret = true, .help = "Where Redis is" },
    { .path = "redis.user", .type = ROW_TEXT, .offset = AT(redis.user), .standard = "", .help = "ACL user; empty: that of the URL, else `default`" },
    { .path = "redis.password", .type = ROW_TEXT, .offset = AT(redis.password), .standard = "", .secret = true, .help = "Better: `redis.password_file`" },
    { .path = "redis.password_file", .type = ROW_FILE, .offset = AT(redis.password_file), .standard = "", .help = "File that holds the password (one line)" },
    { .path = "redis.ca_file", .type = ROW_FILE, .offset = AT(redis.ca_file), .standard = "", .help = "For `rediss://`: certificates to trust; empty: those of the system" },
    { .path = "redis.connect_timeout_ms", .type = ROW_INTEGER, .offset = AT(redis.connect_timeout_ms), .min = 10, .max = 60000, .standard = "2000", .help = "Longest wait for a connection" },
    { .path = "redis.command_timeout_ms", .type = ROW_INTEGER, .offset = AT(redis.command_timeout_ms), .min = 100, .max = 600000, .standard = "10000", .help = "Longest wait for an answer" },
    { .path = "prefix", .type = ROW_TEXT, .offset = AT(prefix), .accepts = form_prefix, .form = "1 to 64 of A-Z a-z 0-9 . _ : - (no braces)", .standard = "crm", .help = "First part of every key in Redis" },
    { .path = "type_prefix", .type = ROW_TEXT, .offset = AT(type_prefix), .accepts = form_type_prefix, .form = "1 to 64 of A-Z a-z 0-9 . _ -", .standard = "crm.", .help = "First part of every event's type" },
    { .path = "listen", .type = ROW_TEXT, .offset = AT(listen), .accepts = form_listen, .form = "address:port, [address]:port, or \"\" for no HTTP", .standard = "127.0.0.1:8380", .help = "HTTP address; empty: none" },
    { .path = "listen_tokens_file", .type = ROW_FILE, .offset = AT(listen_tokens_file), .reloadable = true, .standard = "", .help = "Tokens for HTTP, one per line: `TOKEN` for all tenants, `TOKEN TENANT` for one. Needed to listen beyond the machine itself" },
    { .path = "workers", .type = ROW_INTEGER, .offset = AT(workers), .min = 1, .max = 64, .standard = "1", .help = "Threads that fold events, each a member of the consumer group" },
    { .path = "cache_mb", .type = ROW_INTEGER, .offset = AT(cache_mb), .min = 8, .max = MEBI, .standard = "256", .help = "Memory of the whole daemon, in MiB: entities and counters at hand get what everything else leaves, and are forgotten when of the last 128 events for each MiB none has used them (busy with the whole catalogue it takes some 100 at least)" },
    { .path = "max_ahead_s", .type = ROW_INTEGER, .offset = AT(max_ahead_s), .min = 0, .max = 31536000, .standard = "600", .help = "How far an event's time may lie after its record's timestamp, in seconds" },
    { .path = "max_event_bytes", .type = ROW_INTEGER, .offset = AT(max_event_bytes), .min = 1024, .max = 1000000000, .standard = "1048576", .help = "Longest event" },
    { .path = "max_events", .type = ROW_INTEGER, .offset = AT(max_events), .min = 1, .max = 1000000, .standard = "10000", .help = "Most events of one entity" },
    { .path = "max_step", .type = ROW_INTEGER, .offset = AT(max_step), .min = 100, .max = 1000000, .standard = "10000", .help = "Most facts that one commit moves" },
    { .path = "max_rows", .type = ROW_INTEGER, .offset = AT(max_rows), .min = 1, .max = 100000, .reloadable = true, .standard = "200", .help = "Most rows of a section of a report; the others are summed up in `(other)`" },
    { .path = "snapshot_interval_ms", .type = ROW_INTEGER, .offset = AT(snapshot_interval_ms), .min = 0, .max = 3600000, .reloadable = true, .standard = "200", .help = "A report is published at most once in this time, in milliseconds; 0: as fast as the publisher can" },
    { .path = "durability_lag_ms", .type = ROW_INTEGER, .offset = AT(durability_lag_ms), .min = 10, .max = 3600000, .reloadable = true, .standard = "5000", .help = "How far marks and Kafka's offsets may trail the commits, in milliseconds" },
    { .path = "midnight_spread_s", .type = ROW_INTEGER, .offset = AT(midnight_spread_s), .min = 0, .max = 3600, .standard = "60", .help = "Time within which all tenants of a time zone are refreshed after midnight, in seconds" },
    { .path = "metrics_periods", .type = ROW_LIST, .offset = AT(metrics_periods), .min = 0, .max = 32, .choices = period_names, .standard = "today,this_week,this_month,last_30_days", .help = "Periods of the hashes `crm:{…}:metrics:<period>`" },
    { .path = "catalogue", .type = ROW_FILES, .offset = AT(catalogue), .min = 0, .max = 64, .standard = "", .help = "Files with metrics and reports of your own, beside the shipped ones" },
    { .path = "alerts", .type = ROW_OBJECTS, .offset = AT(alerts), .standard = "[]", .reloadable = true, .help = "Threshold rules, see below" },
    { .path = "log.level", .type = ROW_CHOICE, .offset = AT(log_level), .choices = log_level_names, .reloadable = true, .standard = "info", .help = "What is logged: this and what is graver" },
    { .path = "log.format", .type = ROW_CHOICE, .offset = AT(log_format), .choices = log_format_names, .reloadable = true, .standard = "text", .help = "`text`: key=value; `json`: an object per line" },
    { .path = "tenants", .type = ROW_TENANTS, .standard = "{}", .help = "How each tenant counts, see below; `default` fills in what a tenant does not set" },
};
/* clang-format on */
const size_t n_setting_rows = sizeof setting_rows / sizeof setting_rows[0];
_Static_assert(sizeof setting_rows / sizeof setting_rows[0] <= ROWS_MAX, "raise ROWS_MAX");

const struct row *row_find(const char *path)
{
    for (size_t i = 0; i < n_setting_rows; i++)
        if (!strcmp(setting_rows[i].path, path)) return &setting_rows[i];
    return NULL;
}

bool row_is_group(const char *path)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < n_setting_rows; i++)
        if (!strncmp(setting_rows[i].path, path, len) && setting_rows[i].path[len] == '.') return true;
    return false;
}

void row_variable(const char *path, char variable[VARIABLE_BYTES])
{
    int n = snprintf(variable, VARIABLE_BYTES, "CRM_REPORTD_%s", path);
    for (int i = 0; i < n && variable[i]; i++)
        variable[i] = isalnum((unsigned char)variable[i]) ? (char)toupper((unsigned char)variable[i]) : '_';
}

static void write_default(struct buffer *out, const struct row *row)
{
    if (!row->standard)
        buffer_str(out, "*required*");
    else if (!row->standard[0])
        buffer_str(out, "empty");
    else
        buffer_printf(out, "`%s`", row->standard);
}

static void write_range(struct buffer *out, const struct row *row)
{
    switch (row->type) {
    case ROW_INTEGER:
        buffer_printf(out, "whole number %" PRId64 "…%" PRId64, row->min, row->max);
        return;
    case ROW_CHOICE:
        for (int i = 0; row->choices[i]; i++) buffer_printf(out, "%s`%s`", i ? ", " : "", row->choices[i]);
        return;
    case ROW_LIST:
        buffer_printf(out, "list, each: %s", row->form ? row->form : "the name of a period");
        return;
    case ROW_FILE:
        buffer_str(out, "file name");
        return;
    case ROW_FILES:
        buffer_str(out, "list, each: file name");
        return;
    case ROW_PROPERTIES:
        buffer_str(out, "object: name to text, number, true or false");
        return;
    case ROW_OBJECTS:
        buffer_str(out, "list of objects");
        return;
    case ROW_TENANTS:
        buffer_str(out, "object: tenant to object");
        return;
    case ROW_TEXT:
        buffer_str(out, row->form ? row->form : "text");
        return;
    }
}

void rows_write_table(struct buffer *out)
{
    buffer_str(out, "| setting | takes | default | reload | what |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < n_setting_rows; i++) {
        const struct row *row = &setting_rows[i];
        buffer_printf(out, "| `%s` | ", row->path);
        write_range(out, row);
        buffer_str(out, " | ");
        write_default(out, row);
        buffer_printf(out, " | %s | %s%s |\n", row->reloadable ? "yes" : "no", row->help, row->secret ? " (never shown)" : "");
    }
}
