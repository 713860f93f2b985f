#include "daemon/counters/weight.h"

#include "common/siphash.h"

/* Of one number of the cell: `part` 0 is the sum of a measure, above it the bars of its spread. */
static uint64_t factor_of(struct bucket bucket, struct span field, int measure, uint32_t part)
{
    uint64_t where = (uint64_t)bucket.type << 32 | (uint32_t)bucket.number;
    return siphash((struct hash_key){ where, (uint64_t)measure << 32 | part }, field);
}

uint64_t cell_weight(struct bucket bucket, struct span field, enum fact fact, const struct cell_value *value)
{
    uint64_t weight = 0;
    struct histogram_bar one;
    for (int i = 0; i < fact_rows[fact].n_measures; i++) {
        const struct histogram *spread = &value->spread[i];
        if (value->sums[i]) weight += (uint64_t)value->sums[i] * factor_of(bucket, field, i, 0);
        const struct histogram_bar *bars = histogram_bars(spread, &one);
        for (uint32_t bar = 0; bar < spread->n; bar++)
            weight += (uint64_t)bars[bar].count * factor_of(bucket, field, i, (uint32_t)bars[bar].bucket + 1);
    }
    return weight;
}
