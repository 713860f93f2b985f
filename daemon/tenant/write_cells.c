/* Differences into their cells, changed cells into the commit, bucket by bucket. */
#include "common/period.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/writer.h"

/* Changed cells of one bucket. */
struct group {
    struct bucket bucket;
    struct stored_cell *cells;
    struct group *next;
};

struct groups {
    struct map by_bucket;
    struct group *first, *last; /* last: the one that was asked for */
    struct arena *arena;
};

static struct group *group_of(struct groups *groups, struct bucket bucket)
{
    struct group *last = groups->last;
    if (last && last->bucket.type == bucket.type && last->bucket.number == bucket.number) return last;
    struct span key = { (const char *)&bucket, sizeof bucket };
    struct group *group = map_get(&groups->by_bucket, key);
    if (!group) {
        group = arena_alloc(groups->arena, sizeof *group);
        *group = (struct group){ .bucket = bucket, .next = groups->first };
        groups->first = group;
        map_put(&groups->by_bucket, (struct span){ (const char *)&group->bucket, sizeof bucket }, group);
    }
    return groups->last = group;
}

/* Adds the difference; the cell is noted when it changes first. */
static void change_cell(struct writer *writer, struct groups *groups, struct stored_cell *cell,
                        const struct difference *difference)
{
    if (!cell_value_add(&cell->value, &difference->value, 1)) {
        writer->batch->overflows++; /* reported by the caller; the cell keeps its value */
        return;
    }
    stored_cell_resized(cell);
    if (cell->changed) return;
    struct group *group = group_of(groups, cell->bucket);
    cell->changed = true;
    cell->next = group->cells;
    group->cells = cell;
}

static void put_month(struct writer *writer, int32_t month)
{
    char text[DAY_TEXT_BYTES];
    day_format(month_period(month).from, text);
    struct span name = { text, sizeof "2026-03" - 1 };
    if (map_get(&writer->tenant->months, name)) return;
    name = arena_copy(&writer->tenant->months_arena, name);
    map_put(&writer->tenant->months, name, (void *)name.at);
    writer_put(writer, key_months(writer->arena, writer->batch->settings->prefix, writer->tenant->name), name, SPAN("1"));
}

static struct span bucket_key(struct writer *writer, struct bucket bucket)
{
    const char *prefix = writer->batch->settings->prefix;
    if (bucket.type == BUCKET_DAY) return key_day(writer->arena, prefix, writer->tenant->name, bucket.number);
    if (bucket.type == BUCKET_MONTH) return key_month(writer->arena, prefix, writer->tenant->name, bucket.number);
    return key_now(writer->arena, prefix, writer->tenant->name);
}

static void put_cell(struct writer *writer, struct span key, struct stored_cell *cell)
{
    struct span value = NO_SPAN;
    cell->changed = false;
    if (!cell_value_is_zero(&cell->value)) {
        cell_value_write(cell->key.fact, &cell->value, &writer->scratch);
        value = writer_take(writer);
    }
    writer_put(writer, key, cell->field, value);
}

void write_cells(struct writer *writer)
{
    const struct ledger *ledger = &writer->batch->ledger;
    struct groups groups = { .arena = writer->arena };
    for (size_t i = 0; i < ledger->n; i++) {
        const struct difference *difference = ledger->differences[i];
        change_cell(writer, &groups, difference->cell, difference);
        if (difference->month) change_cell(writer, &groups, difference->month, difference);
    }
    for (struct group *group = groups.first; group; group = group->next)
        if (group->bucket.type == BUCKET_MONTH) put_month(writer, group->bucket.number);
    for (struct group *group = groups.first; group; group = group->next) {
        struct span key = bucket_key(writer, group->bucket);
        for (struct stored_cell *cell = group->cells; cell; cell = cell->next) put_cell(writer, key, cell);
    }
    map_deinit(&groups.by_bucket);
}
