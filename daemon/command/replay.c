/* crm-reportd replay: files of events folded in memory by the daemon's own worker, then questions answered. */
#include "common/instant.h"
#include "daemon/command/command.h"
#include "daemon/command/effective.h"
#include "daemon/run/reports.h"
#include "daemon/run/requests.h"
#include "daemon/source/files.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TURN_MS = 100,
    COMMIT_RECORDS = 8192,
    CACHE_BYTES = 128 << 20 /* the state is in memory, too */
};

struct options {
    const char *config, *query, *explain, *report;
    int64_t as_of_us;
    char **files;
    size_t n_files;
};

static const struct option long_options[] = {
    { "as-of", required_argument, NULL, 'a' },
    { "config", required_argument, NULL, 'c' },
    { "query", required_argument, NULL, 'q' },
    { "explain", required_argument, NULL, 'e' },
    { "report", required_argument, NULL, 'r' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* Standard input can be read once. */
static bool takes_input_twice(const struct options *options)
{
    int n = 0;
    for (size_t i = 0; i < options->n_files; i++) n += strcmp(options->files[i], "-") == 0;
    if (options->query) n += strcmp(options->query, "-") == 0;
    if (options->explain) n += strcmp(options->explain, "-") == 0;
    return n > 1;
}

/* Where the option's text goes, which is given once; NULL: it is none of these. */
static const char **place_of(struct options *options, int got)
{
    return got == 'q' ? &options->query : got == 'e' ? &options->explain : got == 'r' ? &options->report : NULL;
}

static int read_options(int argc, char **argv, struct options *options)
{
    opterr = 0;
    options->as_of_us = NO_INSTANT;
    for (int got; (got = getopt_long(argc, argv, ":c:", long_options, NULL)) != -1;) {
        const char **place = place_of(options, got);
        switch (got) {
        case 'a':
            if (!instant_parse(span_of(optarg), &options->as_of_us) || !instant_is_possible(options->as_of_us))
                return usage_error(argv[0], "--as-of is \"%s\", expected an instant like 2026-03-31T12:00:00Z", optarg);
            break;
        case 'c':
            options->config = optarg;
            break;
        default:
            if (!place) return usage_option(argv, long_options, got);
            if (*place)
                return usage_error(argv[0], "\"%s\" and \"%s\" are given by the same option, expected one of them", *place,
                                   optarg);
            *place = optarg;
        }
    }
    options->files = argv + optind;
    options->n_files = (size_t)(argc - optind);
    if (!options->n_files) return usage_error(argv[0], "which files of events? (- is standard input)");
    if (takes_input_twice(options)) return usage_error(argv[0], "- is standard input, which can be read only once");
    return EXIT_OK;
}

/* ---- folding ---- */

/* What the worker's callbacks need. The engine is first: it is the clock's context. */
struct replay {
    struct engine engine;
    const struct options *options;
    uint64_t rejected;
    struct arena arena; /* of the tenants' names */
    struct span *tenants;
    size_t n_tenants;
};

static void tell_rejected(void *context, const struct record *record, const struct rejection *rejection)
{
    struct replay *replay = context;
    replay->rejected++;
    if (replay->options->n_files > 1) fprintf(stderr, "%s: ", replay->options->files[record->partition]);
    fprintf(stderr, "line %lld: %s: %s\n", (long long)record->offset, reason_names[rejection->reason], rejection->message);
}

/* A tenant's first commit: its name is kept. */
static void note_tenant(void *context, struct committed *committed)
{
    struct replay *replay = context;
    if (committed->version_before == 0) {
        replay->tenants = must_realloc(replay->tenants, (replay->n_tenants + 1) * sizeof *replay->tenants);
        replay->tenants[replay->n_tenants++] = arena_copy(&replay->arena, committed->tenant);
    }
    committed_destroy(committed);
}

static bool fold(struct replay *replay, struct source *source, struct state *state, struct error *error)
{
    struct worker_parts parts = engine_parts(&replay->engine);
    parts.source = source;
    parts.state = state;
    parts.context = replay;
    parts.rejected = tell_rejected;
    if (replay->options->report) parts.committed = note_tenant;
    parts.cache_bytes = CACHE_BYTES;
    parts.batch_records = COMMIT_RECORDS;
    struct worker *worker = worker_create(&parts);
    while (worker_turn(worker, TURN_MS, error)) continue;
    worker_drain(worker, 0);
    const char *trouble = source_trouble(source);
    if (!error->text[0] && trouble) fail(error, "%s", trouble);
    worker_destroy(worker);
    return !error->text[0];
}

static bool answer(struct replay *replay, struct state *state, struct error *error)
{
    const struct options *options = replay->options;
    if (options->query && !requests_answer(&replay->engine, state, options->query, engine_answer, error)) return false;
    if (options->explain && !requests_answer(&replay->engine, state, options->explain, explain_request, error)) return false;
    if (!options->report) return true;
    if (replay->n_tenants) qsort(replay->tenants, replay->n_tenants, sizeof *replay->tenants, spans_compare);
    return reports_print(&replay->engine, state, options->report, replay->tenants, replay->n_tenants, error);
}

static bool replay_files(struct replay *replay, struct error *error)
{
    const struct options *options = replay->options;
    int64_t now_us = engine_clock(&replay->engine);
    size_t line_max = (size_t)replay->engine.settings->max_event_bytes + 1;
    struct source *source = files_source_create((const char *const *)options->files, options->n_files, now_us, line_max, error);
    if (!source) return false;
    struct state *state = state_memory_create(NULL, NULL);
    bool fine = fold(replay, source, state, error) && answer(replay, state, error);
    state->ops->destroy(state);
    source_destroy(source);
    return fine;
}

static void no_report(const struct catalogue *catalogue, const char *name, struct error *error)
{
    const char *best = catalogue_report_suggestion(catalogue, span_of(name));
    if (best)
        fail(error, "no report \"%s\" in the catalogue; did you mean %s?", name, best);
    else
        fail(error, "no report \"%s\" in the catalogue", name);
}

int command_replay(int argc, char **argv)
{
    struct options options = { 0 };
    struct replay replay = { .options = &options };
    struct error error = { "" };
    int code = read_options(argc, argv, &options);
    if (code) return code;
    struct settings *settings = command_settings(argv[0], options.config, NEED_RULES);
    if (!settings) return EXIT_USAGE;
    struct catalogue *catalogue = command_catalogue(argv[0], settings);
    code = EXIT_USAGE;
    if (catalogue && options.report && !catalogue_report(catalogue, span_of(options.report)))
        no_report(catalogue, options.report, &error);
    else if (catalogue && engine_init(&replay.engine, settings, catalogue, &error)) {
        replay.engine.set_clock_us = options.as_of_us != NO_INSTANT ? options.as_of_us : engine_clock(&replay.engine);
        code = replay_files(&replay, &error) ? replay.rejected ? EXIT_REJECTED : EXIT_OK : EXIT_FAILED;
    }
    if (error.text[0]) fprintf(stderr, "crm-reportd replay: %s\n", error.text);
    free(replay.tenants);
    arena_deinit(&replay.arena);
    catalogue_destroy(catalogue);
    settings_destroy(settings);
    return code;
}
