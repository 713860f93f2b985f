/* Which cells of a bucket may stand in the state beside those in memory: what is neither in memory nor on the roster is not there, and need
 * not be asked for. Most cells that a batch does not find in memory are new, so this saves most of the questions.
 *
 * A roster is whole if the bucket was seen empty, or all of its fields were read, and each cell that left memory since was noted; else it
 * says nothing. Four bytes, the hash, of each cell, bounded by the cache. Like cells, rosters are of one version of the tenant, and go with it. */
#pragma once

#include "daemon/tenant/tenant.h"

struct roster {
    struct cached cached;
    struct tenant *tenant;
    struct bucket bucket;
    bool whole;
    size_t n_stored, n_unsure; /* not whole: so many cells stood there, and of so many was asked since */
    uint32_t *marks;           /* of the cells; 0: free */
    size_t n, room;            /* room: a power of two, or 0 */
};

/* The bucket's roster; NULL: it has none. Added: nothing is known yet of what stands in the state. */
struct roster *tenant_roster(const struct tenant *tenant, struct bucket bucket);
struct roster *tenant_roster_add(struct tenant *tenant, struct bucket bucket);

/* So many cells stand in the bucket. */
void roster_settle(struct roster *roster, size_t n_stored);

/* It is not whole, and of so much was asked since that reading all fields of the bucket is no dearer; they are not very many. */
bool roster_wants_fields(const struct roster *roster);
/* `n` times field, value: all that stand in the bucket. */
void roster_settle_fields(struct roster *roster, const struct span *fields, size_t n);

/* Of a cell that is not in memory: is it to be asked for? Else it is certainly not in the state. */
bool roster_may_hold(struct roster *roster, uint32_t cell_hash);

/* The cell leaves memory, and may stand in the state. */
void tenant_note_cell(struct tenant *tenant, struct bucket bucket, uint32_t cell_hash);

void tenant_forget_rosters(struct tenant *tenant);
