/* The commands of crm-reportd, as a table, and what they share: help, wrong usage, settings. */
#pragma once

#include "daemon/settings/settings.h"

#include <getopt.h>

enum exit_code {
    EXIT_OK,
    EXIT_FAILED,   /* something did not work: the reason is on stderr */
    EXIT_USAGE,    /* wrong usage, or settings that are wrong */
    EXIT_REJECTED, /* replay: some events were rejected */
    EXIT_DIFFERS   /* verify: something differs */
};

struct command {
    const char *name, *summary;
    const char *help;                  /* what it does, options, exit codes, examples */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns an exit code */
};

/* The command that the arguments of main name; NULL: none, or all is said already (help, version, wrong usage) and `code`
 * is what to exit with. "--help" anywhere behind a command is answered here, too. */
const struct command *command_choose(int argc, char **argv, int *code);

/* "crm-reportd check: …", and where to read on, on stderr. Returns EXIT_USAGE. */
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For getopt_long's '?' and ':' (with opterr = 0): which option is unknown or lacks its value, with a suggestion. Returns EXIT_USAGE. */
int usage_option(char **argv, const struct option *options, int got);

/* The settings of -c FILE, else of $CRM_REPORTD_CONFIG, else of the environment alone. NULL after telling what is wrong, all
 * of it, on stderr: exit with EXIT_USAGE. */
struct settings *command_settings(const char *command, const char *config, enum settings_need need) MUST_USE;
const char *command_config(const char *config); /* the file's name by that rule; NULL: none */

/* One per file. */
int command_catalogue_print(int argc, char **argv);
int command_check(int argc, char **argv);
int command_demo(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_query(int argc, char **argv);
int command_rebuild(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_run(int argc, char **argv);
int command_verify(int argc, char **argv);

/* Their help texts. */
extern const char help_catalogue[], help_check[], help_demo[], help_explain[], help_query[], help_rebuild[], help_replay[],
    help_run[], help_verify[];
