#include "daemon/run/verification.h"

#include "common/instant.h"
#include "daemon/recount/balance.h"
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
    const char *lack;   /* why the topics cannot say it; NULL: they can */
    struct kept shared; /* what it has kept from its beginning */
    bool held, whole;   /* whole: read in one step, without lists */
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

/* NULL: all, it has kept the same ever since. */
static const struct kept *shared_of(const struct subject *subject)
{
    return subject->view.tenant->generations.stored > 1 ? &subject->shared : NULL;
}

/* Of whom entities have left, the topics tell the part that is there. */
static bool has_left(const struct subject *subject)
{
    return tenant_retired(subject->view.tenant) > 0;
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
    subject->shared = generations_common(&view->tenant->generations);
    view->notes_retired = true;
    bool fine = census_add_cells(&subject->redis, view, error) &&
                census_add_entities(&subject->entities, view, shared_of(subject), &subject->due, error);
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
    if (fine) return true;
    char where[TENANT_BYTES_MAX + 64];
    snprintf(where, sizeof where, "the tenant %.*s cannot be read%s", SPAN_ARG(name), again ? " at one version" : "");
    return fail_in(error, where);
}

static bool take_subjects(struct verification *verification, struct error *error)
{
    struct span *names;
    size_t n;
    const struct verify_options *options = verification->options;
    struct error *unknown = &verification->result->unknown;
    if (!servers_tenants(&verification->servers, options->tenants, options->n_tenants, &names, &n, unknown, error)) return false;
    if (unknown->text[0] && !n) return fail(error, "%s", unknown->text);
    verification->subjects = must_zalloc((n + 1) * sizeof *verification->subjects);
    for (size_t i = 0; i < n; i++) {
        verification->n = i + 1;
        if (!take_subject(verification, &verification->subjects[i], names[i], error)) return false;
    }
    return true;
}

/* ---- what the topics say ---- */

static int64_t position_of(const struct tenant *tenant, struct span partition)
{
    for (size_t i = 0; i < tenant->n_positions; i++)
        if (span_equal(tenant->positions[i].partition, partition)) return tenant->positions[i].next;
    return 0;
}

/* Up to here all of the tenant is in its numbers: its own position says so, and the mark, which was read before. That the position does
 * not say what the mark does is no matter: nothing of it came since – or what was counted of it is gone. */
static int64_t counted_until(const struct servers *servers, const struct topics_lane *lane, const struct tenant *tenant)
{
    int64_t next = position_of(tenant, lane->partition.key);
    for (size_t i = 0; lane->whole && i < servers->n_marks; i++) {
        const struct mark *mark = &servers->marks[i];
        if (span_equal(mark->partition, lane->partition.key) && mark->next > next) next = mark->next;
    }
    return next;
}

