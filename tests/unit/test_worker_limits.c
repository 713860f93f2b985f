/* A worker that is given little memory: its rounds become smaller, its cache is trimmed, and it counts the same; in few questions. */
#include "daemon/publish/desk.h"
#include "daemon/report/query.h"
#include "daemon/run/engine.h"
#include "daemon/source/files.h"
#include "daemon/worker/inner.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    EVENTS = 6000,
    RECORDS = 1000, /* of a round at most */
    TENANTS = 5000, /* each with an event, in one round; then each with another one */
    TIMES = 2,
    LOOKED_AT_MOST = 1500, /* tenants, at a time */
    LOOKS_MOST = 10,
    FULL_TENANTS = 30,      /* whose only entity gets one event more than it may have */
    READINGS_PER_ROUND = 4, /* what events name, what that refers to, counters, and once tenants */
    TURN_MS = 100,
    KIB = 1024
};

static char events[] = "/tmp/test_worker_limits.XXXXXX", of_many[] = "/tmp/test_worker_tenants.XXXXXX",
            of_full[] = "/tmp/test_worker_full.XXXXXX";
static size_t n_committed;
static struct engine engine;
static struct settings *settings;
static struct catalogue *catalogue;

/* ---- a source whose receives are watched, and a state whose readings are ---- */

static const struct source_ops *real;
static const struct state_ops *real_state;
static size_t most, n_rounds, n_received, n_readings; /* most: records of a round */

static size_t watched_receive(struct source *source, struct record *records, size_t room, int timeout_ms)
{
    size_t n = real->receive(source, records, room, timeout_ms);
    n_received += n;
    return n;
}

static void watched_release(struct source *source)
{
    real->release(source);
    n_rounds += n_received > 0;
    if (n_received > most) most = n_received;
    n_received = 0;
}

static bool watched_read(struct state *state, struct hash_read *reads, size_t n, struct arena *arena, enum outcome *outcome,
                         struct error *error)
{
    n_readings++;
    return real_state->read(state, reads, n, arena, outcome, error);
}

/* ---- counting ---- */

struct run {
    size_t cache_bytes; /* at the end … */
    size_t lean_bytes;  /* … and once a sixteenth of it is allowed, without another turn */
    struct buffer answer;
};

static size_t cache_bytes_of(struct worker *worker)
{
    struct worker_sight *sight = worker_look(worker);
    size_t bytes = sight->cache_bytes;
    worker_sight_destroy(sight);
    return bytes;
}

static struct run count(size_t cache_bytes, size_t round_bytes, uint64_t unused_records)
{
    struct error error = { "" };
    const char *files[] = { events };
    struct run run = { 0 };
    struct source *source = files_source_create(files, 1, engine_clock(&engine), 1 << 20, &error);
    assert_non_null(source);
    real = source->ops;
    struct source_ops watched = *real;
    watched.receive = watched_receive;
    watched.release = watched_release;
    source->ops = &watched;
    most = n_rounds = n_received = n_readings = 0;
    struct worker_parts parts = engine_parts(&engine);
    parts.source = source;
    parts.state = state_memory_create(NULL, NULL);
    real_state = parts.state->ops;
    struct state_ops watched_state = *real_state;
    watched_state.read = watched_read;
    parts.state->ops = &watched_state;
    parts.batch_records = RECORDS;
    struct worker *worker = worker_create(&parts);
    worker_limit(worker, cache_bytes, round_bytes, unused_records);
    while (worker_turn(worker, TURN_MS, &error)) continue;
    worker_drain(worker, 0);
    run.cache_bytes = cache_bytes_of(worker);
    worker_limit(worker, run.cache_bytes / 16, round_bytes, 0);
    run.lean_bytes = cache_bytes_of(worker);
    worker_destroy(worker);
    source->ops = real;
    parts.state->ops = real_state;
    source_destroy(source);
    assert_true(engine_answer(&engine, parts.state, SPAN("{\"metric\":\"leads\",\"by\":[\"source\"]}"), &run.answer, &error));
    parts.state->ops->destroy(parts.state);
    return run;
}

