#include "daemon/clock.h"
#include "daemon/publish/inner.h"
#include "daemon/run/kafka.h"
#include "daemon/sink/kafka.h"

#include <stdlib.h>

enum {
    FLOOD_TURN_US = 1000 * 1000, /* so long full rounds only: the worker catches up; so long none: it has */
    FLOOD_REST = 29,             /* meanwhile a publication is followed by so many times its time without one */
    RETRY_US = 500 * 1000,
    SLOW_US = 200 * 1000, /* who takes longer works, or waits for Redis */
    LOOK_US = 20 * 1000,
    NOTE_US = 100 * 1000,
    TURNS_MAX = 16,            /* of a round: as many as are begun … */
    ROUND_US = 1000,           /* … in about this time, for which the first waits for the others … */
    ROUND_BYTES = 1024 * 1024, /* … and until their documents are so large */
    GROWTH_BYTES = 256,        /* what a difference or a turn may add to a desk … */
    GROWTH_PARTS = 8,          /* … which is counted again where that may be such a part of it: all of its rows are looked at */
    SPARE_PARTS = 8            /* of their limit is free when some had to go, so that not each publication looks for one */
};

/* ---- the inbox ---- */

/* While the worker catches up, documents are old before they are written: they are written at times only, each from what
 * stands in Redis then, and differences are not followed. It begins and ends when commits have said so for a while. */
static void see_flood(struct publisher *publisher, bool behind, int64_t now_us)
{
    if (behind == publisher->flooded)
        publisher->turning_since_us = NEVER;
    else if (publisher->turning_since_us == NEVER)
        publisher->turning_since_us = now_us;
    else if (now_us - publisher->turning_since_us > publisher->flood_turn_us)
        publisher->flooded = behind;
}

void publisher_take(struct publisher *publisher, struct committed *committed)
{
    size_t bytes = committed_bytes(committed);
    pthread_mutex_lock(&publisher->lock);
    publisher->taken_us = publisher_monotonic();
    if (committed->version > committed->version_before) see_flood(publisher, committed->behind, publisher->taken_us);
    if (publisher->flooded || publisher->inbox_bytes + bytes > publisher->engine->memory.inbox) {
        committed_drop(committed);
        bytes = committed_bytes(committed);
    }
    if (publisher->n_inbox == publisher->room_inbox) {
        publisher->room_inbox = publisher->room_inbox ? publisher->room_inbox * 2 : 64;
        publisher->inbox = must_realloc(publisher->inbox, publisher->room_inbox * sizeof(struct committed *));
    }
    publisher->inbox[publisher->n_inbox++] = committed;
    publisher->inbox_bytes += bytes;
    pthread_cond_signal(&publisher->filled);
    pthread_mutex_unlock(&publisher->lock);
}

