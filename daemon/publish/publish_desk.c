/* One tenant's turn: renders what may have changed; once what did stands in Redis, sends it to the topic. */
#include "daemon/publish/inner.h"
#include "daemon/state/published.h"

enum {
    SECTIONS_BYTES_MAX = 600 * 1000 /* a document and its changes fit a message of a megabyte */
};

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
    for (size_t i = 0; i < publisher->engine->catalogue->n_reports; i++) {
        desk->reports[i].version = 0; /* Redis may hold less than it did */
        desk->reports[i].overtaken = false;
    }
    for (size_t i = 0; i < n; i++) {
        size_t report = report_number(publisher->engine->catalogue, published[i].report);
        if (report == publisher->engine->catalogue->n_reports) continue;
        desk->reports[report].version = published[i].stored;
        desk->reports[report].send_again |= published[i].stored > published[i].acknowledged;
        desk->reports[report].overtaken = published[i].stored < published[i].acknowledged;
    }
    return true;
}

/* Those of the reports, by their numbers; in one round trip. */
static bool get_documents(struct publisher *publisher, const struct desk *desk, const size_t *reports, size_t n,
                          struct span *documents, enum outcome *outcome, struct error *error)
{
    const char **names = arena_alloc(&publisher->arena, (n + 1) * sizeof *names);
    for (size_t i = 0; i < n; i++) names[i] = publisher->engine->catalogue->reports[reports[i]].name;
    return state_redis_documents(publisher->state, publisher->engine->settings->prefix, desk->tenant, names, n, documents,
                                 &publisher->arena, outcome, error);
}

/* After a start: the documents that stand there, report by report; empty where none does. */
static bool read_standing(struct publisher *publisher, struct turn *turn, enum outcome *outcome, struct error *error)
{
    size_t n_reports = publisher->engine->catalogue->n_reports, n = 0;
    size_t *reports = arena_alloc(&publisher->arena, (n_reports + 1) * sizeof *reports);
    struct span *documents = arena_zalloc(&publisher->arena, (n_reports + 1) * sizeof *documents);
    turn->standing = arena_zalloc(&publisher->arena, (n_reports + 1) * sizeof *turn->standing);
    for (size_t i = 0; i < n_reports; i++)
        if (turn->desk->reports[i].version) reports[n++] = i;
    if (!get_documents(publisher, turn->desk, reports, n, documents, outcome, error)) return false;
    for (size_t i = 0; i < n; i++) turn->standing[reports[i]] = documents[i];
    return true;
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

/* Is the report to be published? When what stands in Redis was not looked at yet: unless its numbers are equal. */
static void render_report(struct publisher *publisher, struct desk *desk, struct rendered *one, struct span standing)
{
    struct board_limits limits = { (size_t)publisher->engine->max_rows, SECTIONS_BYTES_MAX };
    board_render(desk->board, one->report, &limits, &one->document);
    bool same = standing.len && !desk->doubted && !desk->reports[one->report].overtaken &&
                span_equal(document_sections(standing), one->document.sections);
    if (same) board_sent(desk->board, one->report);
    one->wanted = (desk->compared ? one->document.changed : !same) && desk->version > desk->reports[one->report].version;
    if (!desk->compared && !same && !one->wanted) desk->unsure = true;
    if (desk->compared && !one->document.changed) desk->returned = true;
    if (one->wanted)
        one->text = write_document(publisher, desk, one->report, one->document.sections);
    else
        publisher->counts.unchanged++;
}

/* Renders what may have changed; what did is in `rendered` then. */
static void render_reports(struct publisher *publisher, struct turn *turn)
{
    for (size_t i = 0; i < publisher->engine->catalogue->n_reports; i++) {
        if (turn->desk->compared && !board_touched(turn->desk->board, i)) continue;
        struct rendered *one = &turn->rendered[turn->n_rendered];
        *one = (struct rendered){ .report = i };
        render_report(publisher, turn->desk, one, turn->standing ? turn->standing[i] : NO_SPAN);
        turn->n_rendered += one->wanted;
    }
}

static void send_rendered(struct publisher *publisher, struct desk *desk, const struct rendered *one, bool stored)
{
    struct desk_report *report = &desk->reports[one->report];
    struct changes changes = { 0 };
    if (!stored) { /* somebody was faster with this or a newer version: whose it is sends it, if it lives */
        publisher->counts.refused++;
        desk->unsure = desk->refused = true;
        return;
    }
    if (one->document.has_changes && report->sent)
        changes = (struct changes){ report->sent, one->document.changes, one->document.truncated, NO_SPAN };
    changes.traceparent = buffer_all(&desk->traceparent);
    publisher->counts.snapshots++;
    report->version = desk->version;
    topic_send(publisher, desk, one->report, desk->version, one->text, &changes);
    board_sent(desk->board, one->report);
}

/* What of it goes into Redis. */
static void write_publication(struct publisher *publisher, struct turn *turn, bool all_metrics)
{
    const struct engine *engine = publisher->engine;
    const struct desk *desk = turn->desk;
    size_t n = turn->n_rendered;
    struct publication_report *reports = arena_zalloc(&publisher->arena, (n + 1) * sizeof *reports);
    turn->publication = (struct publication){ .tenant = desk->tenant, .reports = reports, .n_reports = n };
    numbers_collect(publisher, turn, all_metrics);
    for (size_t i = 0; i < n; i++) {
        reports[i] = (struct publication_report){ .report = engine->catalogue->reports[turn->rendered[i].report].name,
                                                  .version = desk->version,
                                                  .document = turn->rendered[i].text };
        turn->bytes += turn->rendered[i].text.len;
    }
    if (n) crash_point("reports rendered");
}

static void send_stored(struct publisher *publisher, const struct turn *turn)
{
    size_t n = turn->n_rendered;
    if (n) crash_point("reports stored");
    for (size_t i = 0; i < n; i++) send_rendered(publisher, turn->desk, &turn->rendered[i], turn->publication.reports[i].stored);
    if (n) crash_point("reports sent");
}

/* What the topic lacks: the document as it stands in Redis, whole. */
static bool send_standing(struct publisher *publisher, struct desk *desk, enum outcome *outcome, struct error *error)
{
    struct changes none = { 0 };
    for (size_t i = 0; i < publisher->engine->catalogue->n_reports; i++) {
        struct span document;
        if (!desk->reports[i].send_again) continue;
        if (!get_documents(publisher, desk, &i, 1, &document, outcome, error)) return false;
        desk->reports[i].send_again = false;
        bool is_there = document_version(document) == desk->reports[i].sent;
        if (document.len && !is_there) topic_send(publisher, desk, i, document_version(document), document, &none);
    }
    return true;
}

/* Numbers are again what we published last: has somebody else published others meanwhile? Then all is looked at again. */
static bool look_at_versions(struct publisher *publisher, struct desk *desk, enum outcome *outcome, struct error *error)
{
    struct published_report *published = NULL;
    size_t n = 0;
    if (!desk->returned) return true;
    if (!state_redis_published(publisher->state, publisher->engine->settings->prefix, desk->tenant, &published, &n,
                               &publisher->arena, outcome, error))
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t report = report_number(publisher->engine->catalogue, published[i].report);
        if (report == publisher->engine->catalogue->n_reports || published[i].stored == desk->reports[report].version) continue;
        desk->unsure = desk->refused = true;
    }
    return true;
}

