/* What one atom of a formula comes to in one row: facts counted, their measure added up, per currency and spread out. */
#pragma once

#include "daemon/catalogue/metric.h"
#include "daemon/counters/cell.h"

struct sum_part {
    name_id currency, weighed[WEIGHT_DIMS_MAX]; /* weighed: the values of the dimensions that it is weighed by */
    wide total;
};

/* A zeroed one is empty. */
struct sum {
    int64_t count; /* of facts, whatever the measure */
    wide total;
    struct sum_part *parts; /* per currency; not sorted; only for atoms that are kept so */
    uint32_t n_parts, room;
    struct histogram spread; /* of durations */
};

void sum_deinit(struct sum *sum);

size_t sum_bytes(const struct sum *sum); /* what it has grown to, without itself */

/* The part for this currency and these weighed dimensions; new ones are 0. */
struct sum_part *sum_part(struct sum *sum, name_id currency, const name_id weighed[WEIGHT_DIMS_MAX]);

void sum_add(struct sum *into, const struct sum *other); /* into += other */
