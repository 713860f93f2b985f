#include "daemon/catalogue/rational.h"

#include "common/decimal.h"
#include "common/error.h"

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

static bool is_long(struct rational a)
{
    const __int128 limit = (__int128)1 << 63;
    return size_of(a.num) > limit || a.den > limit;
}

struct rational rational_of(__int128 num, __int128 den)
{
    struct rational a = { num, den };
    if (!den) return RATIONAL_NULL;
    if (den < 0) a = (struct rational){ -num, -den };
    if (!is_long(a)) return a;
    __int128 common = gcd(size_of(a.num), a.den);
    a.num /= common, a.den /= common;
    while (is_long(a) && a.den > 1) a.num /= 2, a.den /= 2;
    return a;
}

struct rational rational_add(struct rational a, struct rational b)
{
    if (a.den == b.den) return rational_of(a.num + b.num, a.den);
    return rational_of(a.num * b.den + b.num * a.den, a.den * b.den);
}

struct rational rational_subtract(struct rational a, struct rational b)
{
    return rational_add(a, (struct rational){ -b.num, b.den });
}

struct rational rational_multiply(struct rational a, struct rational b)
{
    return rational_of(a.num * b.num, a.den * b.den);
}

struct rational rational_divide(struct rational a, struct rational b)
{
    if (!b.den) return RATIONAL_NULL;
    return rational_of(a.num * b.den, a.den * b.num);
}

int rational_compare(struct rational a, struct rational b)
{
    REQUIRE(a.den && b.den);
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
