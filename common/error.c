#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fail(struct error *error, const char *format, ...)
{
    if (!error || error->text[0]) return false;
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return false;
}

bool fail_in(struct error *error, const char *where)
{
    char text[ERROR_TEXT_BYTES];
    memcpy(text, error->text, sizeof text);
    int n = snprintf(error->text, sizeof error->text, "%.200s: ", where);
    snprintf(error->text + n, sizeof error->text - (size_t)n, "%.300s", text);
    return false;
}

_Noreturn void require_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "event=programmers_error condition=\"%s\" at=%s:%d\n", condition, file, line);
    abort();
}

void *must_alloc(unsigned long bytes)
{
    void *p = malloc(bytes ? bytes : 1);
    REQUIRE(p != NULL);
    return p;
}

void *must_zalloc(unsigned long bytes)
{
    void *p = calloc(1, bytes ? bytes : 1);
    REQUIRE(p != NULL);
    return p;
}

void *must_realloc(void *old, unsigned long bytes)
{
    void *p = realloc(old, bytes ? bytes : 1);
    REQUIRE(p != NULL);
    return p;
}
