/* One number for many cells: the weight of a sum of cells is the sum of their weights (modulo 2^64). So what a tenant counts of
 * entities that have left is checked without being kept a second time: counters less entities must weigh what they weighed. */
#pragma once

#include "daemon/counters/cell.h"

/* Of a cell of a month or of now; `field` is the text of its key (cell_field_write): it means the same in every version. */
uint64_t cell_weight(struct bucket bucket, struct span field, enum fact fact, const struct cell_value *value);
