#include "daemon/run/statistics.h"

#include "daemon/clock.h"
#include "daemon/publish/publisher.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define PREFIX "crm_reportd_"
#define STUCK_US (15 * MICROS_PER_SECOND)

/* ---- plain counters: a row each ---- */

enum owner {
    OF_WORKERS,
    OF_PUBLISHER
};

struct counter {
    const char *name, *help;
    enum owner owner;
    size_t offset; /* of a uint64_t in struct worker_counts or publisher_counts */
};

#define WORKERS(member) OF_WORKERS, offsetof(struct worker_counts, member)
#define PUBLISHER(member) OF_PUBLISHER, offsetof(struct publisher_counts, member)

/* clang-format off */
static const struct counter counters[] = {
    { "records_total",             "Records received from the source topics.",                                     WORKERS(records) },
    { "records_ignored_total",     "Records without a value, which say nothing.",                                  WORKERS(ignored) },
    { "dead_letters_total",        "Records sent to the dead letter topic.",                                       WORKERS(dead_letters) },
    { "dead_letters_unsent_total", "Dead letters their topic did not take; they are sent again.",                 WORKERS(letters_unsent) },
    { "commits_total",             "Commits of a tenant that took place in Redis.",                                WORKERS(commits) },
    { "commit_conflicts_total",    "Commits refused because the tenant's version had moved on.",                   WORKERS(conflicts) },
    { "rereads_total",             "Times a worker dropped what it had in memory and read its partitions again.",  WORKERS(rewinds) },
    { "retired_total",             "Closed entities that have left (retire_after).",                               WORKERS(retired) },
    { "overflows_total",   "Counters that would have exceeded 64 bits and were left as they were.",        WORKERS(overflows) },
    { "publish_snapshots_total",   "Report snapshots put into Redis.",                                             PUBLISHER(snapshots) },
    { "publish_unchanged_total",   "Reports looked at, none of whose numbers had changed.",                        PUBLISHER(unchanged) },
    { "publish_loads_total",       "Times a tenant's reports were read from Redis anew.",                          PUBLISHER(loads) },
    { "publish_refused_total",     "Snapshots that met a newer one in Redis.",                                     PUBLISHER(refused) },
    { "publish_sent_total",        "Snapshots acknowledged by the output topic.",                                  PUBLISHER(sent) },
    { "publish_unsent_total",      "Snapshots the output topic did not take; they are sent again.",                PUBLISHER(unsent) },
    { "alerts_raised_total",       "Alerts raised (those about the CRM's numbers).",                               PUBLISHER(alerts_raised) },
    { "alerts_cleared_total",      "Alerts that are over.",                                                        PUBLISHER(alerts_cleared) },
    { "alerts_sent_total",         "Alert events acknowledged by their topic.",                                    PUBLISHER(alerts_sent) },
    { "alerts_unsent_total",       "Alert events their topic did not take; they are sent again.",                  PUBLISHER(alerts_unsent) },
    { "alerts_posted_total",       "Alert events taken by a webhook's receiver.",                                  PUBLISHER(alerts_posted) },
    { "alerts_given_up_total",     "Alert events that a webhook's receiver did not take, however often they were posted.", PUBLISHER(alerts_given_up) },
};
/* clang-format on */

static void head(const char *name, const char *kind, const char *help, struct buffer *out)
{
    buffer_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, kind);
}

static void write_counters(const struct worker_counts *workers, const struct publisher_counts *publisher, struct buffer *out)
{
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        const struct counter *row = &counters[i];
        const char *owner = row->owner == OF_WORKERS ? (const char *)workers : (const char *)publisher;
        head(row->name, "counter", row->help, out);
        buffer_printf(out, PREFIX "%s %" PRIu64 "\n", row->name, *(const uint64_t *)(const void *)(owner + row->offset));
    }
}

static void write_gauge(const char *name, const char *help, double value, struct buffer *out)
{
    head(name, "gauge", help, out);
    buffer_printf(out, PREFIX "%s %.17g\n", name, value);
}

/* ---- counters with labels, histograms ---- */

