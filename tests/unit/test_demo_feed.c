/* The demo's feed: believable, the same again from the same seed, and everything it sends is taken. */
#include "daemon/demo/cast.h"
#include "daemon/demo/feed.h"
#include "daemon/intake/decode.h"
#include "daemon/settings/zones.h"
#include "tests/unit/unit.h"

enum {
    LIVE_EVENTS = 4000,
    LIVE_STEP_MS = 50
};
#define NOW "2026-03-18T13:00:00Z"

struct fixture {
    struct zones zones;
    const struct zone *of[8];
};

static int set_up(void **state)
{
    struct error error = { 0 };
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    for (size_t i = 0; i < n_cast; i++) {
        fixture->of[i] = zones_get(&fixture->zones, cast[i].time_zone, &error);
        assert_non_null(fixture->of[i]);
    }
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    zones_deinit(&fixture->zones);
    free(fixture);
    return 0;
}

/* Everything that a feed says, in order: what each event was for `each`. */
struct story {
    size_t history, live;
    int64_t now_us; /* when the event at hand is sent */
    void (*each)(struct story *, const struct feed_event *);
    void *context;
};

static void tell_story(const struct fixture *fixture, uint64_t seed, struct story *story)
{
    struct feed_event event;
    story->now_us = instant(NOW);
    struct feed *feed = feed_create(seed, story->now_us, fixture->of);
    for (; feed_history(feed, &event); feed_event_deinit(&event), story->history++) story->each(story, &event);
    for (; story->live < LIVE_EVENTS; feed_event_deinit(&event), story->live++) {
        story->now_us += LIVE_STEP_MS * MICROS_PER_MS;
        feed_live(feed, story->now_us, &event);
        story->each(story, &event);
    }
    feed_destroy(feed);
}

static void gather(struct story *story, const struct feed_event *event)
{
    buffer_printf(story->context, "%s %s %.*s %s\n", event->tenant, event->topic, SPAN_ARG(buffer_all(&event->value)),
                  event->headline);
}

static void repeats_itself_from_the_seed(void **state)
{
    struct buffer text[3] = { 0 };
    for (int i = 0; i < 3; i++) tell_story(*state, i < 2 ? 7 : 8, &(struct story){ .each = gather, .context = &text[i] });
    assert_true(span_equal(buffer_all(&text[0]), buffer_all(&text[1])));
    assert_false(span_equal(buffer_all(&text[0]), buffer_all(&text[2])));
    for (int i = 0; i < 3; i++) buffer_deinit(&text[i]);
}

static const struct rules any_rules = { .currency = "EUR" };

static const struct rules *rules_of(void *context, struct span tenant)
{
    (void)context, (void)tenant;
    return &any_rules;
}

static void decode_it(struct story *story, const struct feed_event *from)
{
    static const struct decode_settings settings = { "crm.", 600 * MICROS_PER_SECOND, 4096, rules_of, NULL };
    struct record record = { .value = buffer_all(&from->value), .timestamp_us = story->now_us };
    struct arena arena = { 0 };
    struct event event = { 0 };
    struct rejection rejection = { 0 };
    if (!decode(&settings, &record, &arena, &event, &rejection)) fail_msg("%s: %.*s", rejection.message, SPAN_ARG(record.value));
    assert_true(span_is(event.tenant, from->tenant));
    assert_true(from->time_us <= story->now_us + 600 * MICROS_PER_SECOND);
    assert_true(from->headline[0]);
    arena_deinit(&arena);
}

static void everything_decodes(void **state)
{
    for (uint64_t seed = 1; seed <= 5; seed++) tell_story(*state, seed, &(struct story){ .each = decode_it });
}

static void count_marks(struct story *story, const struct feed_event *event)
{
    int *marks = story->context;
    if (story->now_us > instant(NOW)) marks[event->mark]++;
    if (event->mark == FEED_LATE) assert_true(event->time_us < story->now_us - 6 * 3600 * MICROS_PER_SECOND);
    if (event->mark != FEED_USUAL && event->spot.report)
        assert_true(event->spot.metric && event->spot.period && event->spot.label);
}

static void everything_that_goes_wrong_is_there(void **state)
{
    int marks[N_FEED_MARKS] = { 0 };
    tell_story(*state, 3, &(struct story){ .each = count_marks, .context = marks });
    for (int mark = 0; mark < N_FEED_MARKS; mark++)
        if (marks[mark] < 5) fail_msg("%d of %s", marks[mark], mark ? feed_mark_names[mark] : "the usual ones");
    assert_true(marks[FEED_USUAL] > LIVE_EVENTS / 2);
}

/* A repeated event is one that was sent before, byte by byte. */
static void find_repeated(struct story *story, const struct feed_event *event)
{
    struct map *seen = story->context;
    void *known = map_get(seen, buffer_all(&event->value));
    assert_int_equal(known != NULL, event->mark == FEED_REPEATED);
    if (known) return;
    struct buffer *copy = must_zalloc(sizeof *copy);
    buffer_span(copy, buffer_all(&event->value));
    map_put(seen, buffer_all(copy), copy);
}

static void repeated_means_the_same_bytes(void **state)
{
    struct map seen = { 0 };
    size_t at = 0;
    tell_story(*state, 4, &(struct story){ .each = find_repeated, .context = &seen });
    for (struct map_slot *slot; (slot = map_next(&seen, &at));) {
        buffer_deinit(slot->value);
        free(slot->value);
    }
    map_deinit(&seen);
}

/* A partition of the mock broker keeps 5 MiB: the history of any topic fits, were it all in one. */
static void weigh(struct story *story, const struct feed_event *event)
{
    struct map *bytes = story->context;
    size_t *sum = map_get(bytes, span_of(event->topic));
    if (!sum) map_put(bytes, span_of(event->topic), sum = must_zalloc(sizeof *sum));
    if (story->now_us == instant(NOW)) *sum += event->value.len + 200;
}

static void the_history_fits_the_broker(void **state)
{
    struct map bytes = { 0 };
    struct story story = { .each = weigh, .context = &bytes };
    size_t at = 0;
    tell_story(*state, 5, &story);
    assert_true(story.history > 5000);
    for (struct map_slot *slot; (slot = map_next(&bytes, &at)); free(slot->value))
        assert_true(*(size_t *)slot->value < (size_t)5 << 20);
    assert_int_equal(bytes.count, 7);
    map_deinit(&bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(repeats_itself_from_the_seed),  TEST(everything_decodes),          TEST(everything_that_goes_wrong_is_there),
        TEST(repeated_means_the_same_bytes), TEST(the_history_fits_the_broker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
