/* A report's table on the page. */
#include "daemon/demo/panel.h"
#include "daemon/demo/table.h"

#include <stdio.h>

enum {
    LEFT = 1,
    GAP = 2,
    TOTALS = 2 /* rows of the table that always stay */
};

/* Columns shown: the dimension, then the numbers from the first chosen one on, as many as there is room for. */
struct shown {
    size_t at[TABLE_COLUMNS_MAX];
    size_t n, left_out;
};

static struct shown choose(const struct table *table, size_t first_column, int room)
{
    struct shown shown = { .n = 0 };
    size_t numbers = 0;
    int column = LEFT;
    for (size_t i = 0; i < table->n_columns; i++) {
        if (!table->columns[i].dimension && numbers++ < first_column) continue;
        int behind = column + table->columns[i].width + (shown.n ? GAP : 0);
        if (behind > room || shown.left_out) {
            shown.left_out++;
            continue;
        }
        shown.at[shown.n++] = i;
        column = behind;
    }
    return shown;
}

static int draw_head(struct canvas *canvas, const struct table *table, const struct shown *shown, int row)
{
    for (int line = 0; line < table->head_lines; line++) {
        int column = LEFT;
        for (size_t i = 0; i < shown->n; i++) {
            const struct table_column *at = &table->columns[shown->at[i]];
            int used = 0;
            while (used < TABLE_HEAD_LINES && at->head[used][0]) used++;
            const char *text = line >= table->head_lines - used ? at->head[line - table->head_lines + used] : "";
            column += i ? GAP : 0;
            if (at->dimension)
                canvas_print(canvas, row + line, column, STYLE_HEAD, "%s", text);
            else
                canvas_right(canvas, row + line, column, at->width, STYLE_HEAD, text);
            column += at->width;
        }
        if (shown->left_out && line == table->head_lines - 1)
            canvas_print(canvas, row + line, column + GAP, STYLE_DIM, "+%zu ]", shown->left_out);
    }
    return row + table->head_lines;
}

static void draw_row(struct canvas *canvas, const struct table_view *view, const struct shown *shown, size_t number,
                     struct flashes *flashes, int64_t now_us, int row)
{
    const struct table *table = view->table;
    const char *name = table_cell(table, number, 0)->text;
    int column = LEFT;
    for (size_t i = 0; i < shown->n; i++) {
        const struct table_column *at = &table->columns[shown->at[i]];
        const struct table_cell *cell = table_cell(table, number, shown->at[i]);
        enum style usual = number == 0 ? STYLE_BOLD : number == 1 ? STYLE_DIM : STYLE_PLAIN, style = usual;
        char place[200];
        snprintf(place, sizeof place, "%s/%s/%s", view->place, name, at->name);
        if (flashes && !at->dimension) style = flash(flashes, place, cell->text, cell->size, now_us);
        if (style == STYLE_PLAIN) style = usual;
        column += i ? GAP : 0;
        if (at->dimension)
            canvas_print(canvas, row, column, style, "%s", cell->text);
        else
            canvas_right(canvas, row, column, at->width, style, cell->text);
        column += at->width;
    }
}

int panel_table(struct canvas *canvas, const struct table_view *view, struct flashes *flashes, int64_t now_us, int row, int rows)
{
    const struct table *table = view->table;
    struct shown shown = choose(table, view->first_column, canvas->columns - 6);
    int end = row + rows;
    row = draw_head(canvas, table, &shown, row);
    for (size_t i = 0; i < table->n_rows && row < end; i++) {
        if (i >= TOTALS && i < TOTALS + view->first_row) continue;
        size_t left = table->n_rows - i;
        if (row == end - 1 && left > 1) {
            canvas_print(canvas, row++, LEFT, STYLE_DIM, "… %zu more (↓)", left);
            break;
        }
        draw_row(canvas, view, &shown, i, flashes, now_us, row++);
    }
    return row;
}
