/* A growing row of bytes to write into, and a cursor to read them back. A read past the end is sticky: check once. */
#pragma once

#include "common/arena.h"

enum {
    VARINT_BYTES = 10 /* at most */
};

/* A zeroed struct buffer is an empty one. */
struct buffer {
    char *at;
    size_t len, room;
};

void buffer_deinit(struct buffer *buffer);

/* One that lies in an arena, for at most so many bytes: it must not be released, nor grow. */
static inline struct buffer buffer_in(struct arena *arena, size_t bytes)
{
    return (struct buffer){ arena_alloc(arena, bytes), 0, bytes };
}
void buffer_grow(struct buffer *buffer, size_t more); /* inner: there is no room for so many more */
static inline void buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->room - buffer->len < more) buffer_grow(buffer, more);
}
static inline void buffer_put(struct buffer *buffer, const void *bytes, size_t len)
{
    if (!len) return;
    buffer_reserve(buffer, len);
    memcpy(buffer->at + buffer->len, bytes, len);
    buffer->len += len;
}
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_varint_long(struct buffer *buffer, uint64_t value);
void buffer_zigzag(struct buffer *buffer, int64_t value);  /* small magnitudes, either sign */
void buffer_text(struct buffer *buffer, struct span text); /* varint length, bytes */
void buffer_decimal_long(struct buffer *buffer, int64_t value);
void buffer_hex(struct buffer *buffer, uint64_t value); /* as 16 hexadecimal digits */

static inline void buffer_span(struct buffer *buffer, struct span text)
{
    buffer_put(buffer, text.at, text.len);
}
static inline void buffer_byte(struct buffer *buffer, uint8_t byte)
{
    if (buffer->len == buffer->room) buffer_reserve(buffer, 1);
    buffer->at[buffer->len++] = (char)byte;
}
/* As decimal text. Most are one digit. */
static inline void buffer_decimal(struct buffer *buffer, int64_t value)
{
    if (value >= 0 && value < 10)
        buffer_byte(buffer, (uint8_t)('0' + value));
    else
        buffer_decimal_long(buffer, value);
}
/* LEB128: 7 bits a byte, low ones first. Most are one byte. */
static inline void buffer_varint(struct buffer *buffer, uint64_t value)
{
    if (value < 0x80)
        buffer_byte(buffer, (uint8_t)value);
    else
        buffer_varint_long(buffer, value);
}
static inline void buffer_str(struct buffer *buffer, const char *text)
{
    buffer_put(buffer, text, strlen(text));
}
static inline struct span buffer_all(const struct buffer *buffer)
{
    return (struct span){ buffer->at, buffer->len };
}
static inline void buffer_clear(struct buffer *buffer)
{
    buffer->len = 0;
}

struct cursor {
    const uint8_t *at, *end;
    bool broken; /* something was missing; everything read since is 0 */
};

static inline struct cursor cursor_of(struct span bytes)
{
    const uint8_t *at = (const uint8_t *)bytes.at;
    return (struct cursor){ at, bytes.len ? at + bytes.len : at, false };
}
static inline bool cursor_more(const struct cursor *cursor)
{
    return !cursor->broken && cursor->at < cursor->end;
}
static inline uint8_t cursor_byte(struct cursor *cursor)
{
    if (cursor_more(cursor)) return *cursor->at++;
    cursor->broken = true;
    return 0;
}
uint64_t cursor_varint_long(struct cursor *cursor);
static inline uint64_t cursor_varint(struct cursor *cursor)
{
    return cursor_more(cursor) && *cursor->at < 0x80 ? *cursor->at++ : cursor_varint_long(cursor);
}
int64_t cursor_zigzag(struct cursor *cursor);
struct span cursor_text(struct cursor *cursor);
struct span cursor_bytes(struct cursor *cursor, size_t len);
