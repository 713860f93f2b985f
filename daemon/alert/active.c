#include "daemon/alert/active.h"

#include "daemon/alert/book.h"
#include "daemon/state/keys.h"

#include <stdlib.h>

static int compare_rows(const void *a, const void *b)
{
    return span_compare((*(const struct alert_row *const *)a)->field, (*(const struct alert_row *const *)b)->field);
}

static void write_rows(const struct alert_book *book, enum alert_state state, struct buffer *out)
{
    size_t n = 0, at = 0;
    const struct alert_row **rows = must_alloc((book->rows.count + 1) * sizeof *rows);
    for (struct map_slot *slot; (slot = map_next(&book->rows, &at));) {
        const struct alert_row *row = slot->value;
        if (row->state == state) rows[n++] = row;
    }
    qsort(rows, n, sizeof *rows, compare_rows);
    for (size_t i = 0; i < n; i++) buffer_printf(out, "%s%.*s", i ? "," : "", SPAN_ARG(rows[i]->text));
    free(rows);
}

bool alerts_active(struct state *state, const char *prefix, struct span tenant, struct buffer *out, enum outcome *outcome,
                   struct error *error)
{
    struct arena arena = { 0 };
    struct alert_book book = { 0 };
    struct hash_read read = { .key = key_alerts(&arena, prefix, tenant) };
    bool good = state->ops->read(state, &read, 1, &arena, outcome, error);
    if (good) {
        alert_book_load(&book, read.values, read.n_values);
        buffer_printf(out, "{\"tenant\":\"%.*s\",\"version\":%lld,\"alerts\":[", SPAN_ARG(tenant), (long long)book.version);
        write_rows(&book, ALERT_RAISED, out);
        buffer_str(out, "],\"pending\":[");
        write_rows(&book, ALERT_PENDING, out);
        buffer_str(out, "]}");
    }
    alert_book_deinit(&book);
    arena_deinit(&arena);
    return good;
}
