/* How many records a second does the Kafka source hand over? bench_receive SERVERS TOPIC COUNT [BYTES [NAME VALUE]...]
 * Fills the topic with COUNT records when it is empty, then reads them all. WORK_NS in the environment: what a worker
 * would need for each record. */
#include "daemon/sink/kafka.h"
#include "daemon/source/kafka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum {
    ROOM = 4096,
    WAIT_MS = 60000,
    KEYS = 64,
    PROPERTIES_MAX = 16
};

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

static void fill(const struct kafka_settings *settings, const char *topic, int64_t count, size_t bytes)
{
    struct error error = { 0 };
    struct sink *sink = kafka_sink_create(settings, (struct acknowledged){ 0 }, &error);
    char *value = must_alloc(bytes), key[16];
    memset(value, 'x', bytes);
    for (size_t i = 0; i < bytes; i += 7) value[i] = (char)('a' + i % 26);
    for (int64_t i = 0; sink && i < count; i++) {
        snprintf(key, sizeof key, "t%d", (int)(i % KEYS));
        struct outgoing outgoing = { .topic = span_of(topic), .key = span_of(key), .value = { value, bytes } };
        while (!sink_produce(sink, &outgoing)) sink_poll(sink, 10);
    }
    if (sink) sink_flush(sink, WAIT_MS);
    sink_destroy(sink);
    free(value);
}

static void start_all(struct source *source)
{
    struct change change;
    while (source_next_change(source, &change))
        for (size_t i = 0; change.type == CHANGE_ASSIGNED && i < change.n; i++) source_start(source, change.partitions[i], 0);
}

static void work(size_t records)
{
    const char *each_ns = getenv("WORK_NS");
    if (!each_ns) return;
    double until = seconds(CLOCK_MONOTONIC) + (double)records * atof(each_ns) / 1e9;
    while (seconds(CLOCK_MONOTONIC) < until) continue;
}

static void read_all(struct source *source, int64_t count)
{
    static struct record records[ROOM];
    int64_t n = 0, batches = 0;
    uint64_t sum = 0;
    double began = 0, cpu = 0, thread = 0;
    while (n < count) {
        size_t got = source_receive(source, records, ROOM, 1000);
        if (got && !n) {
            began = seconds(CLOCK_MONOTONIC);
            cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
            thread = seconds(CLOCK_THREAD_CPUTIME_ID);
        }
        for (size_t i = 0; i < got; i++) sum += (uint8_t)records[i].value.at[0];
        work(got);
        n += (int64_t)got;
        batches += got > 0;
        source_release(source);
        start_all(source);
    }
    double wall = seconds(CLOCK_MONOTONIC) - began;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    thread = seconds(CLOCK_THREAD_CPUTIME_ID) - thread;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%" PRId64 " records in %.2f s: %.0f/s; %.0f per batch; CPU all %.2f s, this thread %.2f s (%.0f ns a record); "
           "%ld MiB; sum %" PRIu64 "\n",
           n, wall, (double)n / wall, (double)n / (double)batches, cpu, thread, thread / (double)n * 1e9, usage.ru_maxrss / 1024,
           sum);
}

int main(int argc, char **argv)
{
    if (argc < 4) return 2;
    char group[64];
    snprintf(group, sizeof group, "bench-%ld", (long)time(NULL));
    struct kafka_property properties[PROPERTIES_MAX] = { { "bootstrap.servers", argv[1] }, { "group.id", group } };
    size_t n = 2;
    for (int i = 5; i + 1 < argc && n < PROPERTIES_MAX; i += 2) properties[n++] = (struct kafka_property){ argv[i], argv[i + 1] };
    const struct kafka_source_settings settings = {
        .kafka = { properties, n, { print, NULL } }, .topics = (const char *const *)&argv[2], .n_topics = 1, .workers = 1
    };
    struct error error = { 0 };
    struct source *source = kafka_source_create(&settings, &error);
    if (!source) return fprintf(stderr, "%s\n", error.text), 1;
    struct partition_view view = { .partition = { span_of(argv[2]), 0 }, .probe = NO_OFFSET };
    if (!source_view(source, &view, 1, WAIT_MS, &error)) return fprintf(stderr, "%s\n", error.text), 1;
    if (view.high == 0) fill(&settings.kafka, argv[2], atoll(argv[3]), argc > 4 ? (size_t)atoll(argv[4]) : 300);
    read_all(source, atoll(argv[3]));
    double closing = seconds(CLOCK_MONOTONIC);
    source_destroy(source);
    printf("closed in %.3f s\n", seconds(CLOCK_MONOTONIC) - closing);
    return 0;
}
