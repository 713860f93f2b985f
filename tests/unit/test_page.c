/* Pages of entities against a plain array, and where entities stand as their pages grow. */
#include "daemon/tenant/place.h"
#include "daemon/tenant/retired.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    IDS = 40,
    ROUNDS = 20000,
    BYTES_MAX = 400
};

struct fixture {
    struct cache cache;
    struct tenant tenant;
};

static int start(void **state)
{
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    fixture->tenant.cache = &fixture->cache;
    fixture->tenant.secret = (struct hash_key){ 1, 2 };
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) page_table_deinit(&fixture->tenant.pages[kind]);
    free(fixture);
    return 0;
}

static void destroy(struct fixture *fixture, struct page *page)
{
    cache_remove(&fixture->cache, &page->cached);
    page_destroy(page);
}

static struct span id_of(int i, char *room, size_t bytes)
{
    return (struct span){ room, (size_t)snprintf(room, bytes, "%s-%d", i % 3 ? "D" : "a longer id, beyond 127 letters ", i) };
}

static void holds_what_was_put(void **state)
{
    struct fixture *fixture = *state;
    struct page *page = tenant_page_add(&fixture->tenant, KIND_DEAL, 7), *copy = tenant_page_add(&fixture->tenant, KIND_DEAL, 8);
    static char values[IDS][BYTES_MAX];
    size_t lens[IDS] = { 0 };
    bool there[IDS] = { false };
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        int i = rand() % IDS;
        char room[64];
        there[i] = rand() % 4;
        if (there[i]) lens[i] = rand() % 5 ? (size_t)(rand() % BYTES_MAX) : lens[i]; /* also as long as before */
        memset(values[i], rand(), lens[i]);
        page_put(page, id_of(i, room, sizeof room), there[i] ? (struct span){ values[i], lens[i] } : NO_SPAN);
        if (round % 100) continue;
        assert_true(page_fill(copy, buffer_all(&page->bytes)));
        for (int j = 0; j < IDS; j++) {
            struct span found = page_find(copy, id_of(j, room, sizeof room));
            assert_int_equal(found.at != NULL, there[j]);
            if (there[j]) assert_true(span_equal(found, (struct span){ values[j], lens[j] }));
        }
    }
    assert_true(fixture->cache.bytes >= page->bytes.room + copy->bytes.room);
    destroy(fixture, page);
    destroy(fixture, copy);
}

/* Several at once as one after the other. */
static void what_is_put_at_once_stands_as_if_put_alone(void **state)
{
    struct fixture *fixture = *state;
    struct page *alone = tenant_page_add(&fixture->tenant, KIND_DEAL, 7), *page = tenant_page_add(&fixture->tenant, KIND_DEAL, 8);
    struct buffer scratch = { 0 };
    srand(2);
    for (int round = 0; round < ROUNDS / 20; round++) {
        static char values[IDS][BYTES_MAX], ids[IDS][64];
        struct page_write writes[IDS], *first = NULL;
        for (int i = rand() % 8; i < IDS; i += 1 + rand() % 16) {
            size_t len = (size_t)(rand() % BYTES_MAX);
            memset(values[i], rand(), len);
            struct span id = id_of(i, ids[i], sizeof ids[i]), bytes = rand() % 4 ? (struct span){ values[i], len } : NO_SPAN;
            writes[i] = (struct page_write){ .next = first, .id = id, .bytes = bytes, .old = page_find(page, id) };
            first = &writes[i];
            page_put(alone, id, bytes);
        }
        page_put_all(page, first, &scratch);
        assert_int_equal(scratch.len, 0);
        assert_int_equal(page->bytes.len, alone->bytes.len);
        for (int i = 0; i < IDS; i++) {
            char room[64];
            struct span id = id_of(i, room, sizeof room), found = page_find(page, id), wanted = page_find(alone, id);
            assert_int_equal(found.at != NULL, wanted.at != NULL);
            if (wanted.at) assert_true(span_equal(found, wanted));
        }
    }
    assert_true(fixture->cache.bytes >= page->bytes.room + alone->bytes.room);
    buffer_deinit(&scratch);
    destroy(fixture, page);
    destroy(fixture, alone);
}