int64_t publisher_monotonic(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

/* All that is in the inbox, which is empty then; waits for something until `until_us` (0: not at all). */
static struct committed **take_inbox(struct publisher *publisher, int64_t until_us, size_t *n)
{
    struct timespec until = { until_us / MICROS_PER_SECOND, until_us % MICROS_PER_SECOND * 1000 };
    pthread_mutex_lock(&publisher->lock);
    if (!publisher->n_inbox && until_us) pthread_cond_timedwait(&publisher->filled, &publisher->lock, &until);
    struct committed **taken = publisher->inbox;
    *n = publisher->n_inbox;
    publisher->inbox = NULL;
    if (publisher_monotonic() - publisher->taken_us > publisher->flood_turn_us) publisher->flooded = false;
    publisher->n_inbox = publisher->room_inbox = publisher->inbox_bytes = 0;
    pthread_mutex_unlock(&publisher->lock);
    return taken;
}

static void count_bytes(struct publisher *publisher, struct desk *desk)
{
    size_t bytes = desk_bytes(desk, publisher->engine);
    publisher->bytes += bytes - desk->bytes;
    desk->bytes = bytes;
    desk->uncounted = 0;
}

static void may_have_grown(struct publisher *publisher, struct desk *desk, size_t times)
{
    desk->uncounted += times;
    if (desk->uncounted * GROWTH_BYTES > desk->bytes / GROWTH_PARTS) count_bytes(publisher, desk);
}

struct desk *publisher_desk(struct publisher *publisher, struct span tenant)
{
    struct desk *desk = map_get(&publisher->desks, tenant);
    if (desk) return desk;
    desk = desk_create(publisher->engine, tenant);
    desk->place.queue = &publisher->queue;
    sleepers_take(publisher, desk);
    if (publisher->rules) desk_watch(desk, publisher->rules, publisher_monotonic());
    map_put(&publisher->desks, desk->tenant, desk);
    count_bytes(publisher, desk);
    return desk;
}

void publisher_set_alerts(struct publisher *publisher, struct alert_rules *rules)
{
    pthread_mutex_lock(&publisher->lock);
    alert_rules_destroy(publisher->fresh_rules);
    publisher->fresh_rules = rules;
    publisher->has_fresh_rules = true;
    pthread_cond_signal(&publisher->filled);
    pthread_mutex_unlock(&publisher->lock);
}

/* Other rules than so far: every tenant is looked at again, also those whose desks had to go. */
static void take_rules(struct publisher *publisher)
{
    pthread_mutex_lock(&publisher->lock);
    struct alert_rules *rules = publisher->fresh_rules, *old = publisher->rules;
    bool fresh = publisher->has_fresh_rules;
    publisher->fresh_rules = NULL;
    publisher->has_fresh_rules = false;
    pthread_mutex_unlock(&publisher->lock);
    if (!fresh) return;
    size_t at = 0;
    publisher->rules = rules;
    for (struct map_slot *slot; (slot = map_next(&publisher->desks, &at));) desk_watch(slot->value, rules, publisher_monotonic());
    alert_rules_destroy(old);
    sleepers_wake(publisher, INT64_MAX);
}

/* Redis lost something, or may have. */
static void look_at_all(struct publisher *publisher, bool surely, int64_t now_us)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&publisher->desks, &at));) desk_was_set_back(slot->value, surely, now_us);
    sleepers_were_set_back(publisher, surely);
}

/* The worker tells what it finds behind its own connection; ours may have led to the former primary until now. */
bool publisher_connected(struct publisher *publisher, struct error *error)
{
    uint64_t history;
    if (state_redis_connected(publisher->state)) return true;
    if (!state_redis_connect(publisher->state, error) || !state_redis_history(publisher->state, &history, error)) return false;
    bool other = publisher->history && history != publisher->history;
    publisher->history = history;
    if (other) look_at_all(publisher, true, publisher_monotonic());
    return true;
}

static void follow(struct publisher *publisher, const struct committed *committed, int64_t now_us)
{
    struct desk *desk = publisher_desk(publisher, committed->tenant);
    desk_follow(desk, committed, now_us);
    may_have_grown(publisher, desk, committed->n_differences);
}

static void read_inbox(struct publisher *publisher, int64_t until_us)
{
    size_t n = 0;
    struct committed **taken = take_inbox(publisher, until_us, &n);
    int64_t now_us = publisher_monotonic();
    for (size_t i = 0; i < n; i++) {
        if (taken[i]->tenant.len)
            follow(publisher, taken[i], now_us);
        else
            look_at_all(publisher, taken[i]->set_back, now_us);
        committed_destroy(taken[i]);
    }
    free(taken);
}

/* ---- all of them ---- */

/* Is all that it knows to be found again, in Redis or where it sleeps? */
static bool can_go(const struct publisher *publisher, const struct desk *desk)
{
    bool open = desk->refused || desk->doubted || desk->unsure || desk->alerts.set_back;
    return !desk->dirty || (desk->board && !open && !desk_lacks(desk, publisher->engine));
}

/* Who goes first: those that nothing waits for, who changed longest ago before others; of those that wait, who has its turn
 * last. */
static int by_idleness(const void *a, const void *b)
{
    const struct desk *one = *(struct desk *const *)a, *other = *(struct desk *const *)b;
    if (one->dirty != other->dirty) return one->dirty - other->dirty;
    int sooner = (one->next_at_us < other->next_at_us) - (one->next_at_us > other->next_at_us);
    return one->dirty ? sooner : -sooner;
}

