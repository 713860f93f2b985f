/* What a batch must read from the state before it can be folded: collected for all tenants, read in one round trip. */
#pragma once

#include "daemon/tenant/roster.h"

struct loading {
    struct state *state;
    const char *prefix;
    struct arena *arena;
    struct hash_read *reads;
    struct loading_target {
        struct tenant *tenant;
        struct page *page;          /* of a page's read */
        struct stored_cell **cells; /* of a cells' read, one per field */
        struct roster *roster;      /* of the question how many cells a bucket has, or which */
    } * targets;
    size_t n, room;
};

/* A tenant's state, names and months (three reads, in this order), if it is not loaded. */
void loading_add_tenant(struct loading *loading, struct tenant *tenant);

/* A page, if it is not in memory; it is there from now on, empty until it was read. */
struct page *loading_add_page(struct loading *loading, struct tenant *tenant, enum kind kind, uint32_t number);

/* The page that an entity stands on, or would. */
struct page *loading_add_entity(struct loading *loading, struct tenant *tenant, enum kind kind, struct span id);

/* Cells of one bucket that were just added to the tenant's memory, and the texts of their keys; both arrays stay until they are read. */
void loading_add_cells(struct loading *loading, struct tenant *tenant, struct stored_cell **cells, const struct span *fields,
                       size_t n);

/* How many cells stand in the roster's bucket, or which; it is settled by the answer. */
void loading_add_roster(struct loading *loading, struct roster *roster, bool which);

/* Reads all that was added, puts it into the tenants' memories, and begins anew. False: `outcome` and `error` say why; the caller then drops all tenants
 * for which something was added. */
bool loading_run(struct loading *loading, const struct tenant_settings *settings, enum outcome *outcome,
                 struct error *error) MUST_USE;
void loading_deinit(struct loading *loading);
