/* The cells that a batch's differences are added to: found in memory, or asked for. */
#include "common/period.h"
#include "daemon/tenant/fold.h"

#include <stdlib.h>

static int compare_cells(const void *a, const void *b)
{
    const struct stored_cell *x = *(struct stored_cell *const *)a, *y = *(struct stored_cell *const *)b;
    if (x->bucket.type != y->bucket.type) return (int)x->bucket.type - (int)y->bucket.type;
    return (x->bucket.number > y->bucket.number) - (x->bucket.number < y->bucket.number);
}

struct finding {
    struct tenant *tenant;
    struct stored_cell **missing;
    size_t n_missing;
};

/* The cell in memory; one that is not there is added, and to be read. */
static struct stored_cell *find_cell(struct finding *finding, struct bucket bucket, const struct difference *difference,
                                     struct span field)
{
    struct stored_cell *cell = tenant_cell(finding->tenant, bucket, &difference->key, difference->key_hash);
    if (!cell) {
        cell = tenant_cell_add(finding->tenant, bucket, &difference->key, difference->key_hash);
        finding->missing[finding->n_missing++] = cell;
    }
    cell->field = field;
    return cell;
}

static void ask(struct batch *batch, struct finding *finding)
{
    if (!batch->tenant->version) return; /* nothing is stored yet */
    qsort(finding->missing, finding->n_missing, sizeof(struct stored_cell *), compare_cells);
    for (size_t from = 0, to; from < finding->n_missing; from = to) {
        struct stored_cell **first = finding->missing + from;
        for (to = from + 1; to < finding->n_missing && compare_cells(first, &finding->missing[to]) == 0; to++) continue;
        loading_add_cells(batch->loading, batch->tenant, first, to - from);
    }
}

void batch_ask_for_cells(struct batch *batch)
{
    struct ledger *ledger = &batch->ledger;
    struct finding finding = { .tenant = batch->tenant };
    struct buffer text = { 0 };
    finding.missing = arena_alloc(batch->arena, (2 * ledger->n + 1) * sizeof(struct stored_cell *));
    for (size_t i = 0; i < ledger->n; i++) {
        struct difference *difference = ledger->differences[i];
        buffer_clear(&text);
        cell_field_write(&difference->key, batch->tenant->rules, &text);
        struct span field = arena_copy(batch->arena, buffer_all(&text));
        difference->cell = find_cell(&finding, difference->bucket, difference, field);
        if (difference->bucket.type != BUCKET_DAY) continue;
        struct bucket month = { BUCKET_MONTH, month_of_day(difference->bucket.number) };
        difference->month = find_cell(&finding, month, difference, field);
    }
    buffer_deinit(&text);
    ask(batch, &finding);
}
