/* A tenant's alerts: its rules are judged by the numbers at hand, and what changes is committed together with the events that
 * tell of it; then these are sent (alert_send.c). */
#include "daemon/state/alerts.h"

#include "common/instant.h"
#include "daemon/publish/inner.h"
#include "daemon/worker/worker.h"

#include <stdlib.h>

enum {
    UNSENT_MAX = 1000, /* of a tenant; with more, its alerts wait as they are */
    COMMIT_ATTEMPTS = 5,
    BEHIND_US = 1000 * 1000,
    CLOCK_LOOK_US = 10 * 1000 * 1000,
    CLOCK_OFF_MAX_US = 60 * 1000 * 1000
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
    recall_load(desk, stored.rows, stored.n_rows);
    recall_letters(desk, stored.unsent, stored.n_unsent);
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

/* A receiver that is down for long must not hold the alerts up: what it has not taken by then it will not hear of. */
static bool is_posted(struct publisher *publisher, const struct desk *desk, const struct alert_change *change)
{
    if (!change->event.len || !change->rule || !change->rule->webhook) return false;
    if (desk->alerts.outbox[ALERT_TO_WEBHOOK].n < UNSENT_MAX) return true;
    log_cause(&publisher->alerts_bounded, LEVEL_ERROR, "webhook_backlog", "",
              "too many events wait for their receiver: later ones are not posted");
    return false;
}

static struct alerts_change *changes_to_store(struct publisher *publisher, const struct desk *desk,
                                              const struct alert_changes *changes)
{
    struct alerts_change *stored = arena_alloc(&publisher->arena, (changes->n + 1) * sizeof *stored);
    for (size_t i = 0; i < changes->n; i++) {
        const struct alert_change *change = &changes->at[i];
        stored[i] = (struct alerts_change){ .row = change->field, .text = change->text, .event = change->event };
        stored[i].name = letter_name(publisher, change);
        stored[i].posted = is_posted(publisher, desk, change);
    }
    return stored;
}

/* ---- judging ---- */

/* How far the clock of this machine is off that of Redis. */
static void look_at_clock(struct publisher *publisher)
{
    enum outcome outcome = DONE;
    struct error error = { "" };
    int64_t server_us, looked_us = publisher->clock_looked_us, now_us = publisher_monotonic();
    if (publisher->engine->set_clock_us != NO_INSTANT || (looked_us && now_us < looked_us + CLOCK_LOOK_US)) return;
    if (!publisher->state->ops->clock(publisher->state, &server_us, &outcome, &error)) return;
    publisher->clock_looked_us = now_us;
    publisher->clock_off_us = engine_clock(publisher->engine) - server_us;
}

/* What `for` is measured by. As with tenants' clocks, one that is far off Redis's is not trusted. */
static int64_t alerts_clock(struct publisher *publisher, const struct desk *desk)
{
    look_at_clock(publisher);
    int64_t now_us = engine_clock(publisher->engine), off_us = publisher->clock_off_us;
    if (off_us > CLOCK_OFF_MAX_US || off_us < -CLOCK_OFF_MAX_US) now_us -= off_us;
    return now_us > desk->clock_us ? now_us : desk->clock_us;
}

static struct alert_changes judge(struct publisher *publisher, struct desk *desk, int64_t now_us)
{
    struct desk_alerts *alerts = &desk->alerts;
    size_t waiting = alerts->outbox[ALERT_TO_TOPIC].n;
    struct alert_scene scene = { .tenant = desk->tenant,
                                 .rules = desk->rules,
                                 .names = &desk->names,
                                 .board = desk->board,
                                 .watched = alerts->watched,
                                 .n_watched = alerts->n_watched,
                                 .book = &alerts->book,
                                 .version = alerts->newest > desk->version ? alerts->newest : desk->version,
                                 .state_us = desk->clock_us,
                                 .now_us = now_us,
                                 .type_prefix = publisher->engine->settings->type_prefix,
                                 .all = alerts->all,
                                 .events_max = waiting < UNSENT_MAX ? UNSENT_MAX - waiting : 0 };
    return alert_assess(&scene, &publisher->arena);
}

/* Raised, and so it stood: Redis lost something. */
static bool is_again(const struct desk *desk, const struct alert_change *change)
{
    const struct alert_row *row = alert_book_row(&desk->alerts.book, change->field);
    return change->text.len && row && row->state == ALERT_RAISED;
}

static void log_change(const struct desk *desk, const struct alert_change *change)
{
    const char *what = !change->text.len ? "alert_cleared" : is_again(desk, change) ? "alert_told_again" : "alert_raised";
    if (change->event.len)
        log_event(LEVEL_INFO, what, "tenant=%.*s rule=%.*s version=%lld", SPAN_ARG(desk->tenant),
                  SPAN_ARG(alert_field_rule(change->field)), (long long)change->version);
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
        if (!changes->at[i].text.len)
            publisher->counts.alerts_cleared++;
        else if (!is_again(desk, &changes->at[i]))
            publisher->counts.alerts_raised++;
    }
    recall_took(desk, changes);
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
    if (alerts->due_us > alerts->recall_us) alerts->due_us = alerts->recall_us;
    if (changes->more) alerts->due_us = monotonic_us + ALERT_AGAIN_US;
    if (alerts->behind && alerts->due_us > alerts->behind_since_us + BEHIND_US)
        alerts->due_us = alerts->behind_since_us + BEHIND_US;
}

void note_behind(struct desk *desk, int64_t tenant_now)
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
    recall_look(desk);
    recall_begin(desk);
    int64_t now_us = alerts_clock(publisher, desk);
    struct alert_changes changes = judge(publisher, desk, now_us);
    struct alerts_commit commit = { .tenant = desk->tenant,
                                    .expected = desk->alerts.book.version,
                                    .tenant_version = desk->version,
                                    .version = changes.version,
                                    .changes = changes_to_store(publisher, desk, &changes),
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
        log_cause(&publisher->alerts_bounded, LEVEL_WARN, "alert_rows_wait", "",
                  "more rows of a rule are beyond its threshold than are told of");
    return true;
}

static bool has_alerts(const struct desk_alerts *alerts)
{
    return alerts->book.rows.count || alerts->outbox[ALERT_TO_TOPIC].n || alerts->outbox[ALERT_TO_WEBHOOK].n ||
           alerts->set_back || alerts->recall_us != NEVER;
}

bool publish_alerts(struct publisher *publisher, struct desk *desk, enum outcome *outcome, struct error *error)
{
    struct desk_alerts *alerts = &desk->alerts;
    bool again = true;
    if (!desk->version) { /* of whom nothing is counted, or not yet again: nothing is judged, nor waited for */
        alerts->behind = 0;
        alerts->known = false;
        recall_letters(desk, NULL, 0);
        alert_outbox_replace(&alerts->outbox[ALERT_TO_WEBHOOK], NULL, 0);
        recall_wait(desk);
        return true;
    }
    if (alerts->known && !alerts->n_watched && !has_alerts(alerts)) {
        alerts->due_us = alerts->behind ? alerts->behind_since_us + BEHIND_US : NEVER; /* nothing else is waited for */
        return true;
    }
    for (int attempt = 0; again && attempt < COMMIT_ATTEMPTS; attempt++)
        if (!commit_once(publisher, desk, &again, outcome, error)) return false;
    send_alerts(publisher, desk);
    return true;
}
