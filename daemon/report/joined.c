#include "daemon/report/joined.h"

#include "common/error.h"
#include "daemon/report/text.h"

#include <stdlib.h>

/* A value of one list, on its way to the others of its row. */
struct part {
    const struct answer_row *row;
    size_t list;
};

static int compare_parts(const void *a, const void *b, void *context)
{
    const struct part *left = a, *right = b;
    int c = row_list_compare(context, left->row->key, right->row->key);
    return c ? c : (left->list > right->list) - (left->list < right->list);
}

static struct part *all_parts(const struct row_list *const *lists, size_t n, size_t *n_parts)
{
    size_t room = 1;
    *n_parts = 0;
    for (size_t i = 0; i < n; i++) room += lists[i]->n;
    struct part *parts = must_alloc(room * sizeof *parts);
    for (size_t i = 0; i < n; i++)
        for (size_t row = 0; row < lists[i]->n; row++) parts[(*n_parts)++] = (struct part){ &lists[i]->at[row], i };
    qsort_r(parts, *n_parts, sizeof *parts, compare_parts, (void *)(uintptr_t)lists[0]);
    return parts;
}

/* Of parts with one key. */
static void write_row(const struct row_list *rows, const struct part *parts, size_t n_parts, const struct span *names, size_t n,
                      struct buffer *out)
{
    buffer_byte(out, '{');
    row_list_write_key(rows, parts[0].row->key, out);
    for (size_t i = 0, part = 0; i < n; i++) {
        if (i) buffer_byte(out, ',');
        text_write(names[i], out);
        buffer_byte(out, ':');
        if (part < n_parts && parts[part].list == i)
            buffer_span(out, parts[part++].row->fields);
        else
            buffer_str(out, "null");
    }
    buffer_byte(out, '}');
}

void joined_write(const struct row_list *const *lists, const struct span *names, size_t n, struct buffer *out)
{
    size_t n_parts;
    struct part *parts = all_parts(lists, n, &n_parts);
    buffer_byte(out, '[');
    for (size_t at = 0, end; at < n_parts; at = end) {
        for (end = at + 1; end < n_parts && !row_list_compare(lists[0], parts[at].row->key, parts[end].row->key);) end++;
        if (at) buffer_byte(out, ',');
        write_row(lists[0], parts + at, end - at, names, n, out);
    }
    buffer_byte(out, ']');
    free(parts);
}
