/* What the Kafka adapters share: a librdkafka handle made of settings, and its troubles told once each. */
#include "daemon/source/kafka_client.h"

#include "daemon/clock.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

enum {
    LOOK_EVERY_MS = 1000,
    LOOK_WAIT_MS = 20, /* doubled with each look in vain */
    LOOK_WAIT_MAX_MS = 640,
    DOUBT_MS = 3000,
    FROM_LOG = 0x10000
};

/* Without these the guarantees do not hold, whatever a user wants. */
static const struct {
    struct kafka_property property;
    const char *why;
} reserved[] = {
    { { "enable.auto.commit", "false" }, "offsets are committed behind the marks" },
    { { "enable.auto.offset.store", "false" }, "offsets are committed behind the marks" },
    { { "auto.offset.reset", "error" }, "reading starts at the marks, without any at the beginning" },
    { { "partition.assignment.strategy", "range" }, "partitions of the same number stay together" },
    { { "enable.partition.eof", "false" }, "the end of a partition is no event" },
    { { "delivery.report.only.error", "false" }, "every delivery is waited for" },
    { { "log.queue", "true" }, "messages of the library go through the daemon's log" },
};

int64_t kafka_now_ms(void)
{
    return clock_us(CLOCK_MONOTONIC) / MICROS_PER_MS;
}

const char *kafka_settings_value(const struct kafka_settings *settings, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < settings->n_properties; i++)
        if (strcmp(settings->properties[i].name, name) == 0) value = settings->properties[i].value;
    return value;
}

static bool not_reserved(const char *name, const char *value, struct error *error)
{
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(reserved[i].property.name, name) == 0 && strcmp(reserved[i].property.value, value) != 0)
            return fail(error, "kafka property %s is always \"%s\": %s", name, reserved[i].property.value, reserved[i].why);
    return true;
}

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *error)
{
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK) return true;
    why[strcspn(why, "\n")] = 0;
    return fail(error, "kafka property %s: %s", name, why);
}

bool kafka_property_check(const char *name, const char *value, struct error *error)
{
    if (!not_reserved(name, value, error)) return false;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool ok = set(conf, name, value, error);
    rd_kafka_conf_destroy(conf);
    return ok;
}

static bool was_told(struct kafka_client *client, int code)
{
    int64_t now = kafka_now_ms();
    for (int i = 0; i < KAFKA_TOLD_MAX; i++)
        if (client->told[i].at_ms && client->told[i].code == code && now - client->told[i].at_ms < KAFKA_TELL_AGAIN_MS)
            return true;
    client->told[client->next_told].code = code;
    client->told[client->next_told].at_ms = now;
    client->next_told = (client->next_told + 1) % KAFKA_TOLD_MAX;
    return false;
}

void kafka_client_tell(struct kafka_client *client, int code, const char *format, ...)
{
    if (!client->reporter.report || was_told(client, code)) return;
    char text[KAFKA_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    client->reporter.report(client->reporter.context, text);
}

void kafka_client_well(struct kafka_client *client)
{
    client->doubt_ms = 0;
    client->look_wait_ms = LOOK_WAIT_MS;
    if (client->fatal || !client->trouble[0]) return;
    client->trouble[0] = 0;
    memset(client->told, 0, sizeof client->told);
    if (client->reporter.report) client->reporter.report(client->reporter.context, "a broker answers again");
}

static bool answers(struct kafka_client *client)
{
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(client->handle, 0, NULL, &metadata, client->look_wait_ms) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    rd_kafka_metadata_destroy(metadata);
    return true;
}

/* Does not wait for the library to say that all brokers are down: of a consumer whose connections end while it makes them it
 * never does. */
static void doubt(struct kafka_client *client)
{
    if (client->look_wait_ms < LOOK_WAIT_MAX_MS) client->look_wait_ms *= 2;
    if (client->trouble[0] || kafka_now_ms() - client->doubt_ms < DOUBT_MS) return;
    snprintf(client->trouble, sizeof client->trouble, "no broker answers: %.440s", client->cause);
    kafka_client_tell(client, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "%s", client->trouble);
}

void kafka_client_look(struct kafka_client *client)
{
    if (client->fatal || (!client->trouble[0] && !client->doubt_ms) || kafka_now_ms() < client->look_ms) return;
    if (answers(client))
        kafka_client_well(client);
    else
        doubt(client);
    client->look_ms = kafka_now_ms() + LOOK_EVERY_MS;
}

void kafka_client_end(struct kafka_client *client)
{
    char text[KAFKA_TEXT_BYTES];
    rd_kafka_resp_err_t cause = rd_kafka_fatal_error(client->handle, text, sizeof text);
    client->fatal = true;
    snprintf(client->trouble, sizeof client->trouble, "%s: %.300s", rd_kafka_err2name(cause), text);
    kafka_client_tell(client, RD_KAFKA_RESP_ERR__FATAL, "%s", client->trouble);
}

/* What the library's words, or the broker's that it passes on, do not say. */
static const char *hint_of(const char *reason)
{
    static const char refused[] = "the broker does not take this client's certificate (ssl.certificate.location): ";
    static const struct {
        const char *words, *hint;
        int before_version; /* of the library; 0: any */
    } hints[] = {
        { "certificate verify failed",
          "the broker's certificate is not of an authority in ssl.ca.location, bears another host's name, or has expired: ", 0 },
        { "alert bad certificate", refused, 0 },
        { "alert certificate ", refused, 0 },
        { "alert unknown ca", refused, 0 },
        { "with SASL mechanism SCRAM",
          "user or password are wrong, or the broker is Kafka 4, where SCRAM needs librdkafka 2.6.1 or newer: ", 0x020601ff },
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strstr(reason, hints[i].words) && (!hints[i].before_version || rd_kafka_version() < hints[i].before_version))
            return hints[i].hint;
    return "";
}

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    (void)handle;
    struct kafka_client *client = opaque;
    if (!client->doubt_ms) client->doubt_ms = kafka_now_ms();
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        kafka_client_end(client);
    } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        snprintf(client->trouble, sizeof client->trouble, "%.80s%s%.390s", reason, client->cause[0] ? ": " : "", client->cause);
        client->look_ms = kafka_now_ms() + LOOK_EVERY_MS;
        kafka_client_tell(client, code, "%s", client->trouble);
    } else {
        snprintf(client->cause, sizeof client->cause, "%s%s", hint_of(reason), reason);
        kafka_client_tell(client, code, "%s", client->cause);
    }
}

