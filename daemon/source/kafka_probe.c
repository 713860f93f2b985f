#include "daemon/source/kafka_probe.h"

#include "common/suggest.h"
#include "daemon/source/kafka_client.h"

#include <inttypes.h>
#include <stdlib.h>

enum use {
    USE_EVENTS,
    USE_REPORTS,
    USE_ALERTS,
    USE_DEAD_LETTERS,
    N_USES
};

/* What each kind of topic has to be. */
static const struct {
    bool compact, plain;
    const char *why;
} demands[N_USES] = {
    [USE_EVENTS] = { .plain = true, .why = "a compacted topic would keep one event per tenant" },
    [USE_REPORTS] = { .compact = true, .why = "who comes late has to find the last state of every report" },
    [USE_ALERTS] = { .why = "" },
    [USE_DEAD_LETTERS] = { .plain = true, .why = "a compacted topic refuses records without a key and loses others" },
};

enum {
    TOPICS_MAX = 1024,
    WHERE_BYTES = 64
};

struct topic {
    enum use use;
    const char *name;
    char where[WHERE_BYTES];
    int partitions; /* 0: it does not exist */
    int64_t message_bytes;
};

struct probe {
    struct kafka_client client;
    struct findings *findings;
    int timeout_ms;
    struct topic topics[TOPICS_MAX];
    size_t n;
};

/* The property that the library knows and that is nearest, into `best`; empty: none. */
static void suggest_property(struct span name, char best[64])
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    rd_kafka_conf_properties_show(out);
    fclose(out);
    struct suggestion suggestion = { .name = name };
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        line[strcspn(line, " |")] = '\0';
        suggest(&suggestion, line);
    }
    snprintf(best, 64, "%s", suggestion.best ? suggestion.best : "");
    free(text);
}

/* The adapter's text without "kafka property x", which stands in front of it already. */
static const char *cause_of(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    if (!at) return text;
    at += strlen(name);
    return at + strspn(at, ": ");
}

bool kafka_properties_check(const struct settings *settings, struct problems *problems)
{
    size_t before = problems->n;
    for (size_t i = 0; i < settings->kafka.n; i++) {
        const struct kafka_property *property = &settings->kafka.at[i];
        struct error error = { "" };
        char where[128], best[64] = "";
        if (kafka_property_check(property->name, property->value, &error)) continue;
        snprintf(where, sizeof where, "kafka.%.100s", property->name);
        if (strstr(error.text, "No such")) suggest_property(span_of(property->name), best);
        problem_add(problems, where, "%s%s%s%s", cause_of(error.text, property->name), best[0] ? "; did you mean " : "", best,
                    best[0] ? "?" : "");
    }
    return problems->n == before;
}

static void add_topic(struct probe *probe, enum use use, const char *name, const char *where, int index)
{
    if (probe->n == TOPICS_MAX) return;
    struct topic *topic = &probe->topics[probe->n++];
    *topic = (struct topic){ .use = use, .name = name };
    snprintf(topic->where, sizeof topic->where, index < 0 ? "%s" : "%s[%d]", where, index);
}

static void add_topics(struct probe *probe, const struct settings *settings)
{
    for (size_t i = 0; i < settings->topics.in.n; i++)
        add_topic(probe, USE_EVENTS, settings->topics.in.at[i], "topics.in", (int)i);
    add_topic(probe, USE_REPORTS, settings->topics.reports, "topics.reports", -1);
    add_topic(probe, USE_ALERTS, settings->topics.alerts, "topics.alerts", -1);
    add_topic(probe, USE_DEAD_LETTERS, settings->topics.dead_letter, "topics.dead_letter", -1);
}

static const struct rd_kafka_metadata_topic *find(const struct rd_kafka_metadata *metadata, const char *name)
{
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (!strcmp(metadata->topics[i].topic, name)) return &metadata->topics[i];
    return NULL;
}

