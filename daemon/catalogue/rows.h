/* From JSON to the rows of the catalogue: one metric, one report. */
#pragma once

#include "daemon/catalogue/catalogue.h"

#include <yyjson.h>

/* What is being read. */
struct row_reader {
    struct catalogue *catalogue;
    struct problems *problems;
    const char *place; /* "my-metrics.json: metrics.revenue" */
};

/* What the text says; empty: it is none. */
static inline struct span span_in(yyjson_val *value)
{
    return (struct span){ yyjson_get_str(value), yyjson_get_len(value) };
}

/* Adds a problem for each key of the object that is not in the list (NULL at its end), with a suggestion. */
void check_keys(const struct row_reader *reader, yyjson_val *object, const char *const *known);

/* Adds a problem for each name that the object holds more than once. */
void check_twice(const struct row_reader *reader, yyjson_val *object);

/* Is it a list? If not, and there is a value at all, a problem says what `key` takes. */
bool check_list(const struct row_reader *reader, yyjson_val *value, const char *key, const char *of);

/* Adds: `what "name"`, and which one was perhaps meant (NULL: none). Always false. */
bool unknown_name(const struct row_reader *reader, const char *what, struct span name, const char *best);

/* A copy in the arena; NULL (and, when it is no text, a problem) when there is none. */
const char *text_of(const struct row_reader *reader, yyjson_val *object, const char *key);

/* The formula is not parsed yet. NULL: no metric, problems say why. */
struct metric *read_metric(const struct row_reader *reader, const char *name, yyjson_val *value);

/* Once all metrics are parsed. False: problems say why. */
bool read_report(const struct row_reader *reader, const char *name, yyjson_val *value, struct report *report);

/* "dimensions": metrics can then be asked by these only, and by those of their reports. */
void catalogue_restrict(struct catalogue *catalogue);
