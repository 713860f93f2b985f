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

int row_list_compare(const struct row_list *rows, const uint32_t *left, const uint32_t *right)
{
    for (size_t i = 0; i < rows->n_by; i++) {
        int c = grouping_compare(&rows->by[i], rows->names, left[i], right[i]);
        if (c) return c;
    }
    return 0;
}

static int compare_rows(const void *a, const void *b, void *context)
{
    return row_list_compare(context, ((const struct answer_row *)a)->key, ((const struct answer_row *)b)->key);
}

void row_list_write_key(const struct row_list *rows, const uint32_t *key, struct buffer *out)
{
    for (size_t i = 0; i < rows->n_by; i++) {
        text_write(span_of(rows->by[i].name), out);
        buffer_byte(out, ':');
        grouping_write(&rows->by[i], rows->rules, rows->names, key[i], out);
        buffer_byte(out, ',');
    }
}

static void write_row(const struct row_list *rows, const struct answer_row *row, struct buffer *out)
{
    buffer_byte(out, '{');
    row_list_write_key(rows, row->key, out);
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
