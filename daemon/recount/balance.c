#include "daemon/recount/balance.h"

#include "common/period.h"
#include "daemon/counters/weight.h"

/* Of all that entities say, by months. */
static uint64_t weight_of(const struct census *census, const struct rules *rules)
{
    struct buffer field = { 0 };
    uint64_t weight = 0;
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&census->cells, &at));) {
        const struct census_cell *cell = slot->value;
        if (cell->bucket.type == BUCKET_DAY || fact_is_of_intake((enum fact)cell->key.fact)) continue;
        buffer_clear(&field);
        cell_field_write(&cell->key, rules, &field);
        weight += cell_weight(cell->bucket, buffer_all(&field), (enum fact)cell->key.fact, &cell->value);
    }
    buffer_deinit(&field);
    return weight;
}

/* Both by months: as they stand, and as their days add up; of those that still have days. */
static void split_months(const struct census *redis, int32_t days_from, struct census *months, struct census *days)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&redis->cells, &at));) {
        const struct census_cell *cell = slot->value;
        struct bucket month = cell->bucket;
        if (cell->bucket.type == BUCKET_NOW) continue;
        if (cell->bucket.type == BUCKET_MONTH && month_period(month.number).from < days_from) continue;
        if (cell->bucket.type == BUCKET_DAY) month = (struct bucket){ BUCKET_MONTH, month_of_day(cell->bucket.number) };
        census_add_cell(cell->bucket.type == BUCKET_DAY ? days : months, month, &cell->key, &cell->value);
    }
}

size_t balance_find(const struct comparison *comparison, const struct tenant *tenant, size_t most)
{
    static const char said[] = "all counters together are not what its entities, and those that have left, said";
    struct census months = { 0 }, days = { 0 };
    uint64_t counted = weight_of(comparison->redis, comparison->rules),
             there = weight_of(comparison->entities, comparison->rules);
    struct comparison inner = *comparison;
    split_months(comparison->redis, tenant->days_from, &months, &days);
    inner.redis = &months;
    inner.entities = &days;
    inner.entities_name = "its days";
    inner.topics = inner.due = NULL;
    inner.with_lines = false;
    size_t n = differences_find(&inner, most);
    census_deinit(&months);
    census_deinit(&days);
    if (counted == there + tenant->retired_weight) return n;
    if (n < most) comparison->tell(comparison->context, said);
    return n + 1;
}
