/* Cells in memory, by day, month and now, with a reader for them: what tests of queries and reports count in. */
#pragma once

#include "common/instant.h"
#include "daemon/report/query.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CELLS_MAX = 4096,
    MONTHS_MAX = 256
};

struct memory_cells {
    struct names names;
    struct rules rules;
    struct zone zone;
    struct memory_cell {
        struct bucket bucket;
        struct cell_key key;
        struct cell_value value;
    } cells[CELLS_MAX];
    size_t n;
    int32_t months[MONTHS_MAX];
    size_t n_months;
    size_t days_read, months_read;
};

static inline struct memory_cells *memory_cells_create(void)
{
    struct memory_cells *cells = must_zalloc(sizeof *cells);
    names_init(&cells->names);
    snprintf(cells->zone.name, sizeof cells->zone.name, "UTC");
    cells->rules = (struct rules){ .zone = &cells->zone, .fiscal_year_start = 1, .currency = "EUR" };
    cells->rules.kind[KIND_DEAL].custom[0] = "region";
    cells->rules.kind[KIND_DEAL].n_custom = 1;
    kind_set_customs(&cells->rules, KIND_DEAL);
    return cells;
}

static inline void memory_cells_destroy(struct memory_cells *cells)
{
    for (size_t i = 0; i < cells->n; i++) cell_value_deinit(&cells->cells[i].value);
    names_deinit(&cells->names);
    free(cells);
}

static inline int32_t day_of(const char *text)
{
    int32_t day = 0;
    REQUIRE(day_parse(span_of(text), &day));
    return day;
}

static inline void put_in_bucket(struct memory_cells *cells, struct bucket bucket, const struct cell_key *key,
                                 const struct cell_value *value)
{
    struct memory_cell *cell = NULL;
    for (size_t i = 0; i < cells->n && !cell; i++) {
        struct memory_cell *other = &cells->cells[i];
        bool same = other->bucket.type == bucket.type && other->bucket.number == bucket.number && other->key.fact == key->fact;
        if (same && !memcmp(other->key.dims, key->dims, key->n * sizeof *key->dims)) cell = other;
    }
    if (!cell) {
        REQUIRE(cells->n < CELLS_MAX);
        cell = &cells->cells[cells->n++];
        cell->bucket = bucket;
        cell->key = *key;
    }
    REQUIRE(cell_value_add(&cell->value, value, 1));
}

static inline void put_month(struct memory_cells *cells, int32_t month)
{
    size_t at = 0;
    while (at < cells->n_months && cells->months[at] < month) at++;
    if (at < cells->n_months && cells->months[at] == month) return;
    REQUIRE(cells->n_months < MONTHS_MAX);
    memmove(cells->months + at + 1, cells->months + at, (cells->n_months - at) * sizeof *cells->months);
    cells->months[at] = month;
    cells->n_months++;
}

/* A day of 0 stands for an undated fact. */
static inline void put_cell(struct memory_cells *cells, int32_t day, const struct cell_key *key, const struct cell_value *value)
{
    if (!day) return put_in_bucket(cells, (struct bucket){ BUCKET_NOW, 0 }, key, value);
    put_in_bucket(cells, (struct bucket){ BUCKET_DAY, day }, key, value);
    put_in_bucket(cells, (struct bucket){ BUCKET_MONTH, month_of_day(day) }, key, value);
    put_month(cells, month_of_day(day));
}

