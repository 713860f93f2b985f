/* A report as JSON, out of its tallies: sections, periods, totals and rows. */
#include "common/instant.h"
#include "daemon/report/board_state.h"
#include "daemon/report/text.h"

#include <stdlib.h>

/* One period of one section being rendered. */
struct rendering {
    struct board *board;
    struct board_report *of;
    struct rendered *out;
    const struct rendered *old; /* the newest there is; NULL */
    struct arena *scratch;      /* of the period at hand */
    struct buffer text;         /* of the value at hand */
    const struct board_period *period;
    const struct report_section *section; /* NULL: totals */
    const struct tally *tally;
    struct figure whole; /* the first column's total: what shares are of */
    struct shown_row *rows;
    size_t n_rows, room, max_rows;
    struct sum *other; /* the rows that are not shown, added up */
};

struct shown_row {
    const uint32_t *key;
    struct figure first; /* of the first column: rows are sorted by it */
    const struct span *values;
};

/* How a share is written. */
static const struct metric share_of_number = { .shape = SHAPE_NUMBER }, share_of_money = { .shape = SHAPE_RATIOS };

static struct figure column_figure(const struct rendering *at, size_t column, const struct tally_row *row)
{
    size_t metric = at->of->metric_of_column[column];
    struct evaluation evaluation = board_evaluation(at->board, at->scratch);
    evaluation.metric = at->of->metrics[metric];
    evaluation.sums = row->sums;
    evaluation.slots = tally_slots(at->tally, metric);
    evaluation.period = row->period;
    if (row->key) evaluation.goal = goal_of_row(at->section->by, at->section->n_by, row->key);
    return evaluate(&evaluation, at->of->report->columns[column].stat);
}

static struct span value_text(struct rendering *at, const struct metric *metric, const struct figure *figure)
{
    buffer_clear(&at->text);
    figure_write(metric, figure, at->board->names, &at->text);
    return arena_copy(at->scratch, buffer_all(&at->text));
}

/* The values of all columns; `*first` becomes the figure of the first (without a value where the tally lacks it). */
static const struct span *render_values(struct rendering *at, const struct tally_row *row, const struct figure *whole,
                                        struct figure *first)
{
    const struct report *report = at->of->report;
    struct span *values = arena_alloc(at->scratch, report->n_columns * sizeof *values);
    *first = (struct figure){ 0 };
    for (size_t c = 0; c < report->n_columns; c++) {
        const struct metric *metric = report->columns[c].metric;
        values[c] = SPAN("null");
        if (metric && tally_shows(at->tally, at->of->metric_of_column[c])) {
            struct figure figure = column_figure(at, c, row);
            values[c] = value_text(at, metric, &figure);
            if (!c) *first = figure;
        } else if (!metric) {
            struct figure share = figure_share(first, whole ? whole : first, at->scratch);
            bool money = report->columns[0].metric->shape == SHAPE_MONEY;
            values[c] = value_text(at, money ? &share_of_money : &share_of_number, &share);
        }
    }
    return values;
}

static void put_line(struct rendering *at, enum line_type type, struct piece key)
{
    uint32_t section = (uint32_t)(at->section - at->of->report->sections), period = (uint32_t)(at->period - at->of->periods);
    rendered_line(at->out, &(struct line){ type, section, period, key, at->out->n_pieces });
}

static void write_values(struct rendering *at, const struct span *values)
{
    const struct report *report = at->of->report;
    struct buffer *out = &at->out->sections;
    for (size_t c = 0; c < report->n_columns; c++) {
        buffer_str(out, c ? ",\"" : "\"");
        buffer_str(out, report->columns[c].name); /* letters, digits, _ and a point: nothing to escape */
        buffer_str(out, "\":");
        size_t start = out->len;
        buffer_span(out, values[c]);
        rendered_piece(at->out, start);
    }
}

/* "total" or "previous": the one row of a tally without groupings. */
static void render_total(struct rendering *at, enum line_type type, const struct tally *tally, struct period period,
                         struct figure *first)
{
    at->tally = tally;
    const struct span *values = render_values(at, &(struct tally_row){ NULL, tally_only_row(tally), period }, NULL, first);
    put_line(at, type, (struct piece){ 0 });
    buffer_byte(&at->out->sections, '{');
    write_values(at, values);
    buffer_byte(&at->out->sections, '}');
}

