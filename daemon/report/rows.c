#include "daemon/report/rows.h"

#include "common/error.h"
#include "daemon/report/text.h"

#include <stdlib.h>

void row_list_add(struct row_list *rows, const uint32_t *key, struct span fields)
{
    uint32_t *copy = arena_alloc(rows->arena, (rows->n_by + 1) * sizeof *copy);
    if (rows->n_by) memcpy(copy, key, rows->n_by * sizeof *copy);
    if (rows->n == rows->room) {
        rows->room = rows->room ? 2 * rows->room : 16;
        rows->at = must_realloc(rows->at, rows->room * sizeof *rows->at);
    }
    rows->at[rows->n++] = (struct answer_row){ copy, arena_copy(rows->arena, fields) };
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct row_list *rows = context;
    const uint32_t *left = ((const struct answer_row *)a)->key, *right = ((const struct answer_row *)b)->key;
    for (size_t i = 0; i < rows->n_by; i++) {
        int c = grouping_compare(&rows->by[i], rows->names, left[i], right[i]);
        if (c) return c;
    }
    return 0;
}

static void write_row(const struct row_list *rows, const struct answer_row *row, struct buffer *out)
{
    buffer_byte(out, '{');
    for (size_t i = 0; i < rows->n_by; i++) {
        text_write(span_of(rows->by[i].name), out);
        buffer_byte(out, ':');
        grouping_write(&rows->by[i], rows->rules, rows->names, row->key[i], out);
        buffer_byte(out, ',');
    }
    buffer_span(out, row->fields);
    buffer_byte(out, '}');
}

void row_list_write(struct row_list *rows, struct buffer *out)
{
    if (rows->n) qsort_r(rows->at, rows->n, sizeof *rows->at, compare_rows, rows);
    buffer_byte(out, '[');
    for (size_t i = 0; i < rows->n; i++) {
        if (i) buffer_byte(out, ',');
        write_row(rows, &rows->at[i], out);
    }
    buffer_byte(out, ']');
}

void row_list_deinit(struct row_list *rows)
{
    free(rows->at);
    rows->at = NULL;
    rows->n = rows->room = 0;
}
