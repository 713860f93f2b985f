/* What every state must do, asked of the one in memory, the one in a real Redis, by either way of its commits, and the one in a Redis Cluster alike. */
#include "daemon/state/redis.h"
#include "tests/unit/private_cluster.h"
#include "tests/unit/unit.h"

#include <time.h>

struct fixture {
    struct state *state;
    struct private_redis redis;
    bool has_redis;
    struct arena arena;
    int64_t version; /* of the tenant that commit() writes */
};

#define KEY(name) SPAN("crm:{t}:" name)

static struct commit commit_of(const struct fixture *fixture, const struct hash_write *writes, size_t n)
{
    return (struct commit){ .tenant = SPAN("t"),
                            .state_key = KEY("state"),
                            .timers_key = KEY("timers"),
                            .version = fixture->version,
                            .writes = writes,
                            .n_writes = n };
}

static void commit(struct fixture *fixture, struct commit *commit)
{
    struct error error = { 0 };
    bool good = fixture->state->ops->commit_begin(fixture->state, commit, 1, &error) &&
                fixture->state->ops->commit_end(fixture->state, &error);
    if (!good) print_error("%s\n", error.text);
    assert_true(good);
    assert_int_equal(commit->outcome, DONE);
    assert_true(commit->version_new > commit->version);
    fixture->version = commit->version_new;
}

static void commit_writes(struct fixture *fixture, const struct hash_write *writes, size_t n)
{
    struct commit one = commit_of(fixture, writes, n);
    commit(fixture, &one);
}

static void read_all(struct fixture *fixture, struct hash_read *reads, size_t n)
{
    struct error error = { 0 };
    enum outcome outcome = LOST;
    bool good = fixture->state->ops->read(fixture->state, reads, n, &fixture->arena, &outcome, &error);
    if (!good) print_error("%s\n", error.text);
    assert_true(good);
    assert_int_equal(outcome, DONE);
}

static struct span read_one(struct fixture *fixture, struct span key, struct span field)
{
    struct hash_read read = { .key = key, .fields = &field, .n_fields = 1 };
    read_all(fixture, &read, 1);
    assert_int_equal(read.n_values, 1);
    return read.values[0];
}

static size_t read_size(struct fixture *fixture, struct span key)
{
    struct hash_read read = { .key = key };
    read_all(fixture, &read, 1);
    return read.n_values / 2;
}

static void assert_span(struct span found, const char *expected)
{
    assert_non_null(found.at);
    assert_int_equal(found.len, strlen(expected));
    assert_memory_equal(found.at, expected, found.len);
}

static void nothing_there(void **state)
{
    struct fixture *fixture = *state;
    assert_null(read_one(fixture, KEY("none"), SPAN("a")).at);
    assert_int_equal(read_size(fixture, KEY("none")), 0);
    struct span no_field;
    struct hash_read read = { .key = KEY("none"), .fields = &no_field, .n_fields = 0 };
    read_all(fixture, &read, 1);
    assert_int_equal(read.n_values, 0);
    assert_int_equal(read.n_stored, 0);
}

static void written_is_read(void **state)
{
    struct fixture *fixture = *state;
    const struct hash_write writes[] = {
        { KEY("day:1"), SPAN("a"), SPAN("1") },
        { KEY("day:1"), SPAN("empty"), SPAN("") },
        { KEY("day:2"), SPAN("line\r\n\0end"), SPAN("\0\r\n$5\r\n") },
    };
    commit_writes(fixture, writes, 3);
    struct span fields[] = { SPAN("empty"), SPAN("none"), SPAN("a") };
    struct hash_read reads[] = { { .key = KEY("day:1"), .fields = fields, .n_fields = 3 }, { .key = KEY("day:2") } };
    read_all(fixture, reads, 2);
    assert_int_equal(reads[0].n_values, 3);
    assert_span(reads[0].values[0], "");
    assert_null(reads[0].values[1].at);
    assert_span(reads[0].values[2], "1");
    assert_int_equal(reads[1].n_values, 2);
    assert_true(span_equal(reads[1].values[0], SPAN("line\r\n\0end")));
    assert_true(span_equal(reads[1].values[1], SPAN("\0\r\n$5\r\n")));
    struct hash_read how_many[] = { { .key = KEY("day:1"), .fields = fields }, { .key = KEY("day:2"), .fields = fields } };
    read_all(fixture, how_many, 2);
    assert_int_equal(how_many[0].n_stored, 2);
    assert_int_equal(how_many[1].n_stored, 1);
}

