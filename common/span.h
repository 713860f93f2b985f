/* A piece of somebody else's bytes: text that is read, compared and handed on, never owned. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `at` may be NULL only when `len` is 0. Not terminated. The owner of the bytes must outlive it. */
struct span {
    const char *at;
    size_t len;
};

#define SPAN(literal) ((struct span){ "" literal, sizeof(literal) - 1 })
#define NO_SPAN ((struct span){ NULL, 0 })
#define SPAN_ARG(s) (int)(s).len, (s).at /* for printf's "%.*s" */

static inline struct span span_of(const char *text)
{
    return (struct span){ text, text ? strlen(text) : 0 };
}

/* Ids and names that are not equal mostly differ at their end. */
static inline bool span_equal(struct span a, struct span b)
{
    if (a.len != b.len) return false;
    return a.len == 0 || (a.at[a.len - 1] == b.at[a.len - 1] && memcmp(a.at, b.at, a.len) == 0);
}

static inline bool span_is(struct span a, const char *text)
{
    return span_equal(a, span_of(text));
}

/* Byte by byte, the shorter first: the order of the contract ("compared as text, byte by byte"). */
static inline int span_compare(struct span a, struct span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.at, b.at, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* The same, for qsort and bsearch. */
static inline int spans_compare(const void *a, const void *b)
{
    return span_compare(*(const struct span *)a, *(const struct span *)b);
}
