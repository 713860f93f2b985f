/* Exact fractions of whole numbers: what formulas are worked out in, so that only the last step rounds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* 128 bits, aligned as an arena gives memory out. */
typedef __int128 wide __attribute__((aligned(8)));

/* den > 0; den == 0: null (a division by zero, or anything made of one). */
struct rational {
    wide num, den;
};

#define RATIONAL_NULL ((struct rational){ 0, 0 })

static inline bool rational_is_null(struct rational a)
{
    return a.den == 0;
}
static inline bool rational_is_zero(struct rational a)
{
    return a.den != 0 && a.num == 0;
}

/* Exact as long as two numerators or denominators that meet, reduced, have 126 bits together (so every amount times every share of
 * counts is); beyond that both are brought to 63 bits first, with 60 bits of precision. Null makes null. */
struct rational rational_of(__int128 num, __int128 den);
struct rational rational_add(struct rational a, struct rational b);
struct rational rational_subtract(struct rational a, struct rational b);
struct rational rational_multiply(struct rational a, struct rational b);
struct rational rational_divide(struct rational a, struct rational b); /* null when b is 0 */

int rational_compare(struct rational a, struct rational b); /* neither null */
double rational_double(struct rational a);                  /* not null; the nearest double when both fit 53 bits */
int64_t rational_rounded(struct rational a);                /* not null; half away from zero */
