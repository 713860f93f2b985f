/* Ten thousand random mutations of good records: each an event or a rejection with reason and message, never anything else. */
#include "tests/fuzz/outcome.h"
#include "tests/unit/intake.h"

#include <stdlib.h>

enum {
    MUTATIONS = 10000,
    FAULTS_MAX = 2,
    ROOM = 4096
};
static const uint64_t SEED = 20260301;

static const char *const files[] = { "structured", "binary", "contact", "goal", "rating" };
enum {
    N_FILES = sizeof files / sizeof files[0]
};

static struct {
    char text[ROOM];
    size_t len;
} originals[N_FILES];

static uint64_t random_state;

/* splitmix64 (Steele, Lea, Flood 2014), below `n`. */
static size_t random_below(size_t n)
{
    uint64_t z = random_state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (size_t)((z ^ z >> 31) % n);
}

static size_t flip_bit(char *text, size_t len)
{
    text[random_below(len)] ^= (char)(1 << random_below(8));
    return len;
}

static size_t cut_end(char *text, size_t len)
{
    (void)text;
    return random_below(len) + 1;
}

static size_t cut_out(char *text, size_t len)
{
    size_t at = random_below(len), n = random_below(len - at < 16 ? len - at : 16);
    memmove(text + at, text + at + n, len - at - n);
    return len - n;
}

static size_t insert(char *text, size_t len)
{
    static const char *const pieces[] = { "\"", "{", "}", "[",  "]",    ":",    ",",    "null", "\\u0000",
                                          "\\", "-", "9", "e9", "\xFF", "\xC3", "\n\n", "." };
    const char *piece = pieces[random_below(sizeof pieces / sizeof pieces[0])];
    size_t n = strlen(piece), at = random_below(len);
    memmove(text + at + n, text + at, len - at);
    memcpy(text + at, piece, n);
    return len + n;
}

static size_t duplicate(char *text, size_t len)
{
    size_t from = random_below(len), n = random_below(len - from) % 256, at = random_below(len);
    char piece[256];
    memcpy(piece, text + from, n);
    memmove(text + at + n, text + at, len - at);
    memcpy(text + at, piece, n);
    return len + n;
}

/* A copy of exactly its size, so that the sanitizer sees a read past its end. */
static bool decode_copy(const char *text, size_t len, struct arena *arena)
{
    struct event event;
    struct rejection rejection;
    char *copy = malloc(len);
    memcpy(copy, text, len);
    bool good = message_decode((struct span){ copy, len }, arena, &event, &rejection);
    if (!good && strcasestr(rejection.message, "zaphod")) fail_msg("personal data: %s", rejection.message);
    free(copy);
    arena_deinit(arena);
    return good;
}

static void test_mutations(void **state)
{
    (void)state;
    static size_t (*const faults[])(char *, size_t) = { flip_bit, cut_end, cut_out, insert, duplicate };
    struct arena arena = { 0 };
    int n_events = 0;
    random_state = SEED;
    print_message("seed %llu\n", (unsigned long long)SEED);
    for (int i = 0; i < MUTATIONS; i++) {
        char text[ROOM];
        size_t file = random_below(N_FILES), len = originals[file].len;
        memcpy(text, originals[file].text, len);
        for (size_t n = random_below(FAULTS_MAX) + 1; n > 0; n--) len = faults[random_below(5)](text, len);
        n_events += decode_copy(text, len, &arena);
    }
    print_message("%d events, %d rejections\n", n_events, MUTATIONS - n_events);
    assert_in_range(n_events, 1, MUTATIONS - 1);
}

static void test_originals_are_good(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    for (int i = 0; i < N_FILES; i++)
        if (!decode_copy(originals[i].text, originals[i].len, &arena)) fail_msg("%s is rejected", files[i]);
}

static bool ends_headers(const char *text, size_t len)
{
    return len >= 2 && memcmp(text + len - 2, "\n\n", 2) == 0;
}

/* Every record cut at every byte is bad, but for headers alone in binary mode: an event without data. */
static void test_cuts(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    int n_events = 0;
    for (int i = 0; i < N_FILES; i++)
        for (size_t len = 1; len < originals[i].len; len++)
            if (decode_copy(originals[i].text, len, &arena)) n_events += ends_headers(originals[i].text, len) ? 1 : 100;
    assert_int_equal(n_events, 1);
}

static int load(void **state)
{
    (void)state;
    for (int i = 0; i < N_FILES; i++) {
        char path[ROOM];
        snprintf(path, sizeof path, SOURCE_DIR "/tests/fuzz/decode_corpus/%s", files[i]);
        FILE *file = fopen(path, "r");
        if (!file) return -1;
        originals[i].len = fread(originals[i].text, 1, ROOM / 2, file);
        fclose(file);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_originals_are_good),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
