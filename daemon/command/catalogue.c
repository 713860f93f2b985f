/* crm-reportd catalogue: what can be asked and what is published, as it stands with the settings' own files. */
#include "common/suggest.h"
#include "daemon/catalogue/describe.h"
#include "daemon/command/command.h"
#include "daemon/command/effective.h"

#include <stdio.h>

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "format", required_argument, NULL, 'f' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static void write_json_line(const struct catalogue *catalogue, struct buffer *out)
{
    catalogue_write_json(catalogue, out);
    buffer_byte(out, '\n');
}

typedef void (*writer)(const struct catalogue *catalogue, struct buffer *out);

static const char *const format_names[] = { "table", "json", "markdown", NULL };
static const writer writers[] = { catalogue_write_table, write_json_line, catalogue_write_markdown };

struct options {
    const char *config;
    writer write;
};

static int read_format(const char *command, const char *name, struct options *options)
{
    for (int i = 0; format_names[i]; i++) {
        if (strcmp(name, format_names[i]) != 0) continue;
        options->write = writers[i];
        return EXIT_OK;
    }
    const char *best = suggest_from(span_of(name), format_names);
    if (best) return usage_error(command, "--format is \"%s\", did you mean %s?", name, best);
    return usage_error(command, "--format is \"%s\", expected table, json or markdown", name);
}

static int read_options(int argc, char **argv, struct options *options)
{
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, ":c:f:", long_options, NULL)) != -1;) {
        int code = EXIT_OK;
        if (got == 'c')
            options->config = optarg;
        else if (got == 'f')
            code = read_format(argv[0], optarg, options);
        else
            code = usage_option(argv, long_options, got);
        if (code) return code;
    }
    if (optind < argc) return usage_error(argv[0], "unexpected \"%s\"", argv[optind]);
    return EXIT_OK;
}

int command_catalogue_print(int argc, char **argv)
{
    struct options options = { .write = catalogue_write_table };
    int code = read_options(argc, argv, &options);
    if (code) return code;
    struct settings *settings = command_settings(argv[0], options.config, NEED_RULES);
    if (!settings) return EXIT_USAGE;
    struct catalogue *catalogue = command_catalogue(argv[0], settings);
    struct buffer text = { 0 };
    if (catalogue) options.write(catalogue, &text);
    if (text.len) fwrite(text.at, 1, text.len, stdout);
    buffer_deinit(&text);
    code = catalogue ? EXIT_OK : EXIT_USAGE;
    catalogue_destroy(catalogue);
    settings_destroy(settings);
    return code;
}
