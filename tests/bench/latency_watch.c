/* A reader of Redis that looks for latency_feed's probes: from the instant a probe was due until a GET (counters: HGETALL) of this
 * process has it. Prints one JSON line.
 *
 *   latency_watch SOCKET counter START_US SECONDS WARM_S PROBES_PER_S TENANT …     the counters of a probe's day, asked for until they are there
 *   latency_watch SOCKET REPORT  START_US SECONDS WARM_S PROBES_PER_S TENANT …     the report, read when a hint says so: leads of source "probe"
 *
 * Probes of the first WARM_S seconds are not counted. */
#include "latency_plan.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

enum {
    LOOK_US = 250,
    ASKED_MAX = 256,
    LINGER_US = 5000000, /* for what is late */
    ROW_BYTES = 64
};

struct watch {
    struct plan plan;
    const char *socket, *report;
    redisContext *redis, *hints;
    int64_t *took_us; /* of each probe; 0: not seen */
    int n_seen, first;
    int *shown;    /* of each tenant: how many probes its report had */
    bool *renewed; /* of each tenant: there was a hint since it was read */
    size_t document_max;
};

static redisContext *open_redis(const char *socket)
{
    redisContext *redis = redisConnectUnix(socket);
    if (!redis || redis->err) give_up(socket, redis ? redis->errstr : "no memory");
    return redis;
}

static void see(struct watch *watch, int probe, int64_t now_us)
{
    if (probe >= watch->plan.n_probes || watch->took_us[probe]) return;
    watch->took_us[probe] = now_us - plan_due_us(&watch->plan, probe);
    watch->n_seen++;
}

static redisReply *answer(redisContext *redis)
{
    redisReply *reply = NULL;
    if (redisGetReply(redis, (void **)&reply) != REDIS_OK) give_up("redis", redis->errstr);
    if (reply->type == REDIS_REPLY_ERROR) give_up("redis", reply->str);
    return reply;
}

/* ---- counters ---- */

/* The oldest of those that are due and were not seen yet, in one pipeline. */
static void look_at_counters(struct watch *watch, int *oldest)
{
    int asked[ASKED_MAX], n = 0;
    char date[DATE_BYTES];
    while (*oldest < watch->plan.n_probes && watch->took_us[*oldest]) ++*oldest;
    for (int i = *oldest; i < watch->plan.n_probes && n < ASKED_MAX && plan_due_us(&watch->plan, i) <= monotonic_us(); i++) {
        if (watch->took_us[i]) continue;
        plan_date(&watch->plan, i, date);
        redisAppendCommand(watch->redis, "HGETALL crm:{%s}:day:%s", plan_tenant(&watch->plan, i), date);
        asked[n++] = i;
    }
    for (int i = 0; i < n; i++) {
        redisReply *reply = answer(watch->redis);
        if (reply->elements) see(watch, asked[i], monotonic_us());
        freeReplyObject(reply);
    }
}

static void watch_counters(struct watch *watch, int64_t until_us)
{
    int oldest = 0;
    while (watch->n_seen < watch->plan.n_probes && monotonic_us() < until_us) {
        look_at_counters(watch, &oldest);
        nanosleep(&(struct timespec){ 0, LOOK_US * 1000 }, NULL);
    }
}

/* ---- snapshots ---- */

/* How many probes the document shows: leads of the longest period that has them. */
static int shown_in(const char *document)
{
    int most = 0;
    for (const char *row = document; (row = strstr(row, "\"source\":\"probe\"")); row++) {
        const char *leads = strstr(row, "\"leads\":");
        int n = leads ? atoi(leads + sizeof "\"leads\":" - 1) : 0;
        if (n > most) most = n;
    }
    return most;
}

static void read_report(struct watch *watch, int tenant)
{
    redisAppendCommand(watch->redis, "GET crm:{%s}:report:%s", watch->plan.tenants[tenant], watch->report);
    redisReply *reply = answer(watch->redis);
    int64_t now_us = monotonic_us();
    if (reply->type == REDIS_REPLY_STRING) {
        if (reply->len > watch->document_max) watch->document_max = reply->len;
        for (int shown = shown_in(reply->str); watch->shown[tenant] < shown; watch->shown[tenant]++)
            see(watch, watch->shown[tenant] * watch->plan.n_tenants + tenant, now_us);
    }
    freeReplyObject(reply);
    watch->renewed[tenant] = false;
}

