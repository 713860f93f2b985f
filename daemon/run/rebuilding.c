#include "daemon/run/rebuilding.h"

#include "common/instant.h"
#include "daemon/recount/restate.h"
#include "daemon/run/servers.h"
#include "daemon/state/keys.h"
#include "daemon/state/switch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PREFIX_BYTES = 96,
    ATTEMPTS = 200,
    RESTATE_ATTEMPTS = 5
};

/* One tenant to be counted anew. */
struct job {
    struct span name;
    struct refold_tenant *copy;
    const char *lack; /* why the topics cannot say it; NULL: they can */
};

struct rebuilding {
    struct engine *engine;
    const struct rebuild_options *options;
    struct rebuild_result *result;
    struct worker_parts parts;
    struct tenant_settings copy_settings; /* the same under the copy's prefix */
    char copy_prefix[PREFIX_BYTES];
    struct servers servers;
    struct refold *refold;
    struct job *jobs;
    size_t n;
    struct progress progress;
};

/* ---- looking ---- */

static bool open_tenant(struct rebuilding *rebuilding, struct view *view, struct span name, bool copy, struct error *error)
{
    const struct rules *rules = settings_rules(rebuilding->engine->settings, name);
    const struct tenant_settings *settings = copy ? &rebuilding->copy_settings : &rebuilding->parts.tenants;
    return view_open(view, rebuilding->servers.state, settings, name, rules, error);
}

/* Is it asked for: named, or all are, or it was counted by others, or part of it from some day on only? */
static bool is_wanted(const struct rebuilding *rebuilding, const struct tenant *tenant)
{
    const struct rebuild_options *options = rebuilding->options;
    return tenant->version && (options->n_tenants || options->all || tenant->held || tenant->generations.n > 1);
}

/* What an earlier run that was killed has left of its copy. */
static bool remove_copy(struct rebuilding *rebuilding, struct span name, struct error *error)
{
    struct view view = { 0 };
    struct arena arena = { 0 };
    enum outcome outcome = DONE;
    size_t n = 0;
    bool fine = open_tenant(rebuilding, &view, name, true, error);
    if (fine && view.tenant->version) {
        struct span *keys = view_keys(&view, &arena, &n);
        fine = state_redis_remove(rebuilding->servers.state, keys, n, &outcome, error);
    }
    arena_deinit(&arena);
    view_close(&view);
    return fine;
}

static int64_t clock_of(struct rebuilding *rebuilding, const struct tenant *tenant)
{
    int64_t now_us = engine_clock(rebuilding->engine);
    return tenant->clock_us > now_us ? tenant->clock_us : now_us;
}

/* ---- from the topics ---- */

static void read_to_positions(struct rebuilding *rebuilding, const struct tenant *tenant)
{
    for (size_t i = 0; i < tenant->n_positions; i++) {
        struct topics_lane *lane = topics_lane(&rebuilding->servers.topics, tenant->positions[i].partition);
        if (lane && tenant->positions[i].next > lane->until) lane->until = tenant->positions[i].next;
    }
}

/* What entities that have left said is in no entity: without the topics it would be gone. */
static bool may_be_lost(const struct job *job, const struct tenant *tenant, struct error *error)
{
    uint64_t left = tenant_retired(tenant);
    if (!job->lack || !left) return true;
    return fail(error,
                "tenant %.*s: %" PRIu64
                " entities have left (its retire_after), only the topics could tell their numbers again, and "
                "these cannot: %s. Nothing was changed; set back what its numbers depend on, and they go on",
                SPAN_ARG(tenant->name), left, job->lack);
}

static bool add_job(struct rebuilding *rebuilding, struct span name, struct error *error)
{
    struct view view = { 0 };
    bool fine = open_tenant(rebuilding, &view, name, false, error);
    if (fine && is_wanted(rebuilding, view.tenant)) {
        struct job *job = &rebuilding->jobs[rebuilding->n++];
        *job = (struct job){ .name = name };
        job->lack = rebuilding->options->from_entities ? "asked for" : topics_lack(&rebuilding->servers.topics, view.tenant);
        fine = may_be_lost(job, view.tenant, error) && remove_copy(rebuilding, name, error);
        struct kept kept = kept_of(rebuilding->parts.tenants.needed, view.tenant->rules);
        job->copy = refold_add(rebuilding->refold, view.tenant, &kept, clock_of(rebuilding, view.tenant));
        if (job->lack)
            refold_limit(job->copy, SPAN(""), 0); /* no record counts */
        else
            read_to_positions(rebuilding, view.tenant);
    }
    view_close(&view);
    return fine;
}