bool turn_begin(struct publisher *publisher, struct turn *turn, enum outcome *outcome, struct error *error)
{
    struct desk *desk = turn->desk;
    if (desk->loaded && board_is_stale(desk->board)) desk->loaded = desk_catch_up(desk, publisher->engine, publisher->state);
    bool left_behind = alerts_left_behind(desk), reloaded = !desk->loaded || left_behind;
    size_t n_reports = publisher->engine->catalogue->n_reports;
    turn->rendered = arena_zalloc(&publisher->arena, (n_reports + 1) * sizeof *turn->rendered);
    publisher->counts.loads += reloaded;
    desk->unsure = desk->refused = desk->returned = false;
    if (left_behind) desk->compared = false; /* others went on: what they published, or what Redis lost, is not known */
    turn->loaded = reloaded;
    if (reloaded && !desk_load(desk, publisher->engine, publisher->state, outcome, error)) return false;
    if (!desk->compared && !look_at_published(publisher, desk, outcome, error)) return false;
    if (!desk->compared && !read_standing(publisher, turn, outcome, error)) return false;
    render_reports(publisher, turn);
    write_publication(publisher, turn, reloaded);
    return true;
}

bool turn_end(struct publisher *publisher, struct turn *turn, enum outcome *outcome, struct error *error)
{
    struct desk *desk = turn->desk;
    numbers_stored(turn);
    send_stored(publisher, turn);
    if (turn->publication.n_reports || turn->publication.n_periods) note_behind(desk, turn->publication.tenant_now);
    if (!send_standing(publisher, desk, outcome, error)) return false;
    if (!look_at_versions(publisher, desk, outcome, error)) return false;
    desk->compared = !desk->unsure;
    if (desk->compared) desk->doubted = false;
    return publish_alerts(publisher, desk, outcome, error);
}
