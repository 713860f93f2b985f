#include "daemon/catalogue/describe.h"

#include "daemon/catalogue/rows.h"

#include <stdlib.h>

const char *shape_name(enum shape shape)
{
    static const char *const names[] = { [SHAPE_NUMBER] = "number",
                                         [SHAPE_MONEY] = "money",
                                         [SHAPE_RATIOS] = "ratios",
                                         [SHAPE_SPREAD] = "distribution",
                                         [SHAPE_GOAL] = "goal" };
    return names[shape];
}

/* "owner, team": the names of the set bits; "" for none. */
static void dimensions_write(uint32_t dims, const char *between, struct buffer *out)
{
    bool first = true;
    for (int dimension = 0; dimension < N_DIMENSIONS; dimension++) {
        if (!(dims >> dimension & 1) || dimension_is_inner((enum dimension)dimension)) continue;
        buffer_printf(out, "%s%s", first ? "" : between, dimension_names[dimension]);
        first = false;
    }
}

static void units_write(uint8_t units, const char *between, struct buffer *out)
{
    bool first = true;
    for (int unit = 0; unit < N_UNITS; unit++) {
        if (!(units >> unit & 1)) continue;
        buffer_printf(out, "%s%s", first ? "" : between, unit_names[unit]);
        first = false;
    }
}

/* ---- a table ---- */

enum {
    TABLE_COLUMNS_MAX = 6,
    CELL_WIDTH_MAX = 46 /* what is wider pushes the rest of its line */
};

/* Lines of cells: tabs between them, a line feed behind each, all in one buffer. */
struct table {
    struct buffer cells;
    size_t widths[TABLE_COLUMNS_MAX];
};

/* In letters: bytes that begin one. */
static size_t width_of(struct span text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len; i++) width += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return width;
}

static struct span take_until(struct span *rest, const char *ends)
{
    size_t n = 0;
    while (n < rest->len && !strchr(ends, rest->at[n])) n++;
    struct span taken = { rest->at, n };
    *rest = (struct span){ rest->at + n, rest->len - n };
    return taken;
}

static void measure(struct table *table)
{
    struct span rest = buffer_all(&table->cells);
    for (size_t column = 0; rest.len;) {
        size_t width = width_of(take_until(&rest, "\t\n"));
        bool ends = rest.at[0] == '\n';
        if (!ends && width > table->widths[column]) table->widths[column] = width < CELL_WIDTH_MAX ? width : CELL_WIDTH_MAX;
        column = ends ? 0 : column + 1;
        rest = (struct span){ rest.at + 1, rest.len - 1 };
    }
}

static void table_write(struct table *table, struct buffer *out)
{
    measure(table);
    struct span rest = buffer_all(&table->cells);
    for (size_t column = 0; rest.len;) {
        struct span cell = take_until(&rest, "\t\n");
        bool ends = rest.at[0] == '\n';
        buffer_span(out, cell);
        for (size_t i = width_of(cell); !ends && i < table->widths[column] + 2; i++) buffer_byte(out, ' ');
        if (!ends && width_of(cell) >= table->widths[column] + 2) buffer_str(out, "  ");
        if (ends) buffer_byte(out, '\n');
        column = ends ? 0 : column + 1;
        rest = (struct span){ rest.at + 1, rest.len - 1 };
    }
    buffer_deinit(&table->cells);
}

/* By what it can be asked: dimensions, units of time, custom attributes. */
static void write_by(const struct metric *metric, struct buffer *out)
{
    size_t before = out->len;
    dimensions_write(metric->dims, " ", out);
    if (metric->customs) buffer_str(out, out->len > before ? " custom.…" : "custom.…");
    if (metric->units) {
        buffer_str(out, out->len > before ? "; per " : "per ");
        units_write(metric->units, " ", out);
    } else if (!metric->dated && metric->shape != SHAPE_GOAL) {
        buffer_str(out, out->len > before ? "; of now" : "of now");
    }
}

static void metrics_table(const struct catalogue *catalogue, struct buffer *out)
{
    struct table table = { 0 };
    buffer_str(&table.cells, "METRIC\tUNIT\tFORMULA\tBY\n");
    for (size_t i = 0; i < catalogue->n_metrics; i++) {
        const struct metric *metric = catalogue->metrics[i];
        buffer_printf(&table.cells, "%s\t%s\t%s\t", metric->name, metric->unit, metric->formula);
        write_by(metric, &table.cells);
        buffer_byte(&table.cells, '\n');
    }
    table_write(&table, out);
}

static void write_sections(const struct report *report, const char *between, struct buffer *out)
{
    for (size_t s = 0; s < report->n_sections; s++) {
        if (s) buffer_str(out, between);
        for (size_t b = 0; b < report->sections[s].n_by; b++) {
            const struct grouping *by = &report->sections[s].by[b];
            buffer_printf(out, "%s%s%s", b ? "+" : "", by->type == BY_CUSTOM ? "custom." : "", by->name);
        }
    }
}

/* Each metric once, statistics of a distribution left out. */
static void write_columns(const struct report *report, const char *between, struct buffer *out)
{
    for (size_t c = 0; c < report->n_columns; c++) {
        const struct report_column *column = &report->columns[c];
        bool again = c && column->metric && column->metric == report->columns[c - 1].metric;
        if (!again) buffer_printf(out, "%s%s", c ? between : "", column->metric ? column->metric->name : column->name);
    }
    for (int list = 0; list < N_REPORT_LISTS; list++)
        if (report->lists >> list & 1) buffer_printf(out, "%s%s", between, report_list_names[list]);
}

