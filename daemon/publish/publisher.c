#include "daemon/publish/publisher.h"

#include "common/instant.h"
#include "daemon/publish/desk.h"
#include "daemon/run/kafka.h"
#include "daemon/sink/kafka.h"
#include "daemon/state/published.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    INBOX_DIFFERENCES_MAX = 500000,
    SECTIONS_BYTES_MAX = 600 * 1000, /* a document and its changes fit a message of a megabyte */
    RETRY_US = 500 * 1000,
    LOOK_US = 20 * 1000
};

struct publisher {
    struct engine *engine;
    struct state *state;
    struct sink *sink;
    pthread_t thread;
    pthread_mutex_t lock; /* of the inbox */
    pthread_cond_t filled;
    struct committed **inbox;
    size_t n_inbox, room_inbox, inbox_differences;
    bool started;
    atomic_bool stop;
    /* the thread's own: */
    struct map desks; /* tenant -> struct desk */
    struct arena arena;
    int64_t retry_at_us;
    size_t unacknowledged;
    struct log_cause cause;
    struct publisher_counts counts;
};

/* ---- the inbox ---- */

static void drop_differences(struct committed *committed)
{
    for (size_t i = 0; i < committed->n_differences; i++) difference_destroy(committed->differences[i]);
    committed->n_differences = 0;
    committed->version_before = -1; /* continues nothing: the tenant is loaded again */
}

void publisher_take(struct publisher *publisher, struct committed *committed)
{
    pthread_mutex_lock(&publisher->lock);
    if (publisher->inbox_differences + committed->n_differences > INBOX_DIFFERENCES_MAX) drop_differences(committed);
    if (publisher->n_inbox == publisher->room_inbox) {
        publisher->room_inbox = publisher->room_inbox ? publisher->room_inbox * 2 : 64;
        publisher->inbox = must_realloc(publisher->inbox, publisher->room_inbox * sizeof(struct committed *));
    }
    publisher->inbox[publisher->n_inbox++] = committed;
    publisher->inbox_differences += committed->n_differences;
    pthread_cond_signal(&publisher->filled);
    pthread_mutex_unlock(&publisher->lock);
}

static int64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * MICROS_PER_SECOND + now.tv_nsec / 1000;
}

/* All that is in the inbox, which is empty then; waits for something until `until_us`. */
static struct committed **take_inbox(struct publisher *publisher, int64_t until_us, size_t *n)
{
    struct timespec until = { until_us / MICROS_PER_SECOND, until_us % MICROS_PER_SECOND * 1000 };
    pthread_mutex_lock(&publisher->lock);
    if (!publisher->n_inbox) pthread_cond_timedwait(&publisher->filled, &publisher->lock, &until);
    struct committed **taken = publisher->inbox;
    *n = publisher->n_inbox;
    publisher->inbox = NULL;
    publisher->n_inbox = publisher->room_inbox = publisher->inbox_differences = 0;
    pthread_mutex_unlock(&publisher->lock);
    return taken;
}

static struct desk *find_desk(struct publisher *publisher, struct span tenant)
{
    struct desk *desk = map_get(&publisher->desks, tenant);
    if (desk) return desk;
    desk = desk_create(publisher->engine, tenant);
    map_put(&publisher->desks, desk->tenant, desk);
    return desk;
}

static void read_inbox(struct publisher *publisher, int64_t until_us)
{
    size_t n = 0;
    struct committed **taken = take_inbox(publisher, until_us, &n);
    int64_t now_us = monotonic_us();
    for (size_t i = 0; i < n; i++) {
        desk_follow(find_desk(publisher, taken[i]->tenant), taken[i], now_us);
        committed_destroy(taken[i]);
    }
    free(taken);
}

/* ---- the topic ---- */

struct report_tag {
    size_t report;
    int64_t version;
    size_t tenant_len;
    char tenant[];
};

