/* The topics read once more: each partition from when it is wanted on. */
#include "daemon/recount/topics.h"
#include "tests/unit/unit.h"

enum {
    PARTITIONS = 2,
    RECORDS = 3, /* of each */
    IN_VAIN_MAX = 10
};

/* Delivers what was started, a record at a time. */
struct shelf {
    struct source source;
    struct partition partitions[PARTITIONS];
    int64_t next[PARTITIONS]; /* NO_OFFSET: not started */
    int starts[PARTITIONS];
    bool assigned;
    int in_vain;
};

static struct shelf *of(struct source *source)
{
    return (struct shelf *)source;
}

static size_t receive(struct source *source, struct record *records, size_t room, int timeout_ms)
{
    struct shelf *shelf = of(source);
    (void)room, (void)timeout_ms;
    for (int i = 0; i < PARTITIONS; i++) {
        if (shelf->next[i] == NO_OFFSET || shelf->next[i] == RECORDS) continue;
        records[0] = (struct record){ .topic = shelf->partitions[i].topic, .partition = i, .offset = shelf->next[i]++ };
        return 1;
    }
    if (++shelf->in_vain > IN_VAIN_MAX) fail_msg("nobody started what is waited for");
    return 0;
}

static void release(struct source *source)
{
    (void)source;
}

static bool next_change(struct source *source, struct change *change)
{
    struct shelf *shelf = of(source);
    *change = (struct change){ CHANGE_ASSIGNED, shelf->partitions, PARTITIONS };
    return !shelf->assigned && (shelf->assigned = true);
}

static void start(struct source *source, struct partition partition, int64_t offset)
{
    of(source)->next[partition.number] = offset;
    of(source)->starts[partition.number]++;
}

static bool view(struct source *source, struct partition_view *views, size_t n, int timeout_ms, struct error *error)
{
    (void)source, (void)timeout_ms, (void)error;
    for (size_t i = 0; i < n; i++) views[i].high = RECORDS;
    return true;
}

static const char *trouble(struct source *source)
{
    (void)source;
    return NULL;
}

static const struct source_ops ops = {
    .receive = receive, .release = release, .next_change = next_change, .start = start, .view = view, .trouble = trouble
};

static void what_is_wanted_later_is_read_later(void **state)
{
    (void)state;
    struct shelf shelf = { { &ops }, { { SPAN("t"), 0 }, { SPAN("t"), 1 } }, { NO_OFFSET, NO_OFFSET }, { 0 }, false, 0 };
    struct refold_settings settings = { .state = state_memory_create(NULL, NULL), .cache_bytes = SIZE_MAX };
    struct refold *refold = refold_create(&settings);
    struct topics topics;
    struct error error = { "" };
    assert_true(topics_open(&topics, &shelf.source, NULL, 0, &error));
    topics_lane(&topics, SPAN("t:0"))->until = 2;
    assert_true(topics_read(&topics, refold, NULL, NULL, &error));
    assert_int_equal(shelf.next[1], NO_OFFSET);
    topics_lane(&topics, SPAN("t:1"))->until = RECORDS;
    assert_true(topics_read(&topics, refold, NULL, NULL, &error));
    assert_int_equal(shelf.next[1], RECORDS);
    assert_int_equal(shelf.starts[0], 1);
    assert_int_equal(shelf.starts[1], 1);
    topics_close(&topics);
    refold_destroy(refold);
    settings.state->ops->destroy(settings.state);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_wanted_later_is_read_later) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
