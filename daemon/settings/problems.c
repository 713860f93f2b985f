#include "daemon/settings/problems.h"

#include <stdarg.h>
#include <stdlib.h>

static bool known(const struct problems *problems, const char *where, const char *text)
{
    for (size_t i = 0; i < problems->n; i++)
        if (!strcmp(problems->at[i].where, where) && !strcmp(problems->at[i].text, text)) return true;
    return false;
}

void problem_add(struct problems *problems, const char *where, const char *format, ...)
{
    char text[ERROR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (known(problems, where, text)) return;
    if (problems->n == problems->room) {
        problems->room = problems->room ? problems->room * 2 : 16;
        problems->at = must_realloc(problems->at, problems->room * sizeof *problems->at);
    }
    problems->at[problems->n++] = (struct problem){
        .where = arena_text(&problems->arena, span_of(where)),
        .text = arena_text(&problems->arena, span_of(text)),
    };
}

void problems_deinit(struct problems *problems)
{
    free(problems->at);
    arena_deinit(&problems->arena);
    *problems = (struct problems){ 0 };
}

void findings_deinit(struct findings *findings)
{
    problems_deinit(&findings->wrong);
    problems_deinit(&findings->advice);
    problems_deinit(&findings->good);
}

void problems_print(const struct problems *problems, const char *prefix, FILE *stream)
{
    for (size_t i = 0; i < problems->n; i++) {
        const struct problem *problem = &problems->at[i];
        fprintf(stream, "%s%s%s%s\n", prefix, problem->where, problem->where[0] ? ": " : "", problem->text);
    }
}

bool problems_fail(const struct problems *problems, struct error *error)
{
    struct error all = { "" };
    size_t used = 0;
    for (size_t i = 0; i < problems->n && used < sizeof all.text; i++) {
        const struct problem *problem = &problems->at[i];
        used += (size_t)snprintf(all.text + used, sizeof all.text - used, "%s%s%s%s", i ? "; " : "", problem->where,
                                 problem->where[0] ? ": " : "", problem->text);
    }
    return fail(error, "%s", all.text);
}
