#include "daemon/run/verification.h"

#include "daemon/recount/differences.h"
#include "daemon/run/servers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ATTEMPTS = 8,
    ATTEMPTS_IN_PIECES = 4 /* then in one step */
};

/* One tenant, as it stood at one version. */
struct subject {
    struct view view;
    struct census redis, entities, due;
    const char *lack; /* why the topics cannot say it; NULL: they can */
    bool held, whole; /* whole: read in one step, without lists */
};

struct verification {
    struct engine *engine;
    const struct verify_options *options;
    struct verify_result *result;
    struct worker_parts parts;
    struct servers servers;
    struct subject *subjects;
    size_t n;
    struct state *memory;
    struct refold *refold;
    const struct subject *told; /* whose differences are printed */
};

/* ---- what stands in Redis ---- */

static void forget(struct subject *subject)
{
    census_deinit(&subject->redis);
    census_deinit(&subject->entities);
    census_deinit(&subject->due);
    view_close(&subject->view);
}

static bool take_once(struct verification *verification, struct subject *subject, struct span name, bool whole,
                      struct error *error)
{
    const struct rules *rules = settings_rules(verification->engine->settings, name);
    const struct tenant_settings *settings = &verification->parts.tenants;
    struct view *view = &subject->view;
    if (!(whole ? view_open_whole : view_open)(view, verification->servers.state, settings, name, rules, error)) return false;
    subject->held = view->tenant->held;
    if (subject->held) return true;
    bool fine = census_add_cells(&subject->redis, view, error) &&
                census_add_entities(&subject->entities, view, &verification->engine->kept, &subject->due, error);
    if (fine) subject->redis.entities = subject->entities.entities;
    if (fine) subject->entities.entities = (struct map){ 0 };
    subject->whole = whole;
    return fine;
}

/* At one version, however busy it is. */
static bool take_subject(struct verification *verification, struct subject *subject, struct span name, struct error *error)
{
    bool fine = false, again = true;
    for (int attempt = 0; again && attempt < ATTEMPTS; attempt++) {
        if (attempt) forget(subject);
        error->text[0] = 0;
        *subject = (struct subject){ 0 };
        fine = take_once(verification, subject, name, attempt >= ATTEMPTS_IN_PIECES, error);
        again = !fine && subject->view.moved;
    }
    return fine || fail_in(error, "tenant cannot be read at one version");
}

static bool take_subjects(struct verification *verification, struct error *error)
{
    struct span *names;
    size_t n;
    const struct verify_options *options = verification->options;
    if (!servers_tenants(&verification->servers, options->tenants, options->n_tenants, &names, &n, error)) return false;
    verification->subjects = must_zalloc((n + 1) * sizeof *verification->subjects);
    for (size_t i = 0; i < n; i++) {
        verification->n = i + 1;
        if (!take_subject(verification, &verification->subjects[i], names[i], error)) return false;
    }
    return true;
}

/* ---- what the topics say ---- */

static void add_subject(struct verification *verification, struct subject *subject)
{
    const struct tenant *tenant = subject->view.tenant;
    subject->lack = topics_lack(&verification->servers.topics, tenant);
    if (subject->lack) return;
    struct refold_tenant *again = refold_add(verification->refold, tenant, tenant->clock_us);
    again->bounded = true;
    for (size_t i = 0; i < tenant->n_positions; i++) {
        const struct tenant_position *position = &tenant->positions[i];
        struct topics_lane *lane = topics_lane(&verification->servers.topics, position->partition);
        if (!position->next) continue;
        refold_limit(again, position->partition, position->next);
        if (position->next > lane->until) lane->until = position->next;
    }
}

static bool read_topics(struct verification *verification, struct error *error)
{
    const struct worker_parts *parts = &verification->parts;
    struct refold_settings settings = { .tenants = parts->tenants, .decode = parts->decode, .cache_bytes = SIZE_MAX };
    struct progress progress = { .command = "verify", .what = "records read" };
    settings.state = verification->memory = state_memory_create(NULL, NULL);
    verification->refold = refold_create(&settings);
    for (size_t i = 0; i < verification->n; i++)
        if (!verification->subjects[i].held) add_subject(verification, &verification->subjects[i]);
    return topics_read(&verification->servers.topics, verification->refold, progress_tell, &progress, error);
}

