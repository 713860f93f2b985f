/* Inner: cells by the bucket they stand in, without sorting. */
#pragma once

#include "daemon/tenant/tenant.h"

struct grouped_cell {
    struct stored_cell *cell;
    struct span field; /* the text of its key */
    struct grouped_cell *next;
};

struct cell_group {
    struct bucket bucket;
    struct grouped_cell *cells;
    size_t n;
    struct cell_group *next;
};

/* Zeroed but for the arena: empty. */
struct cell_groups {
    struct arena *arena;
    struct map by_bucket;
    struct cell_group *first, *latest; /* latest: the one that was added to */
};

void cell_groups_add(struct cell_groups *groups, struct stored_cell *cell, struct span field);
void cell_groups_deinit(struct cell_groups *groups);
