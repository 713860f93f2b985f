#include "common/buffer.h"

#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PRINTED_BYTES = 64 /* most that is printed is no longer, and printed once */
};

void buffer_deinit(struct buffer *buffer)
{
    free(buffer->at);
    *buffer = (struct buffer){ 0 };
}

void buffer_grow(struct buffer *buffer, size_t more)
{
    size_t room = buffer->room ? buffer->room * 2 : 256;
    while (room - buffer->len < more) room *= 2;
    buffer->at = must_realloc(buffer->at, room);
    buffer->room = room;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    buffer_reserve(buffer, PRINTED_BYTES);
    va_start(args, format);
    int need = vsnprintf(buffer->at + buffer->len, buffer->room - buffer->len, format, args);
    va_end(args);
    REQUIRE(need >= 0);
    if ((size_t)need >= buffer->room - buffer->len) {
        buffer_reserve(buffer, (size_t)need + 1);
        va_start(args, format);
        vsnprintf(buffer->at + buffer->len, (size_t)need + 1, format, args);
        va_end(args);
    }
    buffer->len += (size_t)need;
}

void buffer_varint_long(struct buffer *buffer, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; value >= 0x80; value >>= 7) bytes[n++] = (uint8_t)(value | 0x80);
    bytes[n++] = (uint8_t)value;
    buffer_put(buffer, bytes, n);
}

void buffer_zigzag(struct buffer *buffer, int64_t value)
{
    buffer_varint(buffer, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

void buffer_text(struct buffer *buffer, struct span text)
{
    buffer_varint(buffer, text.len);
    buffer_span(buffer, text);
}

void buffer_decimal_long(struct buffer *buffer, int64_t value)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
        "4950515253545556575859606162636465666768697071727374757677787980818283848586878889909192939495969798"
        "99";
    char digits[20];
    size_t n = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (; rest >= 10; rest /= 100) memcpy(digits + (n -= 2), pairs + rest % 100 * 2, 2);
    if (rest || n == sizeof digits) digits[--n] = (char)('0' + rest);
    if (n < sizeof digits - 1 && digits[n] == '0') n++; /* of a pair below ten */
    if (value < 0) buffer_byte(buffer, '-');
    buffer_put(buffer, digits + n, sizeof digits - n);
}

void buffer_hex(struct buffer *buffer, uint64_t value)
{
    char digits[16];
    for (int i = 15; i >= 0; i--, value >>= 4) digits[i] = "0123456789abcdef"[value & 15];
    buffer_put(buffer, digits, sizeof digits);
}

static bool need(struct cursor *cursor, size_t bytes)
{
    if (!cursor->broken && (size_t)(cursor->end - cursor->at) >= bytes) return true;
    cursor->broken = true;
    return false;
}

uint64_t cursor_varint_long(struct cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cursor_byte(cursor);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return value;
    }
    cursor->broken = true;
    return 0;
}

int64_t cursor_zigzag(struct cursor *cursor)
{
    uint64_t value = cursor_varint(cursor);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

struct span cursor_bytes(struct cursor *cursor, size_t len)
{
    if (!need(cursor, len)) return NO_SPAN;
    struct span bytes = { (const char *)cursor->at, len };
    cursor->at += len;
    return bytes;
}

struct span cursor_text(struct cursor *cursor)
{
    return cursor_bytes(cursor, cursor_varint(cursor));
}
