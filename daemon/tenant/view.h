/* A tenant's numbers as they stand at one version, for whoever asks without folding: queries, reports. */
#pragma once

#include "daemon/report/reader.h"
#include "daemon/state/state.h"
#include "daemon/tenant/tenant.h"

struct view {
    struct state *state;
    const char *prefix;
    struct tenant *tenant; /* version, names, clock, months; no entities, no cells */
    struct cache cache;
    int32_t *months;
    size_t n_months;
    struct arena arena; /* of the buckets read */
    struct bucket *buckets;
    struct hash_read *reads;
    size_t n_wanted, n_buckets; /* buckets asked for; read */
    bool moved;                 /* the tenant moved on between two reads: open it again */
    struct hash_read *whole;    /* all pages of entities, read in the same step (stored.h); NULL: they are not */
    bool notes_retired;         /* whoever reads all entities wants to know who has left, too … */
    struct map retired;         /* … retired_key -> itself; own keys */
    enum outcome outcome;
};

/* Reads names, months and version in one step. version 0: nothing was ever counted for it. `settings` may be what the reader has
 * of them; its rules decide the local days. False: see `outcome`. */
bool view_open(struct view *view, struct state *state, const struct tenant_settings *settings, struct span tenant,
               const struct rules *rules, struct error *error) MUST_USE;
/* The same, with these buckets read in the same step: those that were wanted of a view that `moved`, so that of a tenant that is
 * busy, too, the second attempt succeeds. */
bool view_open_with(struct view *view, struct state *state, const struct tenant_settings *settings, struct span tenant,
                    const struct rules *rules, const struct bucket *buckets, size_t n, struct error *error) MUST_USE;
void view_close(struct view *view); /* a zeroed view is fine */

/* The second half of it: from state, names and months (in this order) that were read in one step. */
bool view_take(struct view *view, struct state *state, const struct tenant_settings *settings, struct span tenant,
               const struct rules *rules, const struct hash_read reads[3], struct error *error) MUST_USE;

/* Cells of this very version; when the tenant moved on meanwhile a read fails and `moved` is set. */
struct cell_reader view_reader(struct view *view);