static void removed_is_gone(void **state)
{
    struct fixture *fixture = *state;
    const struct hash_write set[] = { { KEY("h"), SPAN("a"), SPAN("1") }, { KEY("h"), SPAN("b"), SPAN("2") } };
    commit_writes(fixture, set, 2);
    const struct hash_write change[] = { { KEY("h"), SPAN("a"), NO_SPAN },
                                         { KEY("h"), SPAN("c"), SPAN("3") },
                                         { KEY("h"), SPAN("never there"), NO_SPAN } };
    commit_writes(fixture, change, 3);
    assert_null(read_one(fixture, KEY("h"), SPAN("a")).at);
    assert_int_equal(read_size(fixture, KEY("h")), 2);
    const struct hash_write rest[] = { { KEY("h"), SPAN("b"), NO_SPAN }, { KEY("h"), SPAN("c"), NO_SPAN } };
    commit_writes(fixture, rest, 2);
    assert_int_equal(read_size(fixture, KEY("h")), 0);
}

static void commit_strings(struct fixture *fixture, const struct string_write *strings, size_t n)
{
    struct commit one = commit_of(fixture, NULL, 0);
    one.strings = strings;
    one.n_strings = n;
    commit(fixture, &one);
}

static struct span read_string(struct fixture *fixture, struct span key)
{
    struct hash_read read = { .key = key, .is_string = true };
    read_all(fixture, &read, 1);
    assert_int_equal(read.n_values, 1);
    return read.values[0];
}

static void strings_are_set_and_removed(void **state)
{
    struct fixture *fixture = *state;
    const struct string_write set[] = { { KEY("page:1"), SPAN("a\0\r\n") }, { KEY("page:2"), SPAN("b") } };
    commit_strings(fixture, set, 2);
    assert_true(span_equal(read_string(fixture, KEY("page:1")), SPAN("a\0\r\n")));
    const struct string_write change[] = { { KEY("page:1"), SPAN("") }, { KEY("page:2"), SPAN("c") }, { KEY("none"), SPAN("") } };
    commit_strings(fixture, change, 3);
    assert_null(read_string(fixture, KEY("page:1")).at);
    assert_span(read_string(fixture, KEY("page:2")), "c");
}

/* As days that fold into their month. */
static void an_empty_string_removes_a_hash_too(void **state)
{
    struct fixture *fixture = *state;
    const struct hash_write fields[] = { { KEY("day"), SPAN("a"), SPAN("1") }, { KEY("day"), SPAN("b"), SPAN("2") } };
    commit_writes(fixture, fields, 2);
    const struct string_write gone[] = { { KEY("day"), SPAN("") }, { KEY("page"), SPAN("x") } };
    commit_strings(fixture, gone, 2);
    assert_int_equal(read_size(fixture, KEY("day")), 0);
    commit_writes(fixture, fields, 1);
    assert_int_equal(read_size(fixture, KEY("day")), 1);
}