static void note_acknowledged(struct publisher *publisher, struct desk *desk, const struct report_tag *tag)
{
    struct error error = { "" };
    enum outcome outcome = DONE;
    struct acknowledgement noted = { .tenant = desk->tenant,
                                     .report = publisher->engine->catalogue->reports[tag->report].name,
                                     .version = tag->version };
    bool fine = state_redis_acknowledge(publisher->state, publisher->engine->settings->prefix, &noted, 1, &outcome, &error);
    /* not noted: sent once more; a higher one is noted: ours lies over somebody else's newer one in the topic */
    if (!fine || (noted.highest > tag->version && noted.highest > desk->reports[tag->report].sent))
        desk->reports[tag->report].send_again = true;
}

static void report_acknowledged(void *context, void *tag_given, enum delivery delivery, const char *why)
{
    struct publisher *publisher = context;
    struct report_tag *tag = tag_given;
    struct desk *desk = map_get(&publisher->desks, (struct span){ tag->tenant, tag->tenant_len });
    publisher->unacknowledged--;
    if (delivery == DELIVERED)
        publisher->counts.sent++;
    else
        publisher->counts.unsent++;
    if (delivery != DELIVERED) log_cause(&publisher->cause, LEVEL_WARN, "report_not_sent", "", why);
    if (desk && delivery == DELIVERED)
        note_acknowledged(publisher, desk, tag);
    else if (desk && delivery == UNDELIVERED)
        desk->reports[tag->report].send_again = true;
    if (desk && desk->reports[tag->report].send_again) desk->dirty = true;
    free(tag);
}

/* What stands behind the snapshot in a record's data: since and changes. */
struct changes {
    int64_t since; /* 0: null */
    struct span list;
    bool truncated;
};

static void write_event(struct publisher *publisher, const struct desk *desk, size_t report, int64_t version,
                        struct span document, const struct changes *changes, struct buffer *out)
{
    const char *name = publisher->engine->catalogue->reports[report].name;
    char as_of[INSTANT_TEXT_BYTES];
    instant_format(desk->clock_us, as_of);
    buffer_printf(out,
                  "{\"specversion\":\"1.0\",\"id\":\"%.*s/%s/"
                  "%lld\",\"source\":\"crm-reportd\",\"type\":\"%sreport.updated\",\"subject\":\"%s\","
                  "\"tenantid\":\"%.*s\",\"time\":\"%s\",\"datacontenttype\":\"application/json\",\"data\":",
                  SPAN_ARG(desk->tenant), name, (long long)version, publisher->engine->settings->type_prefix, name,
                  SPAN_ARG(desk->tenant), as_of);
    buffer_put(out, document.at, document.len - 1); /* without its closing brace */
    if (changes->since)
        buffer_printf(out, ",\"since\":%lld,\"changes\":", (long long)changes->since);
    else
        buffer_str(out, ",\"since\":null,\"changes\":");
    if (changes->since)
        buffer_span(out, changes->list);
    else
        buffer_str(out, "null");
    buffer_str(out, changes->truncated ? ",\"changes_truncated\":true}}" : "}}");
}

static void send_report(struct publisher *publisher, struct desk *desk, size_t report, int64_t version, struct span document,
                        const struct changes *changes)
{
    struct buffer key = { 0 }, value = { 0 };
    struct header header = { SPAN("content-type"), SPAN("application/cloudevents+json") };
    struct report_tag *tag = must_alloc(sizeof *tag + desk->tenant.len);
    *tag = (struct report_tag){ .report = report, .version = version, .tenant_len = desk->tenant.len };
    memcpy(tag->tenant, desk->tenant.at, desk->tenant.len);
    buffer_printf(&key, "%.*s/%s", SPAN_ARG(desk->tenant), publisher->engine->catalogue->reports[report].name);
    write_event(publisher, desk, report, version, document, changes, &value);
    struct outgoing outgoing = { .topic = span_of(publisher->engine->settings->topics.reports),
                                 .key = buffer_all(&key),
                                 .value = buffer_all(&value),
                                 .headers = &header,
                                 .n_headers = 1,
                                 .tag = tag };
    if (sink_produce(publisher->sink, &outgoing)) {
        publisher->unacknowledged++;
        desk->reports[report].sent = version;
        desk->reports[report].send_again = false;
    } else {
        desk->reports[report].send_again = true;
        free(tag);
    }
    buffer_deinit(&key);
    buffer_deinit(&value);
}

/* ---- one tenant ---- */

/* A report that changed, on its way. */
struct rendered {
    size_t report;
    struct board_document document;
    struct span text;
    bool wanted;
};

