/* The catalogue as JSON: what can be asked for, and by what. And /healthz, which only says that somebody answers. */
#include "daemon/http/routes.h"
#include "daemon/report/text.h"

#include <inttypes.h>
#include <stdio.h>

static void write_text(const char *key, const char *text, struct buffer *out)
{
    if (!text) return;
    buffer_printf(out, ",\"%s\":", key);
    text_write(span_of(text), out);
}

/* Opens a list; the items follow with write_item. */
static void open_list(const char *key, struct buffer *out)
{
    buffer_printf(out, ",\"%s\":[", key);
}

static void write_item(const char *name, struct buffer *out)
{
    if (out->at[out->len - 1] != '[') buffer_byte(out, ',');
    text_write(span_of(name), out);
}

static void write_names(const char *key, const char *const *names, size_t n, struct buffer *out)
{
    open_list(key, out);
    for (size_t i = 0; i < n && names[i]; i++) write_item(names[i], out);
    buffer_byte(out, ']');
}

static const char *shape_name(enum shape shape)
{
    static const char *const names[] = { "number", "money", "ratios", "distribution" };
    return names[shape];
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
    open_list("by", out);
    for (int dim = 0; dim < N_DIMENSIONS; dim++)
        if (metric->dims >> dim & 1) write_item(dimension_names[dim], out);
    buffer_byte(out, ']');
    open_list("stats", out);
    for (int stat = 0; metric->shape == SHAPE_SPREAD && stat < N_STATS; stat++) write_item(stat_names[stat], out);
    buffer_byte(out, ']');
    open_list("units", out);
    for (int unit = 0; unit < N_UNITS; unit++)
        if (metric->dated && (!metric->units || metric->units >> unit & 1)) write_item(unit_names[unit], out);
    buffer_printf(out, "],\"by_custom\":%s,\"needs_range\":%s}", metric->customs ? "true" : "false",
                  metric->needs_days ? "true" : "false");
}

static void write_section(const struct report_section *section, struct buffer *out)
{
    buffer_byte(out, '[');
    for (size_t i = 0; i < section->n_by; i++) write_item(section->by[i].name, out);
    buffer_byte(out, ']');
}

static void write_report(const struct report *report, struct buffer *out)
{
    buffer_str(out, "{\"report\":");
    text_write(span_of(report->name), out);
    write_text("question", report->question, out);
    write_text("view", report->view, out);
    buffer_str(out, ",\"sections\":[");
    for (size_t i = 0; i < report->n_sections; i++) {
        if (i) buffer_byte(out, ',');
        write_section(&report->sections[i], out);
    }
    buffer_str(out, "],\"columns\":[");
    for (size_t i = 0; i < report->n_columns; i++) write_item(report->columns[i].name, out);
    buffer_byte(out, ']');
    write_names("periods", report->periods, report->n_periods, out);
    buffer_byte(out, '}');
}

void answer_catalogue(const struct answering *with, struct exchange *exchange)
{
    const struct catalogue *catalogue = with->engine->catalogue;
    snprintf(exchange->answer.etag, ETAG_BYTES, "\"%016" PRIx64 "\"", catalogue->fingerprint);
    struct buffer *out = answer_with(exchange, type_json);
    if (exchange_matches(exchange, exchange->answer.etag)) {
        exchange->answer.status = 304;
        return;
    }
    buffer_printf(out, "{\"catalogue\":\"%016" PRIx64 "\",\"metrics\":[", catalogue->fingerprint);
    for (size_t i = 0; i < catalogue->n_metrics; i++) {
        if (i) buffer_byte(out, ',');
        write_metric(catalogue->metrics[i], out);
    }
    buffer_str(out, "],\"reports\":[");
    for (size_t i = 0; i < catalogue->n_reports; i++) {
        if (i) buffer_byte(out, ',');
        write_report(&catalogue->reports[i], out);
    }
    buffer_byte(out, ']');
    write_names("periods", period_names, SIZE_MAX, out);
    write_names("units", unit_names, N_UNITS, out);
    buffer_byte(out, '}');
}

void answer_healthz(const struct answering *with, struct exchange *exchange)
{
    (void)with;
    buffer_str(answer_with(exchange, "text/plain; charset=utf-8"), "ok\n");
}