/* Strings go out in runs of one command; hashes, and strings of another tenant, in between end a run. */
static void strings_among_hashes(void **state)
{
    struct fixture *fixture = *state;
    enum {
        N = 3000
    };
    struct string_write *set = arena_alloc(&fixture->arena, N * sizeof *set);
    struct hash_read *reads = arena_zalloc(&fixture->arena, (N + 3) * sizeof *reads);
    for (int i = 0; i < N; i++) {
        struct buffer text = { 0 };
        buffer_printf(&text, "crm:{t}:page:%d", i);
        set[i].key = arena_copy(&fixture->arena, buffer_all(&text));
        set[i].value = arena_copy(&fixture->arena, (struct span){ set[i].key.at + 13, set[i].key.len - 13 });
        reads[i] = (struct hash_read){ .key = set[i].key, .is_string = true };
        buffer_deinit(&text);
    }
    commit_strings(fixture, set, N);
    const struct hash_write field = { KEY("h"), SPAN("a"), SPAN("1") };
    commit_writes(fixture, &field, 1);
    struct span name = SPAN("a");
    reads[N] = reads[7];
    reads[7] = (struct hash_read){ .key = KEY("h"), .fields = &name, .n_fields = 1 };
    reads[N + 1] = (struct hash_read){ .key = SPAN("crm:{other}:page:1"), .is_string = true };
    reads[N + 2] = (struct hash_read){ .key = KEY("h") };
    for (int atomic = 0; atomic < 2; atomic++) {
        struct error error = { "" };
        enum outcome outcome = LOST;
        if (!atomic) read_all(fixture, reads, N + 3);
        if (atomic) reads[N + 1].key = KEY("page:none"); /* one tenant's alone */
        if (atomic)
            assert_true(fixture->state->ops->read_atomic(fixture->state, reads, N + 3, &fixture->arena, &outcome, &error));
        for (int i = 0; i < N; i++)
            if (i != 7) assert_true(span_equal(reads[i].values[0], set[i].value));
        assert_span(reads[7].values[0], "1");
        assert_span(reads[N].values[0], "7");
        assert_null(reads[N + 1].values[0].at);
        assert_int_equal(reads[N + 2].n_values, 2);
    }
}

static void other_version_conflicts(void **state)
{
    struct fixture *fixture = *state;
    const struct hash_write write = { KEY("h"), SPAN("a"), SPAN("1") }, late = { KEY("h"), SPAN("a"), SPAN("2") };
    commit_writes(fixture, &write, 1);
    const int64_t versions[] = { 0, fixture->version - 1, fixture->version + 1 };
    for (size_t i = 0; i < 3; i++) {
        struct commit one = commit_of(fixture, &late, 1);
        const struct timer_write timer = { SPAN("m"), 5 };
        one.version = versions[i];
        one.timers = &timer;
        one.n_timers = 1;
        const struct string_write string = { KEY("page"), SPAN("x") };
        one.strings = &string;
        one.n_strings = 1;
        struct error error = { 0 };
        assert_true(fixture->state->ops->commit_begin(fixture->state, &one, 1, &error));
        assert_true(fixture->state->ops->commit_end(fixture->state, &error));
        assert_int_equal(one.outcome, CONFLICT);
        assert_int_equal(one.version_new, fixture->version);
    }
    assert_span(read_one(fixture, KEY("h"), SPAN("a")), "1");
}

static void one_conflict_among_many(void **state)
{
    struct fixture *fixture = *state;
    struct commit commits[50];
    struct hash_write writes[50];
    char texts[50][4][32];
    for (int i = 0; i < 50; i++) {
        snprintf(texts[i][0], 32, "crm:{t%d}:state", i);
        snprintf(texts[i][1], 32, "crm:{t%d}:timers", i);
        snprintf(texts[i][2], 32, "crm:{t%d}:h", i);
        writes[i] = (struct hash_write){ span_of(texts[i][2]), SPAN("a"), SPAN("1") };
        commits[i] = (struct commit){ .state_key = span_of(texts[i][0]),
                                      .timers_key = span_of(texts[i][1]),
                                      .version = i == 17 ? 5 : 0,
                                      .writes = &writes[i],
                                      .n_writes = 1 };
    }
    struct error error = { 0 };
    assert_true(fixture->state->ops->commit_begin(fixture->state, commits, 50, &error));
    assert_true(fixture->state->ops->commit_end(fixture->state, &error));
    for (int i = 0; i < 50; i++) {
        assert_int_equal(commits[i].outcome, i == 17 ? CONFLICT : DONE);
        assert_int_equal(read_size(fixture, span_of(texts[i][2])), i == 17 ? 0 : 1);
    }
}