static void write_events(const struct worker_counts *counts, struct buffer *out)
{
    static const char *const results[N_EVENT_RESULTS] = { "counted", "repeated" };
    head("events_total", "counter", "Events committed, by kind and by what became of them.", out);
    for (int kind = 0; kind < N_KINDS; kind++)
        for (int result = 0; result < N_EVENT_RESULTS; result++)
            buffer_printf(out, PREFIX "events_total{kind=\"%s\",result=\"%s\"} %" PRIu64 "\n", kind_rows[kind].name,
                          results[result], counts->events_by[kind][result]);
    head("events_rejected_total", "counter", "Events rejected, by reason.", out);
    for (int reason = REASON_NONE + 1; reason < N_REASONS; reason++)
        buffer_printf(out, PREFIX "events_rejected_total{reason=\"%s\"} %" PRIu64 "\n", reason_names[reason],
                      counts->rejected_by[reason]);
}

static void write_latency(const char *name, const char *help, const struct latency *latency, struct buffer *out)
{
    uint64_t so_far = 0;
    head(name, "histogram", help, out);
    for (int i = 0; i < N_LATENCY_BOUNDS; i++) {
        so_far += latency->within[i];
        buffer_printf(out, PREFIX "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, (double)latency_bounds_us[i] / MICROS_PER_SECOND,
                      so_far);
    }
    so_far += latency->within[N_LATENCY_BOUNDS];
    buffer_printf(out, PREFIX "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n" PREFIX "%s_sum %.6f\n" PREFIX "%s_count %" PRIu64 "\n", name,
                  so_far, name, (double)latency->sum_us / MICROS_PER_SECOND, name, so_far);
}

/* ---- the workers ---- */

struct lines {
    struct daemon *daemon;
    struct buffer ready, records, seconds;
    size_t cache_bytes;
};

static void add_lag(struct lines *lines, const struct partition_lag *lag)
{
    const char *form = PREFIX "lag_%s{topic=\"%.*s\",partition=\"%d\"} %.17g\n";
    if (lag->records < 0) return;
    buffer_printf(&lines->records, form, "events", SPAN_ARG(lag->topic), lag->number, (double)lag->records);
    if (lag->records && lag->last_timestamp_us == NO_INSTANT) return; /* nothing was read yet: not known */
    double seconds = lag->records ? (double)(clock_us(CLOCK_REALTIME) - lag->last_timestamp_us) / MICROS_PER_SECOND : 0;
    buffer_printf(&lines->seconds, form, "seconds", SPAN_ARG(lag->topic), lag->number, seconds > 0 ? seconds : 0);
}

static bool sight_fine(const struct worker_sight *sight)
{
    return sight && !sight->trouble[0] && worker_monotonic() - sight->at_us < STUCK_US;
}

static void add_worker(void *context, int worker, const struct worker_sight *sight)
{
    struct lines *lines = context;
    buffer_printf(&lines->ready, PREFIX "worker_ready{worker=\"%d\"} %d\n", worker, sight_fine(sight));
    if (!sight) return;
    lines->cache_bytes += sight->cache_bytes;
    for (size_t i = 0; i < sight->n_lags; i++) add_lag(lines, &sight->lags[i]);
}

static void write_workers(struct daemon *daemon, struct buffer *out)
{
    struct lines lines = { .daemon = daemon };
    daemon_sights(daemon, add_worker, &lines);
    head("worker_ready", "gauge",
         "1: the worker reads and commits; 0: Redis, Kafka or all its topics are away, /readyz says why.", out);
    buffer_span(out, buffer_all(&lines.ready));
    head("lag_events", "gauge",
         "Events of a source partition that are not committed yet; of one that waits for its turn without those that came since.",
         out);
    buffer_span(out, buffer_all(&lines.records));
    head("lag_seconds", "gauge", "Age of the newest committed event of a partition that has events waiting; else 0.", out);
    buffer_span(out, buffer_all(&lines.seconds));
    write_gauge("cache_bytes", "Entities and counters at hand in the workers' caches.", (double)lines.cache_bytes, out);
    buffer_deinit(&lines.ready);
    buffer_deinit(&lines.records);
    buffer_deinit(&lines.seconds);
}

/* ---- the publisher ---- */

