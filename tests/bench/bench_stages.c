/* What an event costs at each station of the hot path, without servers: a history is counted in a state in memory, then events
 * are, round by round, with a clock at every station. Prints one JSON object; bench.py stages makes a table of it.
 *
 *   bench_stages HISTORY.ndjson EVENTS.ndjson CONFIG [RECORDS A ROUND]      (the clock: CRM_REPORTD_CLOCK;
 *                                          BENCH_SLOWER=decode: decodes twice) */
#include "daemon/command/effective.h"
#include "daemon/source/files.h"
#include "tests/bench/following.h"
#include "tests/bench/stages.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <yyjson.h>

enum {
    TURN_MS = 100,
    LINE_MAX_BYTES = 1 << 20,
    ROUND_RECORDS = 4096
};

static const char *const stage_names[N_STAGES] = {
    [STAGE_REST] = "worker",           [STAGE_SOURCE] = "source",   [STAGE_DECODE] = "decode",       [STAGE_LOOK_UP] = "look_up",
    [STAGE_STATE] = "state",           [STAGE_ENTITY] = "entity",   [STAGE_FOLD] = "fold",           [STAGE_FACTS] = "facts",
    [STAGE_DIFFERENCE] = "difference", [STAGE_COUNTER] = "counter", [STAGE_ENCODE] = "encode",       [STAGE_BODY] = "body",
    [STAGE_BOARD] = "board",           [STAGE_RENDER] = "render",   [STAGE_YARDSTICK] = "yardstick",
};

/* The engine is first: it is the clock's context. */
struct bench {
    struct engine engine;
    struct state *state;
    struct worker *worker;
    struct following following;
    struct span *tenants; /* of the history */
    size_t n_tenants, batch_records, differences;
    bool timed;
};

static void note_tenant(struct bench *bench, struct span tenant)
{
    for (size_t i = 0; i < bench->n_tenants; i++)
        if (span_equal(bench->tenants[i], tenant)) return;
    bench->tenants = must_realloc(bench->tenants, (bench->n_tenants + 1) * sizeof *bench->tenants);
    bench->tenants[bench->n_tenants++] = (struct span){ memcpy(must_alloc(tenant.len), tenant.at, tenant.len), tenant.len };
}

/* As the publisher would, of a tenant after each round. */
static void follow(struct bench *bench, const struct committed *committed)
{
    struct followed *followed = following_of(&bench->following, committed->tenant);
    bench->differences += committed->n_differences;
    if (!followed) return;
    enum stage before = stage_enter(STAGE_BOARD);
    following_add(followed, committed);
    stage_leave(before);
    before = stage_enter(STAGE_RENDER);
    following_render(&bench->following, followed);
    stage_leave(before);
}

static void take(void *context, struct committed *committed)
{
    struct bench *bench = context;
    if (bench->timed)
        follow(bench, committed);
    else
        note_tenant(bench, committed->tenant);
    committed_destroy(committed);
}

static void start_worker(struct bench *bench, const char *const *files)
{
    struct error error = { "" };
    struct source *source = files_source_create(files, 2, engine_clock(&bench->engine), LINE_MAX_BYTES, &error);
    REQUIRE(source);
    bench->state = state_memory_create(NULL, NULL);
    stages_time_source(source);
    stages_time_state(bench->state);
    struct worker_parts parts = engine_parts(&bench->engine);
    parts.source = source;
    parts.state = bench->state;
    parts.context = bench;
    parts.committed = take;
    parts.cache_bytes = SIZE_MAX;
    parts.batch_records = bench->batch_records;
    bench->worker = worker_create(&parts);
}

/* Until so many records are counted. */
static void count_to(struct bench *bench, uint64_t records)
{
    struct error error = { "" };
    while (worker_counts(bench->worker).records < records && worker_turn(bench->worker, TURN_MS, &error)) continue;
    worker_drain(bench->worker, 0);
    REQUIRE(worker_counts(bench->worker).records == records);
}

