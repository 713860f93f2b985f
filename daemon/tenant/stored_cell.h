/* A cell in the worker's memory. There are as many as fit, so one takes no more than its fact needs: sums of the fact's measures, and
 * spreads of those that are durations, lie right behind the used part of its key. */
#pragma once

#include "daemon/counters/cell.h"
#include "daemon/tenant/cache.h"

struct tenant;

struct stored_cell {
    struct cached cached;
    struct tenant *tenant;
    uint32_t hash; /* of the bucket and the key */
    bool changed;  /* by the batch at work */
    struct bucket bucket;
    struct cell_key key; /* as much of it as is used */
};

struct stored_cell *stored_cell_create(struct bucket bucket, const struct cell_key *key, uint32_t hash); /* of value zero */
void stored_cell_destroy(struct stored_cell *cell);
size_t stored_cell_bytes(const struct stored_cell *cell); /* of memory, all in all */

/* Takes the value over: its spreads are moved, it is zero then. */
void stored_cell_set(struct stored_cell *cell, struct cell_value *value);

/* False: a sum would overflow (the cell is then unchanged). */
bool stored_cell_add(struct stored_cell *cell, const struct cell_value *difference);

/* Its value, to be looked at: the spreads are still the cell's. */
struct cell_value stored_cell_value(const struct stored_cell *cell);

/* Cells by bucket and key. A zeroed table is an empty one. */
struct cell_table {
    struct stored_cell **cells; /* NULL: free */
    uint32_t *hashes;           /* theirs: most that differ are told apart without looking at the cell */
    size_t n, room;             /* room: a power of two, or 0 */
};

/* NULL: not there. */
struct stored_cell *cell_table_get(const struct cell_table *table, struct bucket bucket, const struct cell_key *key,
                                   uint32_t hash);
void cell_table_put(struct cell_table *table, struct stored_cell *cell); /* it is not there yet */
void cell_table_remove(struct cell_table *table, const struct stored_cell *cell);
void cell_table_deinit(struct cell_table *table); /* the cells are the caller's */
