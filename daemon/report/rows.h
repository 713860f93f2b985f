/* Rows of an answer, gathered in any order and written sorted: by the dimensions in the order of `by`, missing ones last. */
#pragma once

#include "daemon/report/tally.h"

struct row_list {
    const struct grouping *by; /* stays as long as the list */
    size_t n_by;
    const struct rules *rules;
    const struct names *names;
    struct arena *arena; /* for what is added */
    struct answer_row {
        const uint32_t *key;
        struct span fields; /* what stands behind the dimensions: JSON fields without braces */
    } * at;
    size_t n, room;
};

void row_list_add(struct row_list *rows, const uint32_t *key, struct span fields);

int row_list_compare(const struct row_list *rows, const uint32_t *left, const uint32_t *right);

/* "owner":"anna", … each with a comma behind it */
void row_list_write_key(const struct row_list *rows, const uint32_t *key, struct buffer *out);

/* [{"owner":"anna",FIELDS},…] */
void row_list_write(struct row_list *rows, struct buffer *out);
void row_list_deinit(struct row_list *rows);