static size_t report_number(const struct catalogue *catalogue, struct span name)
{
    size_t i = 0;
    while (i < catalogue->n_reports && !span_is(name, catalogue->reports[i].name)) i++;
    return i;
}

/* After a start: what versions stand in Redis, and which of them the topic lacks. */
static bool look_at_published(struct publisher *publisher, struct desk *desk, enum outcome *outcome, struct error *error)
{
    struct published_report *published = NULL;
    size_t n = 0;
    if (!state_redis_published(publisher->state, publisher->engine->settings->prefix, desk->tenant, &published, &n,
                               &publisher->arena, outcome, error))
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t report = report_number(publisher->engine->catalogue, published[i].report);
        if (report == publisher->engine->catalogue->n_reports) continue;
        desk->reports[report].version = published[i].stored;
        desk->reports[report].send_again = published[i].stored > published[i].acknowledged;
    }
    return true;
}

static bool get_document(struct publisher *publisher, const struct desk *desk, size_t report, struct span *document,
                         enum outcome *outcome, struct error *error)
{
    *document = NO_SPAN;
    return state_redis_document(publisher->state, publisher->engine->settings->prefix, desk->tenant,
                                publisher->engine->catalogue->reports[report].name, document, &publisher->arena, outcome, error);
}

static struct span write_document(struct publisher *publisher, const struct desk *desk, size_t report, struct span sections)
{
    struct buffer text = { 0 };
    struct document_head head = { .report = publisher->engine->catalogue->reports[report].name,
                                  .tenant = desk->tenant,
                                  .version = desk->version,
                                  .as_of_us = desk->clock_us,
                                  .rules = desk->rules,
                                  .catalogue = publisher->engine->catalogue->fingerprint };
    document_write(&head, sections, &text);
    struct span copy = arena_copy(&publisher->arena, buffer_all(&text));
    buffer_deinit(&text);
    return copy;
}

/* Is the report to be published? After a start what stands in Redis with equal numbers stays as it is. */
static bool render_report(struct publisher *publisher, struct desk *desk, struct rendered *one, enum outcome *outcome,
                          struct error *error)
{
    struct board_limits limits = { (size_t)publisher->engine->max_rows, SECTIONS_BYTES_MAX };
    struct span standing = NO_SPAN;
    if (!desk->compared && !get_document(publisher, desk, one->report, &standing, outcome, error)) return false;
    board_render(desk->board, one->report, &limits, &one->document);
    bool same = standing.len && span_equal(document_sections(standing), one->document.sections);
    if (same) board_sent(desk->board, one->report);
    one->wanted = !same && one->document.changed && desk->version > desk->reports[one->report].version;
    if (one->wanted)
        one->text = write_document(publisher, desk, one->report, one->document.sections);
    else
        publisher->counts.unchanged++;
    return true;
}

/* Renders what may have changed; what did goes into `rendered`. False: see outcome. */
static bool render_reports(struct publisher *publisher, struct desk *desk, struct rendered *rendered, size_t *n,
                           enum outcome *outcome, struct error *error)
{
    for (size_t i = 0; i < publisher->engine->catalogue->n_reports; i++) {
        if (desk->compared && !board_touched(desk->board, i)) continue;
        rendered[*n] = (struct rendered){ .report = i };
        if (!render_report(publisher, desk, &rendered[*n], outcome, error)) return false;
        *n += rendered[*n].wanted;
    }
    return true;
}

struct metrics_of {
    struct publisher *publisher;
    struct publication_number *fields;
    size_t n, room;
};

static void add_metric(void *context, struct span name, struct span value)
{
    struct metrics_of *metrics = context;
    if (metrics->n == metrics->room) {
        size_t room = metrics->room ? metrics->room * 2 : 64;
        struct publication_number *bigger = arena_alloc(&metrics->publisher->arena, room * sizeof *bigger);
        if (metrics->n) memcpy(bigger, metrics->fields, metrics->n * sizeof *bigger);
        metrics->fields = bigger;
        metrics->room = room;
    }
    struct arena *arena = &metrics->publisher->arena;
    metrics->fields[metrics->n++] = (struct publication_number){ arena_copy(arena, name), arena_copy(arena, value) };
}

