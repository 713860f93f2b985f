/* crm-reportd verify: what stands in Redis, compared with a fresh count. */
#include "daemon/command/with_engine.h"
#include "daemon/run/verification.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MOST = 100,
    MOST_MAX = 1000000
};

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "entities", no_argument, NULL, 'e' },
    { "most", required_argument, NULL, 'm' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int read_most(const char *text, size_t *most)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || end == text || *end || number < 1 || number > MOST_MAX)
        return usage_error("verify", "--most takes a whole number 1…%d, not \"%s\"", MOST_MAX, text);
    *most = (size_t)number;
    return EXIT_OK;
}

static int read_options(int argc, char **argv, const char **config, struct verify_options *options)
{
    opterr = 0;
    for (int got, code; (got = getopt_long(argc, argv, ":c:", long_options, NULL)) != -1;) {
        if (got == '?' || got == ':') return usage_option(argv, long_options, got);
        if (got == 'c') *config = optarg;
        if (got == 'e') options->entities_only = true;
        if (got == 'm' && (code = read_most(optarg, &options->most))) return code;
    }
    options->tenants = argv + optind;
    options->n_tenants = (size_t)(argc - optind);
    return EXIT_OK;
}

static int verify(struct engine *engine, void *options, struct error *error)
{
    struct verify_result result;
    if (!engine_verify(engine, options, &result, error)) return EXIT_FAILED;
    printf("%zu tenant%s, %zu difference%s\n", result.tenants, result.tenants == 1 ? "" : "s", result.differences,
           result.differences == 1 ? "" : "s");
    *error = result.unknown;
    return result.differ ? EXIT_DIFFERS : error->text[0] ? EXIT_FAILED : EXIT_OK;
}

int command_verify(int argc, char **argv)
{
    const char *config = NULL;
    struct verify_options options = { .most = MOST };
    int code = read_options(argc, argv, &config, &options);
    return code ? code : command_with_engine(argv[0], config, NEED_ALL, verify, &options);
}
