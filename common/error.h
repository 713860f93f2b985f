/* One small error: made once, where the cause is known, and carried to whoever can say it. */
#pragma once

#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))

enum {
    ERROR_TEXT_BYTES = 512
};

/* Empty text = no error. Functions that can fail return false and fill it; the first cause stays. */
struct error {
    char text[ERROR_TEXT_BYTES];
};

/* Sets the text (printf) unless one stands there already. Always returns false: `return fail(error, "...")`. */
bool fail(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "where: " in front of the text. Always returns false. */
bool fail_in(struct error *error, const char *where);

/* For programmers' errors and for memory that is not to be had: says so and aborts, also in release builds. */
#define REQUIRE(condition) ((condition) ? (void)0 : require_failed(#condition, __FILE__, __LINE__))
_Noreturn void require_failed(const char *condition, const char *file, int line);

/* malloc, calloc and realloc that do not come back without memory. */
void *must_alloc(unsigned long bytes);
void *must_zalloc(unsigned long bytes);
void *must_realloc(void *old, unsigned long bytes);