/* Errors come through on_error, too: of the log only what has no other way, and only from warnings up. */
static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    static const char *const told_elsewhere[] = { "FAIL", "ERROR", "CONFWARN", "COMMITFAIL", "TERMINATE" };
    if (level > LOG_WARNING) return;
    for (size_t i = 0; i < sizeof told_elsewhere / sizeof *told_elsewhere; i++)
        if (strcmp(facility, told_elsewhere[i]) == 0) return;
    unsigned code = 0;
    for (const char *c = facility; *c; c++) code = code * 31 + (unsigned char)*c;
    kafka_client_tell(rd_kafka_opaque(handle), (int)(code & 0xffff) + FROM_LOG, "%s: %s", facility, text);
}

static bool is_forced(const struct kafka_profile *profile, const char *name)
{
    for (const struct kafka_property *property = profile->forced; property->name; property++)
        if (strcmp(property->name, name) == 0) return true;
    return profile->left_out && strcmp(profile->left_out, name) == 0;
}

static bool fill_conf(rd_kafka_conf_t *conf, const struct kafka_settings *settings, const struct kafka_profile *profile,
                      struct error *error)
{
    for (const struct kafka_property *property = profile->defaults; property->name; property++)
        if (!set(conf, property->name, property->value, error)) return false;
    for (size_t i = 0; i < settings->n_properties; i++) {
        const struct kafka_property *property = &settings->properties[i];
        if (!not_reserved(property->name, property->value, error)) return false;
        if (!is_forced(profile, property->name) && !set(conf, property->name, property->value, error)) return false;
    }
    for (const struct kafka_property *property = profile->forced; property->name; property++)
        if (!set(conf, property->name, property->value, error)) return false;
    return set(conf, "log.queue", "true", error);
}

bool kafka_client_renew(struct kafka_client *client)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(client->conf);
    client->fatal = false;
    client->doubt_ms = 0;
    client->look_wait_ms = LOOK_WAIT_MS;
    client->handle = rd_kafka_new(client->type, conf, why, sizeof why);
    if (client->handle) {
        rd_kafka_set_log_queue(client->handle, NULL);
        return true;
    }
    snprintf(client->trouble, sizeof client->trouble, "kafka: %s", why);
    rd_kafka_conf_destroy(conf);
    return false;
}

void kafka_client_deinit(struct kafka_client *client)
{
    if (client->conf) rd_kafka_conf_destroy(client->conf);
    client->conf = NULL;
}

bool kafka_client_init(struct kafka_client *client, const struct kafka_settings *settings, const struct kafka_profile *profile,
                       void *owner, struct error *error)
{
    client->owner = owner;
    client->type = profile->type;
    client->reporter = settings->reporter;
    client->conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(client->conf, client);
    rd_kafka_conf_set_error_cb(client->conf, on_error);
    rd_kafka_conf_set_log_cb(client->conf, on_log);
    if (profile->prepare) profile->prepare(client->conf);
    if (fill_conf(client->conf, settings, profile, error)) {
        if (kafka_client_renew(client)) return true;
        fail(error, "%s", client->trouble);
    }
    kafka_client_deinit(client);
    return false;
}

bool kafka_client_try(const struct kafka_settings *settings, const struct kafka_profile *profile, struct error *error)
{
    char why[256];
    struct kafka_client client = { .type = profile->type };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, &client);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_t *handle = NULL;
    if (fill_conf(conf, settings, profile, error) && set(conf, "bootstrap.servers", "", error)) { /* nobody is asked */
        handle = rd_kafka_new(profile->type, conf, why, sizeof why);
        if (!handle) fail(error, "%s", why);
    }
    if (handle)
        rd_kafka_destroy(handle);
    else
        rd_kafka_conf_destroy(conf);
    return handle != NULL;
}

struct ending {
    void (*end)(void *what);
    void *what;
};

static void *run_ending(void *argument)
{
    struct ending ending = *(struct ending *)argument;
    free(argument);
    ending.end(ending.what);
    return NULL;
}

void kafka_end_within(void (*end)(void *what), void *what, int wait_ms)
{
    pthread_t thread;
    struct ending *ending = must_alloc(sizeof *ending);
    *ending = (struct ending){ end, what };
    if (pthread_create(&thread, NULL, run_ending, ending) != 0) {
        run_ending(ending);
        return;
    }
    int64_t until_ms = kafka_now_ms() + wait_ms;
    struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) != 0) pthread_detach(thread);
}
