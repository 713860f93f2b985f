#include "daemon/report/sum.h"

#include "common/error.h"

#include <stdlib.h>

void sum_deinit(struct sum *sum)
{
    free(sum->parts);
    histogram_deinit(&sum->spread);
    *sum = (struct sum){ 0 };
}

size_t sum_bytes(const struct sum *sum)
{
    return sum->room * sizeof *sum->parts + histogram_bytes(&sum->spread);
}

static bool is_part(const struct sum_part *part, name_id currency, const name_id weighed[WEIGHT_DIMS_MAX])
{
    bool same = part->currency == currency;
    for (int i = 0; i < WEIGHT_DIMS_MAX; i++) same = same && part->weighed[i] == weighed[i];
    return same;
}

struct sum_part *sum_part(struct sum *sum, name_id currency, const name_id weighed[WEIGHT_DIMS_MAX])
{
    for (uint32_t i = 0; i < sum->n_parts; i++)
        if (is_part(&sum->parts[i], currency, weighed)) return &sum->parts[i];
    if (sum->n_parts == sum->room) {
        sum->room = sum->room ? 2 * sum->room : 2;
        sum->parts = must_realloc(sum->parts, sum->room * sizeof *sum->parts);
    }
    struct sum_part *part = &sum->parts[sum->n_parts++];
    *part = (struct sum_part){ .currency = currency };
    memcpy(part->weighed, weighed, sizeof part->weighed);
    return part;
}

void sum_add(struct sum *into, const struct sum *other)
{
    into->count += other->count;
    into->total += other->total;
    histogram_merge(&into->spread, &other->spread, 1);
    for (uint32_t i = 0; i < other->n_parts; i++)
        sum_part(into, other->parts[i].currency, other->parts[i].weighed)->total += other->parts[i].total;
}