static void reports_table(const struct catalogue *catalogue, struct buffer *out)
{
    struct table table = { 0 };
    buffer_str(&table.cells, "REPORT\tVIEW\tROWS BY\tMETRICS\n");
    for (size_t i = 0; i < catalogue->n_reports; i++) {
        const struct report *report = &catalogue->reports[i];
        buffer_printf(&table.cells, "%s\t%s\t", report->name, report->view ? report->view : "");
        write_sections(report, " ", &table.cells);
        buffer_byte(&table.cells, '\t');
        write_columns(report, " ", &table.cells);
        buffer_byte(&table.cells, '\n');
    }
    table_write(&table, out);
}

static void write_measures(const struct fact_row *row, uint8_t kept, const char *between, struct buffer *out)
{
    bool first = true;
    for (int i = 0; i < row->n_measures; i++) {
        if (!(kept >> i & 1)) continue;
        buffer_printf(out, "%s%s", first ? "" : between, row->measures[i].name);
        first = false;
    }
}

static uint32_t fact_dims(const struct fact_row *row, uint16_t kept)
{
    uint32_t dims = 0;
    for (int i = 0; i < row->n_dims; i++)
        if (kept >> i & 1) dims |= 1u << row->dims[i];
    return dims;
}

static void facts_table(const struct catalogue *catalogue, struct buffer *out)
{
    struct table table = { 0 };
    struct kept kept;
    catalogue_kept(catalogue, &kept);
    buffer_str(&table.cells, "FACT\tMEASURES\tDIMENSIONS\n");
    for (int fact = 0; fact < N_FACTS; fact++) {
        const struct fact_row *row = &fact_rows[fact];
        if (!kept.fact[fact].on) continue;
        buffer_printf(&table.cells, "%s\t", row->name);
        write_measures(row, kept.fact[fact].measures, " ", &table.cells);
        buffer_byte(&table.cells, '\t');
        dimensions_write(fact_dims(row, kept.fact[fact].dims), " ", &table.cells);
        buffer_byte(&table.cells, '\n');
    }
    table_write(&table, out);
}

void catalogue_write_table(const struct catalogue *catalogue, struct buffer *out)
{
    metrics_table(catalogue, out);
    buffer_byte(out, '\n');
    reports_table(catalogue, out);
    buffer_byte(out, '\n');
    facts_table(catalogue, out);
}

/* ---- Markdown ---- */

/* A bar would end the cell. */
static void write_code(const char *text, struct buffer *out)
{
    buffer_byte(out, '`');
    for (; *text; text++) {
        if (*text == '|') buffer_byte(out, '\\');
        buffer_byte(out, (uint8_t)*text);
    }
    buffer_byte(out, '`');
}

static void metric_line(const struct metric *metric, struct buffer *out)
{
    buffer_printf(out, "| %s | `%s` | %s | ", metric->number ? metric->number : "", metric->name, metric->unit);
    write_code(metric->formula, out);
    buffer_printf(out, "%s%s | ", metric->about ? "<br>" : "", metric->about ? metric->about : "");
    write_by(metric, out);
    buffer_str(out, " |\n");
}

static void report_line(const struct report *report, struct buffer *out)
{
    buffer_printf(out, "| `%s` | %s | ", report->name, report->question ? report->question : "");
    write_sections(report, ", ", out);
    buffer_str(out, " | ");
    write_columns(report, ", ", out);
    buffer_str(out, " | ");
    for (size_t i = 0; i < report->n_periods; i++) buffer_printf(out, "%s%s", i ? ", " : "", report->periods[i]);
    buffer_str(out, " |\n");
}

/* Reports of one view; NULL: of none. */
static void view_lines(const struct catalogue *catalogue, const char *view, struct buffer *out)
{
    buffer_printf(out, "\n### %s\n\n| report | answers | rows by | metrics | periods |\n|---|---|---|---|---|\n",
                  view ? view : "Of no view");
    for (size_t i = 0; i < catalogue->n_reports; i++) {
        const struct report *report = &catalogue->reports[i];
        if (report->view ? view && !strcmp(report->view, view) : !view) report_line(report, out);
    }
}

/* Views in the order in which reports name them. */
static void reports_by_view(const struct catalogue *catalogue, struct buffer *out)
{
    for (size_t i = 0; i < catalogue->n_reports; i++) {
        const char *view = catalogue->reports[i].view;
        bool again = false;
        for (size_t j = 0; j < i; j++) {
            const char *other = catalogue->reports[j].view;
            again = again || (view && other ? !strcmp(view, other) : view == other);
        }
        if (!again) view_lines(catalogue, view, out);
    }
}

static void fact_line(const struct fact_row *row, const struct kept *kept, int fact, struct buffer *out)
{
    buffer_printf(out, "| `%s`%s | ", row->name, row->dating == UNDATED ? " (of now)" : "");
    write_measures(row, kept->fact[fact].measures, ", ", out);
    buffer_str(out, " | ");
    dimensions_write(fact_dims(row, kept->fact[fact].dims), ", ", out);
    buffer_str(out, " |\n");
}

void catalogue_write_markdown(const struct catalogue *catalogue, struct buffer *out)
{
    struct kept kept;
    catalogue_kept(catalogue, &kept);
    buffer_str(out, "## Metrics\n\n| # | metric | unit | formula | by |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < catalogue->n_metrics; i++) metric_line(catalogue->metrics[i], out);
    buffer_str(out, "\n## Reports\n");
    reports_by_view(catalogue, out);
    buffer_str(out, "\n## Facts\n\n| fact | measures | dimensions |\n|---|---|---|\n");
    for (int fact = 0; fact < N_FACTS; fact++)
        if (kept.fact[fact].on) fact_line(&fact_rows[fact], &kept, fact, out);
}
