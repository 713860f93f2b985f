/* Requests as lines of a file, answered one by one on standard output. */
#pragma once

#include "daemon/run/engine.h"

/* "-": standard input. False: the file or the state cannot be read. */
bool requests_answer(struct engine *engine, struct state *state, const char *file, struct error *error) MUST_USE;
bool requests_answer_one(struct engine *engine, struct state *state, struct span request, struct error *error) MUST_USE;
