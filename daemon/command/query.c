/* crm-reportd query and explain: requests answered from what stands in Redis, without the daemon. */
#include "daemon/command/command.h"
#include "daemon/command/effective.h"
#include "daemon/run/requests.h"
#include "daemon/state/redis.h"

#include <stdio.h>

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int read_options(int argc, char **argv, const char **config)
{
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, ":c:", long_options, NULL)) != -1;) {
        if (got != 'c') return usage_option(argv, long_options, got);
        *config = optarg;
    }
    return EXIT_OK;
}

/* Requests of the command line, else of standard input. */
static bool answer_all(struct engine *engine, struct state *state, char **requests, int n, answer_request answer,
                       struct error *error)
{
    bool fine = true;
    for (int i = 0; i < n && fine; i++) fine = requests_answer_one(engine, state, span_of(requests[i]), answer, error);
    return n ? fine : requests_answer(engine, state, "-", answer, error);
}

static bool answer_from_redis(struct engine *engine, char **requests, int n, answer_request answer, struct error *error)
{
    struct redis_settings redis = engine_redis(engine);
    struct state *state = state_redis_create(&redis);
    bool fine = state_redis_connect(state, error) && answer_all(engine, state, requests, n, answer, error);
    state->ops->destroy(state);
    return fine;
}

static int answer_requests(int argc, char **argv, answer_request answer)
{
    const char *config = NULL;
    struct error error = { "" };
    struct engine engine;
    int code = read_options(argc, argv, &config);
    if (code) return code;
    struct settings *settings = command_settings(argv[0], config, NEED_REDIS);
    if (!settings) return EXIT_USAGE;
    struct catalogue *catalogue = command_catalogue(argv[0], settings);
    code = EXIT_USAGE;
    if (catalogue && engine_init(&engine, settings, catalogue, &error))
        code = answer_from_redis(&engine, argv + optind, argc - optind, answer, &error) ? EXIT_OK : EXIT_FAILED;
    if (error.text[0]) fprintf(stderr, "crm-reportd %s: %s\n", argv[0], error.text);
    catalogue_destroy(catalogue);
    settings_destroy(settings);
    return code;
}

int command_query(int argc, char **argv)
{
    return answer_requests(argc, argv, engine_answer);
}

int command_explain(int argc, char **argv)
{
    return answer_requests(argc, argv, explain_request);
}
