/* Which buckets have to be read: whole months where nothing is cut within them, else their days; and the undated cells. */
#pragma once

#include "common/buffer.h"
#include "common/period.h"
#include "daemon/report/reader.h"

enum {
    CUTS_PER_READING_GROWTH = 16
};

/* A zeroed one, with `days` set by reading_init, asks for nothing. */
struct reading {
    struct period days;  /* all days that matter; from > to: none */
    struct period daily; /* here every day by itself; from > to: none */
    bool now;            /* the undated cells */
    int32_t *cuts;       /* days that begin something: a month with one inside is read by days */
    size_t n_cuts, room;
};

void reading_init(struct reading *reading);
void reading_deinit(struct reading *reading);

/* The days of the period matter, and it begins and ends where it does. */
void reading_add(struct reading *reading, struct period period);
void reading_add_daily(struct reading *reading, struct period period);

/* Is something asked for that takes single days which the reader no longer has? `*first`: the first day of the earliest month that
 * is wanted day by day; PERIOD_BEGIN: of all. */
bool reading_is_folded(const struct reading *reading, const struct cell_reader *reader, int32_t *first);

/* Reads and hands over each cell; `period`: the days of its bucket, NULL for undated cells. */
typedef void (*take_cell)(void *to, const struct period *period, const struct cell_key *key, const struct cell_value *value);
bool reading_run(const struct reading *reading, const struct cell_reader *reader, take_cell take, void *to,
                 struct error *error) MUST_USE;
