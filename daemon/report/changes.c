/* What changed between two renderings of a report: cell by cell, up to a thousand. */
#include "daemon/report/board_state.h"
#include "daemon/report/text.h"

enum {
    CHANGES_MAX = 1000
};

/* Two renderings being compared. */
struct comparing {
    const struct report *report;
    struct buffer *out;
    struct arena arena;
    const struct rendered *before, *now;
    struct map lines; /* of before: place and key -> struct line */
    size_t n;
    bool truncated;
};

/* What says that two lines are the same row. */
static struct span place_of(struct comparing *comparing, const struct rendered *of, const struct line *line)
{
    struct span key = piece_text(of, line->key);
    struct buffer place = buffer_in(&comparing->arena, sizeof line->section + sizeof line->period + key.len);
    buffer_put(&place, &line->section, sizeof line->section);
    buffer_put(&place, &line->period, sizeof line->period);
    buffer_span(&place, key);
    return buffer_all(&place);
}

static void put_change(struct comparing *comparing, const struct line *line, struct span key, size_t column, struct span from,
                       struct span to)
{
    struct buffer *out = comparing->out;
    if (comparing->n == CHANGES_MAX) {
        comparing->truncated = true;
        return;
    }
    if (comparing->n++) buffer_byte(out, ',');
    buffer_str(out, "{\"section\":");
    buffer_decimal(out, line->section);
    buffer_str(out, ",\"period\":");
    text_write(span_of(comparing->report->periods[line->period]), out);
    buffer_str(out, ",\"row\":{");
    buffer_span(out, key);
    buffer_str(out, "},\"metric\":\"");
    buffer_str(out, comparing->report->columns[column].name);
    buffer_str(out, "\",\"from\":");
    buffer_span(out, from);
    buffer_str(out, ",\"to\":");
    buffer_span(out, to);
    buffer_byte(out, '}');
}

static struct span value_of(const struct rendered *of, const struct line *line, size_t column)
{
    return line ? piece_text(of, of->pieces[line->values + column]) : SPAN("null");
}

/* Either line may be NULL: the row is new, or gone. */
static void compare_lines(struct comparing *comparing, const struct line *before, const struct line *now)
{
    struct span key = now ? piece_text(comparing->now, now->key) : piece_text(comparing->before, before->key);
    for (size_t c = 0; c < comparing->report->n_columns; c++) {
        struct span from = value_of(comparing->before, before, c), to = value_of(comparing->now, now, c);
        if (!span_equal(from, to)) put_change(comparing, now ? now : before, key, c, from, to);
    }
}

/* Lines of now against those of before; what is left of before is gone. */
static void compare_all(struct comparing *comparing)
{
    const struct rendered *before = comparing->before, *now = comparing->now;
    for (size_t i = 0; i < before->n_lines; i++)
        if (before->lines[i].type != LINE_PREVIOUS)
            map_put(&comparing->lines, place_of(comparing, before, &before->lines[i]), &before->lines[i]);
    for (size_t i = 0; i < now->n_lines; i++)
        if (now->lines[i].type != LINE_PREVIOUS)
            compare_lines(comparing, map_remove(&comparing->lines, place_of(comparing, now, &now->lines[i])), &now->lines[i]);
    for (size_t i = 0; comparing->lines.count && i < before->n_lines; i++)
        if (before->lines[i].type != LINE_PREVIOUS && map_get(&comparing->lines, place_of(comparing, before, &before->lines[i])))
            compare_lines(comparing, &before->lines[i], NULL);
}

void render_changes(const struct report *report, const struct rendered *before, struct rendered *now)
{
    struct comparing comparing = { .report = report, .out = &now->changes, .before = before, .now = now };
    buffer_byte(&now->changes, '[');
    compare_all(&comparing);
    buffer_byte(&now->changes, ']');
    now->truncated = comparing.truncated;
    map_deinit(&comparing.lines);
    arena_deinit(&comparing.arena);
}
