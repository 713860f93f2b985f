#include "daemon/catalogue/rational.h"

#include "common/decimal.h"
#include "common/error.h"

enum {
    LONG_BITS = 63, /* what is longer is reduced */
    PRODUCT_BITS = 126
};
#define LONGEST (((__int128)1 << LONG_BITS) - 1)

static __int128 size_of(__int128 a)
{
    return a < 0 ? -a : a;
}

static __int128 gcd(__int128 a, __int128 b)
{
    while (b) {
        __int128 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* How many bits its size takes. */
static int bits_of(__int128 a)
{
    unsigned __int128 size = (unsigned __int128)size_of(a);
    uint64_t high = (uint64_t)(size >> 64), low = (uint64_t)size;
    if (high) return 128 - __builtin_clzll(high);
    return low ? 64 - __builtin_clzll(low) : 0;
}

static bool is_long(struct rational a)
{
    return a.num != (int64_t)a.num || a.den != (int64_t)a.den;
}

struct rational rational_of(__int128 num, __int128 den)
{
    struct rational a = { num, den };
    if (!den) return RATIONAL_NULL;
    if (den < 0) a = (struct rational){ -num, -den };
    if (!is_long(a)) return a;
    __int128 common = gcd(size_of(a.num), a.den);
    a.num /= common, a.den /= common;
    return a;
}

/* The nearest there is of at most 63 bits each; what is larger is taken for the largest. A numerator that is longer is divided out, and the
 * denominator becomes a power of two: halving both would leave nothing of a short denominator. */
static struct rational shortened(struct rational a)
{
    int down = bits_of(a.den) - LONG_BITS;
    if (down > 0) a = (struct rational){ a.num >> down, a.den >> down };
    if (bits_of(a.num) <= LONG_BITS) return a;
    __int128 whole = a.num / a.den, rest = a.num % a.den;
    int up = LONG_BITS - bits_of(whole);
    if (up < 0) return (struct rational){ a.num < 0 ? -LONGEST : LONGEST, 1 };
    return (struct rational){ whole * ((__int128)1 << up) + rest * ((__int128)1 << up) / a.den, (__int128)1 << up };
}

static int longest_of(struct rational a)
{
    return bits_of(a.num) > bits_of(a.den) ? bits_of(a.num) : bits_of(a.den);
}

/* Products of the two, and sums of two such products, are in range then. */
static void make_room(struct rational *a, struct rational *b)
{
    if (longest_of(*a) + longest_of(*b) <= PRODUCT_BITS) return;
    *a = shortened(*a);
    *b = shortened(*b);
}

struct rational rational_add(struct rational a, struct rational b)
{
    if (a.den == b.den && !is_long(a) && !is_long(b)) return rational_of(a.num + b.num, a.den);
    if (is_long(a) || is_long(b)) make_room(&a, &b);
    return rational_of(a.num * b.den + b.num * a.den, a.den * b.den);
}

struct rational rational_subtract(struct rational a, struct rational b)
{
    return rational_add(a, (struct rational){ -b.num, b.den });
}

struct rational rational_multiply(struct rational a, struct rational b)
{
    if (is_long(a) || is_long(b)) make_room(&a, &b);
    return rational_of(a.num * b.num, a.den * b.den);
}

struct rational rational_divide(struct rational a, struct rational b)
{
    if (!b.den) return RATIONAL_NULL;
    if (is_long(a) || is_long(b)) make_room(&a, &b);
    return rational_of(a.num * b.den, a.den * b.num);
}

int rational_compare(struct rational a, struct rational b)
{
    REQUIRE(a.den && b.den);
    if (is_long(a) || is_long(b)) make_room(&a, &b);
    __int128 left = a.num * b.den, right = b.num * a.den;
    return (left > right) - (left < right);
}

double rational_double(struct rational a)
{
    REQUIRE(a.den);
    const __int128 exact = (__int128)1 << 53;
    if (size_of(a.num) <= exact && a.den <= exact) return (double)a.num / (double)a.den;
    return (double)((long double)a.num / (long double)a.den);
}

int64_t rational_rounded(struct rational a)
{
    REQUIRE(a.den);
    return divide_rounded(a.num, a.den);
}
