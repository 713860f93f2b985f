#include "daemon/http/csv.h"

#include "common/arena.h"
#include "common/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

/* Columns of one group stand together: a metric's currencies. */
struct column {
    size_t group;
    struct span name, currency; /* .at NULL: not of a currency */
    size_t place;               /* in the table */
};

struct cell {
    size_t row, column; /* the latter in the order of discovery */
    struct span text;
    bool quoted; /* a text, not a number */
};

struct table {
    struct arena arena;
    struct column *columns;
    size_t n_columns, room_columns;
    struct span *groups;
    size_t n_groups, room_groups;
    size_t first_group; /* names are looked for from here on: those of rows may be those of the columns before them */
    struct cell *cells;
    size_t n_cells, room_cells;
    size_t n_rows;
};

static void *one_more(void *array, size_t n, size_t *room, size_t bytes)
{
    if (n < *room) return array;
    *room = *room ? *room * 2 : 32;
    return must_realloc(array, *room * bytes);
}

static void table_deinit(struct table *table)
{
    arena_deinit(&table->arena);
    free(table->columns);
    free(table->groups);
    free(table->cells);
}

/* ---- filling ---- */

static size_t group_of(struct table *table, struct span name)
{
    for (size_t i = table->first_group; i < table->n_groups; i++)
        if (span_equal(table->groups[i], name)) return i;
    table->groups = one_more(table->groups, table->n_groups, &table->room_groups, sizeof *table->groups);
    table->groups[table->n_groups] = arena_copy(&table->arena, name);
    return table->n_groups++;
}

static size_t column_of(struct table *table, size_t group, struct span currency)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].group == group && span_equal(table->columns[i].currency, currency)) return i;
    table->columns = one_more(table->columns, table->n_columns, &table->room_columns, sizeof *table->columns);
    struct span copy = currency.at ? arena_copy(&table->arena, currency) : NO_SPAN;
    table->columns[table->n_columns] = (struct column){ .group = group, .name = table->groups[group], .currency = copy };
    return table->n_columns++;
}

static void put(struct table *table, struct span name, struct span currency, struct span text, bool quoted)
{
    table->cells = one_more(table->cells, table->n_cells, &table->room_cells, sizeof *table->cells);
    table->cells[table->n_cells++] = (struct cell){ table->n_rows - 1, column_of(table, group_of(table, name), currency),
                                                    arena_copy(&table->arena, text), quoted };
}

static struct span text_of(yyjson_val *value)
{
    if (yyjson_is_raw(value)) return (struct span){ yyjson_get_raw(value), yyjson_get_len(value) };
    if (yyjson_is_str(value)) return (struct span){ yyjson_get_str(value), yyjson_get_len(value) };
    if (yyjson_is_bool(value)) return yyjson_get_bool(value) ? SPAN("true") : SPAN("false");
    return NO_SPAN;
}

/* A value, one per currency, or null. */
static void put_value(struct table *table, struct span name, yyjson_val *value)
{
    size_t i, n;
    yyjson_val *currency, *part;
    if (!yyjson_is_obj(value)) {
        struct span text = text_of(value);
        if (text.at)
            put(table, name, NO_SPAN, text, yyjson_is_str(value));
        else
            group_of(table, name);
        return;
    }
    group_of(table, name);
    yyjson_obj_foreach(value, i, n, currency, part) put(table, name, text_of(currency), text_of(part), false);
}

static void put_row(struct table *table, yyjson_val *row)
{
    size_t i, n;
    yyjson_val *key, *value;
    yyjson_obj_foreach(row, i, n, key, value) put_value(table, text_of(key), value);
}

/* ---- writing ---- */

static void write_cell(struct span text, bool quoted, struct buffer *out)
{
    bool formula = quoted && text.len && strchr("=+-@\t\r", text.at[0]);
    bool special = formula;
    for (size_t i = 0; i < text.len && !special; i++) special = strchr(",\"\r\n", text.at[i]) != NULL;
    if (special) buffer_byte(out, '"');
    if (formula) buffer_byte(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"') buffer_byte(out, '"');
        buffer_byte(out, (uint8_t)text.at[i]);
    }
    if (special) buffer_byte(out, '"');
}

static int compare_columns(const void *a, const void *b)
{
    const struct column *left = *(const struct column *const *)a, *right = *(const struct column *const *)b;
    if (left->group != right->group) return left->group < right->group ? -1 : 1;
    return span_compare(left->currency, right->currency);
}

static void write_head(struct table *table, struct column **order, struct buffer *out)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        struct buffer name = { 0 };
        order[i]->place = i;
        buffer_span(&name, order[i]->name);
        if (order[i]->currency.at) buffer_byte(&name, ':');
        buffer_span(&name, order[i]->currency);
        if (i) buffer_byte(out, ',');
        write_cell(buffer_all(&name), true, out);
        buffer_deinit(&name);
    }
    buffer_str(out, "\r\n");
}

static int compare_cells(const void *a, const void *b)
{
    const struct cell *left = a, *right = b;
    if (left->row != right->row) return left->row < right->row ? -1 : 1;
    return (left->column > right->column) - (left->column < right->column);
}

