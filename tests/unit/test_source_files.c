/* The file source: lines as records, offsets as line numbers, long lines cut, starts in the middle, files that are not there. */
#include "common/buffer.h"
#include "daemon/source/files.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ROOM = 4,
    LINE_MAX_BYTES = 100
};

struct seen {
    int32_t partition[64];
    int64_t offset[64];
    char text[64][LINE_MAX_BYTES + 1];
    size_t len[64];
    size_t n;
    bool ended;
};

static char *file_of(const char *text, size_t len)
{
    char *name = strdup("/tmp/test_source_files.XXXXXX");
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    return name;
}

static void start_all(struct source *source, int64_t offset, struct seen *seen)
{
    struct change change;
    while (source_next_change(source, &change)) {
        if (change.type == CHANGE_ENDED) seen->ended = true;
        for (size_t i = 0; change.type == CHANGE_ASSIGNED && i < change.n; i++)
            source_start(source, change.partitions[i], offset);
    }
}

static struct seen read_all(const char *const *names, size_t n, int64_t offset)
{
    struct error error = { 0 };
    struct seen seen = { 0 };
    struct source *source = files_source_create(names, n, 12345, LINE_MAX_BYTES, &error);
    assert_string_equal(error.text, "");
    assert_non_null(source);
    while (!seen.ended) {
        struct record records[ROOM];
        size_t got = source_receive(source, records, ROOM, 0);
        assert_true(got <= ROOM);
        for (size_t i = 0; i < got; i++, seen.n++) {
            assert_true(span_is(records[i].topic, "file"));
            assert_int_equal(records[i].timestamp_us, 12345);
            assert_null(records[i].key.at);
            assert_int_equal(records[i].n_headers, 0);
            seen.partition[seen.n] = records[i].partition;
            seen.offset[seen.n] = records[i].offset;
            seen.len[seen.n] = records[i].value.len;
            memcpy(seen.text[seen.n], records[i].value.at, records[i].value.len);
        }
        source_release(source);
        start_all(source, offset, &seen);
    }
    assert_null(source_trouble(source));
    source_destroy(source);
    return seen;
}

static struct seen read_text(const char *text, int64_t offset)
{
    char *name = file_of(text, strlen(text));
    const char *names[] = { name };
    struct seen seen = read_all(names, 1, offset);
    unlink(name);
    free(name);
    return seen;
}

static void lines_are_records(void **state)
{
    (void)state;
    struct seen seen = read_text("a\n\nbb\r\n\r\nccc\nd\ne\nlast", 0);
    assert_int_equal(seen.n, 6);
    assert_string_equal(seen.text[0], "a");
    assert_string_equal(seen.text[1], "bb");
    assert_int_equal(seen.offset[1], 3);
    assert_int_equal(seen.offset[2], 5);
    assert_string_equal(seen.text[5], "last");
    assert_int_equal(seen.offset[5], 8);
}

static void an_empty_file_ends_at_once(void **state)
{
    (void)state;
    assert_int_equal(read_text("", 0).n, 0);
    assert_int_equal(read_text("\n\n", 0).n, 0);
}

static void files_are_partitions_in_their_order(void **state)
{
    (void)state;
    char *first = file_of("a\nb", 3), *second = file_of("c\n", 2);
    const char *names[] = { first, second };
    struct seen seen = read_all(names, 2, 0);
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.partition[1], 0);
    assert_int_equal(seen.partition[2], 1);
    assert_int_equal(seen.offset[2], 1);
    unlink(first);
    unlink(second);
    free(first);
    free(second);
}

static void reading_starts_where_it_is_told(void **state)
{
    (void)state;
    struct seen seen = read_text("a\nb\nc\nd\n", 3);
    assert_int_equal(seen.n, 2);
    assert_string_equal(seen.text[0], "c");
    assert_int_equal(seen.offset[0], 3);
}

/* Exactly line_max is whole; one more is cut; and one longer than what is read at once is, too. */
static void long_lines_are_cut_and_counted_once(void **state)
{
    (void)state;
    size_t huge = 3 << 20;
    struct buffer text = { 0 };
    for (size_t len = LINE_MAX_BYTES - 1; len <= LINE_MAX_BYTES + 1; len++) {
        for (size_t i = 0; i < len; i++) buffer_byte(&text, 'x');
        buffer_byte(&text, '\n');
    }
    for (size_t i = 0; i < huge; i++) buffer_byte(&text, 'y');
    buffer_str(&text, "\nafter\n");
    for (size_t i = 0; i < huge; i++) buffer_byte(&text, 'z');
    char *name = file_of(text.at, text.len);
    const char *names[] = { name };
    struct seen seen = read_all(names, 1, 0);
    assert_int_equal(seen.n, 6);
    assert_int_equal(seen.len[0], LINE_MAX_BYTES - 1);
    assert_int_equal(seen.len[1], LINE_MAX_BYTES);
    assert_int_equal(seen.len[2], LINE_MAX_BYTES);
    assert_int_equal(seen.len[3], LINE_MAX_BYTES);
    assert_string_equal(seen.text[4], "after");
    assert_int_equal(seen.offset[4], 5);
    assert_int_equal(seen.len[5], LINE_MAX_BYTES);
    assert_int_equal(seen.offset[5], 6);
    unlink(name);
    free(name);
    buffer_deinit(&text);
}

