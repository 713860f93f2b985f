/* Counts tenants anew: their events, read from the topics once more, folded into a state of their own by the very code of the
 * daemon. `verify` compares the outcome with what stands in Redis, `rebuild` puts it there. */
#pragma once

#include "daemon/intake/decode.h"
#include "daemon/tenant/fold.h"

struct refold_settings {
    struct state *state; /* that is folded into */
    struct tenant_settings tenants;
    struct decode_settings decode;
    size_t cache_bytes;
};

/* One tenant of those counted anew. */
struct refold_tenant {
    struct tenant *tenant;
    int64_t clock_us; /* at which it is counted: its own does not go back behind it */
    bool bounded;     /* only what is below the limits counts */
    struct refold_limit {
        struct span partition; /* "topic:number" */
        int64_t next;          /* the first offset that does not count */
    } * limits;
    size_t n_limits;
};

struct refold;

struct refold *refold_create(const struct refold_settings *settings);
void refold_destroy(struct refold *refold); /* NULL is fine */

/* A tenant of whom the state holds nothing yet. It takes over names and secret of `like`, so that numbers of names and hashes
 * mean the same in both. It is counted by `kept`. It lives as long as the refold. */
struct refold_tenant *refold_add(struct refold *refold, const struct tenant *like, const struct kept *kept, int64_t clock_us);
/* Nothing was folded yet, again. */
void refold_begin(struct refold_tenant *again, const struct tenant *like, const struct kept *kept, int64_t clock_us);
void refold_limit(struct refold_tenant *tenant, struct span partition, int64_t next); /* makes it bounded */

/* Folds and commits the records of one partition's life that count. False: the state did not take them. */
struct refold_partition {
    struct span key; /* "topic:number" */
    uint64_t life;
};
bool refold_take(struct refold *refold, const struct record *records, const struct refold_partition *const *partitions, size_t n,
                 struct error *error) MUST_USE;

/* One batch of the tenant, filled by the caller before it is folded, and committed even when nothing came of it. */
bool refold_batch(struct refold *refold, struct refold_tenant *tenant, void (*fill)(void *context, struct batch *batch),
                  void *context, struct error *error) MUST_USE;