static void add_subject(struct verification *verification, struct subject *subject)
{
    const struct topics *topics = &verification->servers.topics;
    const struct tenant *tenant = subject->view.tenant;
    subject->lack = topics_lack(topics, tenant);
    if (!generations_share_zone(&tenant->generations)) subject->lack = "it was begun with other time zone data";
    if (subject->lack) return;
    int64_t clock_us = tenant->version ? tenant->clock_us : engine_clock(verification->engine);
    struct refold_tenant *again = refold_add(verification->refold, tenant, &subject->shared, clock_us);
    again->bounded = true;
    for (size_t i = 0; i < topics->n; i++) {
        struct topics_lane *lane = &topics->lanes[i];
        int64_t next = counted_until(&verification->servers, lane, tenant);
        if (!next) continue;
        refold_limit(again, lane->partition.key, next);
        if (next > lane->until) lane->until = next;
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

/* What the topics cannot be asked about: only from some day on it counts. */
static void print_newer(const struct subject *subject)
{
    struct buffer added = { 0 };
    char since[DAY_TEXT_BYTES];
    const struct tenant *tenant = subject->view.tenant;
    const struct generations *generations = &tenant->generations;
    if (!shared_of(subject)) return;
    generation_write_added(&generations->at[0], &generations->at[generations->stored - 1], SIZE_MAX, &added);
    day_format(generations->at[1].since, since);
    printf("; not compared with the topics, as it counts from %s on only, until crm-reportd rebuild %.*s: %.*s", since,
           SPAN_ARG(tenant->name), SPAN_ARG(buffer_all(&added)));
    buffer_deinit(&added);
}

static void print_outcome(const struct subject *subject, bool by_topics, size_t n, size_t most)
{
    const struct tenant *tenant = subject->view.tenant;
    printf("%.*s: %zu counters, %" PRIu64 " entities, at version %" PRId64 ": ", SPAN_ARG(tenant->name),
           subject->redis.cells.count, view_entity_count(&subject->view), tenant->version);
    if (n)
        printf("%zu difference%s%s", n, n == 1 ? "" : "s", n > most ? ", the first of them above" : "");
    else
        printf("equal to %s", by_topics ? "the topics and to its stored entities" : "what its stored entities say");
    if (!by_topics && subject->lack) printf("; the topics cannot tell: %s", subject->lack);
    if (by_topics) print_newer(subject);
    if (has_left(subject)) printf("; %" PRIu64 " have left: what they said is compared by its weight", tenant_retired(tenant));
    printf("\n");
}

/* `said`: what lies behind the entities of `topics`. */
static bool count_topics(struct verification *verification, const struct subject *subject, struct view *again,
                         struct census *topics, struct census *said, struct error *error)
{
    const struct tenant *tenant = subject->view.tenant;
    said->left = has_left(subject) ? &subject->view : NULL;
    bool fine = view_open(again, verification->memory, &verification->parts.tenants, tenant->name, tenant->rules, error) &&
                (said->left || census_add_cells(topics, again, error)) &&
                census_add_entities(said, again, shared_of(subject), NULL, error);
    topics->entities = said->entities;
    said->entities = (struct map){ 0 };
    if (said->left) census_add(topics, said);
    return fine;
}

/* What it has kept from its beginning against the topics: the rest has been compared with its entities. */
static size_t compare_shared(struct subject *subject, const struct comparison *whole, const struct census *topics, size_t most)
{
    struct census redis = { 0 }, entities = { 0 }, due = { 0 };
    struct comparison comparison = *whole;
    census_add_shared(&redis, &subject->redis, &subject->shared);
    census_add_shared(&entities, &subject->entities, &subject->shared);
    census_add_shared(&due, &subject->due, &subject->shared);
    redis.entities = subject->redis.entities;
    comparison.redis = &redis;
    comparison.entities = &entities;
    comparison.due = &due;
    comparison.topics = topics;
    comparison.by_topics = true;
    comparison.with_lines = false;
    size_t n = differences_find(&comparison, most);
    redis.entities = (struct map){ 0 };
    census_deinit(&redis);
    census_deinit(&entities);
    census_deinit(&due);
    return n;
}

static size_t find_differences(struct verification *verification, struct subject *subject, const struct view *again,
                               const struct census *topics)
{
    const struct tenant *tenant = subject->view.tenant;
    size_t most = verification->options->most;
    int32_t days_from = tenant->days_from;
    if (topics && again->tenant->days_from > days_from) days_from = again->tenant->days_from;
    bool left = has_left(subject), apart = topics && (shared_of(subject) || left);
    struct comparison comparison = { .rules = tenant->rules,
                                     .names = topics ? &again->tenant->names : &tenant->names,
                                     .redis = &subject->redis,
                                     .entities = &subject->entities,
                                     .topics = apart ? NULL : topics,
                                     .due = &subject->due,
                                     .without_intake = left,
                                     .is_folded = days_from != NO_DAY,
                                     .days_from = days_from,
                                     .with_lines = !subject->whole,
                                     .with_graves = tenant->graves > 0,
                                     .tell = print_difference,
                                     .context = verification };
    verification->told = subject;
    size_t n = left ? balance_find(&comparison, tenant, most) : 0;
    comparison.without_cells = left;
    n += differences_find(&comparison, n < most ? most - n : 0);
    comparison.without_cells = false;
    return apart ? n + compare_shared(subject, &comparison, topics, n < most ? most - n : 0) : n;
}

static bool compare(struct verification *verification, struct subject *subject, struct error *error)
{
    struct view again = { 0 };
    struct census topics = { 0 }, said = { 0 };
    bool by_topics = !verification->options->entities_only && !subject->lack;
    bool fine = !by_topics || count_topics(verification, subject, &again, &topics, &said, error);
    size_t n = fine ? find_differences(verification, subject, &again, by_topics ? &topics : NULL) : 0;
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
        printf("%.*s: counted by other settings than these: run crm-reportd rebuild %.*s\n", SPAN_ARG(subject->view.tenant->name),
               SPAN_ARG(subject->view.tenant->name));
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
