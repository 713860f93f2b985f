/* Differences into their cells, changed cells into the commit, bucket by bucket. */
#include "common/period.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/fetch.h"
#include "daemon/tenant/groups.h"
#include "daemon/tenant/writer.h"

/* Adds the difference; the cell is noted when it changes first. */
static void change_cell(struct writer *writer, struct cell_groups *groups, struct stored_cell *cell,
                        const struct difference *difference)
{
    if (!stored_cell_add(cell, &difference->value)) {
        writer->batch->overflows++; /* reported by the caller; the cell keeps its value */
        return;
    }
    tenant_cell_resized(cell);
    if (!cell->changed) cell_groups_add(groups, cell, difference->field);
    cell->changed = true;
}

static void put_month(struct writer *writer, int32_t month)
{
    char label[LABEL_BYTES];
    month_label(month, label);
    struct span name = span_of(label);
    if (map_get(&writer->tenant->months, name)) return;
    name = arena_copy(&writer->tenant->months_arena, name);
    map_put(&writer->tenant->months, name, (void *)name.at);
    writer_put(writer, key_months(writer->arena, writer->batch->settings->prefix, writer->tenant->name), name, SPAN("1"));
}

static void put_cell(struct writer *writer, struct span key, const struct grouped_cell *grouped)
{
    struct cell_value value = stored_cell_value(grouped->cell);
    struct span text = NO_SPAN;
    grouped->cell->changed = false;
    if (!cell_value_is_zero(&value)) {
        cell_value_write(grouped->cell->key.fact, &value, &writer->scratch);
        text = writer_take(writer);
    }
    writer_put(writer, key, grouped->field, text);
}

void write_cells(struct writer *writer)
{
    const struct ledger *ledger = &writer->batch->ledger;
    struct cell_groups groups = { .arena = writer->batch->working };
    for (size_t i = 0; i < ledger->n; i++) {
        const struct difference *difference = ledger->differences[i];
        const struct difference *next = i + AHEAD < ledger->n ? ledger->differences[i + AHEAD] : NULL;
        if (next) fetch_cell(next->cell);
        if (next) fetch_cell(next->month);
        if (difference->cell) change_cell(writer, &groups, difference->cell, difference);
        if (difference->month) change_cell(writer, &groups, difference->month, difference);
    }
    for (struct cell_group *group = groups.first; group; group = group->next)
        if (group->bucket.type == BUCKET_MONTH) put_month(writer, group->bucket.number);
    for (struct cell_group *group = groups.first; group; group = group->next) {
        struct span key = key_bucket(writer->arena, writer->batch->settings->prefix, writer->tenant->name, group->bucket);
        for (const struct grouped_cell *cell = group->cells; cell; cell = cell->next) put_cell(writer, key, cell);
    }
    cell_groups_deinit(&groups);
}
