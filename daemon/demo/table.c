#include "daemon/demo/table.h"

#include "common/error.h"
#include "daemon/demo/canvas.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    HEAD_WIDTH = 9, /* of a line, unless a word is longer */
    DIMENSION_WIDTH = 10
};

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* "cases_closed_same_day" becomes "cases", "closed", "same day"; what is left over stands on the last line. */
static int wrap(struct table_column *column)
{
    int line = 0, len = 0;
    for (const char *at = column->name; *at;) {
        int word = (int)strcspn(at, "_.");
        if (len && len + 1 + word > HEAD_WIDTH && line < TABLE_HEAD_LINES - 1) line++, len = 0;
        int written = snprintf(column->head[line] + len, (size_t)(TABLE_HEAD_BYTES - len), "%s%.*s", len ? " " : "", word, at);
        len = len + written < TABLE_HEAD_BYTES ? len + written : TABLE_HEAD_BYTES - 1;
        column->width = larger(column->width, len);
        at += word;
        at += *at != 0;
    }
    return line + 1;
}

static void read_columns(struct table *table, const json_t *section)
{
    size_t i;
    json_t *given;
    json_array_foreach(json_object_get(section, "columns"), i, given)
    {
        if (table->n_columns == TABLE_COLUMNS_MAX) return;
        const char *name = json_string_value(json_object_get(given, "name")),
                   *role = json_string_value(json_object_get(given, "role"));
        struct table_column *column = &table->columns[table->n_columns++];
        *column = (struct table_column){ .name = name ? name : "", .dimension = role && !strcmp(role, "dimension") };
        if (column->dimension) column->width = DIMENSION_WIDTH;
        table->head_lines = larger(table->head_lines, wrap(column));
    }
}

static void read_row(struct table *table, size_t number, const json_t *section, const json_t *row)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        struct table_cell *cell = &table->cells[number * table->n_columns + i];
        const json_t *value = json_object_get(row, table->columns[i].name);
        number_format(value, column_unit(json_array_get(json_object_get(section, "columns"), i)), cell->text);
        cell->size = number_size(value);
        table->columns[i].width = larger(table->columns[i].width, text_columns(cell->text));
    }
}

void table_init(struct table *table, const json_t *section, const json_t *period)
{
    const json_t *rows = json_object_get(period, "rows");
    *table = (struct table){ .n_rows = json_array_size(rows) + 2 };
    read_columns(table, section);
    table->cells = must_zalloc((table->n_rows * table->n_columns + 1) * sizeof *table->cells);
    read_row(table, 0, section, json_object_get(period, "total"));
    read_row(table, 1, section, json_object_get(period, "previous"));
    for (size_t i = 2; i < table->n_rows; i++) read_row(table, i, section, json_array_get(rows, i - 2));
    if (!table->n_columns) return;
    snprintf(table->cells[0].text, NUMBER_TEXT_BYTES, "total");
    snprintf(table->cells[table->n_columns].text, NUMBER_TEXT_BYTES, "before");
}

void table_deinit(struct table *table)
{
    free(table->cells);
    table->cells = NULL;
}