/* Those that can go, n of them. */
static struct desk **find_idle(const struct publisher *publisher, size_t *n)
{
    struct desk **idle = must_alloc((publisher->desks.count + 1) * sizeof(struct desk *));
    size_t at = 0;
    *n = 0;
    for (struct map_slot *slot; (slot = map_next(&publisher->desks, &at));)
        if (can_go(publisher, slot->value)) idle[(*n)++] = slot->value;
    qsort(idle, *n, sizeof(struct desk *), by_idleness);
    return idle;
}

/* Who waits gets an empty desk, and keeps its place in the row. */
static void put_away(struct publisher *publisher, struct desk *desk)
{
    map_remove(&publisher->desks, desk->tenant);
    sleepers_put(publisher, desk);
    if (desk->dirty) {
        struct desk *fresh = publisher_desk(publisher, desk->tenant);
        fresh->dirty = true;
        fresh->waiting_since_us = desk->waiting_since_us;
        fresh->next_at_us = desk->next_at_us;
        queue_place(fresh);
    }
    desk_destroy(desk);
}

/* Boards beyond the limit are forgotten; they are read again when something happens to them, or it is their turn. */
static void trim_desks(struct publisher *publisher)
{
    size_t limit = publisher->engine->memory.boards, aim = limit - limit / SPARE_PARTS, n;
    if (publisher->bytes <= limit) return;
    struct desk **idle = find_idle(publisher, &n);
    for (size_t i = 0; i < n && publisher->bytes > aim; i++) {
        publisher->bytes -= idle[i]->bytes;
        put_away(publisher, idle[i]);
    }
    free(idle);
}

