/* A tenant's alerts: its rules are judged by the numbers at hand, what changes is committed together with the events that tell
 * of it, then these are sent until they are acknowledged. */
#include "daemon/state/alerts.h"

#include "common/instant.h"
#include "daemon/publish/inner.h"
#include "daemon/worker/worker.h"

#include <stdlib.h>

enum {
    UNSENT_MAX = 1000, /* of a tenant; with more, its alerts wait as they are */
    COMMIT_ATTEMPTS = 5,
    BEHIND_US = 1000 * 1000,
    AGAIN_US = 500 * 1000
};

/* ---- what stands in Redis ---- */

static bool know_alerts(struct publisher *publisher, struct desk *desk, enum outcome *outcome, struct error *error)
{
    struct desk_alerts *alerts = &desk->alerts;
    struct alerts_stored stored;
    if (alerts->known) return true;
    if (!state_redis_alerts(publisher->state, publisher->engine->settings->prefix, desk->tenant, &stored, &publisher->arena,
                            outcome, error))
        return false;
    alert_book_load(&alerts->book, stored.rows, stored.n_rows);
    alert_outbox_replace(&alerts->outbox[ALERT_TO_TOPIC], stored.unsent, stored.n_unsent);
    alert_outbox_replace(&alerts->outbox[ALERT_TO_WEBHOOK], stored.unposted, stored.n_unposted);
    alerts->known = alerts->all = true;
    return true;
}

/* `1842 slow_cases {"owner":"u12"}` */
static struct span letter_name(struct publisher *publisher, const struct alert_change *change)
{
    struct buffer text = { 0 };
    buffer_printf(&text, "%lld %.*s", (long long)change->version, SPAN_ARG(change->field));
    struct span copy = arena_copy(&publisher->arena, buffer_all(&text));
    buffer_deinit(&text);
    return copy;
}

static struct alerts_change *changes_to_store(struct publisher *publisher, const struct alert_changes *changes)
{
    struct alerts_change *stored = arena_alloc(&publisher->arena, (changes->n + 1) * sizeof *stored);
    for (size_t i = 0; i < changes->n; i++) {
        const struct alert_change *change = &changes->at[i];
        stored[i] = (struct alerts_change){ .row = change->field, .text = change->text, .event = change->event };
        stored[i].name = letter_name(publisher, change);
    }
    return stored;
}

/* ---- judging ---- */

static size_t unsent(const struct desk *desk)
{
    const struct alert_outbox *outbox = desk->alerts.outbox;
    return outbox[ALERT_TO_TOPIC].n > outbox[ALERT_TO_WEBHOOK].n ? outbox[ALERT_TO_TOPIC].n : outbox[ALERT_TO_WEBHOOK].n;
}

static int64_t alerts_clock(const struct publisher *publisher, const struct desk *desk)
{
    int64_t now_us = engine_clock(publisher->engine);
    return now_us > desk->clock_us ? now_us : desk->clock_us;
}

static struct alert_changes judge(struct publisher *publisher, struct desk *desk, int64_t now_us)
{
    struct desk_alerts *alerts = &desk->alerts;
    size_t waiting = unsent(desk);
    struct alert_scene scene = { .tenant = desk->tenant,
                                 .rules = desk->rules,
                                 .names = &desk->names,
                                 .board = desk->board,
                                 .watched = alerts->watched,
                                 .n_watched = alerts->n_watched,
                                 .book = &alerts->book,
                                 .version = desk->version,
                                 .state_us = desk->clock_us,
                                 .now_us = now_us,
                                 .type_prefix = publisher->engine->settings->type_prefix,
                                 .all = alerts->all,
                                 .events_max = waiting < UNSENT_MAX ? UNSENT_MAX - waiting : 0 };
    return alert_assess(&scene, &publisher->arena);
}

static void log_change(const struct desk *desk, const struct alert_change *change)
{
    if (change->event.len)
        log_event(LEVEL_INFO, change->text.len ? "alert_raised" : "alert_cleared", "tenant=%.*s rule=%.*s version=%lld",
                  SPAN_ARG(desk->tenant), SPAN_ARG(alert_field_rule(change->field)), (long long)change->version);
}