static size_t collect_metrics(struct publisher *publisher, struct desk *desk, bool all, struct publication_period *metrics)
{
    const struct text_list *periods = &publisher->engine->settings->metrics_periods;
    if (!all && !board_metrics_touched(desk->board)) return 0;
    for (size_t i = 0; i < periods->n; i++) {
        struct metrics_of of = { .publisher = publisher };
        board_metrics(desk->board, i, add_metric, &of);
        metrics[i] = (struct publication_period){ periods->at[i], desk->version, of.fields, of.n };
    }
    return periods->n;
}

static void send_rendered(struct publisher *publisher, struct desk *desk, const struct rendered *one, bool stored)
{
    struct desk_report *report = &desk->reports[one->report];
    struct changes changes = { 0 };
    if (!stored) { /* somebody was faster with this or a newer version: whose it is sends it */
        publisher->counts.refused++;
        return;
    }
    if (one->document.has_changes && report->sent)
        changes = (struct changes){ report->sent, one->document.changes, one->document.truncated };
    publisher->counts.snapshots++;
    report->version = desk->version;
    send_report(publisher, desk, one->report, desk->version, one->text, &changes);
    board_sent(desk->board, one->report);
}

static bool put_all(struct publisher *publisher, struct desk *desk, const struct rendered *rendered, size_t n, bool all_metrics,
                    enum outcome *outcome, struct error *error)
{
    const struct engine *engine = publisher->engine;
    struct publication_report *reports = arena_zalloc(&publisher->arena, (n + 1) * sizeof *reports);
    struct publication_period *metrics =
        arena_zalloc(&publisher->arena, (engine->settings->metrics_periods.n + 1) * sizeof *metrics);
    struct publication publication = { .tenant = desk->tenant, .reports = reports, .n_reports = n, .periods = metrics };
    publication.n_periods = collect_metrics(publisher, desk, all_metrics, metrics);
    for (size_t i = 0; i < n; i++)
        reports[i] = (struct publication_report){ .report = engine->catalogue->reports[rendered[i].report].name,
                                                  .version = desk->version,
                                                  .document = rendered[i].text };
    if (!n && !publication.n_periods) return true;
    if (!state_redis_publish(publisher->state, engine->settings->prefix, &publication, outcome, error)) return false;
    for (size_t i = 0; i < n; i++) send_rendered(publisher, desk, &rendered[i], reports[i].stored);
    return true;
}

/* What the topic lacks: the document as it stands in Redis, whole. */
static bool send_standing(struct publisher *publisher, struct desk *desk, enum outcome *outcome, struct error *error)
{
    struct changes none = { 0 };
    for (size_t i = 0; i < publisher->engine->catalogue->n_reports; i++) {
        struct span document;
        if (!desk->reports[i].send_again) continue;
        if (!get_document(publisher, desk, i, &document, outcome, error)) return false;
        desk->reports[i].send_again = false;
        if (document.len) send_report(publisher, desk, i, document_version(document), document, &none);
    }
    return true;
}

static bool publish_desk(struct publisher *publisher, struct desk *desk, enum outcome *outcome, struct error *error)
{
    bool reloaded = !desk->loaded;
    size_t n = 0;
    struct rendered *rendered = arena_zalloc(&publisher->arena, (publisher->engine->catalogue->n_reports + 1) * sizeof *rendered);
    publisher->counts.loads += reloaded;
    if (reloaded && !desk_load(desk, publisher->engine, publisher->state, outcome, error)) return false;
    if (!desk->compared && !look_at_published(publisher, desk, outcome, error)) return false;
    if (!render_reports(publisher, desk, rendered, &n, outcome, error)) return false;
    if (!put_all(publisher, desk, rendered, n, reloaded, outcome, error)) return false;
    if (!send_standing(publisher, desk, outcome, error)) return false;
    desk->compared = true;
    return true;
}

/* ---- all of them ---- */

static struct desk *longest_waiting(struct publisher *publisher, int64_t now_us)
{
    struct desk *found = NULL;
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&publisher->desks, &at));) {
        struct desk *desk = slot->value;
        if (!desk->dirty || desk->next_at_us > now_us) continue;
        if (!found || desk->waiting_since_us < found->waiting_since_us) found = desk;
    }
    return found;
}

