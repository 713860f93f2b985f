/* How a decoder says no: reason and message, once, where the cause is known. */
#pragma once

#include "common/error.h"
#include "daemon/intake/event.h"

/* Sets reason and message (printf; names attributes, never values). Always returns false: `return reject(rejection, …)`. */
bool reject(struct rejection *rejection, enum reason reason, const char *format, ...) __attribute__((format(printf, 3, 4)));
