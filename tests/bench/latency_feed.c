/* A steady producer: lines TENANT<tab>TOPIC<tab>JSON from standard input, each dated now, and a second one of probes, each at the
 * instant it is due, whether or not the brokers keep up. Lines wait for others, up to LINGER_MS, and go together; a probe goes at once.
 * Prints one JSON line.
 *
 *   latency_feed BROKERS PREFIX counter|snapshot START_US RATE LINGER_MS SECONDS WARM_S PROBES_PER_S TENANT …
 *                        PREFIX: of topics, instead of "crm." */
#include "latency_plan.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

enum {
    INSTANT_BYTES = sizeof "2026-01-01T00:00:00.000Z" - 1,
    EVENT_BYTES = 1024,
    POLL_EVERY = 64 /* events */
};

struct feed {
    struct plan plan;
    rd_kafka_t *lines, *probes;
    const char *prefix;
    bool counters;
    char *line;
    size_t room;
    int64_t late_us;
    int64_t *acked_us; /* of each probe: from when it was due until the broker had it; 0: not yet */
    int first;         /* probe that counts */
    long failed;
};

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) give_up(name, why);
}

static void delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *context)
{
    struct feed *feed = context;
    int64_t *acked_us = message->_private;
    (void)producer;
    if (message->err) feed->failed++;
    if (acked_us) *acked_us = monotonic_us() - plan_due_us(&feed->plan, (int)(acked_us - feed->acked_us));
}

static rd_kafka_t *open_producer(struct feed *feed, const char *brokers, const char *linger_ms)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    set(conf, "partitioner", "murmur2_random");
    set(conf, "linger.ms", linger_ms);
    set(conf, "enable.idempotence", "true");
    rd_kafka_conf_set_opaque(conf, feed);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!producer) give_up("producer", why);
    return producer;
}

/* `topic`: as in the lines, "crm.deals". `acked_us`: of a probe; else NULL. */
static void produce(const struct feed *feed, const char *topic, const char *tenant, const char *event, size_t len,
                    int64_t *acked_us)
{
    char name[128];
    snprintf(name, sizeof name, "%s.%s", feed->prefix, strchr(topic, '.') + 1);
    rd_kafka_resp_err_t err =
        rd_kafka_producev(acked_us ? feed->probes : feed->lines, RD_KAFKA_V_TOPIC(name),
                          RD_KAFKA_V_KEY((void *)tenant, strlen(tenant)), RD_KAFKA_V_VALUE((void *)event, len),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(acked_us), RD_KAFKA_V_END);
    if (err) give_up("produce", rd_kafka_err2str(err));
}

static void format_now(char out[INSTANT_BYTES + 1])
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t len = strftime(out, INSTANT_BYTES + 1, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + len, INSTANT_BYTES + 1 - len, ".%03uZ", (unsigned)(now.tv_nsec / 1000000) % 1000);
}

static bool send_line(struct feed *feed)
{
    ssize_t len = getline(&feed->line, &feed->room, stdin);
    if (len <= 0) return false;
    if (feed->line[len - 1] == '\n') feed->line[--len] = 0;
    char *topic = strchr(feed->line, '\t'), *event = topic ? strchr(topic + 1, '\t') : NULL, now[INSTANT_BYTES + 1];
    if (!event) give_up("not TENANT<tab>TOPIC<tab>JSON", feed->line);
    *topic++ = *event++ = 0;
    char *time = strstr(event, "\"time\":\"");
    format_now(now);
    if (time) memcpy(time + sizeof "\"time\":\"" - 1, now, INSTANT_BYTES);
    produce(feed, topic, feed->line, event, strlen(event), NULL);
    return true;
}

