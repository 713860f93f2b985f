/* The lower part of the page: what was of note and what it changed, the newest events, how to look inside. */
#include "common/instant.h"
#include "daemon/demo/panel.h"

#include <stdio.h>
#include <time.h>

enum {
    MARK_WIDTH = 13,
    HEADLINE_WIDTH = 58,
    BOTH_COLUMNS = 128 /* wide enough for what happened before what it did */
};

static int draw_time(struct screen_page *page, int row, int64_t at_us)
{
    time_t seconds = (time_t)(at_us / MICROS_PER_SECOND);
    struct tm local;
    localtime_r(&seconds, &local);
    return canvas_print(page->canvas, row, 1, STYLE_DIM, "%02d:%02d:%02d ", local.tm_hour, local.tm_min, local.tm_sec);
}

static void draw_note(struct screen_page *page, int row, const struct note *note)
{
    char effect[NOTE_TEXT_BYTES];
    const struct news_item *item = &note->item;
    note_effect(note, effect);
    enum style style = note->state != NOTE_MOVED ? STYLE_PLAIN : note->to_size < note->from_size ? STYLE_DOWN : STYLE_UP;
    int column = draw_time(page, row, item->sent_us);
    column = canvas_print(page->canvas, row, column, STYLE_PLAIN, "%-8s ", item->tenant);
    column = canvas_print(page->canvas, row, column, STYLE_NOTE, "%-*s ", MARK_WIDTH, feed_mark_names[item->mark]);
    if (page->canvas->columns >= BOTH_COLUMNS) {
        column = canvas_print(page->canvas, row, column, STYLE_PLAIN, "%-*s ", HEADLINE_WIDTH, item->headline);
        canvas_print(page->canvas, row, column, style, "%s", effect);
    } else {
        column = canvas_print(page->canvas, row, column, style, "%s  ", effect);
        canvas_print(page->canvas, row, column, STYLE_DIM, "%s", item->headline);
    }
}

int panel_notes(struct screen_page *page, int row, int rows)
{
    struct note *note;
    int end = row + rows;
    canvas_print(page->canvas, row++, 1, STYLE_HEAD, "what goes wrong in every CRM, and what it does to the numbers");
    for (size_t age = 0; row < end && (note = notes_newest(page->notes, age)); age++) draw_note(page, row++, note);
    return end;
}

int panel_newest(struct screen_page *page, int row, int rows)
{
    const struct screen *screen = page->screen;
    int end = row + rows;
    canvas_print(page->canvas, row++, 1, STYLE_HEAD, "the newest events");
    for (size_t age = 1; row < end && age <= screen->n_newest && age <= NEWEST_MAX; age++) {
        const struct news_item *item = &screen->newest[(screen->n_newest - age) % NEWEST_MAX];
        int column = draw_time(page, row, item->sent_us);
        canvas_print(page->canvas, row++, column, STYLE_PLAIN, "%-8s %s", item->tenant, item->headline);
    }
    return end;
}

int panel_inside(struct screen_page *page, int row, int rows)
{
    int end = row + rows;
    for (size_t i = 0; row < end && page->screen->inside[i]; i++)
        canvas_print(page->canvas, row++, 1, i ? STYLE_PLAIN : STYLE_HEAD, "%s", page->screen->inside[i]);
    return end;
}