static void take_hint(struct watch *watch, const redisReply *reply)
{
    char report[ROW_BYTES];
    snprintf(report, sizeof report, "\"report\":\"%s\"", watch->report);
    if (reply->elements < 3 || reply->element[2]->type != REDIS_REPLY_STRING || !strstr(reply->element[2]->str, report)) return;
    for (int i = 0; i < watch->plan.n_tenants; i++) {
        size_t len = strlen(watch->plan.tenants[i]);
        const char *name = strchr(reply->element[1]->str, '{');
        if (name && strncmp(name + 1, watch->plan.tenants[i], len) == 0 && name[1 + len] == '}') watch->renewed[i] = true;
    }
}

/* All hints that are there, then each report that they name once. */
static void follow_hints(struct watch *watch)
{
    void *reply;
    if (redisBufferRead(watch->hints) != REDIS_OK) give_up("hints", watch->hints->errstr);
    while (redisGetReplyFromReader(watch->hints, &reply) == REDIS_OK && reply) {
        take_hint(watch, reply);
        freeReplyObject(reply);
    }
    for (int i = 0; i < watch->plan.n_tenants; i++)
        if (watch->renewed[i]) read_report(watch, i);
}

static void watch_snapshots(struct watch *watch, int64_t until_us)
{
    watch->hints = open_redis(watch->socket);
    for (int i = 0; i < watch->plan.n_tenants; i++) {
        redisAppendCommand(watch->hints, "SUBSCRIBE crm:{%s}:reports", watch->plan.tenants[i]);
        freeReplyObject(answer(watch->hints));
    }
    struct pollfd waiting = { .fd = watch->hints->fd, .events = POLLIN };
    while (watch->n_seen < watch->plan.n_probes && monotonic_us() < until_us)
        if (poll(&waiting, 1, 100) > 0) follow_hints(watch);
    redisFree(watch->hints);
}

/* ---- what came out ---- */

static void print(struct watch *watch)
{
    int all = watch->plan.n_probes - watch->first;
    int64_t *sorted = calloc((size_t)all + 1, sizeof *sorted);
    struct rusage used;
    if (!sorted) give_up("memory", "none");
    int n = plan_sort(&watch->plan, watch->took_us, watch->first, sorted);
    getrusage(RUSAGE_SELF, &used);
    printf("{\"probes\":%d,\"unseen\":%d,\"p50\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f,\"document\":%zu,\"cpu\":%.2f}\n",
           all, all - n, rank_ms(sorted, n, 0.5), rank_ms(sorted, n, 0.99), rank_ms(sorted, n, 0.999), rank_ms(sorted, n, 1),
           watch->document_max,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    free(sorted);
}

int main(int argc, char **argv)
{
    if (argc < 8) give_up("usage", "latency_watch SOCKET counter|REPORT START_US SECONDS WARM_S PROBES_PER_S TENANT …");
    int seconds = atoi(argv[4]), per_s = atoi(argv[6]);
    struct watch watch = { .socket = argv[1], .report = argv[2], .redis = open_redis(argv[1]), .first = atoi(argv[5]) * per_s };
    watch.plan = (struct plan){ strtoll(argv[3], NULL, 10), per_s, per_s * seconds, argc - 7, argv + 7 };
    watch.took_us = calloc((size_t)watch.plan.n_probes + 1, sizeof *watch.took_us);
    watch.shown = calloc((size_t)watch.plan.n_tenants, sizeof *watch.shown);
    watch.renewed = calloc((size_t)watch.plan.n_tenants, sizeof *watch.renewed);
    if (!watch.took_us || !watch.shown || !watch.renewed) give_up("memory", "none");
    int64_t until_us = watch.plan.start_us + (int64_t)seconds * 1000000 + LINGER_US;
    if (strcmp(watch.report, "counter") == 0)
        watch_counters(&watch, until_us);
    else
        watch_snapshots(&watch, until_us);
    print(&watch);
    redisFree(watch.redis);
    return 0;
}