/* ---- comparing ---- */

static void print_difference(void *context, const char *line)
{
    const struct verification *verification = context;
    printf("%.*s: %s\n", SPAN_ARG(verification->told->view.tenant->name), line);
}

static void print_outcome(const struct subject *subject, bool by_topics, size_t n, size_t most)
{
    const struct tenant *tenant = subject->view.tenant;
    printf("%.*s: %zu counters, %zu entities, at version %" PRId64 ": ", SPAN_ARG(tenant->name), subject->redis.cells.count,
           subject->redis.entities.count, tenant->version);
    if (n)
        printf("%zu difference%s%s", n, n == 1 ? "" : "s", n > most ? ", the first of them above" : "");
    else
        printf("equal to %s", by_topics ? "the topics and to its stored entities" : "what its stored entities say");
    if (!by_topics && subject->lack) printf("; the topics cannot tell: %s", subject->lack);
    printf("\n");
}

static bool compare(struct verification *verification, struct subject *subject, struct error *error)
{
    const struct tenant *tenant = subject->view.tenant;
    struct view again = { 0 };
    struct census topics = { 0 }, said = { 0 };
    bool by_topics = !verification->options->entities_only && !subject->lack, fine = true;
    struct comparison comparison = { .rules = tenant->rules,
                                     .names = &tenant->names,
                                     .redis = &subject->redis,
                                     .entities = &subject->entities,
                                     .due = &subject->due,
                                     .with_lines = !subject->whole,
                                     .with_graves = tenant->graves > 0,
                                     .tell = print_difference,
                                     .context = verification };
    if (by_topics) {
        fine = view_open(&again, verification->memory, &verification->parts.tenants, tenant->name, tenant->rules, error) &&
               census_add_cells(&topics, &again, error) &&
               census_add_entities(&said, &again, &verification->engine->kept, NULL, error);
        topics.entities = said.entities;
        said.entities = (struct map){ 0 };
        comparison.topics = &topics;
        comparison.names = &again.tenant->names;
    }
    verification->told = subject;
    size_t n = fine ? differences_find(&comparison, verification->options->most) : 0;
    if (fine) print_outcome(subject, by_topics, n, verification->options->most);
    verification->result->differences += n;
    verification->result->differ += n > 0;
    census_deinit(&topics);
    census_deinit(&said);
    view_close(&again);
    return fine;
}

static bool compare_all(struct verification *verification, struct error *error)
{
    bool fine = true;
    for (size_t i = 0; i < verification->n && fine; i++) {
        struct subject *subject = &verification->subjects[i];
        verification->result->tenants++;
        if (!subject->held) {
            fine = compare(verification, subject, error);
            continue;
        }
        verification->result->differ++;
        printf("%.*s: counted by other settings or another catalogue than these: run crm-reportd rebuild %.*s\n",
               SPAN_ARG(subject->view.tenant->name), SPAN_ARG(subject->view.tenant->name));
    }
    return fine;
}

bool engine_verify(struct engine *engine, const struct verify_options *options, struct verify_result *result, struct error *error)
{
    struct verification verification = { .engine = engine, .options = options, .result = result, .parts = engine_parts(engine) };
    *result = (struct verify_result){ 0 };
    bool fine = servers_open(&verification.servers, engine, !options->entities_only, error) &&
                take_subjects(&verification, error) && (options->entities_only || read_topics(&verification, error)) &&
                compare_all(&verification, error);
    for (size_t i = 0; i < verification.n; i++) forget(&verification.subjects[i]);
    free(verification.subjects);
    refold_destroy(verification.refold);
    if (verification.memory) verification.memory->ops->destroy(verification.memory);
    servers_close(&verification.servers);
    return fine;
}