static void could_not(struct publisher *publisher, struct desk *desk, const struct error *error)
{
    log_cause(&publisher->cause, LEVEL_WARN, "publishing_waits", "", error->text);
    publisher->retry_at_us = monotonic_us() + RETRY_US;
    desk->loaded = desk->compared = false; /* what was taken in is not known: read again */
}

static bool publish_next(struct publisher *publisher)
{
    int64_t now_us = monotonic_us();
    struct error error = { "" };
    enum outcome outcome = DONE;
    if (now_us < publisher->retry_at_us) return false;
    struct desk *desk = longest_waiting(publisher, now_us);
    if (!desk) return false;
    if ((!state_redis_connected(publisher->state) && !state_redis_connect(publisher->state, &error)) ||
        !publish_desk(publisher, desk, &outcome, &error)) {
        could_not(publisher, desk, &error);
        return false;
    }
    log_cause_over(&publisher->cause, "publishing_again", "");
    desk->dirty = false;
    desk->next_at_us = now_us + publisher->engine->snapshot_interval_us;
    arena_reset(&publisher->arena);
    return true;
}

static int64_t next_look_us(const struct publisher *publisher)
{
    int64_t now_us = monotonic_us(), next_us = now_us + LOOK_US;
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&publisher->desks, &at));) {
        const struct desk *desk = slot->value;
        if (desk->dirty && desk->next_at_us < next_us) next_us = desk->next_at_us;
    }
    return next_us < publisher->retry_at_us ? publisher->retry_at_us : next_us;
}

static void *publish(void *context)
{
    struct publisher *publisher = context;
    while (!atomic_load(&publisher->stop)) {
        read_inbox(publisher, next_look_us(publisher));
        if (publish_next(publisher)) continue;
        sink_poll(publisher->sink, 0);
    }
    return NULL;
}

/* ---- life ---- */

static bool open_publisher(struct publisher *publisher, struct error *error)
{
    struct arena arena = { 0 };
    struct kafka_settings kafka = run_kafka_settings(publisher->engine, &arena);
    struct redis_settings redis = engine_redis(publisher->engine);
    publisher->state = state_redis_create(&redis);
    publisher->sink = kafka_sink_create(&kafka, (struct acknowledged){ report_acknowledged, publisher }, error);
    arena_deinit(&arena);
    if (!publisher->sink) return false;
    publisher->started = pthread_create(&publisher->thread, NULL, publish, publisher) == 0;
    return publisher->started || fail(error, "no thread for the publisher");
}

struct publisher *publisher_start(struct engine *engine, struct error *error)
{
    struct publisher *publisher = must_zalloc(sizeof *publisher);
    pthread_condattr_t monotonic;
    publisher->engine = engine;
    pthread_mutex_init(&publisher->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&publisher->filled, &monotonic);
    pthread_condattr_destroy(&monotonic);
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

/* In the caller's thread, after the publisher's own has ended. */
void publisher_drain(struct publisher *publisher, int timeout_ms)
{
    int64_t until_us = monotonic_us() + timeout_ms * MICROS_PER_MS;
    stop_thread(publisher);
    read_inbox(publisher, 0);
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&publisher->desks, &at));) ((struct desk *)slot->value)->next_at_us = 0;
    while (monotonic_us() < until_us && publish_next(publisher)) continue;
    while (monotonic_us() < until_us && publisher->unacknowledged) sink_poll(publisher->sink, 50);
}

void publisher_destroy(struct publisher *publisher)
{
    if (!publisher) return;
    stop_thread(publisher);
    sink_destroy(publisher->sink);
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&publisher->desks, &at));) desk_destroy(slot->value);
    map_deinit(&publisher->desks);
    for (size_t i = 0; i < publisher->n_inbox; i++) committed_destroy(publisher->inbox[i]);
    free(publisher->inbox);
    arena_deinit(&publisher->arena);
    if (publisher->state) publisher->state->ops->destroy(publisher->state);
    pthread_cond_destroy(&publisher->filled);
    pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}

struct publisher_counts publisher_counts(const struct publisher *publisher)
{
    return publisher->counts;
}