/* They stand in Redis: so they do here. */
static void take_changes(struct publisher *publisher, struct desk *desk, const struct alert_changes *changes,
                         const struct alerts_change *stored)
{
    struct desk_alerts *alerts = &desk->alerts;
    for (size_t i = 0; i < changes->n; i++) {
        log_change(desk, &changes->at[i]);
        if (!stored[i].event.len) continue;
        alert_outbox_put(&alerts->outbox[ALERT_TO_TOPIC], stored[i].name, stored[i].event);
        if (stored[i].posted) alert_outbox_put(&alerts->outbox[ALERT_TO_WEBHOOK], stored[i].name, stored[i].event);
        if (changes->at[i].text.len)
            publisher->counts.alerts_raised++;
        else
            publisher->counts.alerts_cleared++;
    }
    alert_book_apply(&alerts->book, changes, desk->version);
    board_watch_reset(desk->board);
    alerts->all = changes->more;
}

/* When to look again without an event: a row's time is up, there was more than could be told, others went on. */
static void set_due(struct desk *desk, const struct alert_changes *changes, int64_t now_us)
{
    struct desk_alerts *alerts = &desk->alerts;
    int64_t monotonic_us = publisher_monotonic();
    alerts->due_us = changes->next_us == INT64_MAX ? NEVER : monotonic_us + (changes->next_us - now_us) + 1;
    if (changes->more) alerts->due_us = monotonic_us + AGAIN_US;
    if (alerts->behind && alerts->due_us > alerts->behind_since_us + BEHIND_US)
        alerts->due_us = alerts->behind_since_us + BEHIND_US;
}

static void note_behind(struct desk *desk, int64_t tenant_now)
{
    struct desk_alerts *alerts = &desk->alerts;
    if (tenant_now > desk->version && !alerts->behind) {
        alerts->behind = tenant_now;
        alerts->behind_since_us = publisher_monotonic();
    } else if (tenant_now <= desk->version) {
        alerts->behind = 0;
    }
}

/* The tenant moved on and its commits did not come here for a while: they were somebody else's. */
bool alerts_left_behind(struct desk *desk)
{
    struct desk_alerts *alerts = &desk->alerts;
    if (!alerts->behind) return false;
    bool left = desk->version < alerts->behind;
    if (left && publisher_monotonic() < alerts->behind_since_us + BEHIND_US) return false;
    alerts->behind = 0;
    return left;
}

/* One attempt. True with `*again`: they were others than thought. */
static bool commit_once(struct publisher *publisher, struct desk *desk, bool *again, enum outcome *outcome, struct error *error)
{
    if (!know_alerts(publisher, desk, outcome, error)) return false;
    int64_t now_us = alerts_clock(publisher, desk);
    struct alert_changes changes = judge(publisher, desk, now_us);
    struct alerts_commit commit = { .tenant = desk->tenant,
                                    .expected = desk->alerts.book.version,
                                    .tenant_version = desk->version,
                                    .version = changes.version,
                                    .changes = changes_to_store(publisher, &changes),
                                    .n = changes.n };
    if (changes.n) crash_point("alert judged");
    if (!state_redis_alerts_commit(publisher->state, publisher->engine->settings->prefix, &commit, outcome, error)) return false;
    *again = commit.answer == ALERTS_MOVED;
    if (*again) desk->alerts.known = false;
    if (commit.answer == ALERTS_STORED) take_changes(publisher, desk, &changes, commit.changes);
    if (commit.answer == ALERTS_STORED && changes.n) crash_point("alert committed");
    if (!*again) note_behind(desk, commit.tenant_now);
    if (!*again) set_due(desk, &changes, now_us);
    if (changes.left_out)
        log_cause(&publisher->alert_cause, LEVEL_WARN, "alert_rows_wait", "",
                  "more rows of a rule are beyond its threshold than are told of");
    return true;
}

/* ---- sending ---- */

struct alert_tag {
    struct sent_tag tag;
    size_t tenant_len, name_len;
    char text[]; /* tenant, name of the letter */
};

