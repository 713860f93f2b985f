/* The cells that a batch's differences are added to: found in memory, or asked for. */
#include "common/period.h"
#include "daemon/tenant/fold.h"
#include "daemon/tenant/groups.h"

/* The cell in memory; one that is not there is added, and to be read. `field`: the text of its key. */
static struct stored_cell *find_cell(struct batch *batch, struct cell_groups *missing, struct bucket bucket,
                                     const struct difference *difference, struct span field)
{
    struct stored_cell *cell = tenant_cell(batch->tenant, bucket, &difference->key, difference->key_hash);
    if (!cell) {
        cell = tenant_cell_add(batch->tenant, bucket, &difference->key, difference->key_hash);
        if (batch->tenant->version) cell_groups_add(missing, cell); /* else nothing is stored yet */
    }
    cell->field = field;
    return cell;
}

static void ask(struct batch *batch, const struct cell_group *group)
{
    struct stored_cell **cells = arena_alloc(batch->arena, group->n * sizeof(struct stored_cell *));
    size_t n = 0;
    for (struct stored_cell *cell = group->cells; cell; cell = cell->next) cells[n++] = cell;
    loading_add_cells(batch->loading, batch->tenant, cells, n);
}

void batch_ask_for_cells(struct batch *batch)
{
    struct ledger *ledger = &batch->ledger;
    struct cell_groups missing = { .arena = batch->arena };
    struct buffer text = { 0 };
    for (size_t i = 0; i < ledger->n; i++) {
        struct difference *difference = ledger->differences[i];
        buffer_clear(&text);
        cell_field_write(&difference->key, batch->tenant->rules, &text);
        struct span field = arena_copy(batch->arena, buffer_all(&text));
        bool is_folded = difference->bucket.type == BUCKET_DAY && difference->bucket.number < batch->tenant->days_from;
        if (!is_folded) difference->cell = find_cell(batch, &missing, difference->bucket, difference, field);
        if (difference->bucket.type != BUCKET_DAY) continue;
        struct bucket month = { BUCKET_MONTH, month_of_day(difference->bucket.number) };
        difference->month = find_cell(batch, &missing, month, difference, field);
    }
    buffer_deinit(&text);
    for (const struct cell_group *group = missing.first; group; group = group->next) ask(batch, group);
    cell_groups_deinit(&missing);
}
