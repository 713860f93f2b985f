/* The effective catalogue told to readers: as a table for a terminal, as JSON for programs, as Markdown for the reference. */
#pragma once

#include "common/buffer.h"
#include "daemon/catalogue/catalogue.h"

/* Columns side by side, with headings, for a terminal. */
void catalogue_write_table(const struct catalogue *catalogue, struct buffer *out);

/* One object, without a line's end: {"catalogue":"3f9c…","metrics":[…],"reports":[…],"facts":[…],"dimensions":[…],"periods":[…],
 * "units":[…]}. */
void catalogue_write_json(const struct catalogue *catalogue, struct buffer *out);

/* Tables of metrics, reports and facts: what config/metrics.md holds of the shipped one. */
void catalogue_write_markdown(const struct catalogue *catalogue, struct buffer *out);

const char *shape_name(enum shape shape); /* "number", "money", "ratios", "distribution", "goal" */
