#include "daemon/demo/screen.h"

#include "daemon/demo/panel.h"

#include <stdlib.h>

enum {
    NEWEST_ROWS = 6, /* with their head */
    NOTES_ROWS_MIN = 5,
    REPORT_ROWS_MIN = 7
};

void screen_init(struct screen *screen, const struct catalogue *catalogue, const char *const *inside)
{
    const char *no_colour = getenv("NO_COLOR");
    *screen = (struct screen){ .inside = inside };
    screen->canvas.colours = !no_colour || !*no_colour;
    choice_init(&screen->choice, catalogue);
}

void screen_deinit(struct screen *screen)
{
    canvas_deinit(&screen->canvas);
    flashes_deinit(&screen->flashes);
}

void screen_news(struct screen *screen, const struct news_item *item)
{
    screen->newest[screen->n_newest++ % NEWEST_MAX] = *item;
}

static void draw_too_small(struct canvas *canvas)
{
    canvas_print(canvas, 0, 0, STYLE_PLAIN, "This needs a window of %d×%d; it has", SCREEN_COLUMNS_MIN, SCREEN_ROWS_MIN);
    canvas_print(canvas, 1, 0, STYLE_PLAIN, "%d×%d. Or: demo --plain. q quits.", canvas->columns, canvas->rows);
}

/* Keys, and where there is room the dashboard's address. */
static void draw_last_line(struct screen_page *page, int row)
{
    int columns = page->canvas->columns, width = (int)strlen(page->status->where);
    int column = canvas_print(page->canvas, row, 1, STYLE_DIM, "%s", choice_keys(columns));
    if (column + width + 3 < columns)
        canvas_right(page->canvas, row, columns - width - 1, width, STYLE_PLAIN, page->status->where);
}

/* The report gets what it needs, as long as something is left for the rest. */
static void draw_all(struct screen_page *page)
{
    int rows = page->canvas->rows;
    int row = panel_status(page, 0);
    row = panel_three(page, row + 1);
    row = panel_tabs(page, row + 1);
    int newest = rows > 30 ? NEWEST_ROWS : 0, left = rows - 2 - row - newest - NOTES_ROWS_MIN;
    row = panel_report(page, row, left < REPORT_ROWS_MIN ? REPORT_ROWS_MIN : left) + 1;
    if (page->screen->choice.help) {
        panel_inside(page, row, rows - 1 - row);
    } else {
        row = panel_notes(page, row, rows - 2 - newest - row);
        if (newest) panel_newest(page, row + 1, newest - 1);
    }
    draw_last_line(page, rows - 1);
}

void screen_draw(struct screen *screen, const struct status *status, struct wall *wall, struct notes *notes, int rows,
                 int columns)
{
    struct screen_page page = { screen, &screen->canvas, status, wall, notes };
    canvas_resize(&screen->canvas, rows, columns);
    canvas_clear(&screen->canvas);
    if (rows < SCREEN_ROWS_MIN || columns < SCREEN_COLUMNS_MIN)
        draw_too_small(&screen->canvas);
    else
        draw_all(&page);
}
