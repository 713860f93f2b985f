/* The effective catalogue as JSON. */
#include "daemon/catalogue/describe.h"
#include "daemon/report/text.h"

#include <inttypes.h>

static void open_list(const char *key, struct buffer *out)
{
    buffer_printf(out, ",\"%s\":[", key);
}

/* Behind "[" the first, else behind a comma. */
static void write_item(const char *text, struct buffer *out)
{
    if (out->at[out->len - 1] != '[') buffer_byte(out, ',');
    text_write(span_of(text), out);
}

/* What is not there is left out. */
static void write_text(const char *key, const char *text, struct buffer *out)
{
    if (!text) return;
    buffer_printf(out, ",\"%s\":", key);
    text_write(span_of(text), out);
}

static void write_bits(const char *key, uint32_t bits, const char *const *names, int n, struct buffer *out)
{
    open_list(key, out);
    for (int i = 0; i < n; i++)
        if (bits >> i & 1) write_item(names[i], out);
    buffer_byte(out, ']');
}

static void write_names(const char *key, const char *const *names, size_t n, struct buffer *out)
{
    open_list(key, out);
    for (size_t i = 0; i < n && names[i]; i++) write_item(names[i], out);
    buffer_byte(out, ']');
}

static const char *yes_or_no(bool yes)
{
    return yes ? "true" : "false";
}

static uint32_t shown_dims(uint32_t dims)
{
    for (int i = 0; i < N_DIMENSIONS; i++)
        if (dimension_is_inner((enum dimension)i)) dims &= ~(1u << i);
    return dims;
}

/* Units of time to group by: all, or those that it is kept for. */
static uint32_t units_of(const struct metric *metric)
{
    if (!metric->dated) return 0;
    return metric->units ? metric->units : (1u << N_UNITS) - 1;
}

static void write_metric(const struct metric *metric, struct buffer *out)
{
    buffer_str(out, "{\"metric\":");
    text_write(span_of(metric->name), out);
    write_text("unit", metric->unit, out);
    write_text("shape", shape_name(metric->shape), out);
    write_text("formula", metric->formula, out);
    write_text("description", metric->about, out);
    write_text("number", metric->number, out);
    write_bits("by", shown_dims(metric->dims), dimension_names, N_DIMENSIONS, out);
    write_names("stats", stat_names, metric->shape == SHAPE_SPREAD ? N_STATS : 0, out);
    write_bits("units", units_of(metric), unit_names, N_UNITS, out);
    buffer_printf(out, ",\"by_custom\":%s,\"needs_range\":%s,\"per_unit\":%s}", yes_or_no(metric->customs),
                  yes_or_no(metric->needs_days), yes_or_no(metric->units));
}

static void write_section(const struct report_section *section, struct buffer *out)
{
    buffer_byte(out, '[');
    for (size_t i = 0; i < section->n_by; i++) write_item(section->by[i].name, out);
    buffer_byte(out, ']');
}

static void write_columns(const struct report *report, struct buffer *out)
{
    open_list("columns", out);
    for (size_t i = 0; i < report->n_columns; i++) write_item(report->columns[i].name, out);
    buffer_byte(out, ']');
}

static void write_report(const struct report *report, struct buffer *out)
{
    buffer_str(out, "{\"report\":");
    text_write(span_of(report->name), out);
    write_text("question", report->question, out);
    write_text("view", report->view, out);
    open_list("sections", out);
    for (size_t i = 0; i < report->n_sections; i++) {
        if (i) buffer_byte(out, ',');
        write_section(&report->sections[i], out);
    }
    buffer_byte(out, ']');
    write_columns(report, out);
    write_names("periods", report->periods, report->n_periods, out);
    write_bits("lists", report->lists, report_list_names, N_REPORT_LISTS, out);
    buffer_byte(out, '}');
}

static void write_fact(enum fact fact, const struct kept *kept, struct buffer *out)
{
    const struct fact_row *row = &fact_rows[fact];
    buffer_str(out, "{\"fact\":");
    text_write(span_of(row->name), out);
    buffer_printf(out, ",\"dated\":%s", yes_or_no(row->dating == DATED));
    open_list("measures", out);
    for (int i = 0; i < row->n_measures; i++)
        if (kept->fact[fact].measures >> i & 1) write_item(row->measures[i].name, out);
    buffer_byte(out, ']');
    open_list("by", out);
    for (int i = 0; i < row->n_dims; i++)
        if (kept->fact[fact].dims >> i & 1 && !dimension_is_inner((enum dimension)row->dims[i]))
            write_item(dimension_names[row->dims[i]], out);
    buffer_byte(out, ']');
    open_list("field", out);
    for (int i = 0; i < row->n_dims; i++) write_item(dimension_names[row->dims[i]], out);
    buffer_printf(out, "],\"by_custom\":%s}", yes_or_no(kept->fact[fact].customs));
}

/* Those that are kept. */
static void write_facts(const struct catalogue *catalogue, struct buffer *out)
{
    struct kept kept;
    bool first = true;
    catalogue_kept(catalogue, &kept);
    open_list("facts", out);
    for (int fact = 0; fact < N_FACTS; fact++) {
        if (!kept.fact[fact].on) continue;
        if (!first) buffer_byte(out, ',');
        write_fact((enum fact)fact, &kept, out);
        first = false;
    }
    buffer_byte(out, ']');
}

void catalogue_write_json(const struct catalogue *catalogue, struct buffer *out)
{
    buffer_printf(out, "{\"catalogue\":\"%016" PRIx64 "\",\"metrics\":[", catalogue->fingerprint);
    for (size_t i = 0; i < catalogue->n_metrics; i++) {
        if (i) buffer_byte(out, ',');
        write_metric(catalogue->metrics[i], out);
    }
    buffer_byte(out, ']');
    open_list("reports", out);
    for (size_t i = 0; i < catalogue->n_reports; i++) {
        if (i) buffer_byte(out, ',');
        write_report(&catalogue->reports[i], out);
    }
    buffer_byte(out, ']');
    write_facts(catalogue, out);
    write_bits("dimensions", shown_dims((1u << N_DIMENSIONS) - 1), dimension_names, N_DIMENSIONS, out);
    write_names("periods", period_names, SIZE_MAX, out);
    write_names("units", unit_names, N_UNITS, out);
    buffer_byte(out, '}');
}
