/* The board of a tenant: all of its reports, kept up to date by differences. It is loaded once from the cells, then every
 * difference that goes into the counters goes in here, too; a report is rendered from it without reading anything.
 * What depends on the day (which dates "this_month" has) is loaded afresh when the tenant's local day changes. */
#pragma once

#include "daemon/catalogue/catalogue.h"
#include "daemon/report/reader.h"

struct board;

/* All that is pointed to must stay; `names` may grow. `metrics_periods`: for which periods single metrics are asked for
 * (board_metrics), names of period_names. Never NULL. To be loaded before anything else. */
struct board *board_create(const struct catalogue *catalogue, const struct rules *rules, const struct names *names,
                           const char *const *metrics_periods, size_t n_metrics_periods);
void board_destroy(struct board *board); /* NULL is fine */

/* Reads everything (again) as it stands on the day; what was sent stays known. False: cells could not be read, the board
 * is then empty and must be loaded again. */
bool board_load(struct board *board, int32_t today, const struct cell_reader *reader, struct error *error) MUST_USE;
void board_rest(struct board *board);           /* forgets all of it until the next load; what was sent stays known */
int32_t board_today(const struct board *board); /* of the last load */

/* Adds what was added to the counters since. `day` says nothing for undated facts. */
void board_add(struct board *board, int32_t day, const struct cell_key *key, const struct cell_value *difference);

/* A line of a list came (`after`), went (`before`) or became another one; either may be NULL. */
void board_add_line(struct board *board, enum list list, struct span id, const struct list_line *before,
                    const struct list_line *after);

/* What came cannot be followed by differences (a goal was set that nobody had before; more went from a list than
 * its reserve makes up for): let it catch up, or load it again, before rendering. */
bool board_is_stale(const struct board *board);

/* Reads what it lacks, of the very version that its differences have come to. False: cells could not be read, or are of
 * another version; then it must be loaded again. */
bool board_catch_up(struct board *board, const struct cell_reader *reader, struct error *error) MUST_USE;

/* May any number of the report (numbered as in the catalogue), or of the single metrics, differ from when it was last
 * rendered? False: nothing came that it counts. */
bool board_touched(const struct board *board, size_t report);
bool board_metrics_touched(const struct board *board);

struct board_limits {
    size_t max_rows;  /* per section and period; what is beyond goes into one row "(other)" */
    size_t max_bytes; /* of `sections`: with more, fewer rows are shown; 0: no limit */
};

/* About how much memory it holds: who keeps many boards drops those that were not asked for longest. */
size_t board_bytes(const struct board *board);

/* A rendered report. Texts stay until it is rendered again, sent, or the board goes. */
struct board_document {
    struct span sections; /* the JSON array */
    bool changed;         /* does it differ from what was sent (also when nothing was)? */
    bool has_changes;     /* is there something to compare with? */
    struct span changes;  /* then: the JSON array of what changed since */
    bool truncated;       /* there were more */
};
void board_render(struct board *board, size_t report, const struct board_limits *limits, struct board_document *document);

/* The document rendered last was sent: the next one is compared with it. */
void board_sent(struct board *board, size_t report);

/* One number without JSON per call, for the period of that number: "cases_closed_same_day" 7, "revenue:EUR" 12.50,
 * "sales_cycle.p90" 41.5. What is null is not there. */
void board_metrics(struct board *board, size_t period, void (*each)(void *context, struct span name, struct span value),
                   void *context);
