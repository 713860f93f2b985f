#include "daemon/demo/plain.h"

#include "common/instant.h"
#include "daemon/demo/cast.h"
#include "daemon/demo/choice.h"
#include "daemon/demo/panel.h"
#include "daemon/demo/table.h"
#include "daemon/demo/three.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    LINE_EVERY_MS = 1000,
    TABLE_COLUMNS = 160,
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

static void describe(struct wall *wall, size_t tenant, struct buffer *line)
{
    for (size_t i = 0; i < n_three_columns; i++) {
        const struct three_column *column = &three_columns[i];
        struct three_value value = three_value(wall, tenant, i);
        if (column->group) buffer_printf(line, "%s%s:", i ? "; " : "", column->place.metric);
        buffer_printf(line, " %s %s%s", column->title, value.text, i + 1 < n_three_columns && !column[1].group ? "," : "");
    }
    buffer_byte(line, 0);
}

static void write_tenant(struct plain *plain, const struct status *status, struct wall *wall, size_t tenant)
{
    struct buffer line = { 0 };
    char time[INSTANT_TEXT_BYTES];
    describe(wall, tenant, &line);
    char *last = plain->lines[tenant];
    if (strncmp(last, line.at, sizeof plain->lines[0] - 1) != 0) {
        snprintf(last, sizeof plain->lines[0], "%s", line.at);
        printf("%s %-8s %s\n", clock_text(status->now_us, time), cast[tenant].name, line.at);
    }
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
        for (size_t tenant = 0; tenant < n_cast; tenant++) write_tenant(plain, status, wall, tenant);
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
    table_init(&table, section, period);
    int rows = table.head_lines + (int)(table.n_rows < TABLE_ROWS_MAX ? table.n_rows : TABLE_ROWS_MAX);
    struct table_view view = { .table = &table, .place = "" };
    canvas_resize(&canvas, rows, TABLE_COLUMNS);
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
