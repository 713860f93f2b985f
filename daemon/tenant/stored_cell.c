#include "daemon/tenant/stored_cell.h"

#include "common/error.h"

#include <stdlib.h>

enum {
    FIRST_ROOM = 16,
    ALLOCATION_BYTES = 8,                                                  /* of its own, beside what is asked for */
    SLOT_BYTES = 3 * (sizeof(struct stored_cell *) + sizeof(uint32_t)) / 2 /* of the table, which is two thirds full */
};

/* ---- what lies behind the key ---- */

static size_t sums_at(const struct cell_key *key)
{
    size_t end = offsetof(struct stored_cell, key) + cell_key_bytes(key);
    return (end + _Alignof(int64_t) - 1) & ~(_Alignof(int64_t) - 1);
}

static int64_t *sums_of(const struct stored_cell *cell)
{
    return (int64_t *)((char *)cell + sums_at(&cell->key));
}

static struct histogram *spreads_of(const struct stored_cell *cell)
{
    return (struct histogram *)(sums_of(cell) + fact_rows[cell->key.fact].n_measures);
}

static int n_spreads(const struct fact_row *row)
{
    int n = 0;
    for (int i = 0; i < row->n_measures; i++) n += row->measures[i].type == MEASURE_DURATION;
    return n;
}

static size_t own_bytes(const struct cell_key *key)
{
    const struct fact_row *row = &fact_rows[key->fact];
    return sums_at(key) + (size_t)row->n_measures * sizeof(int64_t) + (size_t)n_spreads(row) * sizeof(struct histogram);
}

struct stored_cell *stored_cell_create(struct bucket bucket, const struct cell_key *key, uint32_t hash)
{
    struct stored_cell *cell = must_zalloc(own_bytes(key));
    cell->bucket = bucket;
    cell->hash = hash;
    cell_key_copy(&cell->key, key);
    return cell;
}

void stored_cell_destroy(struct stored_cell *cell)
{
    int n = n_spreads(&fact_rows[cell->key.fact]);
    for (int i = 0; i < n; i++) histogram_deinit(&spreads_of(cell)[i]);
    free(cell);
}

size_t stored_cell_bytes(const struct stored_cell *cell)
{
    const struct histogram *spread = spreads_of(cell), *end = spread + n_spreads(&fact_rows[cell->key.fact]);
    size_t bytes = (size_t)((const char *)end - (const char *)cell) + ALLOCATION_BYTES + SLOT_BYTES;
    for (; spread < end; spread++)
        if (histogram_bytes(spread)) bytes += histogram_bytes(spread) + ALLOCATION_BYTES;
    return bytes;
}

void stored_cell_set(struct stored_cell *cell, struct cell_value *value)
{
    const struct fact_row *row = &fact_rows[cell->key.fact];
    struct histogram *spread = spreads_of(cell);
    memcpy(sums_of(cell), value->sums, (size_t)row->n_measures * sizeof *value->sums);
    for (int i = 0; i < row->n_measures; i++) {
        if (row->measures[i].type != MEASURE_DURATION) continue;
        histogram_deinit(spread);
        *spread++ = value->spread[i];
        value->spread[i] = (struct histogram){ 0 };
    }
    cell_value_clear(value);
}

bool stored_cell_add(struct stored_cell *cell, const struct cell_value *difference)
{
    const struct fact_row *row = &fact_rows[cell->key.fact];
    int64_t *own = sums_of(cell), sums[MEASURES_MAX];
    struct histogram *spread = spreads_of(cell);
    for (int i = 0; i < row->n_measures; i++)
        if (__builtin_add_overflow(own[i], difference->sums[i], &sums[i])) return false;
    memcpy(own, sums, (size_t)row->n_measures * sizeof *own);
    for (int i = 0; i < row->n_measures; i++)
        if (row->measures[i].type == MEASURE_DURATION) histogram_merge(spread++, &difference->spread[i], 1);
    return true;
}

struct cell_value stored_cell_value(const struct stored_cell *cell)
{
    const struct fact_row *row = &fact_rows[cell->key.fact];
    const struct histogram *spread = spreads_of(cell);
    struct cell_value value = { 0 };
    memcpy(value.sums, sums_of(cell), (size_t)row->n_measures * sizeof *value.sums);
    for (int i = 0; i < row->n_measures; i++)
        if (row->measures[i].type == MEASURE_DURATION) value.spread[i] = *spread++;
    return value;
}

/* ---- the table ---- */

static bool is_cell(const struct stored_cell *cell, struct bucket bucket, const struct cell_key *key)
{
    return cell->bucket.number == bucket.number && cell->bucket.type == bucket.type && cell->key.n == key->n &&
           memcmp(&cell->key, key, cell_key_bytes(key)) == 0;
}

/* Where the cell is, or the free place where it would go. */
static size_t find(const struct cell_table *table, struct bucket bucket, const struct cell_key *key, uint32_t hash)
{
    size_t mask = table->room - 1, at = hash & mask;
    while (table->cells[at] && !(table->hashes[at] == hash && is_cell(table->cells[at], bucket, key))) at = (at + 1) & mask;
    return at;
}

struct stored_cell *cell_table_get(const struct cell_table *table, struct bucket bucket, const struct cell_key *key,
                                   uint32_t hash)
{
    return table->n ? table->cells[find(table, bucket, key, hash)] : NULL;
}

static void place(struct cell_table *table, struct stored_cell *cell)
{
    size_t mask = table->room - 1, at = cell->hash & mask;
    while (table->cells[at]) at = (at + 1) & mask;
    table->cells[at] = cell;
    table->hashes[at] = cell->hash;
}

static void grow(struct cell_table *table)
{
    struct cell_table bigger = { .room = table->room ? table->room * 2 : FIRST_ROOM, .n = table->n };
    bigger.cells = must_zalloc(bigger.room * sizeof *bigger.cells);
    bigger.hashes = must_alloc(bigger.room * sizeof *bigger.hashes);
    for (size_t i = 0; i < table->room; i++)
        if (table->cells[i]) place(&bigger, table->cells[i]);
    cell_table_deinit(table);
    *table = bigger;
}

void cell_table_put(struct cell_table *table, struct stored_cell *cell)
{
    if (table->n * 4 >= table->room * 3) grow(table);
    place(table, cell);
    table->n++;
}

/* What follows without a gap moves up, as far as it may stand there. */
void cell_table_remove(struct cell_table *table, const struct stored_cell *cell)
{
    size_t mask = table->room - 1, hole = cell->hash & mask;
    while (table->cells[hole] != cell) hole = (hole + 1) & mask;
    for (size_t i = (hole + 1) & mask; table->cells[i]; i = (i + 1) & mask) {
        size_t home = table->hashes[i] & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        table->cells[hole] = table->cells[i];
        table->hashes[hole] = table->hashes[i];
        hole = i;
    }
    table->cells[hole] = NULL;
    table->n--;
}

void cell_table_deinit(struct cell_table *table)
{
    free(table->cells);
    free(table->hashes);
    *table = (struct cell_table){ 0 };
}
