/* A daemon without its machinery: settings, a catalogue, and copies of tenants that may be out of date, counting records into a state. */
#pragma once

#include "daemon/run/engine.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/fold.h"
#include "daemon/tenant/retirement.h"
#include "tests/sim/events.h"
#include "tests/unit/unit.h"

enum {
    TIMERS_AT_ONCE = 100
};

struct daemon {
    struct settings *settings;
    struct catalogue *catalogue;
    struct engine engine;
    struct cache cache;
    struct tenant *tenants[TENANTS];
    void (*refused)(void *context, const struct entry *entry); /* the fold rejected it, and that is committed; may be NULL */
    void *context;
};

static inline void open_daemon(struct daemon *daemon, char *tenants, const char *catalogue)
{
    struct problems problems = { 0 };
    struct error error = { "" };
    char *environment[] = { tenants, NULL };
    struct catalogue_file file = { "own", span_of(catalogue) }, shipped = catalogue_shipped();
    *daemon = (struct daemon){ .cache = { .limit_bytes = SIZE_MAX } };
    daemon->settings = settings_load(NULL, environment, NEED_RULES, &problems);
    daemon->catalogue = catalogue_load(catalogue ? &file : &shipped, 1, &problems);
    problems_print(&problems, "", stderr);
    assert_true(daemon->settings && daemon->catalogue);
    assert_true(engine_init(&daemon->engine, daemon->settings, daemon->catalogue, &error));
    for (int t = 0; t < TENANTS; t++)
        daemon->tenants[t] = tenant_create(event_tenant(t), settings_rules(daemon->settings, event_tenant(t)), &daemon->cache);
}

static inline void close_daemon(struct daemon *daemon)
{
    for (int t = 0; t < TENANTS; t++) tenant_destroy(daemon->tenants[t]);
    catalogue_destroy(daemon->catalogue);
    settings_destroy(daemon->settings);
}

struct fold {
    struct arena arena, scratch;
    struct loading loading;
    struct worker_parts parts;
    struct batch batch;
    struct tenant *tenant;
};

static inline void read_all(struct fold *fold)
{
    enum outcome outcome = DONE;
    struct error error = { "" };
    if (!loading_run(&fold->loading, &fold->parts.tenants, &outcome, &error)) fail_msg("%s", error.text);
}

static inline void add_entry(struct fold *fold, const struct record *record)
{
    struct entry *entry = arena_zalloc(&fold->arena, sizeof *entry);
    struct rejection rejection = { 0 };
    entry->partition = SPAN("t:0");
    entry->offset = record->offset;
    entry->record = record;
    bool good = record->value.at && decode(&fold->parts.decode, record, &fold->arena, &entry->event, &rejection);
    if (!record->value.at || !span_equal(good ? entry->event.tenant : rejection.tenant, fold->tenant->name)) return;
    if (!good) entry->reason = rejection.reason;
    batch_add(&fold->batch, entry);
}

static inline void add_timers(struct fold *fold, struct state *state, int64_t now_us)
{
    enum outcome outcome = DONE;
    struct error error = { "" };
    struct timer *timers;
    struct span key = key_timers(&fold->arena, fold->parts.tenants.prefix, fold->tenant->name);
    assert_true(
        state->ops->timers(state, key, now_us, TIMERS_AT_ONCE, &fold->arena, &timers, &fold->batch.n_timers, &outcome, &error));
    fold->batch.timers = timers;
}

/* One commit; false: somebody else came before. */
static inline bool fold_once(struct daemon *daemon, struct state *state, int t, const struct record *records, size_t n,
                             int64_t now_us)
{
    struct error error = { "" };
    struct fold fold = { .parts = engine_parts(&daemon->engine), .tenant = daemon->tenants[t] };
    fold.loading = (struct loading){ .state = state, .prefix = fold.parts.tenants.prefix, .arena = &fold.arena };
    fold.batch = (struct batch){ .tenant = fold.tenant,
                                 .settings = &fold.parts.tenants,
                                 .arena = &fold.arena,
                                 .working = &fold.arena,
                                 .scratch = &fold.scratch,
                                 .loading = &fold.loading,
                                 .now_us = now_us };
    loading_add_tenant(&fold.loading, fold.tenant);
    read_all(&fold);
    assert_false(fold.tenant->held);
    for (size_t i = 0; i < n; i++) add_entry(&fold, &records[i]);
    add_timers(&fold, state, now_us);
    fold.batch.retires = fold.tenant->version && retirement_is_due(fold.tenant);
    batch_begin(&fold.batch);
    read_all(&fold);
    batch_widen(&fold.batch);
    read_all(&fold);
    batch_fold(&fold.batch);
    read_all(&fold);
    bool done = !batch_write(&fold.batch) && fold.batch.outcome == DONE;
    if (!done && fold.batch.outcome == DONE) {
        assert_true(state->ops->commit_begin(state, &fold.batch.commit, 1, &error) && state->ops->commit_end(state, &error));
        done = fold.batch.commit.outcome == DONE;
        if (done) batch_done(&fold.batch);
        for (size_t i = 0; done && daemon->refused && i < fold.batch.n_refused; i++)
            daemon->refused(daemon->context, fold.batch.refused[i]);
    }
    if (!done) tenant_drop(fold.tenant);
    batch_deinit(&fold.batch);
    loading_deinit(&fold.loading);
    arena_deinit(&fold.arena);
    arena_deinit(&fold.scratch);
    return done;
}

static inline void count(struct daemon *daemon, struct state *state, const struct record *records, size_t n, int64_t now_us)
{
    for (int t = 0; t < TENANTS; t++)
        if (!fold_once(daemon, state, t, records, n, now_us) && !fold_once(daemon, state, t, records, n, now_us))
            fail_msg("refused twice");
}

/* A daemon whose data of Europe/Berlin are those of another zone. */
static inline void open_elsewhere(struct daemon *daemon, char *tenants, const char *catalogue, const char *zone)
{
    char folder[] = "/tmp/zones-XXXXXX", made[64], source[64], command[256];
    assert_non_null(mkdtemp(folder));
    snprintf(made, sizeof made, "%s/Europe", folder);
    snprintf(source, sizeof source, "/usr/share/zoneinfo/%s", zone);
    snprintf(command, sizeof command, "mkdir %s && cp -L %s %s/Berlin", made, source, made);
    assert_int_equal(system(command), 0);
    setenv("TZDIR", folder, 1);
    open_daemon(daemon, tenants, catalogue);
    unsetenv("TZDIR");
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}
