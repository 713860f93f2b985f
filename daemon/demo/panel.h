/* Panels of the page: each draws itself from a row on and returns the row behind it. */
#pragma once

#include "daemon/demo/screen.h"

/* One page being drawn. */
struct screen_page {
    struct screen *screen;
    struct canvas *canvas;
    const struct status *status;
    struct wall *wall;
    struct notes *notes;
};

int panel_status(struct screen_page *page, int row);
int panel_three(struct screen_page *page, int row);
int panel_tabs(struct screen_page *page, int row);
int panel_report(struct screen_page *page, int row, int rows);
int panel_notes(struct screen_page *page, int row, int rows);
int panel_newest(struct screen_page *page, int row, int rows);
int panel_inside(struct screen_page *page, int row, int rows);

/* The head and the rows of a table, into at most so many rows of the canvas, from its column `left` on; `flashes` NULL: nothing
 * shines. */
struct table;
struct table_view {
    const struct table *table;
    const char *place; /* for the flashes */
    size_t first_row, first_column;
};
int panel_table(struct canvas *canvas, const struct table_view *view, struct flashes *flashes, int64_t now_us, int row, int rows);
