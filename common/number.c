#include "common/number.h"

bool number_take(struct span *text, int64_t *value)
{
    struct span rest = *text;
    int sign = byte_take(&rest, '-') ? -1 : 1;
    int64_t sum = 0;
    size_t n = 0;
    while (n < rest.len && rest.at[n] >= '0' && rest.at[n] <= '9') {
        int digit = rest.at[n++] - '0';
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, sign * digit, &sum)) return false;
    }
    bool leading_zero = n && rest.at[0] == '0' && (n > 1 || sign < 0);
    if (!n || leading_zero) return false;
    *text = (struct span){ rest.at + n, rest.len - n };
    *value = sum;
    return true;
}

int64_t number_or_zero(struct span text)
{
    int64_t value;
    return number_take(&text, &value) && !text.len ? value : 0;
}

struct span until_take(struct span *text, char byte)
{
    const char *end = text->len ? memchr(text->at, byte, text->len) : NULL;
    struct span taken = { text->at, end ? (size_t)(end - text->at) : text->len };
    *text = (struct span){ text->len ? text->at + taken.len : text->at, text->len - taken.len };
    return taken;
}