static void what_is_cut_off_is_no_page(void **state)
{
    struct fixture *fixture = *state;
    struct page *page = tenant_page_add(&fixture->tenant, KIND_DEAL, 0), *copy = tenant_page_add(&fixture->tenant, KIND_DEAL, 1);
    page_put(page, SPAN("D-1"), SPAN("first"));
    size_t older = page->bytes.len;
    page_put(page, SPAN("D-2"), SPAN("second"));
    size_t first = page->bytes.len - older; /* what was put last stands first */
    for (size_t n = 0; n <= page->bytes.len; n++)
        assert_int_equal(page_fill(copy, (struct span){ page->bytes.at, n }), n == 0 || n == first || n == page->bytes.len);
    assert_false(page_fill(copy, SPAN("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")));
    assert_false(page_fill(copy, SPAN("\x01\xff\xff\xff\xff\xff\xff\xff\xff\x01x")));
    assert_true(page_fill(copy, SPAN("\x01\x01xy")));
    assert_false(page_fill(copy, (struct span){ "\x81\x00\x01xy", 5 })); /* lengths in more bytes than they need */
    assert_false(page_fill(copy, (struct span){ "\x01\x81\x80\x00xy", 6 }));
    destroy(fixture, page);
    destroy(fixture, copy);
}

/* Growing by one page moves entities of one old page only, and only to the new one. */
static void growing_moves_from_one_page(void **state)
{
    struct fixture *fixture = *state;
    struct arena arena = { 0 };
    for (uint64_t pages = 1; pages < 200; pages++)
        for (int i = 0; i < 300; i++) {
            char room[64];
            struct span id = id_of(i, room, sizeof room), grave = place_grave_id(&fixture->tenant, id, &arena);
            uint32_t before = place_number(&fixture->tenant, id, pages), after = place_number(&fixture->tenant, id, pages + 1);
            assert_true(before < pages);
            if (after != before) assert_int_equal(after, pages);
            if (after != before) assert_int_equal(before, place_split_from(pages));
            assert_int_equal(place_of_record(&fixture->tenant, id, pages), before);
            assert_true(place_is_grave(grave) && !place_is_grave(id));
            assert_int_equal(place_of_record(&fixture->tenant, grave, pages), before);
        }
    arena_deinit(&arena);
}

static void neighbours_stand_together(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t pages = 1; pages < 5000; pages += 37)
        assert_int_equal(place_number(&fixture->tenant, SPAN("D-1230"), pages),
                         place_number(&fixture->tenant, SPAN("D-1239"), pages));
    bool apart = false;
    for (uint64_t pages = 1; pages < 5000; pages += 37)
        apart = apart ||
                place_number(&fixture->tenant, SPAN("D-1230"), pages) != place_number(&fixture->tenant, SPAN("D-1240"), pages);
    assert_true(apart);
}

/* Marks of retired entities are found again where the entity would stand, however often their page was split. */
static void marks_go_where_their_entities_would(void **state)
{
    struct fixture *fixture = *state;
    struct page *pages[64] = { tenant_page_add(&fixture->tenant, KIND_DEAL, 0) };
    char room[64];
    for (int i = 0; i < 300; i += 2) retired_put(&fixture->tenant, pages[0], id_of(i, room, sizeof room));
    page_put(pages[0], SPAN("D-1"), SPAN("another"));
    for (uint32_t n = 1; n < 64; n++) {
        pages[n] = tenant_page_add(&fixture->tenant, KIND_DEAL, n);
        retired_split(pages[place_split_from(n)], pages[n]);
    }
    size_t bytes = 0;
    for (int i = 0; i < 300; i++) {
        struct span id = id_of(i, room, sizeof room);
        uint32_t number = place_number(&fixture->tenant, id, 64);
        for (uint32_t n = 0; n < 64; n++)
            assert_int_equal(retired_find(&fixture->tenant, pages[n], id), n == number && i % 2 == 0);
    }
    assert_true(span_is(page_find(pages[0], SPAN("D-1")), "another"));
    for (uint32_t n = 0; n < 64; n++) bytes += page_find(pages[n], NO_SPAN).len;
    assert_int_equal(bytes, 150 * RETIRED_MARK_BYTES);
    for (uint32_t n = 0; n < 64; n++) destroy(fixture, pages[n]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(holds_what_was_put, start, stop),
        cmocka_unit_test_setup_teardown(what_is_put_at_once_stands_as_if_put_alone, start, stop),
        cmocka_unit_test_setup_teardown(what_is_cut_off_is_no_page, start, stop),
        cmocka_unit_test_setup_teardown(growing_moves_from_one_page, start, stop),
        cmocka_unit_test_setup_teardown(neighbours_stand_together, start, stop),
        cmocka_unit_test_setup_teardown(marks_go_where_their_entities_would, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