static void reads_between_begin_and_end(void **state)
{
    struct fixture *fixture = *state;
    const struct hash_write write = { KEY("h"), SPAN("a"), SPAN("1") };
    struct commit one = commit_of(fixture, &write, 1);
    struct error error = { 0 };
    assert_true(fixture->state->ops->commit_begin(fixture->state, &one, 1, &error));
    assert_span(read_one(fixture, KEY("h"), SPAN("a")), "1");
    assert_true(fixture->state->ops->commit_end(fixture->state, &error));
    assert_int_equal(one.outcome, DONE);
}

static void assert_timers(struct fixture *fixture, int64_t until_us, size_t limit, size_t n, const char *const *members)
{
    struct error error = { 0 };
    enum outcome outcome;
    struct timer *timers;
    size_t found;
    assert_true(fixture->state->ops->timers(fixture->state, KEY("timers"), until_us, limit, &fixture->arena, &timers, &found,
                                            &outcome, &error));
    assert_int_equal(found, n);
    for (size_t i = 0; i < n; i++) assert_span(timers[i].member, members[i]);
    for (size_t i = 1; i < n; i++) assert_true(timers[i].at_us >= timers[i - 1].at_us);
}

static void timers_by_time(void **state)
{
    struct fixture *fixture = *state;
    const int64_t base = 7258118400000000 - 4; /* the last of the year 2199 */
    const struct timer_write timers[] = { { SPAN("late"), base + 3 },
                                          { SPAN("b"), base + 1 },
                                          { SPAN("a"), base + 1 },
                                          { SPAN("early"), -5 },
                                          { SPAN("gone"), NEVER } };
    struct commit one = commit_of(fixture, NULL, 0);
    assert_timers(fixture, base, 10, 0, NULL);
    one.timers = timers;
    one.n_timers = 5;
    commit(fixture, &one);
    assert_timers(fixture, base + 3, 10, 4, (const char *const[]){ "early", "a", "b", "late" });
    assert_timers(fixture, base + 2, 10, 3, (const char *const[]){ "early", "a", "b" });
    assert_timers(fixture, base + 3, 2, 2, (const char *const[]){ "early", "a" });
    const struct timer_write moved[] = { { SPAN("early"), base + 2 }, { SPAN("a"), NEVER } };
    one = commit_of(fixture, NULL, 0);
    one.timers = moved;
    one.n_timers = 2;
    commit(fixture, &one);
    assert_timers(fixture, base + 3, 10, 3, (const char *const[]){ "b", "early", "late" });
    struct timer *found;
    size_t n;
    enum outcome outcome;
    struct error error = { 0 };
    assert_true(
        fixture->state->ops->timers(fixture->state, KEY("timers"), base + 1, 9, &fixture->arena, &found, &n, &outcome, &error));
    assert_int_equal(n, 1);
    assert_true(found[0].at_us == base + 1);
}

enum {
    MANY = 50000,
    MANY_KEYS = 300
};

static struct hash_write *many_writes(struct arena *arena, size_t *n)
{
    struct hash_write *writes = arena_zalloc(arena, MANY * sizeof *writes);
    char text[64];
    for (int i = 0; i < MANY; i++) {
        int key = i < MANY / 2 ? 0 : i % MANY_KEYS; /* half of all in one hash */
        snprintf(text, sizeof text, "crm:{t}:big:%d", key);
        writes[i].key = arena_copy(arena, span_of(text));
        snprintf(text, sizeof text, "field %d", i);
        writes[i].field = arena_copy(arena, span_of(text));
        snprintf(text, sizeof text, "%d 86400000 %d", i, i % 7);
        writes[i].value = arena_copy(arena, span_of(text));
    }
    *n = MANY;
    return writes;
}