static void take_row(void *context, const struct tally_row *row)
{
    struct rendering *at = context;
    size_t bytes = at->section->n_by * sizeof(uint32_t);
    uint32_t *key = arena_alloc(at->scratch, bytes);
    memcpy(key, row->key, bytes);
    struct shown_row shown = { .key = key };
    shown.values = render_values(at, row, &at->whole, &shown.first);
    if (at->n_rows == at->room) {
        at->room = at->room ? 2 * at->room : 64;
        at->rows = must_realloc(at->rows, at->room * sizeof *at->rows);
    }
    at->rows[at->n_rows++] = shown;
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct rendering *at = context;
    const struct shown_row *left = a, *right = b;
    const struct rules *rules = at->board->rules;
    const struct metric *metric = at->of->report->columns[0].metric;
    int c = figure_compare(metric, &right->first, &left->first, span_of(rules->currency), at->board->names);
    for (size_t i = 0; !c && i < at->section->n_by; i++)
        c = grouping_compare(&at->section->by[i], at->board->names, left->key[i], right->key[i]);
    return c;
}

static bool is_shown(const struct rendering *at, const uint32_t *key)
{
    for (size_t i = 0; i < at->n_rows; i++)
        if (!memcmp(at->rows[i].key, key, at->section->n_by * sizeof *key)) return true;
    return false;
}

static void take_other(void *context, const struct tally_row *row)
{
    struct rendering *at = context;
    if (is_shown(at, row->key)) return;
    for (size_t i = 0; i < tally_n_sums(at->tally); i++) sum_add(&at->other[i], &row->sums[i]);
}

static void render_row(struct rendering *at, const uint32_t *key, const struct span *values)
{
    struct buffer *out = &at->out->sections;
    buffer_byte(out, '{');
    size_t start = out->len;
    for (size_t i = 0; i < at->section->n_by; i++) {
        const struct grouping *by = &at->section->by[i];
        if (i) buffer_byte(out, ',');
        text_write(span_of(by->name), out);
        buffer_byte(out, ':');
        if (key)
            grouping_write(by, at->board->rules, at->board->names, key[i], out);
        else
            buffer_str(out, "\"(other)\"");
    }
    put_line(at, LINE_ROW, (struct piece){ (uint32_t)start, (uint32_t)(out->len - start) });
    buffer_byte(out, ',');
    write_values(at, values);
    buffer_byte(out, '}');
}

/* All rows beyond the limit, as one: what adds up still does, and ratios are those of all of them together. */
static void render_other(struct rendering *at)
{
    struct figure first;
    size_t n = tally_n_sums(at->tally);
    at->n_rows = at->max_rows;
    at->other = arena_zalloc(at->scratch, n * sizeof *at->other);
    tally_rows(at->tally, take_other, at);
    buffer_byte(&at->out->sections, ',');
    struct tally_row row = { NULL, at->other, at->period->now };
    render_row(at, NULL, render_values(at, &row, &at->whole, &first));
    for (size_t i = 0; i < n; i++) sum_deinit(&at->other[i]);
}

static void render_rows(struct rendering *at)
{
    tally_rows(at->tally, take_row, at);
    size_t n = at->n_rows < at->max_rows ? at->n_rows : at->max_rows;
    bool more = at->n_rows > n;
    if (at->n_rows) qsort_r(at->rows, at->n_rows, sizeof *at->rows, compare_rows, at);
    buffer_str(&at->out->sections, ",\"rows\":[");
    for (size_t i = 0; i < n; i++) {
        if (i) buffer_byte(&at->out->sections, ',');
        render_row(at, at->rows[i].key, at->rows[i].values);
    }
    if (more) render_other(at);
    buffer_byte(&at->out->sections, ']');
    free(at->rows);
    at->rows = NULL;
    at->n_rows = at->room = 0;
}

static void write_dates(const struct board *board, struct period period, struct buffer *out)
{
    char from[DAY_TEXT_BYTES], to[DAY_TEXT_BYTES];
    if (period.from == PERIOD_BEGIN) return buffer_str(out, ",\"from\":null,\"to\":null,\"complete\":false");
    day_format(period.from, from);
    day_format(period.to, to);
    buffer_printf(out, ",\"from\":\"%s\",\"to\":\"%s\",\"complete\":%s", from, to, period.to < board->today ? "true" : "false");
}

static void render_period(struct rendering *at)
{
    struct buffer *out = &at->out->sections;
    struct figure before;
    size_t section = (size_t)(at->section - at->of->report->sections);
    buffer_str(out, "{\"name\":");
    text_write(span_of(at->period->name), out);
    write_dates(at->board, at->period->now, out);
    buffer_str(out, ",\"total\":");
    render_total(at, LINE_TOTAL, at->period->total, at->period->now, &at->whole);
    buffer_str(out, ",\"previous\":");
    if (at->period->previous)
        render_total(at, LINE_PREVIOUS, at->period->previous, at->period->before, &before);
    else
        buffer_str(out, "null");
    at->tally = at->period->sections[section];
    render_rows(at);
    buffer_byte(out, '}');
}

