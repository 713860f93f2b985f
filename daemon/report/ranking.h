/* The best of many entities by a score, kept by differences: the first `limit` are known as long as what is taken out again is
 * made up for by the reserve behind them. */
#pragma once

#include "daemon/facts/lists.h"

struct ranked {
    struct span id; /* own memory */
    int64_t score;
    struct list_line line;
};

/* Zeroed with a limit: empty. */
struct ranking {
    size_t limit;
    struct ranked *at; /* by score, descending, then by id */
    size_t n;          /* at most limit * RESERVE */
    int64_t all;       /* of which these are the best */
};

void ranking_deinit(struct ranking *ranking);
void ranking_put(struct ranking *ranking, struct span id, int64_t score, const struct list_line *line);
void ranking_remove(struct ranking *ranking, struct span id, int64_t score);
bool ranking_is_short(const struct ranking *ranking); /* there are more than are known, and fewer known than the limit */
size_t ranking_bytes(const struct ranking *ranking);
