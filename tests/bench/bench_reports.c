/* How fast all reports of one tenant follow: a history is counted in memory, the board is loaded, then events come one by one,
 * each a commit, and after each every report that it touched is rendered with its changes. Times are of the processor.
 *
 *   bench_reports HISTORY.ndjson EVENTS.ndjson [CONFIG]      (the clock: CRM_REPORTD_CLOCK) */
#include "daemon/command/effective.h"
#include "daemon/source/files.h"
#include "tests/bench/following.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    TIMES_MAX = 1 << 20,
    TURN_MS = 100
};

/* The engine is first: it is the clock's context. */
struct bench {
    struct engine engine;
    struct state *state;
    struct span tenant;
    struct following following;
    struct followed *followed; /* NULL while the history is counted */
    double *add, *render;      /* milliseconds, of each commit */
    size_t n, differences;
};

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void follow(struct bench *bench, const struct committed *committed)
{
    double start = now_ms();
    following_add(bench->followed, committed);
    double added = now_ms();
    following_render(&bench->following, bench->followed);
    REQUIRE(bench->n < TIMES_MAX);
    bench->differences += committed->n_differences;
    bench->add[bench->n] = added - start;
    bench->render[bench->n++] = now_ms() - added;
}

static void take(void *context, struct committed *committed)
{
    struct bench *bench = context;
    if (!bench->tenant.len) {
        bench->tenant = (struct span){ memcpy(must_alloc(committed->tenant.len), committed->tenant.at, committed->tenant.len),
                                       committed->tenant.len };
    }
    if (bench->followed && span_equal(bench->tenant, committed->tenant)) follow(bench, committed);
    committed_destroy(committed);
}

static void fold(struct bench *bench, const char *const *files, size_t n, size_t batch_records)
{
    struct error error = { "" };
    struct source *source = files_source_create(files, n, engine_clock(&bench->engine), 1 << 20, &error);
    REQUIRE(source);
    struct worker_parts parts = engine_parts(&bench->engine);
    parts.source = source;
    parts.state = bench->state;
    parts.context = bench;
    parts.committed = take;
    parts.cache_bytes = SIZE_MAX;
    parts.batch_records = batch_records;
    struct worker *worker = worker_create(&parts);
    while (worker_turn(worker, TURN_MS, &error)) continue;
    worker_drain(worker, 0);
    worker_destroy(worker);
    source_destroy(source);
}

static void load(struct bench *bench)
{
    double start = now_ms();
    bench->following.engine = &bench->engine;
    bench->followed = following_load(&bench->following, bench->state, bench->tenant);
    printf("loaded, all reports rendered in %.1f ms (%zu bytes), board %.1f MB\n", now_ms() - start, bench->following.bytes,
           (double)board_bytes(bench->followed->board) / 1e6);
    bench->following.bytes = bench->following.rendered = 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *what, double *times, size_t n)
{
    double sum = 0;
    qsort(times, n, sizeof *times, compare);
    for (size_t i = 0; i < n; i++) sum += times[i];
    printf("%s: mean %.3f ms, median %.3f, p99 %.3f, most %.3f\n", what, sum / (double)n, times[n / 2], times[n * 99 / 100],
           times[n - 1]);
}

int main(int argc, char **argv)
{
    struct bench bench = { 0 };
    struct error error = { "" };
    struct problems problems = { 0 };
    REQUIRE(argc >= 3);
    struct settings *settings = settings_load(argc > 3 ? argv[3] : NULL, environ, NEED_RULES, &problems);
    REQUIRE(settings);
    struct catalogue *catalogue = catalogue_effective(settings, &problems);
    REQUIRE(catalogue && engine_init(&bench.engine, settings, catalogue, &error));
    bench.state = state_memory_create(NULL, NULL);
    bench.add = must_alloc(TIMES_MAX * sizeof(double));
    bench.render = must_alloc(TIMES_MAX * sizeof(double));
    double start = now_ms();
    fold(&bench, (const char *const[]){ argv[1] }, 1, 4096);
    printf("history counted in %.0f ms\n", now_ms() - start);
    load(&bench);
    fold(&bench, (const char *const[]){ "/dev/null", argv[2] }, 2, 1);
    REQUIRE(bench.n);
    printf("%zu commits, %zu differences, %zu reports rendered (%.0f bytes each)\n", bench.n, bench.differences,
           bench.following.rendered,
           (double)bench.following.bytes / (double)(bench.following.rendered ? bench.following.rendered : 1));
    print_times("differences taken in", bench.add, bench.n);
    print_times("reports rendered", bench.render, bench.n);
    return 0;
}