static void write_columns(const struct report *report, const struct report_section *section, struct buffer *out)
{
    for (size_t i = 0; i < section->n_by; i++) {
        buffer_str(out, i ? ",{\"name\":" : "{\"name\":");
        text_write(span_of(section->by[i].name), out);
        buffer_str(out, ",\"role\":\"dimension\"}");
    }
    for (size_t c = 0; c < report->n_columns; c++) {
        buffer_str(out, ",{\"name\":");
        text_write(span_of(report->columns[c].name), out);
        buffer_str(out, ",\"role\":\"metric\",\"unit\":");
        text_write(span_of(report->columns[c].unit), out);
        buffer_byte(out, '}');
    }
}

/* A period that nothing came to is as it was. */
static void render_segment(struct rendering *at, size_t segment)
{
    bool holds = at->old && at->old->max_rows == at->max_rows && !at->of->all_touched && !at->period->touched;
    if (holds) return rendered_copy(at->out, at->old, segment);
    rendered_begin(at->out, &at->out->segments[segment]);
    render_period(at);
    rendered_end(at->out, &at->out->segments[segment]);
    arena_reset(at->scratch);
}

static void render_section(struct rendering *at)
{
    struct buffer *out = &at->out->sections;
    buffer_str(out, "{\"by\":[");
    for (size_t i = 0; i < at->section->n_by; i++) {
        if (i) buffer_byte(out, ',');
        text_write(span_of(at->section->by[i].name), out);
    }
    buffer_str(out, "],\"columns\":[");
    write_columns(at->of->report, at->section, out);
    buffer_str(out, "],\"periods\":[");
    for (size_t p = 0; p < at->of->report->n_periods; p++) {
        if (p) buffer_byte(out, ',');
        at->period = &at->of->periods[p];
        render_segment(at, (size_t)(at->section - at->of->report->sections) * at->of->report->n_periods + p);
    }
    buffer_str(out, "]}");
}

/* Single entities, behind the sections. */
static void render_lists(struct rendering *at)
{
    const struct board *board = at->board;
    const struct report *report = at->of->report;
    struct buffer *out = &at->out->sections;
    struct evaluation evaluation = board_evaluation(board, at->scratch);
    if (report->lists >> SHOWS_OPEN_DEALS & 1) {
        buffer_str(out, ",\"open_deals\":");
        lists_write_open_deals(&board->lists, report->weight, &evaluation, board->names, span_of(board->rules->currency), out);
    }
    if (report->lists >> SHOWS_OFFENDERS & 1) {
        buffer_str(out, ",\"offenders\":");
        lists_write_offenders(&board->lists, board->lists_kept, out);
    }
}

static struct rendered *render(struct board *board, struct board_report *of, size_t max_rows)
{
    struct rendered *out = must_zalloc(sizeof *out);
    out->max_rows = max_rows;
    out->segments = must_zalloc((of->report->n_sections * of->report->n_periods + 1) * sizeof *out->segments);
    struct arena scratch = { 0 };
    struct rendering at = { .board = board, .of = of, .out = out, .scratch = &scratch, .max_rows = max_rows };
    at.old = of->pending ? of->pending : of->sent;
    buffer_byte(&out->sections, '[');
    for (size_t s = 0; s < of->report->n_sections; s++) {
        if (s) buffer_byte(&out->sections, ',');
        at.section = &of->report->sections[s];
        render_section(&at);
    }
    buffer_byte(&out->sections, ']');
    render_lists(&at);
    buffer_deinit(&at.text);
    arena_deinit(&scratch);
    return out;
}

/* As many rows as the limits allow. */
static struct rendered *render_within(struct board *board, struct board_report *of, const struct board_limits *limits)
{
    for (size_t max_rows = limits->max_rows;; max_rows /= 2) {
        struct rendered *rendered = render(board, of, max_rows);
        if (!limits->max_bytes || rendered->sections.len <= limits->max_bytes || !max_rows) return rendered;
        rendered_destroy(rendered);
    }
}

void board_render(struct board *board, size_t report, const struct board_limits *limits, struct board_document *document)
{
    struct board_report *of = &board->reports[report];
    struct rendered *now = render_within(board, of, limits);
    rendered_destroy(of->pending);
    of->pending = now;
    of->touched = of->all_touched = false;
    for (size_t p = 0; p < of->report->n_periods; p++) of->periods[p].touched = false;
    bool same = of->sent && span_equal(buffer_all(&of->sent->sections), buffer_all(&now->sections));
    if (same)
        buffer_str(&now->changes, "[]");
    else if (of->sent)
        render_changes(of->report, of->sent, now);
    *document = (struct board_document){
        .sections = buffer_all(&now->sections),
        .changed = !same,
        .has_changes = of->sent != NULL,
        .changes = buffer_all(&now->changes),
        .truncated = now->truncated,
    };
}

void board_sent(struct board *board, size_t report)
{
    struct board_report *of = &board->reports[report];
    if (!of->pending) return;
    rendered_destroy(of->sent);
    of->sent = of->pending;
    of->pending = NULL;
    buffer_deinit(&of->sent->changes);
}