static void send_probe(struct feed *feed, int probe)
{
    char event[EVENT_BYTES], date[DATE_BYTES], time[INSTANT_BYTES + 1];
    const char *tenant = plan_tenant(&feed->plan, probe);
    plan_date(&feed->plan, probe, date);
    format_now(time);
    if (feed->counters) snprintf(time, sizeof time, "%sT12:00:00.000Z", date);
    int len = snprintf(
        event, sizeof event,
        "{\"specversion\":\"1.0\",\"id\":\"probe-%d\",\"source\":\"/bench\",\"type\":\"crm.contact.created\",\"time\":\"%s\","
        "\"tenantid\":\"%s\",\"subject\":\"probe-%d\",\"datacontenttype\":\"application/json\","
        "\"data\":{\"source\":\"probe\",\"owner\":\"u1\",\"email\":\"x@example.com\"}}",
        probe, time, tenant, probe);
    produce(feed, "crm.contacts", tenant, event, (size_t)len, &feed->acked_us[probe]);
}

static void wait_until(struct feed *feed, int64_t due_us)
{
    int64_t wait_us = due_us - monotonic_us();
    struct timespec wait = { wait_us / 1000000, wait_us % 1000000 * 1000 };
    if (wait_us > 0) nanosleep(&wait, NULL);
    if (-wait_us > feed->late_us) feed->late_us = -wait_us;
}

/* Events and probes, each when it is due. */
static long send_all(struct feed *feed, int rate, int64_t until_us)
{
    int probe = 0;
    for (long n = 0;; n++) {
        int64_t due_us = feed->plan.start_us + n * 1000000 / rate;
        while (probe < feed->plan.n_probes && plan_due_us(&feed->plan, probe) <= due_us) {
            wait_until(feed, plan_due_us(&feed->plan, probe));
            send_probe(feed, probe++);
        }
        wait_until(feed, due_us);
        if (due_us >= until_us || !send_line(feed)) return n;
        if (n % POLL_EVERY == 0) rd_kafka_poll(feed->lines, 0);
        rd_kafka_poll(feed->probes, 0);
    }
}

static void print(const struct feed *feed, long events)
{
    struct rusage used;
    int64_t *sorted = calloc((size_t)feed->plan.n_probes + 1, sizeof *sorted);
    if (!sorted) give_up("memory", "none");
    int n = plan_sort(&feed->plan, feed->acked_us, feed->first, sorted);
    getrusage(RUSAGE_SELF, &used);
    printf("{\"events\":%ld,\"failed\":%ld,\"late_ms\":%.1f,\"acked_p99\":%.2f,\"cpu\":%.2f}\n", events, feed->failed,
           (double)feed->late_us / 1000, rank_ms(sorted, n, 0.99),
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    free(sorted);
}

int main(int argc, char **argv)
{
    if (argc < 11)
        give_up(
            "usage",
            "latency_feed BROKERS PREFIX counter|snapshot START_US RATE LINGER_MS SECONDS WARM_S PROBES_PER_S TENANT … < LINES");
    int rate = atoi(argv[5]), seconds = atoi(argv[7]), per_s = atoi(argv[9]);
    struct feed feed = { .prefix = argv[2], .counters = strcmp(argv[3], "counter") == 0 };
    feed.plan = (struct plan){ strtoll(argv[4], NULL, 10), per_s, per_s * seconds, argc - 10, argv + 10 };
    feed.first = atoi(argv[8]) * per_s;
    feed.acked_us = calloc((size_t)feed.plan.n_probes + 1, sizeof *feed.acked_us);
    if (!feed.acked_us) give_up("memory", "none");
    feed.lines = open_producer(&feed, argv[1], argv[6]);
    feed.probes = open_producer(&feed, argv[1], "0");
    long events = send_all(&feed, rate, feed.plan.start_us + (int64_t)seconds * 1000000);
    rd_kafka_flush(feed.lines, 30000);
    rd_kafka_flush(feed.probes, 30000);
    print(&feed, events);
    rd_kafka_destroy(feed.lines);
    rd_kafka_destroy(feed.probes);
    return feed.failed != 0;
}