static bool add_jobs(struct rebuilding *rebuilding, struct error *error)
{
    struct span *names;
    size_t n;
    const struct rebuild_options *options = rebuilding->options;
    struct error unknown = { "" };
    if (!servers_tenants(&rebuilding->servers, options->tenants, options->n_tenants, &names, &n, &unknown, error)) return false;
    if (unknown.text[0]) return fail(error, "%s", unknown.text); /* nothing is changed for half of what was meant */
    rebuilding->jobs = must_zalloc((n + 1) * sizeof *rebuilding->jobs);
    for (size_t i = 0; i < n; i++)
        if (!add_job(rebuilding, names[i], error)) return false;
    rebuilding->result->tenants = rebuilding->n;
    return true;
}

static bool read_topics(struct rebuilding *rebuilding, struct error *error)
{
    rebuilding->servers.topics.beyond = true;
    for (size_t i = 0; i < rebuilding->n; i++) /* so that each has a state, even without an event */
        if (!rebuilding->jobs[i].lack && !refold_batch(rebuilding->refold, rebuilding->jobs[i].copy, NULL, NULL, error))
            return false;
    return topics_read(&rebuilding->servers.topics, rebuilding->refold, progress_tell, &rebuilding->progress, error);
}

/* Has the copy counted all that the tenant has? */
static bool has_reached(const struct tenant *tenant, struct tenant *copy)
{
    for (size_t i = 0; i < tenant->n_positions; i++) {
        const struct tenant_position *wanted = &tenant->positions[i], *got = tenant_position(copy, wanted->partition);
        if (wanted->next && (got->life != wanted->life || got->next < wanted->next)) return false;
    }
    return true;
}

/* ---- in its place ---- */

static struct span *renamed(const struct rebuilding *rebuilding, const struct span *keys, size_t n, struct arena *arena)
{
    size_t cut = strlen(rebuilding->copy_prefix);
    const char *prefix = rebuilding->parts.tenants.prefix;
    struct span *names = arena_alloc(arena, (n + 1) * sizeof *names);
    for (size_t i = 0; i < n; i++) {
        struct buffer name = { 0 };
        buffer_printf(&name, "%s%.*s", prefix, (int)(keys[i].len - cut), keys[i].at + cut);
        names[i] = arena_copy(arena, buffer_all(&name));
        buffer_deinit(&name);
    }
    return names;
}

/* A tenant's clock does not go back: not even behind what the daemon has counted meanwhile. */
static struct span clock_text(const struct tenant *tenant, const struct tenant *copy, struct arena *arena)
{
    struct buffer text = { 0 };
    buffer_decimal(&text, tenant->clock_us > copy->clock_us ? tenant->clock_us : copy->clock_us);
    struct span copied = arena_copy(arena, buffer_all(&text));
    buffer_deinit(&text);
    return copied;
}

static bool switch_over(struct rebuilding *rebuilding, const struct view *view, const struct view *copy, int64_t *version,
                        struct error *error)
{
    struct arena arena = { 0 };
    enum outcome outcome = DONE;
    struct span name = view->tenant->name;
    struct span fields[] = { SPAN("clock"), clock_text(view->tenant, copy->tenant, &arena) };
    struct switch_over over = { .state_key = key_state(&arena, view->prefix, name),
                                .copy_state_key = key_state(&arena, copy->prefix, name),
                                .version = view->tenant->version,
                                .copy_version = copy->tenant->version,
                                .fields = fields,
                                .n_fields = sizeof fields / sizeof *fields };
    over.old_keys = view_keys(view, &arena, &over.n_old);
    over.copy_keys = view_keys(copy, &arena, &over.n_new);
    over.new_keys = renamed(rebuilding, over.copy_keys, over.n_new, &arena);
    crash_point("before switch");
    bool fine = state_redis_switch(rebuilding->servers.state, &over, &outcome, error);
    crash_point("switched");
    *version = fine && over.switched ? over.version_new : 0;
    arena_deinit(&arena);
    return fine;
}

/* One attempt: `*version` stays 0 where the tenant has moved on meanwhile. */
static bool try_switch(struct rebuilding *rebuilding, struct job *job, int64_t *version, struct error *error)
{
    struct view view = { 0 }, copy = { 0 };
    bool fine = open_tenant(rebuilding, &view, job->name, false, error);
    if (fine && !has_reached(view.tenant, job->copy->tenant)) {
        read_to_positions(rebuilding, view.tenant);
        fine = topics_read(&rebuilding->servers.topics, rebuilding->refold, NULL, NULL, error) &&
               (has_reached(view.tenant, job->copy->tenant) || fail(error, "its positions are not those of the topics"));
    }
    fine =
        fine && open_tenant(rebuilding, &copy, job->name, true, error) && switch_over(rebuilding, &view, &copy, version, error);
    view_close(&view);
    view_close(&copy);
    return fine;
}

