/* A tally: what metrics come to, row by row, in one period. Cells (or differences of them) go in, in any order; rows with
 * the sums of every atom come out. Queries and reports use the same one, so that they say the same. */
#pragma once

#include "daemon/catalogue/catalogue.h"
#include "daemon/report/reader.h"
#include "daemon/report/sum.h"

/* Only facts whose dimension has one of the values count. */
struct condition {
    struct grouping dimension; /* never a unit of time */
    const struct span *values; /* an empty one: missing; must stay as long as the tally */
    size_t n_values;
};

struct tally_spec {
    const struct rules *rules;
    const struct names *names; /* may grow while the tally lives */
    const struct metric *const *metrics;
    size_t n_metrics;
    const struct grouping *by; /* at most one unit of time */
    size_t n_by;
    const struct condition *where;
    size_t n_where;
    struct period period;
    int32_t today;
};

struct tally;
struct reading; /* reading.h */

/* In the arena, which must stay until it is destroyed. What the spec points to must stay, too, the spec itself need not.
 * Metrics that cannot be had by these dimensions, or not for this period, are left out of the rows. Never NULL. */
struct tally *tally_create(const struct tally_spec *spec, struct arena *arena);
void tally_destroy(struct tally *tally); /* gives back what is not in the arena; NULL is fine */

/* NULL, or why the metric cannot be had for the period (by the unit, or N_UNITS): "sales_velocity counts per day …" */
const char *metric_refusal(const struct metric *metric, const struct rules *rules, struct period period, enum unit by);

/* Can it be grouped (or filtered) by this, with the tenant's custom attributes? */
bool metric_has(const struct metric *metric, const struct rules *rules, const struct grouping *by);

size_t tally_bytes(const struct tally *tally);                        /* about what it holds outside of the arena */
bool tally_takes(const struct tally *tally, enum fact fact);          /* can a cell of it count at all? */
struct period tally_range(const struct tally *tally, enum fact fact); /* outside of these days none counts */
bool tally_shows(const struct tally *tally, size_t metric);           /* is it in the rows? */
void tally_needs(const struct tally *tally, struct reading *reading);

/* Adds a cell of a bucket, or a difference. `period`: the days of the bucket, none of them apart from the others for this
 * tally (see tally_needs); NULL: undated. True: it counts here. */
bool tally_add(struct tally *tally, const struct period *period, const struct cell_key *key, const struct cell_value *value);

/* The same without adding, for a tally of one metric: tells each atom that takes the cell, with the row it goes to. Of the unit of time a row holds the
 * first day of the unit in which the cell came; TALLY_BEFORE: before the first unit, or whenever (ever(…)). */
#define TALLY_BEFORE INT32_MIN
typedef void (*take_place)(void *context, size_t atom, const uint32_t *row);
void tally_each(struct tally *tally, const struct period *period, const struct cell_key *key, take_place take, void *context);

/* A row as it comes out. Values of dimensions: name numbers; of a unit of time: its first day. */
struct tally_row {
    const uint32_t *key;    /* n_by values */
    const struct sum *sums; /* that all metrics need, see tally_slots */
    struct period period;   /* the tally's; by a unit of time: the part of the unit within */
};
/* Calls `each` for every row that exists, in no particular order; without groupings for the one row, always. */
void tally_rows(const struct tally *tally, void (*each)(void *context, const struct tally_row *row), void *context);
/* The same of so many at most. False: there are more. With levels there may be far more rows than cells. */
bool tally_rows_within(const struct tally *tally, size_t most, void (*each)(void *context, const struct tally_row *row),
                       void *context) MUST_USE;

/* Where the sums of the metric's atoms stand in a row. Of the first metric: one after the other. */
const uint32_t *tally_slots(const struct tally *tally, size_t metric);
size_t tally_n_sums(const struct tally *tally);

/* The sums of the row with this key (n_by values, no unit of time), existing or not; NULL: nothing ever came for it. */
const struct sum *tally_find(const struct tally *tally, const uint32_t *key);

/* Those of the one row of a tally without groupings. Never NULL. */
const struct sum *tally_only_row(const struct tally *tally);

/* Does it go by goal? */
bool grouping_is_goal(const struct grouping *by);

/* The goal that the row with this key is of; 0: it goes by none. */
name_id goal_of_row(const struct grouping *by, size_t n_by, const uint32_t *key);

/* The order of values of a dimension: byte by byte, missing last; of a unit of time by its days. */
int grouping_compare(const struct grouping *by, const struct names *names, uint32_t a, uint32_t b);

/* The JSON of a value: its text, null, or the unit's label. */
void grouping_write(const struct grouping *by, const struct rules *rules, const struct names *names, uint32_t value,
                    struct buffer *out);
