#include "daemon/recount/refold.h"

#include <stdlib.h>

struct refold {
    struct refold_settings settings;
    struct cache cache;
    struct map tenants; /* name -> struct refold_tenant */
    struct loading loading;
    struct arena scratch;   /* of a batch's fold */
    struct arena arena;     /* of one round */
    struct batch **batches; /* of the round */
    size_t n_batches, room_batches;
};

/* ---- life ---- */

struct refold *refold_create(const struct refold_settings *settings)
{
    struct refold *refold = must_zalloc(sizeof *refold);
    refold->settings = *settings;
    refold->cache.limit_bytes = settings->cache_bytes;
    refold->loading = (struct loading){ .state = settings->state, .prefix = settings->tenants.prefix, .arena = &refold->arena };
    return refold;
}

static void free_tenant(struct refold_tenant *tenant)
{
    for (size_t i = 0; i < tenant->n_limits; i++) free((char *)tenant->limits[i].partition.at);
    tenant_destroy(tenant->tenant);
    free(tenant->limits);
    free(tenant);
}

void refold_destroy(struct refold *refold)
{
    if (!refold) return;
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&refold->tenants, &at));) free_tenant(slot->value);
    map_deinit(&refold->tenants);
    loading_deinit(&refold->loading);
    arena_deinit(&refold->scratch);
    arena_deinit(&refold->arena);
    free(refold->batches);
    free(refold);
}

struct refold_tenant *refold_add(struct refold *refold, const struct tenant *like, const struct kept *kept, int64_t clock_us)
{
    struct refold_tenant *made = must_zalloc(sizeof *made);
    made->tenant = tenant_create(like->name, like->rules, &refold->cache);
    map_put(&refold->tenants, made->tenant->name, made);
    refold_begin(made, like, kept, clock_us);
    return made;
}

void refold_begin(struct refold_tenant *again, const struct tenant *like, const struct kept *kept, int64_t clock_us)
{
    struct tenant *tenant = again->tenant;
    tenant_drop(tenant);
    for (name_id id = 1; id < like->names.n; id++) (void)names_intern(&tenant->names, names_text(&like->names, id));
    tenant->secret = like->secret;
    tenant_cover(tenant, kept);
    tenant->loaded = true;
    again->clock_us = clock_us;
}

void refold_limit(struct refold_tenant *tenant, struct span partition, int64_t next)
{
    tenant->bounded = true;
    tenant->limits = must_realloc(tenant->limits, (tenant->n_limits + 1) * sizeof *tenant->limits);
    char *text = memcpy(must_alloc(partition.len + 1), partition.at, partition.len);
    tenant->limits[tenant->n_limits++] = (struct refold_limit){ { text, partition.len }, next };
}

/* ---- one round ---- */

static struct batch *open_batch(struct refold *refold, struct refold_tenant *of)
{
    struct tenant *tenant = of->tenant;
    if (tenant->batch) return tenant->batch;
    struct batch *batch = arena_zalloc(&refold->arena, sizeof *batch);
    batch->tenant = tenant;
    batch->settings = &refold->settings.tenants;
    batch->arena = batch->working = &refold->arena;
    batch->scratch = &refold->scratch;
    batch->loading = &refold->loading;
    batch->now_us = of->clock_us;
    if (refold->n_batches == refold->room_batches) {
        refold->room_batches = refold->room_batches ? 2 * refold->room_batches : 16;
        refold->batches = must_realloc(refold->batches, refold->room_batches * sizeof(struct batch *));
    }
    refold->batches[refold->n_batches++] = batch;
    return tenant->batch = batch;
}

static bool load(struct refold *refold, struct error *error)
{
    enum outcome outcome = DONE;
    return loading_run(&refold->loading, &refold->settings.tenants, &outcome, error);
}

static bool batch_failed(const struct batch *batch, struct error *error)
{
    if (batch->outcome == DONE) return false;
    fail(error, "%s", batch->error.text);
    return true;
}