static void tell_switched(struct rebuilding *rebuilding, const struct job *job, int64_t version)
{
    rebuilding->result->switched++;
    refold_limit(job->copy, SPAN(""), 0); /* the copy is gone: what is read for others is not its any more */
    printf("%.*s: counted anew from %s, version %" PRId64 "\n", SPAN_ARG(job->name),
           job->lack ? "its stored entities" : "the topics", version);
    if (job->lack && !rebuilding->options->from_entities)
        printf("%.*s: the topics cannot tell: %s. What was not kept of its events before is not there\n", SPAN_ARG(job->name),
               job->lack);
    fflush(stdout);
}

static bool finish_job(struct rebuilding *rebuilding, struct job *job, struct error *error)
{
    int64_t version = 0;
    for (int attempt = 0; attempt < ATTEMPTS && !version; attempt++)
        if (!try_switch(rebuilding, job, &version, error)) return false;
    if (!version) return fail(error, "tenant %.*s moves on all the time: try when it rests", SPAN_ARG(job->name));
    tell_switched(rebuilding, job, version);
    return true;
}

/* ---- from its entities ---- */

/* Counted from what stands there, which must still stand there then. Until then entities may have left. */
static bool restate_once(struct rebuilding *rebuilding, struct job *job, int64_t *version, bool *again, struct error *error)
{
    struct view view = { 0 }, copy = { 0 };
    bool fine = open_tenant(rebuilding, &view, job->name, false, error) && may_be_lost(job, view.tenant, error) &&
                restate(rebuilding->refold, job->copy, &view, progress_tell, &rebuilding->progress, error) &&
                open_tenant(rebuilding, &copy, job->name, true, error) && switch_over(rebuilding, &view, &copy, version, error);
    *again = (fine && !*version) || view.moved;
    view_close(&view);
    view_close(&copy);
    return fine;
}

static bool restate_job(struct rebuilding *rebuilding, struct job *job, struct error *error)
{
    int64_t version = 0;
    bool fine = true, again = true;
    rebuilding->progress.what = "entities stated again";
    for (int attempt = 0; again && attempt < RESTATE_ATTEMPTS; attempt++) {
        error->text[0] = 0;
        if (attempt && !remove_copy(rebuilding, job->name, error)) return false;
        fine = restate_once(rebuilding, job, &version, &again, error);
    }
    if (fine && !version)
        return fail(error, "tenant %.*s moves on all the time: stop the daemon, or try when it rests", SPAN_ARG(job->name));
    if (fine) tell_switched(rebuilding, job, version);
    return fine;
}

/* ---- the whole ---- */

static bool run(struct rebuilding *rebuilding, struct error *error)
{
    if (!add_jobs(rebuilding, error) || !read_topics(rebuilding, error)) return false;
    for (size_t i = 0; i < rebuilding->n; i++) {
        struct job *job = &rebuilding->jobs[i];
        if (!(job->lack ? restate_job : finish_job)(rebuilding, job, error)) return false;
    }
    return true;
}

/* Copies that did not get into place are of no use; where that does not work now, the next run does it. */
static void remove_copies(struct rebuilding *rebuilding)
{
    struct error ignored = { "" };
    for (size_t i = 0; i < rebuilding->n; i++) (void)!remove_copy(rebuilding, rebuilding->jobs[i].name, &ignored);
}

bool engine_rebuild(struct engine *engine, const struct rebuild_options *options, struct rebuild_result *result,
                    struct error *error)
{
    struct rebuilding rebuilding = { .engine = engine, .options = options, .result = result, .parts = engine_parts(engine) };
    *result = (struct rebuild_result){ 0 };
    snprintf(rebuilding.copy_prefix, sizeof rebuilding.copy_prefix, "%s:rebuild", engine->settings->prefix);
    rebuilding.copy_settings = rebuilding.parts.tenants;
    rebuilding.copy_settings.prefix = rebuilding.copy_prefix;
    rebuilding.progress = (struct progress){ .command = "rebuild", .what = "records read" };
    bool fine = servers_open(&rebuilding.servers, engine, !options->from_entities, error);
    struct refold_settings settings = { rebuilding.servers.state, rebuilding.copy_settings, rebuilding.parts.decode,
                                        rebuilding.parts.cache_bytes };
    rebuilding.refold = refold_create(&settings);
    fine = fine && run(&rebuilding, error);
    if (!fine) remove_copies(&rebuilding);
    refold_destroy(rebuilding.refold);
    free(rebuilding.jobs);
    servers_close(&rebuilding.servers);
    return fine;
}
