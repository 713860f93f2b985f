/* The differences of one batch: old facts with -1, new facts with +1, summed up per cell. */
#pragma once

#include "daemon/facts/facts.h"

struct stored_cell;
struct difference {
    struct cell_value value;
    uint64_t key_hash;
    uint32_t hash, month_hash;  /* of the cells below, once the batch looks for them … */
    struct bucket month_bucket; /* … and where the month's stands */
    struct span field;          /* the text of the key, once the batch has it */
    /* Where it is added, once the batch has them; cell: NULL for a day that is folded; month: for undated. */
    struct stored_cell *cell, *month;
    struct bucket bucket; /* BUCKET_DAY or BUCKET_NOW */
    struct cell_key key;  /* as much of it as is used */
};

/* A zeroed struct ledger is an empty one. */
struct ledger {
    struct difference **differences; /* sums may have come to zero */
    size_t n, room;
    struct arena arena; /* where they lie */
    struct map by_key;
};

void ledger_deinit(struct ledger *ledger);
void ledger_add(struct ledger *ledger, const struct fact_entry *fact, int factor);

/* What changes from one statement to the next. Rows that are in both cost nothing. */
void ledger_replace(struct ledger *ledger, const struct statement *before, const struct statement *after);

/* Memory that it takes, but for spreads of durations. */
size_t ledger_bytes(const struct ledger *ledger);

/* Drops what came to zero. */
void ledger_settle(struct ledger *ledger);

/* Releases what a difference holds beside itself. */
void difference_deinit(struct difference *difference);
