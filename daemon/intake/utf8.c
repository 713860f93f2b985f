/* Validates UTF-8 (RFC 3629, table of well-formed byte sequences). */
#include "daemon/intake/utf8.h"

/* Lead bytes with the range of their second byte; further ones are always 80…BF. */
static const struct lead {
    uint8_t from, to, second_from, second_to, length;
} leads[] = {
    { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 }, { 0xED, 0xED, 0x80, 0x9F, 3 },
    { 0xEE, 0xEF, 0x80, 0xBF, 3 }, { 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
};

static const struct lead *lead_find(uint8_t byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
        if (byte >= leads[i].from && byte <= leads[i].to) return &leads[i];
    return NULL;
}

/* Bytes of the character at `at`; 0: malformed. */
static size_t character_bytes(const uint8_t *at, size_t left)
{
    if (at[0] < 0x80) return 1;
    const struct lead *lead = lead_find(at[0]);
    if (!lead || left < lead->length) return 0;
    if (at[1] < lead->second_from || at[1] > lead->second_to) return 0;
    for (size_t i = 2; i < lead->length; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    return lead->length;
}

bool utf8_valid(struct span text)
{
    const uint8_t *at = (const uint8_t *)text.at;
    for (size_t i = 0, n; i < text.len; i += n)
        if (!(n = character_bytes(at + i, text.len - i))) return false;
    return true;
}
