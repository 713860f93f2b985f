/* What commands do that work with an engine beside the running daemon: settings, catalogue, engine, and the end of them. */
#pragma once

#include "daemon/command/command.h"
#include "daemon/run/engine.h"

/* Does it; `context` is the command's own. Returns an exit code; `error`: why it failed, to be told. */
typedef int (*engine_act)(struct engine *engine, void *context, struct error *error);

/* Loads what settings ask for and calls `act`; all that is wrong is told on stderr. Returns what to exit with. */
int command_with_engine(const char *command, const char *config, enum settings_need need, engine_act act, void *context);