static void rounds_and_cache_keep_to_their_memory(void **state)
{
    (void)state;
    struct run ample = count(SIZE_MAX, 0, 0);
    assert_int_equal(most, RECORDS);
    assert_in_range(n_rounds, EVENTS / RECORDS, EVENTS / RECORDS + 4);
    struct run scarce = count(64 * KIB, 256 * KIB, 0);
    assert_int_equal(most, RECORDS); /* the first: nothing is known yet */
    assert_in_range(EVENTS / n_rounds, 256, RECORDS / 2);
    assert_true(ample.cache_bytes > 256 * KIB);
    assert_in_range(scarce.cache_bytes, 1, 64 * KIB);
    assert_in_range(ample.lean_bytes, 1, ample.cache_bytes / 16);
    assert_true(span_equal(buffer_all(&ample.answer), buffer_all(&scarce.answer)));
    assert_non_null(memmem(ample.answer.at, ample.answer.len, "2000", 4));
    buffer_deinit(&ample.answer);
    buffer_deinit(&scarce.answer);
}

/* Also where there is room for it. */
static void what_nothing_came_for_is_forgotten(void **state)
{
    (void)state;
    struct run all = count(SIZE_MAX, 0, 0), used = count(SIZE_MAX, 256 * KIB, 1);
    assert_in_range(used.cache_bytes, all.cache_bytes / 10, all.cache_bytes * 2 / 3);
    assert_true(span_equal(buffer_all(&all.answer), buffer_all(&used.answer)));
    buffer_deinit(&all.answer);
    buffer_deinit(&used.answer);
}

/* Contacts come, and with each its address, which may stand on any page. */
static void all_that_a_round_needs_is_read_in_few_readings(void **state)
{
    (void)state;
    struct run run = count(16 * KIB, 0, 0);
    assert_in_range(n_rounds, EVENTS / RECORDS, EVENTS / RECORDS + 4);
    assert_in_range(n_readings, EVENTS / RECORDS, READINGS_PER_ROUND * n_rounds);
    buffer_deinit(&run.answer);
}

static void count_committed(void *context, struct committed *committed)
{
    (void)context;
    n_committed++;
    committed_destroy(committed);
}

/* All events of all tenants are counted. */
static struct worker *work_for_many(struct worker_parts *parts, size_t cache_bytes)
{
    struct error error = { "" };
    const char *files[] = { of_many };
    *parts = engine_parts(&engine);
    parts->source = files_source_create(files, 1, engine_clock(&engine), 1 << 20, &error);
    parts->state = state_memory_create(NULL, NULL);
    parts->batch_records = TENANTS;
    parts->committed = count_committed;
    parts->cache_bytes = cache_bytes;
    n_committed = 0;
    assert_non_null(parts->source);
    struct worker *worker = worker_create(parts);
    while (worker_turn(worker, TURN_MS, &error)) continue;
    worker_drain(worker, 0);
    return worker;
}

/* Bytes that the tenants and what is cached of them take in the end. */
static size_t count_many(size_t cache_bytes)
{
    struct error error = { "" };
    struct worker_parts parts;
    struct worker *worker = work_for_many(&parts, cache_bytes);
    assert_int_equal(n_committed, TIMES * TENANTS);
    assert_int_equal(worker_counts(worker).events, TIMES * TENANTS);
    size_t bytes = cache_bytes_of(worker);
    for (int i = 0; i < TENANTS; i += TENANTS / 10) {
        struct buffer request = { 0 }, answer = { 0 };
        buffer_printf(&request, "{\"tenant\":\"t%d\",\"metric\":\"leads\",\"by\":[\"source\"]}", i);
        assert_true(engine_answer(&engine, parts.state, buffer_all(&request), &answer, &error));
        assert_true(span_equal(buffer_all(&answer), SPAN("{\"rows\":[{\"source\":\"web\",\"value\":2}]}")));
        buffer_deinit(&request);
        buffer_deinit(&answer);
    }
    worker_destroy(worker);
    source_destroy(parts.source);
    parts.state->ops->destroy(parts.state);
    return bytes;
}

static void a_round_takes_any_number_of_tenants(void **state)
{
    (void)state;
    assert_true(count_many(SIZE_MAX) > (size_t)TENANTS * KIB);
}

