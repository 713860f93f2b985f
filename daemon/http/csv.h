/* Answers and reports as tables of comma-separated values (RFC 4180), for spreadsheets: the same rows, the same numbers, digit
 * by digit. Money gets a column per currency: "revenue:EUR". Null and missing are empty. Text that a spreadsheet would take for
 * a formula gets an apostrophe in front. Pure. */
#pragma once

#include "common/buffer.h"

/* {"rows":[{…},…]}; `by`: the dimensions asked for, the first columns, before those of the values. False: it is no such answer. */
bool csv_write_rows(struct span answer, const struct span *by, size_t n_by, const struct span *values, size_t n_values,
                    struct buffer *out);

/* A report's document: columns section, period, from, to, complete, row (total, previous or row), all dimensions, all metrics. */
bool csv_write_report(struct span document, struct buffer *out);
