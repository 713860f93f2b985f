/* The map of spans to things, and the hash it goes by, of which tenants' states keep some. */
#include "common/map.h"
#include "tests/unit/unit.h"

#include <stdio.h>

/* What a tenant is counted by says the hash of its zone's name: a daemon with another hash would take it for counted otherwise. */
static void hash_stays_as_it_is(void **state)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } known[] = {
        { "", 0x670527f1beaf13fd },        { "a", 0x53523a02c7198a97 },        { "ab", 0x110f610ffbc73ad2 },
        { "abcdefg", 0x5fd30c95e7c1a0b0 }, { "crm:acme", 0x55ba8a499a706098 }, { "Europe/Berlin", 0xfddf2e018a760623 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (bytes_hash(known[i].text, strlen(known[i].text)) != known[i].hash) fail_msg("another hash of \"%s\"", known[i].text);
}

/* Each byte counts, wherever the text lies and however long it is. */
static void every_byte_counts(void **state)
{
    char text[48], other[48];
    (void)state;
    for (size_t len = 1; len <= 32; len++)
        for (size_t from = 0; from < 8; from++) {
            memset(text, 'x', sizeof text);
            uint64_t hash = bytes_hash(text + from, len);
            for (size_t at = 0; at < len; at++) {
                memset(other, 'x', sizeof other);
                other[from + at] = 'y';
                if (bytes_hash(other + from, len) == hash) fail_msg("byte %zu of %zu says nothing", at, len);
            }
            memset(text + from + len, 'z', sizeof text - from - len);
            assert_int_equal(bytes_hash(text + from, len), hash);
        }
}

static void keys_that_begin_or_end_alike_are_told_apart(void **state)
{
    enum {
        KEYS = 500
    };
    static char keys[KEYS][16];
    static int values[KEYS];
    struct map map = { 0 };
    (void)state;
    for (int i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof keys[i], i % 2 ? "%d-deal" : "deal-%d", i);
        values[i] = i;
        assert_null(map_put(&map, span_of(keys[i]), &values[i]));
    }
    for (int i = 0; i < KEYS; i += 3) assert_ptr_equal(map_remove(&map, span_of(keys[i])), &values[i]);
    for (int i = 0; i < KEYS; i++) assert_ptr_equal(map_get(&map, span_of(keys[i])), i % 3 ? &values[i] : NULL);
    assert_null(map_get(&map, SPAN("deal-")));
    assert_null(map_get(&map, SPAN("")));
    map_deinit(&map);
}

static void spans_are_equal_byte_by_byte(void **state)
{
    (void)state;
    assert_true(span_equal(SPAN("D-100"), SPAN("D-100")));
    assert_false(span_equal(SPAN("D-100"), SPAN("D-101")));
    assert_false(span_equal(SPAN("D-100"), SPAN("E-100")));
    assert_false(span_equal(SPAN("D-100"), SPAN("D-1000")));
    assert_false(span_equal(SPAN("D-100"), SPAN("")));
    assert_true(span_equal(SPAN(""), NO_SPAN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_stays_as_it_is),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(keys_that_begin_or_end_alike_are_told_apart),
        cmocka_unit_test(spans_are_equal_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
