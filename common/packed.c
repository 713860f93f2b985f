#include "common/packed.h"

enum {
    UUID_CHARACTERS = 36,
    UUID_BYTES = 16,
    DIGITS_MIN = 4 /* fewer are not worth a look */
};

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Value of a hexadecimal digit in lower case plus one; 0: it is none. */
static const uint8_t digit_of[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static unsigned digit_at(struct span text, size_t at)
{
    return digit_of[(uint8_t)text.at[at]];
}

void buffer_packed_head(struct buffer *buffer, struct packed_head head)
{
    buffer_varint(buffer, (uint64_t)head.number << 2 | head.form);
}

/* ---- UUIDs: eight digits at a time, the first in the lowest byte of a word ---- */

/* Of what are no digits something comes out, too; nothing else that is written comes back. */
static uint32_t bytes_of_digits(uint64_t digits)
{
    uint64_t values = (digits & EACH(0x0f)) + (digits >> 6 & EACH(1)) * 9;
    uint64_t pairs = (values << 4 | values >> 8) & UINT64_C(0x00ff00ff00ff00ff);
    pairs = (pairs | pairs >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)(pairs | pairs >> 16);
}

static uint64_t digits_of_bytes(uint32_t bytes)
{
    uint64_t pairs = (bytes | (uint64_t)bytes << 16) & UINT64_C(0x0000ffff0000ffff);
    pairs = (pairs | pairs << 8) & UINT64_C(0x00ff00ff00ff00ff);
    uint64_t values = (pairs >> 4 | pairs << 8) & EACH(0x0f);
    uint64_t letters = (values + EACH(6)) >> 4 & EACH(1);
    return values + EACH('0') + letters * ('a' - '0' - 10);
}

/* 01234567-89ab-cdef-0123-456789abcdef: where its words of eight digits begin, those after the first two in two halves. */
static void write_uuid(char *text, const uint8_t bytes[UUID_BYTES])
{
    uint32_t words[4];
    uint64_t digits[4];
    memcpy(words, bytes, sizeof words);
    for (int i = 0; i < 4; i++) digits[i] = digits_of_bytes(words[i]);
    memcpy(text, &digits[0], 8);
    memcpy(text + 9, &digits[1], 4);
    memcpy(text + 14, (char *)&digits[1] + 4, 4);
    memcpy(text + 19, &digits[2], 4);
    memcpy(text + 24, (char *)&digits[2] + 4, 4);
    memcpy(text + 28, &digits[3], 8);
    text[8] = text[13] = text[18] = text[23] = '-';
}

static bool read_uuid(struct span text, uint8_t bytes[UUID_BYTES])
{
    uint64_t digits[4];
    uint32_t words[4];
    char again[UUID_CHARACTERS];
    if (text.len != UUID_CHARACTERS) return false;
    memcpy(&digits[0], text.at, 8);
    memcpy(&digits[1], text.at + 9, 4);
    memcpy((char *)&digits[1] + 4, text.at + 14, 4);
    memcpy(&digits[2], text.at + 19, 4);
    memcpy((char *)&digits[2] + 4, text.at + 24, 4);
    memcpy(&digits[3], text.at + 28, 8);
    for (int i = 0; i < 4; i++) words[i] = bytes_of_digits(digits[i]);
    memcpy(bytes, words, sizeof words);
    write_uuid(again, bytes);
    return !memcmp(again, text.at, sizeof again);
}

bool buffer_packed_uuid(struct buffer *buffer, struct span text)
{
    uint8_t bytes[UUID_BYTES];
    if (!read_uuid(text, bytes)) return false;
    buffer_packed_head(buffer, (struct packed_head){ PACKED_UUID, 0 });
    buffer_put(buffer, bytes, sizeof bytes);
    return true;
}

/* ---- digits ---- */

static bool is_digits(struct span text)
{
    if (text.len < DIGITS_MIN) return false;
    for (size_t i = 0; i < text.len; i++)
        if (!digit_at(text, i)) return false;
    return true;
}

static void put_digits(struct buffer *buffer, struct span text)
{
    for (size_t i = 0; i + 1 < text.len; i += 2)
        buffer_byte(buffer, (uint8_t)((digit_at(text, i) - 1) << 4 | (digit_at(text, i + 1) - 1)));
    if (text.len % 2) buffer_byte(buffer, (uint8_t)((digit_at(text, text.len - 1) - 1) << 4));
}

void buffer_packed(struct buffer *buffer, struct span text)
{
    if (buffer_packed_uuid(buffer, text)) return;
    bool digits = is_digits(text);
    buffer_packed_head(buffer, (struct packed_head){ digits ? PACKED_DIGITS : PACKED_TEXT, text.len });
    if (digits)
        put_digits(buffer, text);
    else
        buffer_span(buffer, text);
}

struct packed_head cursor_packed_head(struct cursor *cursor)
{
    uint64_t head = cursor_varint(cursor);
    return (struct packed_head){ (enum packed_form)(head & 3), (size_t)(head >> 2) };
}

static struct span take_uuid(struct cursor *cursor, size_t number, struct arena *arena)
{
    struct span bytes = cursor_bytes(cursor, UUID_BYTES);
    if (number) cursor->broken = true;
    if (cursor->broken) return NO_SPAN;
    char *text = arena_alloc(arena, UUID_CHARACTERS);
    write_uuid(text, (const uint8_t *)bytes.at);
    return (struct span){ text, UUID_CHARACTERS };
}

static struct span take_digits(struct cursor *cursor, size_t n, struct arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    struct span bytes = cursor_bytes(cursor, n / 2 + n % 2);
    if (cursor->broken) return NO_SPAN;
    char *text = arena_alloc(arena, 2 * bytes.len);
    for (size_t i = 0; i < bytes.len; i++) {
        text[2 * i] = digits[(uint8_t)bytes.at[i] >> 4];
        text[2 * i + 1] = digits[(uint8_t)bytes.at[i] & 15];
    }
    return (struct span){ text, n };
}

struct span cursor_packed_body(struct cursor *cursor, struct packed_head head, struct arena *arena)
{
    switch (head.form) {
    case PACKED_TEXT:
        return cursor_bytes(cursor, head.number);
    case PACKED_UUID:
        return take_uuid(cursor, head.number, arena);
    case PACKED_DIGITS:
        return take_digits(cursor, head.number, arena);
    case PACKED_OTHER:
        break;
    }
    cursor->broken = true;
    return NO_SPAN;
}

struct span cursor_packed(struct cursor *cursor, struct arena *arena)
{
    return cursor_packed_body(cursor, cursor_packed_head(cursor), arena);
}
