#include "daemon/tenant/folding.h"

#include "common/period.h"
#include "daemon/state/keys.h"

#include <stdlib.h>

enum {
    MONTHS_PER_COMMIT = 12,
    DAYS_PER_MONTH = 31
};

static int compare_days(const void *a, const void *b)
{
    return *(const int32_t *)a < *(const int32_t *)b ? -1 : 1;
}

/* First days of the months with cells whose days stand by themselves, before `until`; sorted. */
static size_t months_to_fold(const struct batch *batch, int32_t until, int32_t *first_days)
{
    const struct tenant *tenant = batch->tenant;
    size_t at = 0, n = 0;
    for (struct map_slot *slot; (slot = map_next(&tenant->months, &at));) {
        int32_t month;
        if (!month_parse(slot->key, &month)) continue;
        int32_t day = month_period(month).from;
        if (day >= tenant->days_from && day < until) first_days[n++] = day;
    }
    if (n) qsort(first_days, n, sizeof *first_days, compare_days);
    return n;
}

static void remove_days(struct batch *batch, int32_t first_day)
{
    struct period month = month_period(month_of_day(first_day));
    for (int32_t day = month.from; day <= month.to; day++)
        batch->gone[batch->n_gone++] = key_day(batch->arena, batch->settings->prefix, batch->tenant->name, day);
}

void folding_move(struct batch *batch)
{
    struct tenant *tenant = batch->tenant;
    if (!tenant->rules->fold_after_days || (!tenant->version && !batch->n_entries)) return;
    int32_t until = month_period(month_of_day(tenant->today - tenant->rules->fold_after_days)).from;
    if (until <= tenant->days_from) return;
    int32_t *first_days = arena_alloc(batch->working, (tenant->months.count + 1) * sizeof *first_days);
    size_t n = months_to_fold(batch, until, first_days);
    if (n > MONTHS_PER_COMMIT) until = first_days[n = MONTHS_PER_COMMIT];
    batch->gone = arena_alloc(batch->working, (n * DAYS_PER_MONTH + 1) * sizeof *batch->gone);
    for (size_t i = 0; i < n; i++) remove_days(batch, first_days[i]);
    tenant->days_from = until;
    batch->folds = true;
}
