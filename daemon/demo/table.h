/* One section and period of a report as a table of texts: a total, the period before, then the rows. */
#pragma once

#include "daemon/demo/snapshot.h"

enum {
    TABLE_COLUMNS_MAX = 32,
    TABLE_HEAD_LINES = 3,
    TABLE_HEAD_BYTES = 24
};

struct table_column {
    const char *name;                              /* borrowed from the document */
    char head[TABLE_HEAD_LINES][TABLE_HEAD_BYTES]; /* the name, wrapped */
    bool dimension;
    int width;
};

struct table_cell {
    char text[NUMBER_TEXT_BYTES];
    double size;
};

struct table {
    struct table_column columns[TABLE_COLUMNS_MAX];
    size_t n_columns, n_rows;
    struct table_cell *cells; /* row by row; rows 0 and 1: the total, the total of the period before */
    int head_lines;
};

/* Of the document's section and period, which must outlive it. */
void table_init(struct table *table, const json_t *section, const json_t *period);
void table_deinit(struct table *table);

static inline const struct table_cell *table_cell(const struct table *table, size_t row, size_t column)
{
    return &table->cells[row * table->n_columns + column];
}
