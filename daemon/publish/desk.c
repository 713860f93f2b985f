#include "daemon/publish/desk.h"

#include "common/instant.h"
#include "daemon/tenant/view.h"

#include <stdlib.h>

enum {
    LOAD_ATTEMPTS = 20
};

struct desk *desk_create(const struct engine *engine, struct span tenant)
{
    const struct settings *settings = engine->settings;
    struct desk *desk = must_zalloc(sizeof *desk + tenant.len);
    desk->tenant = (struct span){ memcpy(desk + 1, tenant.at, tenant.len), tenant.len };
    desk->rules = settings_rules(settings, tenant);
    names_init(&desk->names);
    desk->reports = must_zalloc((engine->catalogue->n_reports + 1) * sizeof *desk->reports);
    desk->n_numbers = settings->metrics_periods.n;
    desk->numbers = must_zalloc((desk->n_numbers + 1) * sizeof *desk->numbers);
    desk->alerts.due_us = desk->alerts.recall_us = NEVER;
    return desk;
}

void desk_mark_dirty(struct desk *desk, int64_t now_us)
{
    if (desk->dirty) return;
    desk->dirty = true;
    desk->waiting_since_us = now_us;
    queue_place(desk);
}

static void watch_on_board(struct desk *desk)
{
    const struct desk_alerts *alerts = &desk->alerts;
    struct watch *watches = must_alloc((alerts->n_watched + 1) * sizeof *watches);
    for (size_t i = 0; i < alerts->n_watched; i++) watches[i] = alerts->watched[i]->watch;
    board_watch(desk->board, watches, alerts->n_watched);
    free(watches);
}

static void open_board(struct desk *desk, const struct engine *engine)
{
    const struct text_list *periods = &engine->settings->metrics_periods;
    desk->board = board_create(engine->catalogue, desk->rules, &desk->names, periods->at, periods->n);
    watch_on_board(desk);
}

void desk_watch(struct desk *desk, const struct alert_rules *rules, int64_t now_us)
{
    struct desk_alerts *alerts = &desk->alerts;
    size_t n = rules ? rules->n : 0;
    alerts->watched = must_realloc(alerts->watched, (n + 1) * sizeof(struct alert_rule *));
    alerts->n_watched = 0;
    for (size_t i = 0; i < n; i++)
        if (alert_rule_applies(&rules->at[i], desk->tenant)) alerts->watched[alerts->n_watched++] = &rules->at[i];
    if (desk->board) watch_on_board(desk);
    desk->loaded = false;
    alerts->all = true;
    desk_mark_dirty(desk, now_us);
}

void desk_doubt(struct desk *desk)
{
    desk->loaded = desk->compared = desk->alerts.known = false;
}

void desk_rest(struct desk *desk)
{
    desk->loaded = false;
    if (desk->board) board_rest(desk->board);
}

void desk_destroy(struct desk *desk)
{
    if (!desk) return;
    queue_leave(desk);
    board_destroy(desk->board);
    names_deinit(&desk->names);
    buffer_deinit(&desk->traceparent);
    alert_book_deinit(&desk->alerts.book);
    alert_book_deinit(&desk->alerts.told);
    alert_book_deinit(&desk->alerts.older);
    for (int way = 0; way < N_ALERT_WAYS; way++) alert_outbox_deinit(&desk->alerts.outbox[way]);
    free(desk->alerts.watched);
    for (size_t i = 0; i < desk->n_numbers; i++) buffer_deinit(&desk->numbers[i].texts);
    free(desk->numbers);
    free(desk->reports);
    free(desk);
}

static int32_t desk_day(const struct desk *desk, int64_t clock_us)
{
    return local_day(clock_us, zone_offset(desk->rules->zone, clock_us));
}

static bool continues(const struct desk *desk, const struct committed *committed)
{
    return desk->loaded && !committed->dropped && committed->version_before == desk->version &&
           committed->first_name == desk->names.n && desk_day(desk, committed->clock_us) == board_today(desk->board);
}

static void take_differences(struct desk *desk, const struct committed *committed)
{
    for (size_t i = 0; i < committed->n_names; i++) names_intern(&desk->names, committed->names[i]);
    for (size_t i = 0; i < committed->n_differences; i++) {
        const struct difference *difference = committed->differences[i];
        board_add(desk->board, difference->bucket.number, &difference->key, &difference->value);
    }
    for (size_t i = 0; i < committed->n_lines; i++) {
        const struct list_change *line = &committed->lines[i];
        board_add_line(desk->board, line->list, line->id, line->was ? &line->before : NULL, line->is ? &line->after : NULL);
    }
    desk->version = committed->version;
    desk->clock_us = committed->clock_us;
}

