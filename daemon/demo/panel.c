#include "daemon/demo/panel.h"

#include "common/instant.h"
#include "daemon/demo/cast.h"
#include "daemon/demo/table.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    NAME_WIDTH = 15
};

/* "history: 12,000 events counted …", later "23,607 events counted, 20/s, lag 1". */
static int status_events(struct screen_page *page, int row, int column)
{
    const struct status *status = page->status;
    if (status->catching_up && !status->counted)
        return canvas_print(page->canvas, row, column, STYLE_BAR, "joining the consumer group …");
    if (status->catching_up)
        return canvas_print(page->canvas, row, column, STYLE_BAR, "history: %" PRIu64 " events counted …", status->counted);
    return canvas_print(page->canvas, row, column, STYLE_BAR, "%" PRIu64 " events counted, %.0f/s, lag %" PRIu64, status->counted,
                        status->events_per_s, status_lag(status));
}

int panel_status(struct screen_page *page, int row)
{
    const struct status *status = page->status;
    char time[16];
    canvas_fill(page->canvas, row, STYLE_BAR);
    int column = status_events(page, row, canvas_print(page->canvas, row, 1, STYLE_BAR, "crm-reportd demo   "));
    column = canvas_print(page->canvas, row, column, STYLE_BAR, "   %" PRIu64 " report versions", status->updates);
    if (status->latency_ms > 0 && !status->catching_up)
        column = canvas_print(page->canvas, row, column, STYLE_BAR, ", %.0f ms behind their commit", status->latency_ms);
    if (status->repeated)
        column = canvas_print(page->canvas, row, column, STYLE_BAR, "   %" PRIu64 " repeated ones ignored", status->repeated);
    snprintf(time, sizeof time, "%d:%02d ", status->running_s / 60, status->running_s % 60);
    if (column + 8 < page->canvas->columns) canvas_right(page->canvas, row, page->canvas->columns - 8, 8, STYLE_BAR, time);
    return row + 1;
}

static void three_head(struct screen_page *page, int row)
{
    int column = NAME_WIDTH;
    for (size_t i = 0; i < n_three_columns && column + three_width(i) <= page->canvas->columns; i++) {
        const struct three_column *at = &three_columns[i];
        if (at->group) canvas_print(page->canvas, row, column + 3, STYLE_BOLD, "%s", at->group);
        column = canvas_right(page->canvas, row + 1, column, three_width(i), STYLE_HEAD, at->title);
    }
}

/* The tenant with the time of its day, which is the one that counts. */
static void three_name(struct screen_page *page, int row, size_t tenant)
{
    const struct zone *zone = page->status->zones[tenant];
    int64_t second = page->status->now_us / MICROS_PER_SECOND + zone_offset(zone, page->status->now_us), minute = second / 60;
    enum style style = page->screen->choice.tenant == tenant ? STYLE_CHOSEN : STYLE_PLAIN;
    canvas_print(page->canvas, row, 0, style, " %-8s %02d:%02d ", cast[tenant].name, (int)(minute / 60 % 24), (int)(minute % 60));
}

static void three_row(struct screen_page *page, int row, size_t tenant)
{
    int column = NAME_WIDTH;
    three_name(page, row, tenant);
    for (size_t i = 0; i < n_three_columns && column + three_width(i) <= page->canvas->columns; i++) {
        char place[48];
        struct three_value value = three_value(page->wall, tenant, i);
        snprintf(place, sizeof place, "%zu/three/%zu", tenant, i);
        enum style style = flash(&page->screen->flashes, place, value.text, value.size, page->status->now_us);
        column = canvas_right(page->canvas, row, column, three_width(i), style, value.text);
    }
}

int panel_three(struct screen_page *page, int row)
{
    three_head(page, row);
    for (size_t i = 0; i < n_cast; i++) three_row(page, row + 2 + (int)i, i);
    return row + 2 + (int)n_cast;
}

