/* The cells that a batch's differences are added to: found in memory, or asked for if they may stand in the state. */
#include "common/period.h"
#include "daemon/tenant/fetch.h"
#include "daemon/tenant/groups.h"

/* The cell in memory; one that is not there is added, and missing. */
static struct stored_cell *find_cell(struct batch *batch, struct cell_groups *missing, struct bucket bucket, uint32_t hash,
                                     const struct difference *difference)
{
    struct stored_cell *cell = tenant_cell(batch->tenant, bucket, &difference->key, hash);
    if (cell) return cell;
    cell = tenant_cell_add(batch->tenant, bucket, &difference->key, hash);
    cell_groups_add(missing, cell, difference->field);
    return cell;
}

/* The bucket's roster; what it does not know yet and is worth knowing is asked for. */
static struct roster *roster_of(struct batch *batch, struct bucket bucket)
{
    struct roster *roster = tenant_roster(batch->tenant, bucket);
    if (roster && roster_wants_fields(roster)) loading_add_roster(batch->loading, roster, true);
    if (roster) return roster;
    roster = tenant_roster_add(batch->tenant, bucket);
    if (batch->tenant->version)
        loading_add_roster(batch->loading, roster, false);
    else
        roster_settle(roster, 0); /* nothing is stored yet */
    return roster;
}

static void ask(struct batch *batch, const struct cell_group *group)
{
    struct roster *roster = roster_of(batch, group->bucket);
    struct stored_cell **cells = arena_alloc(batch->working, group->n * sizeof(struct stored_cell *));
    struct span *fields = arena_alloc(batch->working, group->n * sizeof *fields);
    size_t n = 0;
    for (const struct grouped_cell *grouped = group->cells; grouped; grouped = grouped->next) {
        if (!roster_may_hold(roster, grouped->cell->hash)) continue;
        cells[n] = grouped->cell;
        fields[n++] = grouped->field;
    }
    if (n) loading_add_cells(batch->loading, batch->tenant, cells, fields, n);
}

/* Cells lie anywhere, and so do the places where they are found: those come nearer first, all of them. */
static void look_for_places(struct batch *batch)
{
    struct ledger *ledger = &batch->ledger;
    for (size_t i = 0; i < ledger->n; i++) {
        struct difference *difference = ledger->differences[i];
        difference->hash = (uint32_t)cell_hash(difference->bucket, difference->key_hash);
        fetch_place(&batch->tenant->cells, difference->hash);
        if (difference->bucket.type != BUCKET_DAY) continue;
        difference->month_bucket = (struct bucket){ BUCKET_MONTH, month_of_day(difference->bucket.number) };
        difference->month_hash = (uint32_t)cell_hash(difference->month_bucket, difference->key_hash);
        fetch_place(&batch->tenant->cells, difference->month_hash);
    }
}

void batch_ask_for_cells(struct batch *batch)
{
    struct ledger *ledger = &batch->ledger;
    struct cell_groups missing = { .arena = batch->working };
    struct buffer text = { 0 };
    look_for_places(batch);
    for (size_t i = 0; i < ledger->n; i++) {
        struct difference *difference = ledger->differences[i];
        const struct difference *next = i + AHEAD < ledger->n ? ledger->differences[i + AHEAD] : NULL;
        if (next) fetch_cell_at(&batch->tenant->cells, next->hash);
        if (next && next->bucket.type == BUCKET_DAY) fetch_cell_at(&batch->tenant->cells, next->month_hash);
        buffer_clear(&text);
        cell_field_write(&difference->key, batch->tenant->rules, &text);
        difference->field = arena_copy(batch->arena, buffer_all(&text));
        bool is_folded = difference->bucket.type == BUCKET_DAY && difference->bucket.number < batch->tenant->days_from;
        if (!is_folded) difference->cell = find_cell(batch, &missing, difference->bucket, difference->hash, difference);
        if (difference->bucket.type != BUCKET_DAY) continue;
        difference->month = find_cell(batch, &missing, difference->month_bucket, difference->month_hash, difference);
    }
    buffer_deinit(&text);
    for (const struct cell_group *group = missing.first; group; group = group->next) ask(batch, group);
    cell_groups_deinit(&missing);
}
