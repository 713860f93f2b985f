/* How fast all reports of one tenant follow: a history is counted in memory, the board is loaded, then events come one by one,
 * each a commit, and after each every report that it touched is rendered with its changes. Times are of the processor.
 *
 *   bench_reports HISTORY.ndjson EVENTS.ndjson [CONFIG]      (the clock: CRM_REPORTD_CLOCK) */
#include "daemon/command/effective.h"
#include "daemon/report/board.h"
#include "daemon/run/engine.h"
#include "daemon/source/files.h"
#include "daemon/tenant/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    TIMES_MAX = 1 << 20,
    TURN_MS = 100,
    SECTIONS_BYTES_MAX = 600 * 1000
};

/* The engine is first: it is the clock's context. */
struct bench {
    struct engine engine;
    struct state *state;
    struct span tenant;
    const struct rules *rules;
    struct names names;
    struct board *board;  /* NULL while the history is counted */
    double *add, *render; /* milliseconds, of each commit */
    size_t n, differences, rendered, bytes;
};

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void render_touched(struct bench *bench)
{
    struct board_limits limits = { (size_t)bench->engine.max_rows, SECTIONS_BYTES_MAX };
    for (size_t i = 0; i < bench->engine.catalogue->n_reports; i++) {
        struct board_document document;
        if (!board_touched(bench->board, i)) continue;
        board_render(bench->board, i, &limits, &document);
        bench->bytes += document.sections.len;
        bench->rendered++;
        if (document.changed) board_sent(bench->board, i);
    }
}

static void follow(struct bench *bench, const struct committed *committed)
{
    double start = now_ms();
    for (size_t i = 0; i < committed->n_names; i++) names_intern(&bench->names, committed->names[i]);
    for (size_t i = 0; i < committed->n_differences; i++) {
        const struct difference *difference = committed->differences[i];
        board_add(bench->board, difference->bucket.number, &difference->key, &difference->value);
    }
    for (size_t i = 0; i < committed->n_lines; i++) {
        const struct list_change *line = &committed->lines[i];
        board_add_line(bench->board, line->list, line->id, line->was ? &line->before : NULL, line->is ? &line->after : NULL);
    }
    double added = now_ms();
    render_touched(bench);
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
    if (bench->board && span_equal(bench->tenant, committed->tenant)) follow(bench, committed);
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
    struct view view = { 0 };
    struct error error = { "" };
    struct worker_parts parts = engine_parts(&bench->engine);
    bench->rules = settings_rules(bench->engine.settings, bench->tenant);
    REQUIRE(view_open(&view, bench->state, &parts.tenants, bench->tenant, bench->rules, &error));
    names_init(&bench->names);
    for (name_id id = 1; id < view.tenant->names.n; id++) names_intern(&bench->names, names_text(&view.tenant->names, id));
    const struct text_list *periods = &bench->engine.settings->metrics_periods;
    struct board *board = board_create(bench->engine.catalogue, bench->rules, &bench->names, periods->at, periods->n);
    struct cell_reader reader = view_reader(&view);
    double start = now_ms();
    REQUIRE(board_load(board, view.tenant->today, &reader, &error));
    double loaded = now_ms();
    bench->board = board;
    render_touched(bench);
    printf("loaded in %.1f ms, all reports rendered in %.1f ms (%zu bytes), board %.1f MB\n", loaded - start, now_ms() - loaded,
           bench->bytes, (double)board_bytes(board) / 1e6);
    bench->bytes = bench->rendered = 0;
    view_close(&view);
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
    printf("%zu commits, %zu differences, %zu reports rendered (%.0f bytes each)\n", bench.n, bench.differences, bench.rendered,
           (double)bench.bytes / (double)(bench.rendered ? bench.rendered : 1));
    print_times("differences taken in", bench.add, bench.n);
    print_times("reports rendered", bench.render, bench.n);
    return 0;
}
