/* A report's document, read: its sections and periods, single numbers, and numbers as people like to see them. */
#pragma once

#include "common/span.h"

#include <jansson.h>

struct snapshot {
    json_t *document; /* NULL: none */
    int64_t version, as_of_us;
};

/* A zeroed struct snapshot is an empty one. False: no document; the old one stays. */
bool snapshot_parse(struct snapshot *snapshot, struct span text);
void snapshot_deinit(struct snapshot *snapshot);

/* Parts of it, borrowed; NULL: not there. */
const json_t *snapshot_section(const struct snapshot *snapshot, size_t number);
const json_t *snapshot_period(const json_t *section, const char *name);
const char *section_dimension(const json_t *section); /* the first one */
const char *column_unit(const json_t *column);

/* One number, by names: of the first section whose only dimension is `by` (NULL: any), its total or the row of `row`. `unit`
 * becomes that of its column. NULL: not there. */
struct place {
    const char *by, *row, *period, *metric;
};
const json_t *snapshot_number(const struct snapshot *snapshot, struct place place, const char **unit);

/* "1,204", "12.3 %", "41.5 d", "12,345.00 EUR", "–" for what is null. */
enum {
    NUMBER_TEXT_BYTES = 48
};
void number_format(const json_t *value, const char *unit, char text[NUMBER_TEXT_BYTES]);

/* To compare: the first one of several. */
double number_size(const json_t *value);
