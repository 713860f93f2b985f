/* crm-reportd rebuild: tenants counted anew, beside the running daemon. */
#include "daemon/command/with_engine.h"
#include "daemon/run/rebuilding.h"

#include <stdio.h>

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "all", no_argument, NULL, 'a' },
    { "from-entities", no_argument, NULL, 'e' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int read_options(int argc, char **argv, const char **config, struct rebuild_options *options)
{
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, ":c:", long_options, NULL)) != -1;) {
        if (got == '?' || got == ':') return usage_option(argv, long_options, got);
        if (got == 'c') *config = optarg;
        if (got == 'a') options->all = true;
        if (got == 'e') options->from_entities = true;
    }
    options->tenants = argv + optind;
    options->n_tenants = (size_t)(argc - optind);
    if (options->all && options->n_tenants) return usage_error(argv[0], "either --all or names of tenants");
    return EXIT_OK;
}

static int rebuild(struct engine *engine, void *options, struct error *error)
{
    struct rebuild_result result;
    bool fine = engine_rebuild(engine, options, &result, error);
    if (fine && !result.tenants)
        printf("nothing to rebuild: all tenants were counted by these settings and this catalogue\n");
    else
        printf("%zu of %zu tenant%s counted anew\n", result.switched, result.tenants, result.tenants == 1 ? "" : "s");
    return fine ? EXIT_OK : EXIT_FAILED;
}

int command_rebuild(int argc, char **argv)
{
    const char *config = NULL;
    struct rebuild_options options = { 0 };
    int code = read_options(argc, argv, &config, &options);
    return code ? code : command_with_engine(argv[0], config, NEED_ALL, rebuild, &options);
}
