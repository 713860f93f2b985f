#include "daemon/run/requests.h"

#include "daemon/run/explanation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

bool explain_request(struct engine *engine, struct state *state, struct span request, struct buffer *out, struct error *error)
{
    return engine_explain(engine, state, NO_SPAN, request, out, error);
}

bool requests_answer_one(struct engine *engine, struct state *state, struct span request, answer_request answer,
                         struct error *error)
{
    struct buffer line = { 0 };
    bool fine = answer(engine, state, request, &line, error);
    if (fine) {
        buffer_byte(&line, '\n');
        fine = fwrite(line.at, 1, line.len, stdout) == line.len || fail(error, "standard output: %s", strerror(errno));
    }
    buffer_deinit(&line);
    return fine;
}

static struct span trim(struct span line)
{
    while (line.len && strchr(" \t\r\n", line.at[line.len - 1])) line.len--;
    while (line.len && strchr(" \t\r\n", line.at[0])) line.at++, line.len--;
    return line;
}

bool requests_answer(struct engine *engine, struct state *state, const char *file, answer_request answer, struct error *error)
{
    FILE *in = strcmp(file, "-") == 0 ? stdin : fopen(file, "r");
    if (!in) return fail(error, "%s: %s", file, strerror(errno));
    char *line = NULL;
    size_t room = 0;
    bool fine = true;
    for (ssize_t n; fine && (n = getline(&line, &room, in)) >= 0;) {
        struct span request = trim((struct span){ line, (size_t)n });
        if (request.len) fine = requests_answer_one(engine, state, request, answer, error);
    }
    if (fine && ferror(in)) fine = fail(error, "%s: %s", file, strerror(errno));
    free(line);
    if (in != stdin) fclose(in);
    return fflush(stdout) == 0 ? fine : fail(error, "standard output: %s", strerror(errno));
}
