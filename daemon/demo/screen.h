/* The full-screen page: status, the three numbers of all tenants, one report, what was of note, the newest events. */
#pragma once

#include "daemon/demo/choice.h"
#include "daemon/demo/flashes.h"
#include "daemon/demo/notes.h"
#include "daemon/demo/status.h"
#include "daemon/demo/three.h"

enum {
    SCREEN_ROWS_MIN = 20,
    SCREEN_COLUMNS_MIN = 72,
    NEWEST_MAX = 8
};

struct screen {
    struct canvas canvas;
    struct choice choice;
    struct flashes flashes;
    struct news_item newest[NEWEST_MAX]; /* a ring */
    size_t n_newest;                     /* ever */
    const char *const *inside;           /* lines on how to look inside; NULL at the end */
};

void screen_init(struct screen *screen, const struct catalogue *catalogue, const char *const *inside);
void screen_deinit(struct screen *screen);
void screen_news(struct screen *screen, const struct news_item *item);

/* Draws the page for a terminal of this size; canvas_paint brings it there. */
void screen_draw(struct screen *screen, const struct status *status, struct wall *wall, struct notes *notes, int rows,
                 int columns);
