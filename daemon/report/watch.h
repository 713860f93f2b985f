/* Single numbers that a board keeps besides its reports, for whoever waits for them to pass a threshold: a metric in a
 * period, by dimensions, filtered, and in the period before. */
#pragma once

#include "daemon/report/board.h"
#include "daemon/report/figure.h"

struct watch {
    const struct metric *metric;
    enum stat stat;
    const char *period;        /* of period_names */
    const struct grouping *by; /* no unit of time */
    size_t n_by;
    const struct condition *where;
    size_t n_where;
    bool previous; /* is the period before asked for, too? */
};

/* Watches these from the next board_load on, instead of what was watched before: until then the board is empty. Copies the
 * array; what it points to must stay until other ones are watched or the board goes. */
void board_watch(struct board *board, const struct watch *watches, size_t n);

/* May any of its numbers differ from when this was last reset? */
bool board_watch_touched(const struct board *board, size_t watch);
void board_watch_reset(struct board *board);

struct period board_watch_period(const struct board *board, size_t watch); /* of the last load */

struct watch_row {
    const uint32_t *key; /* n_by names, 0: missing */
    struct figure now;
    struct figure previous; /* only where there is a period before */
    bool has_previous;
};

/* Calls `each` for every row that exists, or (watched with the period before) existed then; without `by` always for one. None
 * where the tenant does not have the dimensions. Figures stand in the arena. */
void board_watched(struct board *board, size_t watch, struct arena *arena,
                   void (*each)(void *context, const struct watch_row *row), void *context);
