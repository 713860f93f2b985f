/* What it comes to when closed cases leave: they are counted into a Redis of its own, then their days pass, batch by batch, in
 * the very functions of the worker. Bytes are those that Redis says it uses, times of the processor (ours) and of the wall.
 *
 *   bench_retirement [CASES]      (default 100000)
 */
#include "daemon/state/redis.h"
#include "tests/unit/counting.h"
#include "tests/unit/private_redis.h"

#include <time.h>

enum {
    EVENTS_AT_ONCE = 2000,
    RETIRE_AFTER = 30
};
static char settings[] = "CRM_REPORTD_TENANTS={\"default\":{\"retire_after\":30}}";

struct bench {
    struct daemon daemon;
    struct private_redis redis;
    struct state *state;
    int64_t now_us;
};

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long long number_of(struct bench *bench, const char *section, const char *name)
{
    redisReply *reply = redisCommand(bench->redis.admin, "INFO %s", section);
    REQUIRE(reply && reply->type == REDIS_REPLY_STRING);
    const char *found = strstr(reply->str, name);
    long long number = found ? atoll(found + strlen(name)) : -1;
    freeReplyObject(reply);
    return number;
}

static struct record case_event(struct arena *arena, int n, bool closes, int64_t now_us)
{
    char time[INSTANT_TEXT_BYTES];
    struct buffer text = { 0 };
    instant_format(now_us - (closes ? 0 : 3600 * MICROS_PER_SECOND), time);
    buffer_printf(&text,
                  "{\"specversion\":\"1.0\",\"id\":\"c%d-%d\",\"source\":\"/crm\",\"type\":\"crm.case.%s\",\"subject\":\"S-%d\","
                  "\"tenantid\":\"t0\",\"time\":\"%s\",\"data\":{%s}}",
                  n, closes, closes ? "closed" : "opened", n, time,
                  closes ? "" : "\"owner\":\"anna\",\"priority\":\"high\",\"channel\":\"phone\",\"case_kind\":\"incident\"");
    struct record record = { .value = arena_copy(arena, buffer_all(&text)),
                             .topic = SPAN("t"),
                             .offset = 2 * (int64_t)n + closes,
                             .timestamp_us = now_us };
    buffer_deinit(&text);
    return record;
}

static void count_cases(struct bench *bench, int cases)
{
    struct record records[EVENTS_AT_ONCE];
    struct arena arena = { 0 };
    for (int n = 0; n < cases;) {
        size_t count = 0;
        for (; n < cases && count < EVENTS_AT_ONCE; n++) {
            records[count++] = case_event(&arena, n, false, bench->now_us);
            records[count++] = case_event(&arena, n, true, bench->now_us);
        }
        assert_true(fold_once(&bench->daemon, bench->state, 0, records, count, bench->now_us));
        cache_trim(&bench->daemon.cache);
        arena_reset(&arena);
    }
    arena_deinit(&arena);
}

static void tell(struct bench *bench, const char *when)
{
    const struct tenant *tenant = bench->daemon.tenants[0];
    printf("%s: %llu cases, %llu have left, %llu pages, Redis uses %lld bytes\n", when,
           (unsigned long long)tenant->kind[KIND_CASE].entities, (unsigned long long)tenant->kind[KIND_CASE].retired,
           (unsigned long long)tenant->kind[KIND_CASE].pages, number_of(bench, "memory", "used_memory:"));
}

/* Until all pages were gone through. */
static void let_go(struct bench *bench)
{
    const struct tenant *tenant = bench->daemon.tenants[0];
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    long long n = 0;
    bench->now_us += (RETIRE_AFTER + 2) * MICROS_PER_DAY;
    do {
        assert_true(fold_once(&bench->daemon, bench->state, 0, NULL, 0, bench->now_us));
        cache_trim(&bench->daemon.cache);
        n++;
    } while (tenant->retirement.under_way || n < 2);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, wall = seconds(CLOCK_MONOTONIC) - wall;
    double left = (double)tenant->kind[KIND_CASE].retired;
    printf("%lld commits, %.2f s of the processor, %.2f s in all: %.2f and %.2f µs for each that left\n", n, cpu, wall,
           cpu * 1e6 / left, wall * 1e6 / left);
}

int main(int argc, char **argv)
{
    int cases = argc > 1 ? atoi(argv[1]) : 100000;
    struct bench bench = { .now_us = instant("2026-03-02T12:00:00Z") };
    private_redis_create(&bench.redis, "");
    struct redis_settings redis = { .url = bench.redis.url, .connect_timeout_ms = 2000, .command_timeout_ms = 60000 };
    struct error error = { "" };
    bench.state = state_redis_create(&redis);
    if (!state_redis_connect(bench.state, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    open_daemon(&bench.daemon, settings, NULL);
    bench.daemon.cache.limit_bytes = 64 << 20;
    printf("empty: Redis uses %lld bytes\n", number_of(&bench, "memory", "used_memory:"));
    count_cases(&bench, cases);
    tell(&bench, "counted");
    let_go(&bench);
    tell(&bench, "after their days");
    close_daemon(&bench.daemon);
    bench.state->ops->destroy(bench.state);
    private_redis_destroy(&bench.redis);
    return 0;
}