static void note_partitions(struct probe *probe, const struct rd_kafka_metadata *metadata)
{
    for (size_t i = 0; i < probe->n; i++) {
        struct topic *topic = &probe->topics[i];
        const struct rd_kafka_metadata_topic *found = find(metadata, topic->name);
        if (!found) {
            problem_add(&probe->findings->wrong, topic->where, "the topic \"%s\" does not exist, or this user may not see it",
                        topic->name);
        } else if (found->err) {
            problem_add(&probe->findings->wrong, topic->where, "the topic \"%s\": %s", topic->name, rd_kafka_err2str(found->err));
        } else {
            topic->partitions = found->partition_cnt;
            problem_add(&probe->findings->good, topic->where, "\"%s\" has %d partition%s", topic->name, topic->partitions,
                        topic->partitions == 1 ? "" : "s");
        }
    }
}

static void compare_partitions(struct probe *probe)
{
    const struct topic *first = NULL;
    for (size_t i = 0; i < probe->n; i++) {
        const struct topic *topic = &probe->topics[i];
        if (topic->use != USE_EVENTS || !topic->partitions) continue;
        if (!first) first = topic;
        if (topic->partitions != first->partitions)
            problem_add(
                &probe->findings->advice, topic->where,
                "\"%s\" has %d partitions, \"%s\" %d: right all the same, but faster with equal numbers (a tenant's events "
                "then come to one worker)",
                topic->name, topic->partitions, first->name, first->partitions);
    }
}

/* False, after saying why: no broker answers. */
static bool look_at_brokers(struct probe *probe, const char *servers)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(probe->client.handle, 1, NULL, &metadata, probe->timeout_ms);
    rd_kafka_poll(probe->client.handle, 0); /* for the cause that the callbacks get */
    if (code) {
        problem_add(&probe->findings->wrong, "kafka.bootstrap.servers", "no broker at %s answers within %d ms: %s%s%s", servers,
                    probe->timeout_ms, rd_kafka_err2str(code), probe->client.cause[0] ? ": " : "", probe->client.cause);
        return false;
    }
    problem_add(&probe->findings->good, "kafka.bootstrap.servers", "%s: %d broker%s", servers, metadata->broker_cnt,
                metadata->broker_cnt == 1 ? "" : "s");
    note_partitions(probe, metadata);
    rd_kafka_metadata_destroy(metadata);
    compare_partitions(probe);
    return true;
}

static void check_policy(struct probe *probe, const struct topic *topic, const char *policy)
{
    bool compact = strstr(policy, "compact") != NULL;
    if ((compact && demands[topic->use].plain) || (!compact && demands[topic->use].compact))
        problem_add(&probe->findings->wrong, topic->where, "\"%s\" has cleanup.policy %s, expected %s: %s", topic->name, policy,
                    compact ? "delete" : "compact", demands[topic->use].why);
}

static void check_retention(struct probe *probe, const struct topic *topic, const char *name, const char *value)
{
    int64_t limit = strtoll(value, NULL, 10);
    if (topic->use == USE_EVENTS && limit >= 0)
        problem_add(&probe->findings->advice, topic->where,
                    "\"%s\" has %s %" PRId64 ": a rebuild from the topics reaches back no further (-1 keeps everything)",
                    topic->name, name, limit);
}

static void check_config(struct probe *probe, struct topic *topic, const char *name, const char *value)
{
    if (!value) return;
    if (!strcmp(name, "cleanup.policy"))
        check_policy(probe, topic, value);
    else if (!strcmp(name, "max.message.bytes"))
        topic->message_bytes = strtoll(value, NULL, 10);
    else if (!strcmp(name, "retention.ms") || !strcmp(name, "retention.bytes"))
        check_retention(probe, topic, name, value);
}

static struct topic *topic_of(struct probe *probe, const char *name)
{
    for (size_t i = 0; i < probe->n; i++)
        if (!strcmp(probe->topics[i].name, name)) return &probe->topics[i];
    return NULL;
}

