#include "daemon/demo/plain.h"

#include "common/instant.h"
#include "daemon/demo/cast.h"
#include "daemon/demo/choice.h"
#include "daemon/demo/panel.h"
#include "daemon/demo/table.h"
#include "daemon/demo/terminal.h"
#include "daemon/demo/three.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
    LINE_EVERY_MS = 1000,
    TABLE_COLUMNS = 500, /* of a file or a pipe */
    TABLE_ROWS_MAX = 60
};

static const char *clock_text(int64_t at_us, char text[INSTANT_TEXT_BYTES])
{
    instant_format(at_us, text);
    text[19] = 0;
    return text + 11;
}

static void write_note(struct note *note)
{
    char effect[NOTE_TEXT_BYTES], time[INSTANT_TEXT_BYTES];
    if (note->told || note->state == NOTE_WAITS) return;
    note->told = true;
    note_effect(note, effect);
    printf("%s %-8s %s: %s; %s\n", clock_text(note->item.sent_us, time), note->item.tenant, feed_mark_names[note->item.mark],
           note->item.headline, effect);
}

/* "; conversion_rate month 9.2 % → 9.1 %, web 6.0 % → 5.8 %" */
static void write_changes(struct plain *plain, struct wall *wall, size_t tenant, struct buffer *line)
{
    const char *group = NULL, *told = NULL;
    for (size_t i = 0; i < n_three_columns && i < PLAIN_NUMBERS_MAX; i++) {
        char *last = plain->numbers[tenant][i];
        struct three_value value = three_value(wall, tenant, i);
        if (three_columns[i].group) group = three_columns[i].place.metric;
        if (!strcmp(last, value.text)) continue;
        buffer_str(line, !told ? " " : told == group ? "," : ";");
        if (told != group) buffer_printf(line, "%s%s", told ? " " : "", group);
        told = group;
        buffer_printf(line, " %s %s%s%s", three_columns[i].title, last, *last ? " → " : "", value.text);
        snprintf(last, NUMBER_TEXT_BYTES, "%s", value.text);
    }
}

static void write_tenant(struct plain *plain, const struct status *status, struct wall *wall, size_t tenant)
{
    struct buffer line = { 0 };
    char time[INSTANT_TEXT_BYTES];
    write_changes(plain, wall, tenant, &line);
    if (line.len) printf("%s %-8s%.*s\n", clock_text(status->now_us, time), cast[tenant].name, SPAN_ARG(buffer_all(&line)));
    buffer_deinit(&line);
}

void plain_update(struct plain *plain, const struct status *status, struct wall *wall, struct notes *notes)
{
    char time[INSTANT_TEXT_BYTES];
    for (size_t age = NOTES_MAX; age-- > 0;) {
        struct note *note = notes_newest(notes, age);
        if (note) write_note(note);
    }
    if (status->now_us - plain->line_us >= LINE_EVERY_MS * MICROS_PER_MS) {
        plain->line_us = status->now_us;
        for (size_t tenant = 0; tenant < n_cast && tenant < PLAIN_TENANTS_MAX; tenant++)
            write_tenant(plain, status, wall, tenant);
        printf("%s %" PRIu64 " events counted, %.0f/s, lag %" PRIu64 ", %" PRIu64 " report versions\n",
               clock_text(status->now_us, time), status->counted, status->events_per_s, status_lag(status), status->updates);
    }
    fflush(stdout);
}

static void write_table(const json_t *section, const json_t *period)
{
    struct canvas canvas = { 0 };
    struct buffer text = { 0 };
    struct table table;
    int columns = TABLE_COLUMNS, rows;
    if (isatty(STDOUT_FILENO)) terminal_size(&rows, &columns);
    table_init(&table, section, period);
    rows = table.head_lines + (int)(table.n_rows < TABLE_ROWS_MAX ? table.n_rows : TABLE_ROWS_MAX);
    struct table_view view = { .table = &table, .place = "" };
    canvas_resize(&canvas, rows, columns);
    panel_table(&canvas, &view, NULL, 0, 0, rows);
    canvas_text(&canvas, &text);
    fwrite(text.at, 1, text.len, stdout);
    buffer_deinit(&text);
    table_deinit(&table);
    canvas_deinit(&canvas);
}

static void write_report(struct wall *wall, size_t tenant, size_t number)
{
    const struct report *report = &wall->catalogue->reports[number];
    struct choice choice;
    choice_init_for(&choice, wall->catalogue, number);
    const struct snapshot *snapshot = wall_report_at(wall, tenant, number);
    const json_t *section = snapshot_section(snapshot, 0);
    const json_t *period = section ? snapshot_period(section, report->periods[choice.period]) : NULL;
    printf("\n%s %s: %s?  %s, version %" PRId64 "\n", cast[tenant].name, report->name, report->question ? report->question : "",
           report->periods[choice.period], snapshot->version);
    if (period)
        write_table(section, period);
    else
        printf("  no report\n");
}

void plain_reports(struct wall *wall)
{
    for (size_t tenant = 0; tenant < n_cast; tenant++)
        for (size_t report = 0; report < wall->catalogue->n_reports; report++) write_report(wall, tenant, report);
}