static void write_publisher(struct daemon *daemon, struct buffer *out)
{
    struct publisher_sight sight;
    publisher_look(daemon_publisher(daemon), &sight);
    write_gauge("publish_tenants", "Tenants whose reports are held in memory.", (double)sight.n_tenants, out);
    write_gauge("publish_waiting_tenants", "Tenants with changes that are not published yet.", (double)sight.n_waiting, out);
    write_gauge("publish_waiting_seconds", "How long the oldest unpublished change has been waiting.",
                (double)sight.longest_us / MICROS_PER_SECOND, out);
    write_gauge("publish_unacknowledged", "Snapshots sent to the output topic and not acknowledged yet.",
                (double)sight.n_unacknowledged, out);
    write_gauge("publish_ready", "1: reports and alerts are published; 0: Redis or a topic does not take them.",
                !sight.trouble[0], out);
    head("tenant_waiting_seconds", "gauge",
         "How long a tenant's oldest unpublished change has been waiting; of those that wait longest, at most 20.", out);
    for (size_t i = 0; i < sight.n_shown; i++)
        buffer_printf(out, PREFIX "tenant_waiting_seconds{tenant=\"%s\"} %.6f\n", sight.shown[i].name,
                      (double)sight.shown[i].waiting_us / MICROS_PER_SECOND);
}

/* ---- the process, by the names that all of Prometheus's clients give ---- */

static void write_process_row(const char *name, const char *kind, const char *help, double value, struct buffer *out)
{
    buffer_printf(out, "# HELP process_%s %s\n# TYPE process_%s %s\nprocess_%s %.17g\n", name, help, name, kind, name, value);
}

static double open_descriptors(void)
{
    double n = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder)) n++;
    if (folder) closedir(folder);
    return n > 3 ? n - 3 : 0; /* ".", ".." and the folder itself */
}

static void write_process(struct buffer *out)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / MICROS_PER_SECOND;
    write_process_row("cpu_seconds_total", "counter", "Processor time of the whole process.", cpu, out);
    write_process_row("resident_memory_bytes", "gauge", "Memory that is resident.", (double)memory_resident(), out);
    write_process_row("open_fds", "gauge", "Open file descriptors.", open_descriptors(), out);
}

void statistics_write(struct daemon *daemon, struct buffer *out)
{
    struct worker_counts workers = daemon_counts(daemon);
    struct publisher_counts publisher = publisher_counts(daemon_publisher(daemon));
    head("build_info", "gauge", "What was built; always 1.", out);
    buffer_str(out, PREFIX "build_info{version=\"" CRM_REPORTD_VERSION "\"} 1\n");
    write_workers(daemon, out);
    write_events(&workers, out);
    write_counters(&workers, &publisher, out);
    write_latency("commit_seconds", "From sending a round's commits to Redis until they are answered.", &workers.commit, out);
    write_latency("publish_seconds", "From a commit until the reports it changed stand in Redis.", &publisher.publish, out);
    write_publisher(daemon, out);
    write_process(out);
}

/* ---- ready? ---- */

static void add_trouble(void *context, int worker, const struct worker_sight *sight)
{
    struct buffer *why = context;
    if (sight_fine(sight)) return;
    buffer_printf(why, "%sworker %d: ", why->len ? "; " : "", worker);
    if (!sight)
        buffer_str(why, "is starting");
    else if (sight->trouble[0])
        buffer_str(why, sight->trouble);
    else
        buffer_printf(why, "has been busy for %lld s", (long long)((worker_monotonic() - sight->at_us) / MICROS_PER_SECOND));
}

bool statistics_ready(struct daemon *daemon, struct buffer *why)
{
    size_t before = why->len;
    daemon_sights(daemon, add_trouble, why);
    return why->len == before;
}

struct stuck {
    int64_t longest_us;
    bool found;
};

static void look_for_stuck(void *context, int worker, const struct worker_sight *sight)
{
    struct stuck *stuck = context;
    (void)worker;
    stuck->found |= sight && worker_monotonic() - sight->at_us > stuck->longest_us;
}

bool statistics_stuck(struct daemon *daemon, int64_t longest_us)
{
    struct stuck stuck = { .longest_us = longest_us };
    daemon_sights(daemon, look_for_stuck, &stuck);
    return stuck.found;
}