/* Many lines over more than one read: none lost, none twice. */
static void many_lines(void **state)
{
    (void)state;
    struct error error = { 0 };
    struct buffer text = { 0 };
    int64_t lines = 400000;
    for (int64_t i = 1; i <= lines; i++) buffer_printf(&text, "%lld\n", (long long)i);
    char *name = file_of(text.at, text.len);
    const char *names[] = { name };
    struct source *source = files_source_create(names, 1, 0, LINE_MAX_BYTES, &error);
    struct seen seen = { 0 };
    int64_t expected = 1;
    while (!seen.ended) {
        struct record records[100];
        size_t n = source_receive(source, records, 100, 0);
        for (size_t i = 0; i < n; i++, expected++) {
            assert_int_equal(records[i].offset, expected);
            assert_int_equal(strtoll(records[i].value.at, NULL, 10), expected);
        }
        source_release(source);
        start_all(source, 0, &seen);
    }
    assert_int_equal(expected, lines + 1);
    struct position position;
    assert_int_equal(source_positions(source, &position, 1), 1);
    assert_int_equal(position.next, lines + 1);
    source_destroy(source);
    unlink(name);
    free(name);
    buffer_deinit(&text);
}

/* Asked again before it is released: what is at hand, and what was received before stays. */
static void a_second_receive_leaves_the_first(void **state)
{
    (void)state;
    enum {
        LINES = 40000,
        LINE_BYTES = 60,
        SHOWN = 16
    };
    char *text = must_alloc(LINES * LINE_BYTES + 1), *at = text; /* and what ends the last */
    for (int i = 0; i < LINES; i++) at += sprintf(at, "%-*d\n", LINE_BYTES - 1, i);
    char *name = file_of(text, (size_t)(at - text));
    const char *names[] = { name };
    struct error error = { 0 };
    struct seen seen = { 0 };
    struct source *source = files_source_create(names, 1, 12345, LINE_MAX_BYTES, &error);
    struct record *records = must_alloc(LINES * sizeof *records);
    size_t n = 0, rounds = 0;
    for (; !seen.ended; start_all(source, 0, &seen)) {
        size_t from = n;
        for (size_t got; (got = source_receive(source, &records[n], LINES - n < SHOWN ? LINES - n : SHOWN, 0));) n += got;
        for (size_t i = from; i < n; i++) assert_int_equal(atoi(records[i].value.at), (int)i);
        rounds += n > from;
        source_release(source);
    }
    assert_int_equal(n, LINES);
    assert_in_range(rounds, 2, 8); /* more than it reads at a time */
    source_destroy(source);
    unlink(name);
    free(records);
    free(text);
    free(name);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct error error = { 0 };
    const char *names[] = { "/dev/null", "/nowhere/at all" };
    assert_null(files_source_create(names, 2, 0, LINE_MAX_BYTES, &error));
    assert_string_equal(error.text, "/nowhere/at all: No such file or directory");
}

static void a_folder_is_a_trouble(void **state)
{
    (void)state;
    struct error error = { 0 };
    const char *names[] = { "/" };
    struct source *source = files_source_create(names, 1, 0, LINE_MAX_BYTES, &error);
    struct seen seen = { 0 };
    struct record record;
    while (!seen.ended) {
        assert_int_equal(source_receive(source, &record, 1, 0), 0);
        start_all(source, 0, &seen);
    }
    assert_string_equal(source_trouble(source), "/: Is a directory");
    source_destroy(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_records),
        cmocka_unit_test(an_empty_file_ends_at_once),
        cmocka_unit_test(files_are_partitions_in_their_order),
        cmocka_unit_test(reading_starts_where_it_is_told),
        cmocka_unit_test(long_lines_are_cut_and_counted_once),
        cmocka_unit_test(many_lines),
        cmocka_unit_test(a_second_receive_leaves_the_first),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_folder_is_a_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