static void load_boards(struct bench *bench)
{
    bench->following.engine = &bench->engine;
    for (size_t i = 0; bench->engine.catalogue->n_reports && i < bench->n_tenants; i++)
        following_load(&bench->following, bench->state, bench->tenants[i]);
    bench->following.rendered = bench->following.bytes = 0;
}

/* ---- the yardstick: the same bytes parsed and nothing more ---- */

static struct buffer read_file(const char *name)
{
    struct buffer text = { 0 };
    FILE *file = fopen(name, "rb");
    REQUIRE(file);
    for (size_t n = 1; n;) {
        buffer_reserve(&text, LINE_MAX_BYTES);
        text.len += n = fread(text.at + text.len, 1, LINE_MAX_BYTES, file);
    }
    fclose(file);
    return text;
}

static uint64_t count_lines(const struct buffer *text)
{
    uint64_t n = 0;
    for (const char *at = text->at, *end = at + text->len; (at = memchr(at, '\n', (size_t)(end - at))); at++) n++;
    return n;
}

__attribute__((noinline)) void yardstick(const char *line, size_t len);
void yardstick(const char *line, size_t len)
{
    yyjson_doc_free(yyjson_read(line, len, 0));
}

static void lay_yardstick(const struct buffer *text)
{
    const char *at = text->at, *end = at + text->len;
    for (const char *newline; (newline = memchr(at, '\n', (size_t)(end - at))); at = newline + 1) {
        enum stage before = stage_enter(STAGE_YARDSTICK);
        yardstick(at, (size_t)(newline - at));
        stage_leave(before);
    }
}

/* ---- what came out ---- */

static void print_result(const struct bench *bench, uint64_t events, size_t bytes, const struct sent *sent_before)
{
    struct sent sent = stages_sent();
    printf("{\"events\":%llu,\"event_bytes\":%zu,\"commits\":%llu,\"commands\":%llu,\"commit_bytes\":%llu,\"differences\":%zu,"
           "\"reports\":%zu,\"report_bytes\":%zu,\"stages\":{",
           (unsigned long long)events, bytes, (unsigned long long)(sent.commits - sent_before->commits),
           (unsigned long long)(sent.commands - sent_before->commands), (unsigned long long)(sent.bytes - sent_before->bytes),
           bench->differences, bench->following.rendered, bench->following.bytes);
    for (enum stage stage = 0; stage < N_STAGES; stage++) {
        struct stage_sum sum = stage_sum(stage);
        printf("%s\"%s\":{\"ns\":%.0f,\"calls\":%llu,\"allocations\":%llu,\"bytes\":%llu}", stage ? "," : "", stage_names[stage],
               sum.ns, (unsigned long long)sum.calls, (unsigned long long)sum.allocations, (unsigned long long)sum.bytes);
    }
    printf("}}\n");
}

static void run(struct bench *bench, const char *const *files)
{
    struct buffer history = read_file(files[0]), events = read_file(files[1]);
    uint64_t past = count_lines(&history), n = count_lines(&events);
    REQUIRE(n);
    buffer_deinit(&history);
    start_worker(bench, files);
    count_to(bench, past);
    load_boards(bench);
    struct sent before = stages_sent();
    bench->timed = true;
    stage_clock_start();
    count_to(bench, past + n);
    lay_yardstick(&events);
    stage_clock_stop();
    print_result(bench, n, events.len, &before);
    buffer_deinit(&events);
}

int main(int argc, char **argv)
{
    struct bench bench = { .batch_records = argc > 4 ? strtoul(argv[4], NULL, 10) : ROUND_RECORDS };
    struct error error = { "" };
    struct problems problems = { 0 };
    REQUIRE(argc >= 4 && bench.batch_records);
    if (getenv("BENCH_SLOWER")) stages_slow_down();
    struct settings *settings = settings_load(argv[3], environ, NEED_RULES, &problems);
    REQUIRE(settings);
    struct catalogue *catalogue = catalogue_effective(settings, &problems);
    REQUIRE(catalogue && engine_init(&bench.engine, settings, catalogue, &error));
    run(&bench, (const char *const[]){ argv[1], argv[2] });
    return 0;
}
