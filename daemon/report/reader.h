/* Where cells come from: Redis, memory, a test. All calls between two prefetches see one committed state of the tenant. */
#pragma once

#include "common/error.h"
#include "daemon/counters/cell.h"
#include "daemon/facts/lists.h"

struct cell_reader {
    /* Calls `each` for every cell of the bucket; `each` returns false to stop (that is no error). */
    bool (*cells)(void *context, struct bucket bucket, bool (*each)(void *to, const struct cell_key *, const struct cell_value *),
                  void *to, struct error *error);

    /* The months that have cells (year * 12 + month - 1), sorted; they stay as long as the reader. */
    bool (*months)(void *context, const int32_t **months, size_t *n, struct error *error);

    /* All buckets that will be asked for next, so that they can be read at once. May be NULL. */
    bool (*prefetch)(void *context, const struct bucket *buckets, size_t n, struct error *error);

    /* Calls `each` for every line of a list ("kind id"). NULL: there are no lists. */
    bool (*lines)(void *context, enum list list,
                  void (*each)(void *to, enum list list, struct span id, const struct list_line *line), void *to,
                  struct error *error);

    bool is_folded;    /* some days stand in their months only … */
    int32_t days_from; /* … those before this one, the first of a month */

    void *context;
};