static bool commit(struct refold *refold, struct error *error)
{
    struct state *state = refold->settings.state;
    struct commit *commits = arena_alloc(&refold->arena, (refold->n_batches + 1) * sizeof *commits);
    struct batch **owners = arena_alloc(&refold->arena, (refold->n_batches + 1) * sizeof(struct batch *));
    size_t n = 0;
    for (size_t i = 0; i < refold->n_batches; i++) {
        struct batch *batch = refold->batches[i];
        if (batch_write(batch)) owners[n] = batch, commits[n++] = batch->commit;
        if (batch_failed(batch, error)) return false;
    }
    if (n && (!state->ops->commit_begin(state, commits, n, error) || !state->ops->commit_end(state, error))) return false;
    for (size_t i = 0; i < n; i++) {
        if (commits[i].outcome == CONFLICT)
            return fail(error, "somebody else counts tenant %.*s anew at the same time", SPAN_ARG(owners[i]->tenant->name));
        owners[i]->commit = commits[i];
        batch_done(owners[i]);
    }
    return true;
}

static bool fold_all(struct refold *refold, void (*fill)(void *context, struct batch *batch), void *context, struct error *error)
{
    for (size_t i = 0; i < refold->n_batches; i++) batch_begin(refold->batches[i]);
    if (!load(refold, error)) return false;
    for (size_t i = 0; i < refold->n_batches; i++) batch_widen(refold->batches[i]);
    if (!load(refold, error)) return false;
    for (size_t i = 0; i < refold->n_batches; i++) {
        if (fill) fill(context, refold->batches[i]);
        batch_fold(refold->batches[i]);
        if (batch_failed(refold->batches[i], error)) return false;
    }
    return load(refold, error) && commit(refold, error);
}

static void close_round(struct refold *refold)
{
    for (size_t i = 0; i < refold->n_batches; i++) {
        refold->batches[i]->tenant->batch = NULL;
        batch_deinit(refold->batches[i]);
    }
    refold->n_batches = 0;
    cache_trim(&refold->cache);
    arena_reset(&refold->arena);
}

bool refold_batch(struct refold *refold, struct refold_tenant *tenant, void (*fill)(void *context, struct batch *batch),
                  void *context, struct error *error)
{
    open_batch(refold, tenant)->new_day = true;
    bool fine = fold_all(refold, fill, context, error);
    close_round(refold);
    return fine;
}

/* ---- records ---- */

static bool counts(const struct refold_tenant *tenant, struct span partition, int64_t offset)
{
    for (size_t i = 0; i < tenant->n_limits; i++)
        if (span_equal(tenant->limits[i].partition, partition)) return offset < tenant->limits[i].next;
    return !tenant->bounded;
}

static void take_record(struct refold *refold, const struct record *record, const struct refold_partition *partition)
{
    struct entry *entry = arena_alloc(&refold->arena, sizeof *entry);
    struct rejection rejection;
    *entry = (struct entry){ .partition = partition->key, .offset = record->offset, .life = partition->life, .record = record };
    bool good = decode(&refold->settings.decode, record, &refold->arena, &entry->event, &rejection);
    struct refold_tenant *tenant = map_get(&refold->tenants, good ? entry->event.tenant : rejection.tenant);
    if (!tenant || !counts(tenant, partition->key, record->offset)) return;
    if (!good) entry->reason = rejection.reason;
    batch_add(open_batch(refold, tenant), entry);
}

bool refold_take(struct refold *refold, const struct record *records, const struct refold_partition *const *partitions, size_t n,
                 struct error *error)
{
    for (size_t i = 0; i < n; i++)
        if (records[i].value.at && partitions[i]) take_record(refold, &records[i], partitions[i]);
    bool fine = fold_all(refold, NULL, NULL, error);
    close_round(refold);
    return fine;
}