void desk_was_set_back(struct desk *desk, bool surely, int64_t now_us)
{
    desk_doubt(desk);
    desk->doubted = true;
    desk->alerts.set_back |= surely;
    desk_mark_dirty(desk, now_us);
}

void desk_follow(struct desk *desk, const struct committed *committed, int64_t now_us)
{
    bool news = committed->version > committed->version_before;
    bool known = desk->loaded && committed->version <= desk->version;
    if (committed->traceparent.len && (!known || desk->dirty)) {
        buffer_clear(&desk->traceparent);
        buffer_span(&desk->traceparent, committed->traceparent);
    }
    if (known) return;
    if (committed->version_before != desk->newest) desk->compared = false; /* somebody else, or Redis lost something */
    desk->newest = committed->version;
    if (news && continues(desk, committed))
        take_differences(desk, committed);
    else
        desk->loaded = false;
    desk_mark_dirty(desk, now_us);
}

bool desk_is_ready(const struct desk *desk)
{
    return desk->loaded && desk->compared && !board_is_stale(desk->board);
}

size_t desk_bytes(const struct desk *desk, const struct engine *engine)
{
    size_t bytes = sizeof *desk + engine->catalogue->n_reports * sizeof *desk->reports + names_bytes(&desk->names);
    for (size_t i = 0; i < desk->n_numbers; i++) bytes += sizeof *desk->numbers + desk->numbers[i].texts.room;
    return bytes + (desk->board ? board_bytes(desk->board) : 0);
}

bool desk_lacks(const struct desk *desk, const struct engine *engine)
{
    for (size_t i = 0; i < engine->catalogue->n_reports; i++)
        if (desk->reports[i].send_again) return true;
    return false;
}

static void copy_names(struct desk *desk, const struct names *names)
{
    names_deinit(&desk->names);
    names_init(&desk->names);
    for (name_id id = 1; id < names->n; id++) names_intern(&desk->names, names_text(names, id));
}

static struct tenant_settings desk_settings(const struct engine *engine)
{
    return (struct tenant_settings){ .prefix = engine->settings->prefix, .needed = &engine->kept };
}

/* Redis has less than it had, or began anew. */
static bool was_lost(const struct desk *desk, const struct tenant *tenant)
{
    bool same = desk->secret.k0 == tenant->secret.k0 && desk->secret.k1 == tenant->secret.k1;
    return desk->version && (tenant->version < desk->version || !same);
}

static bool load_once(struct desk *desk, struct state *state, const struct tenant_settings *settings, struct view *view,
                      struct error *error)
{
    if (!view_open(view, state, settings, desk->tenant, desk->rules, error)) return false;
    struct cell_reader reader = view_reader(view);
    copy_names(desk, &view->tenant->names);
    if (!board_load(desk->board, view->tenant->today, &reader, error)) return false;
    if (view->tenant->version < desk->version) desk->compared = !(desk->doubted = true); /* it was set back */
    desk->alerts.set_back |= was_lost(desk, view->tenant);
    desk->secret = view->tenant->secret;
    desk->version = desk->newest = view->tenant->version;
    desk->clock_us = view->tenant->clock_us;
    desk->loaded = true;
    return true;
}

bool desk_catch_up(struct desk *desk, const struct engine *engine, struct state *state)
{
    struct tenant_settings settings = desk_settings(engine);
    struct view view = { 0 };
    struct error error = { "" };
    bool fine = view_open(&view, state, &settings, desk->tenant, desk->rules, &error) && view.tenant->version == desk->version;
    if (fine) {
        struct cell_reader reader = view_reader(&view);
        fine = board_catch_up(desk->board, &reader, &error);
    }
    view_close(&view);
    return fine;
}

bool desk_load(struct desk *desk, const struct engine *engine, struct state *state, enum outcome *outcome, struct error *error)
{
    struct tenant_settings settings = desk_settings(engine);
    if (!desk->board) open_board(desk, engine);
    for (int attempt = 0;; attempt++) {
        struct view view = { 0 };
        error->text[0] = 0;
        bool fine = load_once(desk, state, &settings, &view, error), again = view.moved && attempt < LOAD_ATTEMPTS;
        *outcome = view.outcome;
        view_close(&view);
        if (fine || !again) return fine;
    }
}
