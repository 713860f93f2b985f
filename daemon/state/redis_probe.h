/* A look at Redis before the daemon relies on it: reachable, let in, and set up to keep what is written? For `check`. */
#pragma once

#include "daemon/settings/settings.h"

/* Waits at most `timeout_ms` (or the settings' own timeouts, where shorter) for each step. Changes nothing. */
void redis_probe(const struct settings *settings, int64_t timeout_ms, struct findings *findings);