static void could_not(struct publisher *publisher, struct desk *desk, const struct error *error)
{
    int64_t now_us = publisher_monotonic();
    log_cause(&publisher->cause, LEVEL_WARN, "publishing_waits", "", error->text);
    publisher->retry_at_us = now_us + RETRY_US;
    desk_doubt(desk);
    desk_mark_dirty(desk, now_us);
    queue_place(desk);
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* From a tenant's turn to its next: while commits come fast, no more than a fifth of the time goes into its documents. Where it took
 * long because Redis was slow, it does not wait for long on that account. */
static int64_t turn_us(const struct publisher *publisher, int64_t took_us, int64_t worked_us)
{
    int64_t counts_us = longer(took_us < SLOW_US ? took_us : SLOW_US, worked_us);
    return longer(publisher->engine->snapshot_interval_us, 5 * counts_us);
}

/* The turns of a round: up to the first that fails, or that has to read and would keep the others waiting; each as far as it goes
 * before something is stored. Those that are out of reach wait, the others have their turn. */
static size_t begin_turns(struct publisher *publisher, struct turn *turns, size_t most)
{
    struct error error = { "" };
    enum outcome outcome = DONE;
    int64_t began_us = publisher_monotonic(), now_us = began_us;
    size_t n = 0, bytes = 0;
    while (n < most && bytes < ROUND_BYTES && now_us - began_us <= ROUND_US) {
        struct desk *desk = queue_first(&publisher->queue, now_us);
        if (!desk || (n && !desk_is_ready(desk))) break;
        queue_leave(desk);
        turns[n] = (struct turn){ .desk = desk, .began_us = now_us };
        bool connected = n || publisher_connected(publisher, &error); /* a round has one connection: a new one may bring doubts */
        if (connected && !state_redis_reaches(publisher->state, desk->tenant)) {
            desk->next_at_us = now_us + RETRY_US;
            queue_place(desk);
        } else if (connected && turn_begin(publisher, &turns[n], &outcome, &error)) {
            bytes += turns[n++].bytes;
        } else {
            could_not(publisher, desk, &error);
            break;
        }
        now_us = publisher_monotonic();
    }
    return n;
}

/* What they publish, in one round trip. */
static void store_turns(struct publisher *publisher, struct turn *turns, size_t n, struct error *error)
{
    struct publication *stored[TURNS_MAX];
    size_t n_stored = 0;
    for (size_t i = 0; i < n; i++) {
        turns[i].publication.outcome = DONE;
        if (turns[i].publication.n_reports || turns[i].publication.n_periods) stored[n_stored++] = &turns[i].publication;
    }
    if (n_stored) state_redis_publish(publisher->state, publisher->engine->settings->prefix, stored, n_stored, error);
}

/* `took_us`, `worked_us`: its share of the round. */
static void end_turn(struct publisher *publisher, struct turn *turn, int64_t took_us, int64_t worked_us)
{
    struct desk *desk = turn->desk;
    log_cause_over(&publisher->cause, "publishing_again", "");
    int64_t now_us = publisher_monotonic();
    if (desk->dirty) latency_add(&publisher->counts.publish, now_us - desk->waiting_since_us);
    desk->dirty = false;
    if (desk->refused || desk->numbers_elsewhere || desk_lacks(desk, publisher->engine)) desk_mark_dirty(desk, now_us);
    buffer_clear(&desk->traceparent);
    desk->next_at_us = publisher->draining ? 0 : turn->began_us + turn_us(publisher, took_us, worked_us);
    queue_place(desk);
    if (publisher->flooded) desk_rest(desk);
    if (publisher->flooded || turn->loaded)
        count_bytes(publisher, desk);
    else
        may_have_grown(publisher, desk, 1);
}

/* A round of turns: those that wait longest, as many as one round trip takes. False: there was none. */
static bool publish_next(struct publisher *publisher)
{
    int64_t now_us = publisher_monotonic(), worked_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
    struct turn turns[TURNS_MAX];
    struct error error = { "" };
    enum outcome outcome = DONE;
    if (now_us < publisher->retry_at_us || (publisher->flooded && now_us < publisher->rest_until_us)) return false;
    size_t n = begin_turns(publisher, turns, publisher->flooded ? 1 : TURNS_MAX), n_ended = 0;
    store_turns(publisher, turns, n, &error);
    for (size_t i = 0; i < n; i++) {
        if (turns[i].publication.outcome == DONE && turn_end(publisher, &turns[i], &outcome, &error))
            turns[n_ended++] = turns[i];
        else
            could_not(publisher, turns[i].desk, &error);
    }
    int64_t took_us = publisher_monotonic() - now_us;
    worked_us = clock_us(CLOCK_THREAD_CPUTIME_ID) - worked_us;
    for (size_t i = 0; i < n_ended; i++) end_turn(publisher, &turns[i], took_us / (int64_t)n, worked_us / (int64_t)n);
    if (n) publisher->rest_until_us = now_us + FLOOD_REST * took_us;
    arena_reset(&publisher->arena);
    trim_desks(publisher);
    return n_ended > 0;
}

/* What comes is over at this instant unless more comes. */
static int64_t flood_ends_us(struct publisher *publisher)
{
    pthread_mutex_lock(&publisher->lock);
    int64_t ends_us = publisher->taken_us + publisher->flood_turn_us + 1;
    pthread_mutex_unlock(&publisher->lock);
    return ends_us;
}

static int64_t next_look_us(struct publisher *publisher)
{
    int64_t look_us = publisher_monotonic() + LOOK_US, next_us = queue_next_us(&publisher->queue);
    if (next_us > look_us) next_us = look_us;
    if (publisher->flooded && next_us < publisher->rest_until_us) {
        int64_t ends_us = flood_ends_us(publisher);
        next_us = publisher->rest_until_us < ends_us ? publisher->rest_until_us : ends_us;
    }
    return next_us < publisher->retry_at_us ? publisher->retry_at_us : next_us;
}

/* While it is busy the same reports are sent again and again. */
static void note_delivered(struct publisher *publisher, bool busy)
{
    int64_t now_us = publisher_monotonic();
    if (busy && now_us < publisher->note_at_us) return;
    topic_note_delivered(publisher);
    publisher->note_at_us = now_us + NOTE_US;
}

void publisher_turn(struct publisher *publisher, int64_t until_us)
{
    read_inbox(publisher, until_us);
    take_rules(publisher);
    sleepers_wake(publisher, publisher_monotonic());
    publisher_renew_sight(publisher, publisher_monotonic());
    bool busy = publish_next(publisher);
    sink_poll(publisher->sink, 0); /* also while busy: what is acknowledged makes room for more */
    note_delivered(publisher, busy);
    if (busy) return;
    if (publisher->webhooks) webhooks_poll(publisher->webhooks);
    look_at_alerts(publisher, publisher_monotonic());
}

static void *publish(void *context)
{
    struct publisher *publisher = context;
    pthread_setname_np(pthread_self(), "publisher");
    while (!atomic_load(&publisher->stop)) publisher_turn(publisher, next_look_us(publisher));
    return NULL;
}

/* ---- life ---- */

static bool open_publisher(struct publisher *publisher, struct error *error)
{
    struct arena arena = { 0 };
    struct kafka_settings kafka = run_kafka_settings(publisher->engine, &arena);
    struct redis_settings redis = engine_redis(publisher->engine);
    publisher->state = state_redis_create(&redis);
    publisher->sink = kafka_sink_create(&kafka, (struct acknowledged){ topic_acknowledged, publisher }, error);
    arena_deinit(&arena);
    if (!publisher->sink) return false;
    publisher->started = pthread_create(&publisher->thread, NULL, publish, publisher) == 0;
    return publisher->started || fail(error, "no thread for the publisher");
}

struct publisher *publisher_create(struct engine *engine)
{
    struct publisher *publisher = must_zalloc(sizeof *publisher);
    pthread_condattr_t monotonic;
    publisher->engine = engine;
    publisher->rules = engine->alerts;
    engine->alerts = NULL;
    queue_init(&publisher->queue);
    publisher->turning_since_us = NEVER;
    publisher->flood_turn_us = FLOOD_TURN_US;
    pthread_mutex_init(&publisher->lock, NULL);
    pthread_mutex_init(&publisher->sight_lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&publisher->filled, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return publisher;
}

struct publisher *publisher_start(struct engine *engine, struct error *error)
{
    struct publisher *publisher = publisher_create(engine);
    if (open_publisher(publisher, error)) return publisher;
    publisher_destroy(publisher);
    return NULL;
}

static void stop_thread(struct publisher *publisher)
{
    if (!publisher->started) return;
    atomic_store(&publisher->stop, true);
    pthread_join(publisher->thread, NULL);
    publisher->started = false;
}

/* Nobody waits for documents to be old enough any more. */
static void hurry(struct publisher *publisher)
{
    size_t at = 0;
    publisher->draining = true;
    publisher->flooded = false;
    for (struct map_slot *slot; (slot = map_next(&publisher->desks, &at));) {
        struct desk *desk = slot->value;
        desk->next_at_us = 0;
        queue_place(desk);
    }
}

/* In the caller's thread, after the publisher's own has ended. */
void publisher_drain(struct publisher *publisher, int timeout_ms)
{
    int64_t until_us = publisher_monotonic() + timeout_ms * MICROS_PER_MS;
    stop_thread(publisher);
    read_inbox(publisher, 0);
    hurry(publisher);
    while (publisher_monotonic() < until_us) {
        if (publish_next(publisher)) continue;
        if (publisher->webhooks) webhooks_poll(publisher->webhooks);
        if (!queue_is_waited_in(&publisher->queue, publisher_monotonic()) && !publisher->unacknowledged) break;
        sink_poll(publisher->sink, 50); /* may tell that something is to be sent again */
        topic_note_delivered(publisher);
    }
}

void publisher_destroy(struct publisher *publisher)
{
    if (!publisher) return;
    stop_thread(publisher);
    atomic_store(&publisher->ending, true);
    sink_destroy(publisher->sink);
    topic_forget_delivered(publisher);
    webhooks_destroy(publisher->webhooks);
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&publisher->desks, &at));) desk_destroy(slot->value);
    map_deinit(&publisher->desks);
    queue_deinit(&publisher->queue);
    for (int way = 0; way < N_ALERT_WAYS; way++) map_deinit(&publisher->underway[way]);
    sleepers_deinit(publisher);
    alert_rules_destroy(publisher->fresh_rules);
    alert_rules_destroy(publisher->rules);
    for (size_t i = 0; i < publisher->n_inbox; i++) committed_destroy(publisher->inbox[i]);
    free(publisher->inbox);
    arena_deinit(&publisher->arena);
    if (publisher->state) publisher->state->ops->destroy(publisher->state);
    pthread_cond_destroy(&publisher->filled);
    pthread_mutex_destroy(&publisher->lock);
    pthread_mutex_destroy(&publisher->sight_lock);
    free(publisher);
}

struct publisher_counts publisher_counts(const struct publisher *publisher)
{
    return publisher->counts;
}
