/* All settings of the daemon: one JSON file, the environment over it, defaults below it. Read-only once loaded: a reload
 * makes a new object. The table of all rows is in rows.c; `crm-reportd check --settings` prints it. */
#pragma once

#include "common/rules.h"
#include "daemon/settings/log.h"
#include "daemon/settings/problems.h"
#include "daemon/source/kafka_settings.h"

struct text_list {
    const char *const *at;
    size_t n;
};

/* Texts are never NULL (empty = not set). Numbers are int64_t throughout, in the unit their name ends with. */
struct settings {
    struct {
        const struct kafka_property *at; /* sorted by name; with group.id and client.id by default; `*_file` already read.
                                            Names and values are checked by kafka_properties_check, in source/kafka_probe.h */
        size_t n;
    } kafka;
    struct {
        struct text_list in;
        const char *reports, *alerts, *dead_letter;
    } topics;
    struct {
        /* redis://, rediss://, unix://, redis-sentinel://, redis-cluster://,
         * as written (may hold user and password: never show it). */
        const char *url;
        const char *user, *password; /* from redis.user, .password, .password_file; over those of the url */
        const char *password_file;   /* already read into password */
        const char *ca_file;         /* for rediss:// */
        int64_t connect_timeout_ms, command_timeout_ms;
    } redis;
    const char *prefix, *type_prefix;
    const char *listen, *listen_tokens_file;
    int64_t workers, cache_mb;
    int64_t max_ahead_s, max_event_bytes, max_events, max_step, max_rows;
    int64_t snapshot_interval_ms, durability_lag_ms, midnight_spread_s;
    struct text_list metrics_periods;
    struct text_list catalogue;     /* file names, relative ones already resolved against the settings file's folder */
    const char *alerts;             /* a JSON array, checked where metrics are known (its entries are objects) */
    int64_t log_level;              /* enum log_level */
    int64_t log_format;             /* enum log_format */
    struct settings_source *source; /* what it was made from, and the tenants' rules */
};

/* How much must be there: servers and secrets are asked for only where they are used. */
enum settings_need {
    NEED_RULES,
    NEED_REDIS,
    NEED_ALL
};

/* Reads `path` (NULL: no file, defaults and environment only) and the environment (environ; NULL: none). NULL when
 * anything is wrong: `problems` then holds all of it. To be given back with settings_destroy. */
struct settings *settings_load(const char *path, char *const *environment, enum settings_need need,
                               struct problems *problems) MUST_USE;
void settings_destroy(struct settings *settings); /* NULL is fine */

/* The same, but comes back with what could be read although something is wrong: to look on for more mistakes, never to run
 * with. NULL: the file cannot be read at all. */
struct settings *settings_inspect(const char *path, char *const *environment, enum settings_need need,
                                  struct problems *problems) MUST_USE;

/* Reads file and environment of `old` again. Rows that cannot change while running keep their old value, and so do the
 * secrets in files that they name. `notes` says of each row that differs "changed" or "differs, needs a restart". NULL when anything is wrong. `old` stays valid until it
 * is destroyed; rules of the new object are new ones (equal fingerprints: same content). */
struct settings *settings_reload(const struct settings *old, char *const *environment, struct problems *problems,
                                 struct problems *notes) MUST_USE;

/* How a tenant counts; one without settings of its own by those of `default`. Never NULL; lives as long as the settings. */
const struct rules *settings_rules(const struct settings *settings, struct span tenant);
const struct rules *settings_rules_of(void *settings, struct span tenant); /* the same, for decode_settings.rules_of */

/* Does the file (or environment) name this tenant under `tenants`? */
bool settings_knows_tenant(const struct settings *settings, struct span tenant);
struct text_list settings_tenants(const struct settings *settings); /* the named ones, sorted */

/* Where relative file names start; NULL: the working directory. */
const char *settings_folder(const struct settings *settings);
