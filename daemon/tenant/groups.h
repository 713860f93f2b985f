/* Inner: cells by the bucket they stand in, without sorting. */
#pragma once

#include "daemon/tenant/tenant.h"

struct cell_group {
    struct bucket bucket;
    struct stored_cell *cells; /* by their `next` */
    size_t n;
    struct cell_group *next;
};

/* Zeroed but for the arena: empty. A cell is in one such row at a time. */
struct cell_groups {
    struct arena *arena;
    struct map by_bucket;
    struct cell_group *first, *latest; /* latest: the one that was added to */
};

void cell_groups_add(struct cell_groups *groups, struct stored_cell *cell);
void cell_groups_deinit(struct cell_groups *groups);