static int by_key(const void *a, const void *b)
{
    const struct hash_write *x = a, *y = b;
    int c = span_compare(x->key, y->key);
    return c ? c : span_compare(x->field, y->field);
}

static void assert_many(struct fixture *fixture, const struct hash_write *writes, size_t n)
{
    struct hash_read *reads = arena_zalloc(&fixture->arena, n * sizeof *reads);
    for (size_t i = 0; i < n; i++)
        reads[i] = (struct hash_read){ .key = writes[i].key, .fields = &writes[i].field, .n_fields = 1 };
    read_all(fixture, reads, n);
    for (size_t i = 0; i < n; i++) {
        assert_true((reads[i].values[0].at != NULL) == (writes[i].value.at != NULL));
        assert_true(span_equal(reads[i].values[0], writes[i].value));
    }
}

static void fifty_thousand_fields(void **state)
{
    struct fixture *fixture = *state;
    size_t n;
    struct hash_write *writes = many_writes(&fixture->arena, &n);
    commit_writes(fixture, writes, n); /* equal keys apart: each group is a step of its own */
    assert_many(fixture, writes, n);
    qsort(writes, n, sizeof *writes, by_key);
    for (size_t i = 0; i < n; i += 3) writes[i].value = NO_SPAN;
    commit_writes(fixture, writes, n);
    assert_many(fixture, writes, n);
}

static void large_values(void **state)
{
    struct fixture *fixture = *state;
    enum {
        BYTES = 3 * 1024 * 1024,
        N = 8
    };
    char *bytes = must_alloc(BYTES);
    for (int i = 0; i < BYTES; i++) bytes[i] = (char)(i * 31 + i / 251);
    const struct span names[N] = { SPAN("a"), SPAN("b"), SPAN("c"), SPAN("d"), SPAN("e"), SPAN("f"), SPAN("g"), SPAN("h") };
    struct hash_write writes[N];
    struct hash_read reads[N];
    for (int i = 0; i < N; i++) {
        writes[i] = (struct hash_write){ KEY("large"), names[i], { bytes + i, BYTES - N } };
        reads[i] = (struct hash_read){ .key = KEY("large"), .fields = &names[i], .n_fields = 1 };
    }
    commit_writes(fixture, writes, N);
    read_all(fixture, reads, N);
    for (int i = 0; i < N; i++) assert_true(span_equal(reads[i].values[0], writes[i].value));
    free(bytes);
}

static void atomic_reads(void **state)
{
    struct fixture *fixture = *state;
    const struct hash_write writes[] = { { KEY("h"), SPAN("a"), SPAN("1") }, { KEY("i"), SPAN("b"), SPAN("2") } };
    commit_writes(fixture, writes, 2);
    struct span fields[] = { SPAN("none"), SPAN("a") };
    struct hash_read reads[] = { { .key = KEY("h"), .fields = fields, .n_fields = 2 }, { .key = KEY("i") }, { .key = KEY("j") } };
    struct error error = { 0 };
    enum outcome outcome;
    assert_true(fixture->state->ops->read_atomic(fixture->state, reads, 3, &fixture->arena, &outcome, &error));
    assert_int_equal(outcome, DONE);
    assert_null(reads[0].values[0].at);
    assert_span(reads[0].values[1], "1");
    assert_int_equal(reads[1].n_values, 2);
    assert_span(reads[1].values[0], "b");
    assert_span(reads[1].values[1], "2");
    assert_int_equal(reads[2].n_values, 0);
}

static int64_t wall_clock(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * MICROS_PER_SECOND + now.tv_nsec / 1000;
}