/* Of a group without any column (money of nothing) there is one all the same. */
static void fill_groups(struct table *table)
{
    for (size_t group = 0; group < table->n_groups; group++) {
        bool there = false;
        for (size_t i = 0; i < table->n_columns && !there; i++) there = table->columns[i].group == group;
        if (!there) (void)column_of(table, group, NO_SPAN);
    }
}

static void table_write(struct table *table, struct buffer *out)
{
    fill_groups(table);
    struct column **order = must_alloc((table->n_columns + 1) * sizeof(struct column *));
    for (size_t i = 0; i < table->n_columns; i++) order[i] = &table->columns[i];
    qsort(order, table->n_columns, sizeof(struct column *), compare_columns);
    write_head(table, order, out);
    for (size_t i = 0; i < table->n_cells; i++) table->cells[i].column = table->columns[table->cells[i].column].place;
    if (table->n_cells) qsort(table->cells, table->n_cells, sizeof *table->cells, compare_cells);
    for (size_t row = 0, cell = 0; row < table->n_rows; row++) {
        for (size_t column = 0; column < table->n_columns; column++) {
            bool here = cell < table->n_cells && table->cells[cell].row == row && table->cells[cell].column == column;
            if (column) buffer_byte(out, ',');
            if (here) write_cell(table->cells[cell].text, table->cells[cell].quoted, out);
            cell += here;
        }
        buffer_str(out, "\r\n");
    }
    free(order);
}

/* ---- what there is ---- */

static yyjson_doc *read_json(struct span text)
{
    /* numbers stay as they are written */
    return text.len ? yyjson_read(text.at, text.len, YYJSON_READ_NUMBER_AS_RAW) : NULL;
}

bool csv_write_rows(struct span answer, const struct span *by, size_t n_by, const struct span *values, size_t n_values,
                    struct buffer *out)
{
    struct table table = { 0 };
    size_t i, n;
    yyjson_val *row;
    yyjson_doc *doc = read_json(answer);
    yyjson_val *rows = yyjson_obj_get(yyjson_doc_get_root(doc), "rows");
    for (size_t dim = 0; dim < n_by; dim++) group_of(&table, by[dim]);
    for (size_t value = 0; value < n_values; value++) group_of(&table, values[value]);
    yyjson_arr_foreach(rows, i, n, row)
    {
        table.n_rows++;
        put_row(&table, row);
    }
    if (rows) table_write(&table, out);
    yyjson_doc_free(doc);
    table_deinit(&table);
    return rows != NULL;
}

static void declare_columns(struct table *table, yyjson_val *sections, const char *role)
{
    size_t i, n, j, m;
    yyjson_val *section, *column;
    yyjson_arr_foreach(sections, i, n, section)
    {
        yyjson_arr_foreach(yyjson_obj_get(section, "columns"), j, m, column)
        {
            if (yyjson_equals_str(yyjson_obj_get(column, "role"), role)) group_of(table, text_of(yyjson_obj_get(column, "name")));
        }
    }
}

/* Before what rows have: which section, which period. */
static const char *const place_columns[] = { "section", "period", "from", "to", "complete", "row" };
enum {
    N_PLACE_COLUMNS = sizeof place_columns / sizeof *place_columns
};

static void put_line(struct table *table, size_t section, yyjson_val *period, const char *row, yyjson_val *values)
{
    static const char *const of_period[] = { "from", "to", "complete" };
    char number[24];
    if (!yyjson_is_obj(values)) return;
    table->n_rows++;
    table->first_group = 0;
    int len = snprintf(number, sizeof number, "%zu", section);
    put(table, SPAN("section"), NO_SPAN, (struct span){ number, (size_t)len }, false);
    put(table, SPAN("period"), NO_SPAN, text_of(yyjson_obj_get(period, "name")), false);
    for (size_t i = 0; i < sizeof of_period / sizeof *of_period; i++)
        put_value(table, span_of(of_period[i]), yyjson_obj_get(period, of_period[i]));
    put(table, SPAN("row"), NO_SPAN, span_of(row), false);
    table->first_group = N_PLACE_COLUMNS;
    put_row(table, values);
}

static void put_period(struct table *table, size_t section, yyjson_val *period)
{
    size_t i, n;
    yyjson_val *row;
    put_line(table, section, period, "total", yyjson_obj_get(period, "total"));
    put_line(table, section, period, "previous", yyjson_obj_get(period, "previous"));
    yyjson_arr_foreach(yyjson_obj_get(period, "rows"), i, n, row) put_line(table, section, period, "row", row);
}

bool csv_write_report(struct span document, struct buffer *out)
{
    struct table table = { 0 };
    size_t i, n, j, m;
    yyjson_val *section, *period;
    yyjson_doc *doc = read_json(document);
    yyjson_val *sections = yyjson_obj_get(yyjson_doc_get_root(doc), "sections");
    for (size_t column = 0; column < N_PLACE_COLUMNS; column++) (void)group_of(&table, span_of(place_columns[column]));
    table.first_group = N_PLACE_COLUMNS;
    declare_columns(&table, sections, "dimension");
    declare_columns(&table, sections, "metric");
    yyjson_arr_foreach(sections, i, n, section)
    {
        yyjson_arr_foreach(yyjson_obj_get(section, "periods"), j, m, period) put_period(&table, i, period);
    }
    if (sections) table_write(&table, out);
    yyjson_doc_free(doc);
    table_deinit(&table);
    return sections != NULL;
}
