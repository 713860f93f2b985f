/* What is wrong, all of it at once: where, what was found, what was expected. Also used for notes of the same form. */
#pragma once

#include "common/arena.h"
#include "common/error.h"

#include <stdio.h>

struct problem {
    const char *where; /* "redis.url", "tenants.acme.week_start", a file name; may be empty */
    const char *text;  /* `found the number 7, expected …` */
};

/* A zeroed struct problems is an empty one. */
struct problems {
    struct arena arena;
    struct problem *at;
    size_t n, room;
};

/* What a look at something came to. */
struct findings {
    struct problems wrong;  /* does not work like this */
    struct problems advice; /* works, but */
    struct problems good;   /* how it is */
};
void findings_deinit(struct findings *findings);

/* Adds one, unless the same is there already. Never holds a secret: that is up to the caller. */
void problem_add(struct problems *problems, const char *where, const char *format, ...) __attribute__((format(printf, 3, 4)));
void problems_deinit(struct problems *problems);

/* One line each, "where: text", and `prefix` before it. */
void problems_print(const struct problems *problems, const char *prefix, FILE *stream);

/* Adds to an error as many as fit, separated by "; ". Always returns false. */
bool problems_fail(const struct problems *problems, struct error *error);