static void clock_and_version(void **state)
{
    struct fixture *fixture = *state;
    struct error error = { 0 };
    enum outcome outcome;
    int64_t before_us = wall_clock(NULL), now_us;
    assert_true(fixture->state->ops->clock(fixture->state, &now_us, &outcome, &error));
    assert_in_range(now_us, before_us, before_us + 10 * MICROS_PER_SECOND);
    commit_writes(fixture, NULL, 0);
    assert_in_range(fixture->version, before_us, before_us + 10 * MICROS_PER_SECOND);
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)fixture->version);
    assert_span(read_one(fixture, KEY("state"), SPAN("version")), text);
}

/* A version ahead of the clock goes on by one, and is never written with an exponent. */
static void version_ahead_of_the_clock(void **state)
{
    struct fixture *fixture = *state;
    const struct hash_write ahead = { KEY("state"), SPAN("version"), SPAN("9000000000000000") };
    struct commit other = commit_of(fixture, &ahead, 1);
    other.state_key = KEY("other");
    commit(fixture, &other);
    fixture->version = 9000000000000000;
    commit_writes(fixture, NULL, 0);
    assert_true(fixture->version == 9000000000000001);
    assert_span(read_one(fixture, KEY("state"), SPAN("version")), "9000000000000001");
}

static int start_memory(void **state)
{
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    fixture->state = state_memory_create(wall_clock, NULL);
    *state = fixture;
    return 0;
}

static enum commit_way way;

static int start_redis(void **state)
{
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    struct error error = { 0 };
    fixture->has_redis = true;
    private_redis_create(&fixture->redis, "");
    fixture->state = state_redis_create(&(struct redis_settings){
        .url = fixture->redis.url, .connect_timeout_ms = 2000, .command_timeout_ms = 10000, .commit_way = way });
    *state = fixture;
    bool good = state_redis_connect(fixture->state, &error);
    if (!good) print_error("%s\n", error.text);
    return good ? 0 : -1;
}

static int start_script(void **state)
{
    way = COMMIT_BY_SCRIPT;
    return start_redis(state);
}

static int start_transaction(void **state)
{
    way = COMMIT_IN_TRANSACTION;
    return start_redis(state);
}

static struct private_cluster cluster; /* of all tests: it takes its time to begin */

static int start_cluster(void **state)
{
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    struct error error = { 0 };
    if (!cluster.url[0]) private_cluster_create(&cluster);
    for (int i = 0; i < 2; i++) private_redis_do(&cluster.nodes[i], "FLUSHALL");
    fixture->state = state_redis_create(
        &(struct redis_settings){ .url = cluster.url, .connect_timeout_ms = 2000, .command_timeout_ms = 10000 });
    *state = fixture;
    bool good = state_redis_connect(fixture->state, &error);
    if (!good) print_error("%s\n", error.text);
    return good ? 0 : -1;
}

static int stop_cluster(void **state)
{
    (void)state;
    if (cluster.url[0]) private_cluster_destroy(&cluster);
    return 0;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;
    fixture->state->ops->destroy(fixture->state);
    if (fixture->has_redis) private_redis_destroy(&fixture->redis);
    arena_deinit(&fixture->arena);
    free(fixture);
    return 0;
}

#define ALL(test)                                                                                                                \
    { #test " (memory)", test, start_memory, stop, NULL }, { #test " (script)", test, start_script, stop, NULL },                \
        { #test " (transaction)", test, start_transaction, stop, NULL },                                                         \
    {                                                                                                                            \
#test " (cluster)", test, start_cluster, stop, NULL                                                                      \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALL(nothing_there),
        ALL(written_is_read),
        ALL(removed_is_gone),
        ALL(strings_are_set_and_removed),
        ALL(an_empty_string_removes_a_hash_too),
        ALL(strings_among_hashes),
        ALL(other_version_conflicts),
        ALL(one_conflict_among_many),
        ALL(reads_between_begin_and_end),
        ALL(timers_by_time),
        ALL(fifty_thousand_fields),
        ALL(large_values),
        ALL(atomic_reads),
        ALL(clock_and_version),
        ALL(version_ahead_of_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, stop_cluster);
}
