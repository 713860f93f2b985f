/* Requests as lines of a file, answered one by one on standard output. */
#pragma once

#include "daemon/run/engine.h"

/* Answers one request: engine_answer, or explain_request. */
typedef bool (*answer_request)(struct engine *engine, struct state *state, struct span request, struct buffer *out,
                               struct error *error);
bool explain_request(struct engine *engine, struct state *state, struct span request, struct buffer *out, struct error *error);

/* "-": standard input. False: the file or the state cannot be read. */
bool requests_answer(struct engine *engine, struct state *state, const char *file, answer_request answer,
                     struct error *error) MUST_USE;
bool requests_answer_one(struct engine *engine, struct state *state, struct span request, answer_request answer,
                         struct error *error) MUST_USE;
