/* A request to explain a number, answered from a state: what the command, replay and the HTTP server call. */
#pragma once

#include "daemon/run/engine.h"

/* Answers one request (JSON text, as of `query`, and "limit") as one JSON line without its end; errors of the request are answers,
 * too, with the codes of `query`. `tenant`: whose numbers they must be; a request that names another one is a bad one. .at NULL: that of the request, else "default". `state`: of this thread alone, connected; it is only read.
 * False: the state could not be read (nothing is appended), or the tenant never rests and is too large to be read in one step.
 * It folds all entities of the tenant: about a second per 500,000 of them, and some memory per fact that counts. */
bool engine_explain(struct engine *engine, struct state *state, struct span tenant, struct span request, struct buffer *out,
                    struct error *error) MUST_USE;
