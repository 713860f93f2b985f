#include "common/decimal.h"

#include "common/error.h"

/* ISO 4217 (list one, 2024): the currencies that do not have two decimals. */
static const struct {
    char code[4];
    int decimals;
} exceptions[] = {
    { "BIF", 0 }, { "CLP", 0 }, { "DJF", 0 }, { "GNF", 0 }, { "ISK", 0 }, { "JPY", 0 }, { "KMF", 0 }, { "KRW", 0 }, { "PYG", 0 },
    { "RWF", 0 }, { "UGX", 0 }, { "UYI", 0 }, { "VND", 0 }, { "VUV", 0 }, { "XAF", 0 }, { "XOF", 0 }, { "XPF", 0 }, { "BHD", 3 },
    { "IQD", 3 }, { "JOD", 3 }, { "KWD", 3 }, { "LYD", 3 }, { "OMR", 3 }, { "TND", 3 }, { "CLF", 4 }, { "UYW", 4 },
};

enum {
    SCALE_MAX = 18
};

/* 10^n, n <= SCALE_MAX */
static int64_t power10(int n)
{
    int64_t power = 1;
    while (n-- > 0) power *= 10;
    return power;
}

static size_t digits_at(struct span text)
{
    size_t n = 0;
    while (n < text.len && text.at[n] >= '0' && text.at[n] <= '9') n++;
    return n;
}

static struct span skip(struct span text, size_t n)
{
    return (struct span){ text.at + n, text.len - n };
}

/* value = value * 10^n + digits, by their sign */
static bool append_digits(int64_t *value, const char *at, size_t n, int sign)
{
    for (size_t i = 0; i < n; i++)
        if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, sign * (at[i] - '0'), value))
            return false;
    return true;
}

bool decimal_parse(struct span text, struct decimal *decimal)
{
    int sign = text.len && text.at[0] == '-' ? -1 : 1;
    if (text.len && (text.at[0] == '-' || text.at[0] == '+')) text = skip(text, 1);

    struct span whole = { text.at, digits_at(text) };
    if (!whole.len) return false;
    text = skip(text, whole.len);
    struct span fraction = NO_SPAN;
    if (text.len) {
        if (text.at[0] != '.') return false;
        fraction = skip(text, 1);
        if (!fraction.len || digits_at(fraction) != fraction.len) return false;
    }
    while (fraction.len && fraction.at[fraction.len - 1] == '0') fraction.len--;

    int64_t value = 0;
    if (fraction.len > SCALE_MAX) return false;
    if (!append_digits(&value, whole.at, whole.len, sign) || !append_digits(&value, fraction.at, fraction.len, sign))
        return false;
    *decimal = (struct decimal){ value, (uint8_t)fraction.len };
    return true;
}

/* "+3", "-07"; one that leaves no room for digits is no larger than that says. */
static int take_exponent(struct span text)
{
    int sign = text.len && text.at[0] == '-' ? -1 : 1, value = 0;
    if (text.len && (text.at[0] == '-' || text.at[0] == '+')) text = skip(text, 1);
    for (size_t i = 0; i < text.len && value < DECIMAL_PLAIN_BYTES; i++) value = value * 10 + (text.at[i] - '0');
    return sign * value;
}

/* The digits of "0.0125" without its point and the zeros in front, and how many of them stand before the point: "125", -1. */
static struct span take_digits(struct span mantissa, char *digits, int *point)
{
    size_t n = 0;
    bool behind = false;
    *point = 0;
    for (size_t i = 0; i < mantissa.len; i++) {
        char c = mantissa.at[i];
        behind = behind || c == '.';
        if (c < '0' || c > '9') continue;
        if (n || c != '0') digits[n++] = c;
        if (behind ? !n : n > 0) *point += behind ? -1 : 1;
    }
    return (struct span){ digits, n };
}

struct span decimal_plain(struct span number, char plain[DECIMAL_PLAIN_BYTES])
{
    char room[DECIMAL_PLAIN_BYTES];
    size_t mantissa = 0, n = 0;
    int point;
    while (mantissa < number.len && (number.at[mantissa] | 0x20) != 'e') mantissa++;
    if (mantissa == number.len) return number;
    if (mantissa > sizeof room) return NO_SPAN;
    struct span digits = take_digits((struct span){ number.at, mantissa }, room, &point);
    if (!digits.len) return SPAN("0");
    point += take_exponent(skip(number, mantissa + 1));
    int first = point < 1 ? point - 1 : 0, end = point > (int)digits.len ? point : (int)digits.len;
    if (end - first > DECIMAL_PLAIN_BYTES - 2) return NO_SPAN;
    if (number.at[0] == '-') plain[n++] = '-';
    for (int i = first; i < end; i++) {
        if (i == point) plain[n++] = '.';
        plain[n++] = i >= 0 && i < (int)digits.len ? digits.at[i] : '0';
    }
    return (struct span){ plain, n };
}

int currency_decimals(struct span code)
{
    for (size_t i = 0; code.len == 3 && i < sizeof exceptions / sizeof exceptions[0]; i++) {
        const char *other = exceptions[i].code;
        if (code.at[0] == other[0] && code.at[1] == other[1] && code.at[2] == other[2]) return exceptions[i].decimals;
    }
    return 2;
}

bool currency_valid(struct span code)
{
    if (code.len != 3) return false;
    for (size_t i = 0; i < code.len; i++)
        if (code.at[i] < 'A' || code.at[i] > 'Z') return false;
    return true;
}

/* What does not fit stays at the end of the range: whatever it is added to will overflow, and that is reported. */
static int64_t narrowed(__int128 value)
{
    if (value > INT64_MAX) return INT64_MAX;
    return value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

int64_t decimal_minor(struct decimal decimal, int decimals)
{
    REQUIRE(decimals >= 0 && decimals <= SCALE_MAX && decimal.scale <= SCALE_MAX);
    if (decimal.scale > decimals) return divide_rounded(decimal.digits, power10(decimal.scale - decimals));
    return narrowed((__int128)decimal.digits * power10(decimals - decimal.scale));
}

bool decimal_fits(struct decimal decimal, int decimals)
{
    if (decimal.scale > decimals) return false;
    __int128 minor = (__int128)decimal.digits * power10(decimals - decimal.scale);
    __int128 limit = power10(DECIMAL_DIGITS_MAX);
    return -limit < minor && minor < limit;
}

int64_t divide_rounded(__int128 a, __int128 b)
{
    REQUIRE(b != 0);
    __int128 quotient = a / b, rest = a % b;
    __int128 rest_size = rest < 0 ? -rest : rest, size = b < 0 ? -b : b;
    if (rest_size >= size - rest_size) quotient += (a < 0) == (b < 0) ? 1 : -1;
    return narrowed(quotient);
}

void money_format(int64_t minor, int decimals, char text[MONEY_TEXT_BYTES])
{
    REQUIRE(decimals >= 0 && decimals <= SCALE_MAX);
    char digits[MONEY_TEXT_BYTES];
    size_t n = 0;
    uint64_t rest = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
    for (int i = 0; i <= decimals || rest; i++, rest /= 10) { /* from the last digit on, at least one before the point */
        if (i == decimals && i > 0) digits[n++] = '.';
        digits[n++] = (char)('0' + rest % 10);
    }
    if (minor < 0) digits[n++] = '-';
    for (size_t i = 0; i < n; i++) text[i] = digits[n - 1 - i];
    text[n] = 0;
}
