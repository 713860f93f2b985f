/* crm-reportd demo: the whole of it on one machine, with nothing to configure: a CRM that never sleeps, and its reports. */
#include "daemon/command/command.h"
#include "daemon/demo/show.h"

#include <errno.h>
#include <stdlib.h>

enum {
    RATE = 20,
    RATE_MAX = 20000,
    SECONDS_MAX = 1000000000
};

static const struct option long_options[] = {
    { "seconds", required_argument, NULL, 's' }, { "rate", required_argument, NULL, 'r' },
    { "seed", required_argument, NULL, 'd' },    { "plain", no_argument, NULL, 'p' },
    { "once", no_argument, NULL, 'o' },          { "keep", no_argument, NULL, 'k' },
    { "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 },
};

static int read_number(const char *option, const char *text, long min, long max, long *number)
{
    char *end;
    errno = 0;
    *number = strtol(text, &end, 10);
    if (!errno && end != text && !*end && *number >= min && *number <= max) return EXIT_OK;
    return usage_error("demo", "--%s takes a whole number %ld…%ld, not \"%s\"", option, min, max, text);
}

static int read_option(int got, struct demo_options *options)
{
    switch (got) {
    case 's':
        return read_number("seconds", optarg, 1, SECONDS_MAX, &options->seconds);
    case 'r':
        return read_number("rate", optarg, 1, RATE_MAX, &options->rate);
    case 'd':
        return read_number("seed", optarg, 0, INT32_MAX, &options->seed);
    case 'p':
        options->plain = true;
        return EXIT_OK;
    case 'o':
        options->once = true;
        return EXIT_OK;
    default:
        options->keep = true;
        return EXIT_OK;
    }
}

static int read_options(int argc, char **argv, struct demo_options *options)
{
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, ":", long_options, NULL)) != -1;) {
        if (got == '?' || got == ':') return usage_option(argv, long_options, got);
        int code = read_option(got, options);
        if (code) return code;
    }
    if (optind < argc) return usage_error(argv[0], "unexpected \"%s\"", argv[optind]);
    return EXIT_OK;
}

static void tell_what_stays(const struct stage *stage)
{
    printf(
        "\nRedis stays, as process %d, with everything in %s:\n"
        "  redis-cli -s %s smembers crm:tenants\n"
        "  redis-cli -s %s get 'crm:{acme}:report:service'\n"
        "  crm-reportd query -c %s '{\"tenant\":\"acme\",\"metric\":\"revenue\",\"period\":\"last_month\",\"by\":[\"owner\"]}'\n"
        "End it with:\n"
        "  kill %d; rm -r %s\n",
        (int)stage->redis.pid, stage->redis.folder, stage->redis.socket, stage->redis.socket, stage->settings_file,
        (int)stage->redis.pid, stage->redis.folder);
}

int command_demo(int argc, char **argv)
{
    struct demo_options options = { .rate = RATE, .seed = 1 };
    struct error error = { "" };
    struct stage stage;
    int code = read_options(argc, argv, &options);
    if (code) return code;
    int signals = show_signals();
    bool fine = stage_open(&stage, &options, &error) && show_run(&stage, &options, signals, &error);
    bool keep = fine && options.keep;
    stage_close(&stage, keep);
    if (keep) tell_what_stays(&stage);
    if (!fine) fprintf(stderr, "crm-reportd demo: %s\n", error.text);
    return fine ? EXIT_OK : EXIT_FAILED;
}
