/* crm-reportd query and explain: requests answered from what stands in Redis, without the daemon. */
#include "daemon/command/with_engine.h"
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

/* What was asked for, and by which command. */
struct asking {
    char **requests; /* of the command line; without, those of standard input */
    int n;
    answer_request answer;
};

static bool answer_all(struct engine *engine, struct state *state, const struct asking *asking, struct error *error)
{
    bool fine = true;
    for (int i = 0; i < asking->n && fine; i++)
        fine = requests_answer_one(engine, state, span_of(asking->requests[i]), asking->answer, error);
    return asking->n ? fine : requests_answer(engine, state, "-", asking->answer, error);
}

static int answer_from_redis(struct engine *engine, void *asking, struct error *error)
{
    struct redis_settings redis = engine_redis(engine);
    struct state *state = state_redis_create(&redis);
    bool fine = state_redis_connect(state, error) && answer_all(engine, state, asking, error);
    state->ops->destroy(state);
    return fine ? EXIT_OK : EXIT_FAILED;
}

static int answer_requests(int argc, char **argv, answer_request answer)
{
    const char *config = NULL;
    int code = read_options(argc, argv, &config);
    struct asking asking = { argv + optind, argc - optind, answer };
    return code ? code : command_with_engine(argv[0], config, NEED_REDIS, answer_from_redis, &asking);
}

int command_query(int argc, char **argv)
{
    return answer_requests(argc, argv, engine_answer);
}

int command_explain(int argc, char **argv)
{
    return answer_requests(argc, argv, explain_request);
}