/* "deal_won owner=u1 currency=EUR count=1 amount=12300 seconds=4000": dimensions and measures by name (durations in ms). */
static inline void make_cell(struct memory_cells *cells, const char *text, struct cell_key *key, struct cell_value *value)
{
    char copy[512], *rest = copy;
    snprintf(copy, sizeof copy, "%s", text);
    int fact = fact_find(span_of(strsep(&rest, " ")));
    REQUIRE(fact >= 0);
    const struct fact_row *row = &fact_rows[fact];
    *key = (struct cell_key){ .fact = (uint16_t)fact, .n = (uint16_t)cell_dims(&cells->rules, (enum fact)fact) };
    *value = (struct cell_value){ .sums = { 1 } };
    for (char *pair; (pair = strsep(&rest, " "));) {
        char *text_value = strchr(pair, '=');
        *text_value++ = 0;
        int measure = fact_measure(row, span_of(pair)), dimension = dimension_find(span_of(pair));
        int at = dimension < 0 ? -1 : fact_dimension(row, (enum dimension)dimension);
        if (!strcmp(pair, "region")) at = row->n_dims;
        REQUIRE(measure >= 0 || at >= 0);
        if (at >= 0) {
            key->dims[at] = names_intern(&cells->names, span_of(text_value));
            continue;
        }
        value->sums[measure] = atoll(text_value);
        if (row->measures[measure].type == MEASURE_DURATION) histogram_add(&value->spread[measure], value->sums[measure], 1);
    }
}

static inline void put_fact(struct memory_cells *cells, const char *day, const char *text)
{
    struct cell_key key;
    struct cell_value value;
    make_cell(cells, text, &key, &value);
    put_cell(cells, *day ? day_of(day) : 0, &key, &value);
    cell_value_deinit(&value);
}

static inline bool read_bucket_of(void *context, struct bucket bucket,
                                  bool (*each)(void *to, const struct cell_key *, const struct cell_value *), void *to,
                                  struct error *error)
{
    struct memory_cells *cells = context;
    (void)error;
    cells->days_read += bucket.type == BUCKET_DAY;
    cells->months_read += bucket.type == BUCKET_MONTH;
    for (size_t i = 0; i < cells->n; i++) {
        const struct memory_cell *cell = &cells->cells[i];
        if (cell->bucket.type == bucket.type && cell->bucket.number == bucket.number && !each(to, &cell->key, &cell->value))
            break;
    }
    return true;
}

static inline bool read_months_of(void *context, const int32_t **months, size_t *n, struct error *error)
{
    struct memory_cells *cells = context;
    (void)error;
    *months = cells->months;
    *n = cells->n_months;
    return true;
}

static inline struct cell_reader memory_reader(struct memory_cells *cells)
{
    return (struct cell_reader){ .cells = read_bucket_of, .months = read_months_of, .context = cells };
}

/* The whole shipped catalogue, or with a file of the user beside it. NULL when that is refused. */
static inline struct catalogue *load_catalogue(const char *more, struct problems *problems)
{
    struct catalogue_file files[2] = { catalogue_shipped(), { "mine.json", span_of(more) } };
    return catalogue_load(files, more ? 2 : 1, problems);
}

/* The answer to a request whose quotes are written ' instead of ". Static memory. */
static inline const char *ask(struct memory_cells *cells, const struct catalogue *catalogue, const char *today,
                              const char *request)
{
    static char text[65536];
    struct arena arena = { 0 };
    struct buffer out = { 0 };
    struct query query;
    struct query_error refused;
    struct error error = { 0 };
    struct cell_reader reader = memory_reader(cells);
    struct query_tenant tenant = { &cells->rules, &cells->names, &reader, day_of(today) };
    struct span json = arena_copy(&arena, span_of(request));
    for (size_t i = 0; i < json.len; i++)
        if (json.at[i] == '\'') ((char *)(uintptr_t)json.at)[i] = '"';
    if (query_parse(&query, json, &arena, &refused))
        REQUIRE(query_answer(&query, catalogue, &tenant, &out, &error));
    else
        query_error_write(&refused, &out);
    REQUIRE(out.len < sizeof text);
    for (size_t i = 0; i < out.len; i++) text[i] = out.at[i] == '"' ? '\'' : out.at[i];
    text[out.len] = 0;
    buffer_deinit(&out);
    arena_deinit(&arena);
    return text;
}