static bool note(struct publisher *publisher, struct span tenant, struct span name)
{
    enum outcome outcome = DONE;
    struct error error = { "" };
    return state_redis_alerts_note(publisher->state, publisher->engine->settings->prefix, tenant, false, name, &outcome, &error);
}

/* What can never be delivered (it is larger than the topic takes) is done with, too: the log has it. */
static void alert_acknowledged(struct publisher *publisher, struct sent_tag *sent, enum delivery delivery)
{
    struct alert_tag *tag = (struct alert_tag *)sent;
    struct span tenant = { tag->text, tag->tenant_len }, name = { tag->text + tag->tenant_len, tag->name_len };
    struct desk *desk = map_get(&publisher->desks, tenant);
    struct alert_letter *letter = desk ? alert_outbox_find(&desk->alerts.outbox[ALERT_TO_TOPIC], name) : NULL;
    bool delivered = delivery != UNDELIVERED;
    if (delivered) crash_point("alert acknowledged");
    bool noted = delivered && note(publisher, tenant, name);
    if (noted) crash_point("alert noted");
    if (letter && noted) alert_outbox_remove(&desk->alerts.outbox[ALERT_TO_TOPIC], name);
    if (letter && !noted) letter->state = delivered ? LETTER_DELIVERED : LETTER_WAITING;
    if (atomic_load(&publisher->ending) || (!desk && noted)) return;
    if (!desk) desk = publisher_desk(publisher, tenant);
    if (!noted || desk->alerts.outbox[ALERT_TO_TOPIC].n) desk->dirty = true;
}

static bool send_letter(struct publisher *publisher, const struct desk *desk, const struct alert_letter *letter)
{
    struct buffer key = { 0 };
    struct alert_tag *tag = must_alloc(sizeof *tag + desk->tenant.len + letter->name.len);
    *tag = (struct alert_tag){ .tag = { alert_acknowledged, "alert_not_sent" },
                               .tenant_len = desk->tenant.len,
                               .name_len = letter->name.len };
    memcpy(tag->text, desk->tenant.at, desk->tenant.len);
    memcpy(tag->text + desk->tenant.len, letter->name.at, letter->name.len);
    buffer_printf(&key, "%.*s/%.*s", SPAN_ARG(desk->tenant), SPAN_ARG(alert_field_rule(letter->field)));
    bool produced =
        topic_produce(publisher, publisher->engine->settings->topics.alerts, buffer_all(&key), letter->event, &tag->tag);
    if (!produced) free(tag);
    buffer_deinit(&key);
    return produced;
}

/* Acknowledged while Redis was away. */
static void note_delivered(struct publisher *publisher, struct desk *desk)
{
    struct alert_outbox *outbox = &desk->alerts.outbox[ALERT_TO_TOPIC];
    for (size_t i = outbox->n; i--;)
        if (outbox->at[i]->state == LETTER_DELIVERED && note(publisher, desk->tenant, outbox->at[i]->name))
            alert_outbox_remove(outbox, outbox->at[i]->name);
}

static void send_letters(struct publisher *publisher, struct desk *desk)
{
    struct alert_outbox *outbox = &desk->alerts.outbox[ALERT_TO_TOPIC];
    size_t at = 0;
    note_delivered(publisher, desk);
    for (struct alert_letter *letter; (letter = alert_outbox_next(outbox, &at));) {
        if (!send_letter(publisher, desk, letter)) { /* the queue is full */
            desk->alerts.due_us = publisher_monotonic() + AGAIN_US;
            return;
        }
        letter->state = LETTER_UNDERWAY;
        crash_point("alert sent");
    }
}

bool publish_alerts(struct publisher *publisher, struct desk *desk, enum outcome *outcome, struct error *error)
{
    const struct desk_alerts *alerts = &desk->alerts;
    bool again = true;
    if (alerts->known && !alerts->n_watched && !alerts->book.rows.count && !unsent(desk)) return true;
    for (int attempt = 0; again && attempt < COMMIT_ATTEMPTS; attempt++)
        if (!commit_once(publisher, desk, &again, outcome, error)) return false;
    send_letters(publisher, desk);
    return true;
}