/* What they held is read again with their next event. */
static void tenants_that_nothing_came_for_rest(void **state)
{
    (void)state;
    assert_in_range(count_many(256 * KIB), 1, 256 * KIB);
}

static struct map asked_for; /* keys */
static size_t n_asked;

static bool noted_read(struct state *state, struct hash_read *reads, size_t n, struct arena *arena, enum outcome *outcome,
                       struct error *error)
{
    n_asked += n;
    for (size_t i = 0; i < n; i++) {
        char *key = strndup(reads[i].key.at, reads[i].key.len);
        free(map_put(&asked_for, span_of(key), key));
    }
    return real_state->read(state, reads, n, arena, outcome, error);
}

/* Has somebody counted one anew? However many there are, Redis is asked for a few at a time, and for each soon. */
static void tenants_are_looked_at_in_turns(void **state)
{
    struct worker_parts parts;
    struct worker *worker = work_for_many(&parts, SIZE_MAX);
    (void)state;
    real_state = parts.state->ops;
    struct state_ops noted = *real_state;
    noted.read = noted_read;
    parts.state->ops = &noted;
    int looks = 0;
    for (; asked_for.count < TENANTS && looks < LOOKS_MOST; looks++) {
        n_asked = 0;
        worker_look_at_held(worker);
        assert_in_range(n_asked, 1, LOOKED_AT_MOST);
    }
    assert_int_equal(asked_for.count, TENANTS);
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&asked_for, &at));) free(slot->value);
    map_deinit(&asked_for);
    parts.state->ops = real_state;
    worker_destroy(worker);
    source_destroy(parts.source);
    parts.state->ops->destroy(parts.state);
}

/* ---- a sink whose flushes are counted ---- */

struct counting_sink {
    struct sink base;
    struct worker *worker;
    void *tags[FULL_TENANTS];
    size_t n_tags, n_letters, n_flushes;
};

static bool take_letter(struct sink *base, const struct outgoing *outgoing)
{
    struct counting_sink *sink = (struct counting_sink *)base;
    sink->tags[sink->n_tags++] = outgoing->tag;
    sink->n_letters++;
    return true;
}

static void acknowledge_letters(struct sink *base, int timeout_ms)
{
    struct counting_sink *sink = (struct counting_sink *)base;
    (void)timeout_ms;
    while (sink->n_tags) worker_acknowledged(sink->worker, sink->tags[--sink->n_tags], DELIVERED, "");
}

static bool flush_letters(struct sink *base, int timeout_ms)
{
    ((struct counting_sink *)base)->n_flushes++;
    acknowledge_letters(base, timeout_ms);
    return true;
}

/* Each flush may wait for Kafka: one is enough for a round, however many tenants have something for the dead letters. */
static void dead_letters_of_a_round_are_waited_for_once(void **state)
{
    static const struct sink_ops ops = { .produce = take_letter, .poll = acknowledge_letters, .flush = flush_letters };
    struct counting_sink sink = { .base = { &ops } };
    struct error error = { "" };
    const char *files[] = { of_full };
    struct worker_parts parts = engine_parts(&engine);
    (void)state;
    parts.source = files_source_create(files, 1, engine_clock(&engine), 1 << 20, &error);
    assert_non_null(parts.source);
    parts.state = state_memory_create(NULL, NULL);
    parts.dead_letters = &sink.base;
    parts.tenants.max_events = 1;
    sink.worker = worker_create(&parts);
    while (worker_turn(sink.worker, TURN_MS, &error)) continue;
    assert_int_equal(sink.n_letters, FULL_TENANTS);
    assert_int_equal(sink.n_flushes, 1);
    worker_destroy(sink.worker);
    source_destroy(parts.source);
    parts.state->ops->destroy(parts.state);
}

/* At the publisher: nothing but what it waits with. */
static void a_tenant_that_was_not_loaded_has_no_board(void **state)
{
    (void)state;
    struct desk *desk = desk_create(&engine, SPAN("acme"));
    desk_watch(desk, NULL, 0);
    desk_rest(desk);
    assert_null(desk->board);
    assert_in_range(desk_bytes(desk, &engine), 1, 2 * KIB);
    desk_destroy(desk);
}

/* ---- setting up ---- */

