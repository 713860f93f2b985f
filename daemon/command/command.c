#include "daemon/command/command.h"

#include "common/suggest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

/* clang-format off */
static const struct command commands[] = {
    { "run",    "the daemon: events from Kafka, numbers in Redis, reports out",     help_run,    command_run },
    { "demo",   "see it work: a CRM that never sleeps, and its reports, all on this machine", help_demo, command_demo },
    { "replay", "fold files of events in memory, answer questions of them",        help_replay, command_replay },
    { "query",  "answer requests from what stands in Redis",                        help_query,  command_query },
    { "explain", "the entities behind a number of Redis, and what each adds",        help_explain, command_explain },
    { "check",  "read settings and catalogue, try Kafka and Redis, name every problem", help_check,  command_check },
    { "catalogue", "print the metrics, reports and facts there are: table, JSON or Markdown", help_catalogue, command_catalogue_print },
    { "rebuild", "count tenants anew beside the running daemon, after other settings or a difference", help_rebuild, command_rebuild },
    { "verify", "compare Redis with a fresh count from the topics, name every number that differs", help_verify, command_verify },
};
/* clang-format on */
enum {
    N_COMMANDS = sizeof commands / sizeof commands[0]
};

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!strcmp(commands[i].name, name)) return &commands[i];
    return NULL;
}

static void help_all(void)
{
    printf("crm-reportd reads what happens in a CRM from Kafka, keeps the metrics of its catalogue in Redis, and publishes\n"
           "refreshed reports.\n\n"
           "usage: crm-reportd COMMAND [OPTION …]\n\n");
    for (size_t i = 0; i < N_COMMANDS; i++) printf("  %-9s %s\n", commands[i].name, commands[i].summary);
    printf("\n"
           "  crm-reportd help COMMAND   what it does, its options, exit codes, examples (also: COMMAND --help)\n"
           "  crm-reportd --version\n\n"
           "Settings: one JSON file (-c FILE, or $CRM_REPORTD_CONFIG); each also as environment variable, for example\n"
           "CRM_REPORTD_REDIS_URL for redis.url. `crm-reportd check --settings` lists them all.\n\n"
           "Exit codes: 0 fine, 1 failure, 2 wrong usage or settings, 3 some events were rejected (replay),\n"
           "4 something differs (verify).\n");
}

static int no_such_command(const char *name)
{
    struct suggestion suggestion = { .name = span_of(name) };
    for (size_t i = 0; i < N_COMMANDS; i++) suggest(&suggestion, commands[i].name);
    if (suggestion.best) return usage_error(NULL, "unknown command \"%s\"; did you mean %s?", name, suggestion.best);
    return usage_error(NULL, "unknown command \"%s\"", name);
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) return true;
    return false;
}

static int help(const char *name)
{
    const struct command *command = name ? find(name) : NULL;
    if (name && !command) return no_such_command(name);
    if (command)
        fputs(command->help, stdout);
    else
        help_all();
    return EXIT_OK;
}

const struct command *command_choose(int argc, char **argv, int *code)
{
    const char *name = argc > 1 ? argv[1] : "";
    const struct command *command = find(name);
    *code = EXIT_OK;
    if (command && asks_for_help(argc - 1, argv + 1))
        *code = help(name);
    else if (command)
        return command;
    else if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
        *code = help(argc > 2 ? argv[2] : NULL);
    else if (!strcmp(name, "--version") || !strcmp(name, "-V"))
        printf("crm-reportd %s\n", CRM_REPORTD_VERSION);
    else if (!name[0])
        *code = usage_error(NULL, "which command?");
    else if (name[0] == '-')
        *code = usage_error(NULL, "unknown option %s: a command comes first", name);
    else
        *code = no_such_command(name);
    return NULL;
}

int usage_error(const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "crm-reportd%s%s: ", command ? " " : "", command ? command : "");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nTry: crm-reportd%s%s --help\n", command ? " " : "", command ? command : "");
    va_end(args);
    return EXIT_USAGE;
}

int usage_option(char **argv, const struct option *options, int got)
{
    const char *given = optind > 0 ? argv[optind - 1] : "";
    if (got == ':') return usage_error(argv[0], "option %s needs a value", given);
    if (strncmp(given, "--", 2) != 0) return usage_error(argv[0], "unknown option -%c", optopt);
    struct suggestion suggestion = { .name = { given + 2, strcspn(given + 2, "=") } };
    for (; options->name; options++) suggest(&suggestion, options->name);
    if (!suggestion.best) return usage_error(argv[0], "unknown option %s", given);
    if (suggestion.distance == 0) return usage_error(argv[0], "option --%s takes no value", suggestion.best);
    return usage_error(argv[0], "unknown option %s; did you mean --%s?", given, suggestion.best);
}

const char *command_config(const char *config)
{
    if (!config) config = getenv("CRM_REPORTD_CONFIG");
    return config && config[0] ? config : NULL;
}

struct settings *command_settings(const char *command, const char *config, enum settings_need need)
{
    struct problems problems = { 0 };
    struct settings *settings = settings_load(command_config(config), environ, need, &problems);
    if (problems.n) {
        fprintf(stderr, "crm-reportd %s: the settings are wrong (%zu):\n", command, problems.n);
        problems_print(&problems, "  ", stderr);
    }
    problems_deinit(&problems);
    return settings;
}