/* Where the tabs have to begin so that the chosen one is to be seen. */
static size_t first_tab(const struct screen_page *page)
{
    const struct catalogue *catalogue = page->wall->catalogue;
    size_t chosen = page->screen->choice.report, first = chosen;
    int room = page->canvas->columns - 8;
    while (first < catalogue->n_reports && room > 0) {
        room -= text_columns(catalogue->reports[first].name) + 6;
        if (room > 0 && first == 0) return 0;
        if (room > 0) first--;
    }
    return first + 1 > chosen ? chosen : first + 1;
}

int panel_tabs(struct screen_page *page, int row)
{
    const struct catalogue *catalogue = page->wall->catalogue;
    size_t first = first_tab(page);
    int column = canvas_print(page->canvas, row, 0, STYLE_DIM, first ? "‹" : " ");
    for (size_t i = first; i < catalogue->n_reports; i++) {
        const char *name = catalogue->reports[i].name;
        if (column + text_columns(name) + 6 > page->canvas->columns) {
            canvas_print(page->canvas, row, column, STYLE_DIM, " ›");
            break;
        }
        char number[4] = "";
        if (i < 9) snprintf(number, sizeof number, "%zu ", i + 1);
        column = canvas_print(page->canvas, row, column, i == page->screen->choice.report ? STYLE_CHOSEN : STYLE_PLAIN, " %s%s ",
                              number, name);
    }
    return row + 1;
}

static void report_title(struct screen_page *page, int row, const struct snapshot *snapshot, const json_t *section,
                         const json_t *period)
{
    const struct report *report = &page->wall->catalogue->reports[page->screen->choice.report];
    const char *from = json_string_value(json_object_get(period, "from")), *to = json_string_value(json_object_get(period, "to"));
    char as_of[INSTANT_TEXT_BYTES];
    instant_format(snapshot->as_of_us, as_of);
    int column = canvas_print(page->canvas, row, 1, STYLE_BOLD, "%s: %s?", cast[page->screen->choice.tenant].name,
                              report->question ? report->question : report->name);
    column = canvas_print(page->canvas, row, column + 2, STYLE_PLAIN, "by %s, %s", section_dimension(section),
                          json_string_value(json_object_get(period, "name")));
    if (from && to) column = canvas_print(page->canvas, row, column, STYLE_DIM, " %s…%s", from, to);
    column =
        canvas_print(page->canvas, row, column + 2, STYLE_DIM, "version %" PRId64 " of %.12s UTC", snapshot->version, as_of + 11);
    if (page->screen->choice.frozen) canvas_print(page->canvas, row, column + 2, STYLE_NOTE, "held: space goes on");
}

int panel_report(struct screen_page *page, int row, int rows)
{
    struct choice *choice = &page->screen->choice;
    const struct report *report = &page->wall->catalogue->reports[choice->report];
    const struct snapshot *snapshot = wall_report_at(page->wall, choice->tenant, choice->report);
    const json_t *section = snapshot_section(snapshot, choice->section);
    const json_t *period = section ? snapshot_period(section, report->periods[choice->period]) : NULL;
    struct table table;
    char place[120];
    if (!period) {
        canvas_print(page->canvas, row, 1, STYLE_DIM, "no report yet");
        return row + 1;
    }
    report_title(page, row, snapshot, section, period);
    table_init(&table, section, period);
    if (choice->first_row + 3 > table.n_rows) choice->first_row = table.n_rows > 3 ? table.n_rows - 3 : 0;
    if (choice->first_column + 2 > table.n_columns) choice->first_column = table.n_columns > 2 ? table.n_columns - 2 : 0;
    snprintf(place, sizeof place, "%zu/%zu/%zu/%zu", choice->tenant, choice->report, choice->section, choice->period);
    struct table_view view = { &table, place, choice->first_row, choice->first_column };
    row = panel_table(page->canvas, &view, &page->screen->flashes, page->status->now_us, row + 1, rows - 1);
    table_deinit(&table);
    return row;
}