/* Each of so many tenants gets a contact, and then another one, or the same once more. */
static void write_tenants(char *name, int n, bool others)
{
    FILE *file = fdopen(mkstemp(name), "w");
    assert_non_null(file);
    for (int i = 0; i < TIMES * n; i++)
        fprintf(
            file,
            "{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"/crm\",\"type\":\"crm.contact.created\",\"subject\":\"C%d\","
            "\"time\":\"2026-03-10T10:00:00Z\",\"tenantid\":\"t%d\",\"data\":{\"source\":\"web\"}}\n",
            i / n, others ? i / n : 0, i % n);
    fclose(file);
}

static int begin(void **state)
{
    (void)state;
    static const char *const sources[] = { "web", "fair", "referral" };
    char *environment[] = { NULL };
    struct problems problems = { 0 };
    struct catalogue_file shipped = catalogue_shipped();
    struct error error = { "" };
    FILE *file = fdopen(mkstemp(events), "w");
    assert_non_null(file);
    for (int i = 0; i < EVENTS; i++)
        fprintf(
            file,
            "{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"/crm\",\"type\":\"crm.contact.created\",\"subject\":\"Co-%d\","
            "\"time\":\"2026-03-%02dT10:00:00Z\",\"data\":{\"source\":\"%s\",\"owner\":\"u%d\",\"email\":\"%d@mail.example\"}}\n",
            i, i, 1 + i % 28, sources[i % 3], i % 7, i);
    fclose(file);
    write_tenants(of_many, TENANTS, true);
    write_tenants(of_full, FULL_TENANTS, false);
    setenv("CRM_REPORTD_CLOCK", "2026-03-31T12:00:00Z", 1);
    settings = settings_load(NULL, environment, NEED_RULES, &problems);
    catalogue = catalogue_load(&shipped, 1, &problems);
    return settings && catalogue && engine_init(&engine, settings, catalogue, &error) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    unlink(events);
    unlink(of_many);
    unlink(of_full);
    catalogue_destroy(catalogue);
    settings_destroy(settings);
    return 0;
}

/* ---- dead letters that are not taken ---- */

/* All that came since is read again with them: as that takes longer, it is done less often. */
static void dead_letters_that_are_refused_are_sent_less_and_less_often(void **state)
{
    static const int waits_s[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
    struct lanes lanes = { 0 };
    struct lane *lane = lane_add(&lanes, (struct partition){ SPAN("deals"), 0 });
    int64_t now_us = 0;
    (void)state;
    lane->started = true;
    for (size_t i = 0; i < sizeof waits_s / sizeof *waits_s; i++) {
        lane_letter_sent(lane, 7);
        lane_letter_sent(lane, 9);
        lane_letter_failed(lane, 7, now_us);
        assert_false(lane_resends(lane, now_us + 100 * MICROS_PER_SECOND)); /* the other one is waited for */
        lane_letter_failed(lane, 9, now_us);
        assert_false(lane_resends(lane, now_us + waits_s[i] * MICROS_PER_SECOND - 1));
        now_us += waits_s[i] * MICROS_PER_SECOND;
        assert_true(lane_resends(lane, now_us));
        assert_int_equal(lane->resend_from, 7);
    }
    lane_letter_sent(lane, 11);
    lane_letter_acknowledged(lane, 11);
    lane_letter_failed(lane, 12, now_us);
    assert_true(lane_resends(lane, now_us + MICROS_PER_SECOND));
    lanes_deinit(&lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rounds_and_cache_keep_to_their_memory),
                                        cmocka_unit_test(what_nothing_came_for_is_forgotten),
                                        cmocka_unit_test(all_that_a_round_needs_is_read_in_few_readings),
                                        cmocka_unit_test(a_round_takes_any_number_of_tenants),
                                        cmocka_unit_test(tenants_that_nothing_came_for_rest),
                                        cmocka_unit_test(tenants_are_looked_at_in_turns),
                                        cmocka_unit_test(dead_letters_of_a_round_are_waited_for_once),
                                        cmocka_unit_test(dead_letters_that_are_refused_are_sent_less_and_less_often),
                                        cmocka_unit_test(a_tenant_that_was_not_loaded_has_no_board) };
    return cmocka_run_group_tests(tests, begin, end);
}
