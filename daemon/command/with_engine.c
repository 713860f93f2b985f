#include "daemon/command/with_engine.h"

#include "daemon/command/effective.h"

#include <stdio.h>

int command_with_engine(const char *command, const char *config, enum settings_need need, engine_act act, void *context)
{
    struct error error = { "" };
    struct engine engine;
    int code = EXIT_USAGE;
    struct settings *settings = command_settings(command, config, need);
    if (!settings) return code;
    struct catalogue *catalogue = command_catalogue(command, settings);
    if (catalogue && engine_init(&engine, settings, catalogue, &error)) code = act(&engine, context, &error);
    if (error.text[0]) fprintf(stderr, "crm-reportd %s: %s\n", command, error.text);
    catalogue_destroy(catalogue);
    settings_destroy(settings);
    return code;
}