static void check_resource(struct probe *probe, const rd_kafka_ConfigResource_t *resource)
{
    struct topic *topic = topic_of(probe, rd_kafka_ConfigResource_name(resource));
    size_t n;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &n);
    if (!topic) return;
    if (rd_kafka_ConfigResource_error(resource))
        problem_add(&probe->findings->advice, topic->where,
                    "the configuration of \"%s\" cannot be read (%s): make sure yourself that it is right", topic->name,
                    rd_kafka_err2name(rd_kafka_ConfigResource_error(resource)));
    for (size_t i = 0; i < n; i++)
        check_config(probe, topic, rd_kafka_ConfigEntry_name(entries[i]), rd_kafka_ConfigEntry_value(entries[i]));
}

/* Whatever can come in has to fit into the dead letters, headers added. */
static void compare_message_bytes(struct probe *probe)
{
    const struct topic *dead = NULL;
    for (size_t i = 0; i < probe->n; i++)
        if (probe->topics[i].use == USE_DEAD_LETTERS) dead = &probe->topics[i];
    for (size_t i = 0; dead && dead->message_bytes && i < probe->n; i++) {
        const struct topic *topic = &probe->topics[i];
        if (topic->use == USE_EVENTS && topic->message_bytes >= dead->message_bytes)
            problem_add(&probe->findings->advice, dead->where,
                        "\"%s\" takes max.message.bytes %" PRId64 ", \"%s\" %" PRId64
                        ": expected some kilobytes more, so that every rejected event fits with its headers",
                        dead->name, dead->message_bytes, topic->name, topic->message_bytes);
    }
}

static size_t name_resources(const struct probe *probe, rd_kafka_ConfigResource_t **resources)
{
    size_t n = 0;
    for (size_t i = 0; i < probe->n; i++)
        if (probe->topics[i].partitions)
            resources[n++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, probe->topics[i].name);
    return n;
}

static void take_answer(struct probe *probe, rd_kafka_event_t *event)
{
    const rd_kafka_DescribeConfigs_result_t *result = event ? rd_kafka_event_DescribeConfigs_result(event) : NULL;
    size_t n = 0;
    const rd_kafka_ConfigResource_t **found = result ? rd_kafka_DescribeConfigs_result_resources(result, &n) : NULL;
    if (n == 0)
        problem_add(&probe->findings->advice, "kafka", "the configuration of the topics cannot be read: %s",
                    event ? rd_kafka_event_error_string(event) : "no answer in time");
    for (size_t i = 0; i < n; i++) check_resource(probe, found[i]);
}

static void look_at_configs(struct probe *probe)
{
    rd_kafka_ConfigResource_t *resources[TOPICS_MAX];
    size_t n = name_resources(probe, resources);
    if (n == 0) return;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(probe->client.handle);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(probe->client.handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    char why[128];
    rd_kafka_AdminOptions_set_request_timeout(options, probe->timeout_ms, why, sizeof why);
    rd_kafka_DescribeConfigs(probe->client.handle, resources, n, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, probe->timeout_ms + 500);
    take_answer(probe, event);
    compare_message_bytes(probe);
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy_array(resources, n);
}

void kafka_probe(const struct settings *settings, int timeout_ms, struct findings *findings)
{
    static const struct kafka_property none[] = { { NULL, NULL } };
    const struct kafka_profile profile = { .type = RD_KAFKA_PRODUCER, .defaults = none, .forced = none };
    const struct kafka_settings kafka = { settings->kafka.at, settings->kafka.n, { NULL, NULL } };
    struct error error = { "" };
    const char *servers = kafka_settings_value(&kafka, "bootstrap.servers");
    if (!servers) return; /* said already */
    struct probe *probe = must_zalloc(sizeof *probe);
    probe->findings = findings;
    probe->timeout_ms = timeout_ms;
    if (kafka_client_init(&probe->client, &kafka, &profile, probe, &error)) {
        add_topics(probe, settings);
        if (look_at_brokers(probe, servers)) look_at_configs(probe);
        rd_kafka_destroy(probe->client.handle);
        kafka_client_deinit(&probe->client);
    } else {
        problem_add(&findings->wrong, "kafka", "%s", error.text);
    }
    free(probe);
}
