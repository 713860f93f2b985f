/* Texts come back as they were, in as few bytes as promised; what is cut off is never read as something else. */
#include "common/packed.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static struct buffer packed(struct span text)
{
    struct buffer bytes = { 0 };
    buffer_packed(&bytes, text);
    return bytes;
}

static void comes_back(struct span text, size_t len)
{
    struct arena arena = { 0 };
    struct buffer bytes = packed(text);
    struct cursor in = cursor_of(buffer_all(&bytes));
    struct span again = cursor_packed(&in, &arena);
    if (!span_equal(again, text) || in.broken || in.at != in.end) fail_msg("%.*s: %.*s", SPAN_ARG(text), SPAN_ARG(again));
    if (len && bytes.len != len) fail_msg("%.*s takes %zu bytes, not %zu", SPAN_ARG(text), bytes.len, len);
    for (size_t cut = 0; cut < bytes.len; cut++) {
        struct cursor broken = cursor_of((struct span){ bytes.at, cut });
        (void)cursor_packed(&broken, &arena);
        assert_true(broken.broken);
    }
    buffer_deinit(&bytes);
    arena_deinit(&arena);
}

static void texts_take_what_they_need(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
    } rows[] = {
        { "", 1 },
        { "a", 2 },
        { "K-10921", 8 },
        { "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", 17 },
        { "00000000-0000-0000-0000-000000000000", 17 },
        { "ffffffff-ffff-ffff-ffff-ffffffffffff", 17 },
        { "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", 38 }, /* another text */
        { "f81d4fae-7dec-11d0-a765-00a0c91e6bfg", 38 },
        { "f81d4fae-7dec-11d0-a765-00a0c91e6bf", 37 },
        { "f81d4fae_7dec-11d0-a765-00a0c91e6bf6", 38 },
        { "507f1f77bcf86cd799439011", 13 }, /* 24 digits */
        { "1234", 3 },
        { "12345", 4 },
        { "123", 4 },
        { "12a4G", 6 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) comes_back(span_of(rows[i].text), rows[i].bytes);
}

/* Each place of a UUID with each byte there: only digits in lower case, and dashes where they belong, make one. */
static void only_what_comes_back_is_a_uuid(void **state)
{
    (void)state;
    char text[] = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    for (size_t at = 0; at < 36; at++)
        for (int byte = 0; byte < 256; byte++) {
            char kept = text[at];
            bool dash = at == 8 || at == 13 || at == 18 || at == 23;
            bool uuid = dash ? byte == '-' : (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
            text[at] = (char)byte;
            comes_back((struct span){ text, 36 }, uuid ? 17 : 38);
            text[at] = kept;
        }
}

static void random_texts_come_back(void **state)
{
    (void)state;
    static const char letters[] = "0123456789abcdef0123456789abcdefg-A\n";
    unsigned seed = 3;
    for (int round = 0; round < 20000; round++) {
        char text[200];
        size_t len = (size_t)rand_r(&seed) % (round % 4 ? 40 : sizeof text), of = round % 2 ? 32 : sizeof letters - 1;
        for (size_t i = 0; i < len; i++) text[i] = letters[(size_t)rand_r(&seed) % of];
        comes_back((struct span){ text, len }, 0);
    }
}

static void what_is_no_text_breaks(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    const struct packed_head heads[] = {
        { PACKED_OTHER, 3 }, { PACKED_UUID, 1 }, { PACKED_DIGITS, SIZE_MAX >> 2 }, { PACKED_TEXT, SIZE_MAX >> 2 }
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct buffer bytes = { 0 };
        buffer_packed_head(&bytes, heads[i]);
        buffer_str(&bytes, "0123456789abcdef");
        struct cursor in = cursor_of(buffer_all(&bytes));
        (void)cursor_packed(&in, &arena);
        assert_true(in.broken);
        buffer_deinit(&bytes);
    }
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_take_what_they_need),
        cmocka_unit_test(only_what_comes_back_is_a_uuid),
        cmocka_unit_test(random_texts_come_back),
        cmocka_unit_test(what_is_no_text_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
