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
    struct map before; /* place and key -> struct line */
    size_t n;
    bool truncated;
};

/* What says that two lines are the same row. */
static struct span place_of(struct comparing *comparing, const struct line *line)
{
    struct buffer text = { 0 };
    buffer_printf(&text, "%zu %zu ", line->section, line->period);
    buffer_span(&text, line->key);
    struct span copy = arena_copy(&comparing->arena, buffer_all(&text));
    buffer_deinit(&text);
    return copy;
}

static void put_change(struct comparing *comparing, const struct line *line, size_t column, struct span from, struct span to)
{
    struct buffer *out = comparing->out;
    if (comparing->n == CHANGES_MAX) {
        comparing->truncated = true;
        return;
    }
    buffer_printf(out, "%s{\"section\":%zu,\"period\":", comparing->n++ ? "," : "", line->section);
    text_write(span_of(comparing->report->periods[line->period]), out);
    buffer_str(out, ",\"row\":{");
    buffer_span(out, line->key);
    buffer_str(out, "},\"metric\":");
    text_write(span_of(comparing->report->columns[column].name), out);
    buffer_str(out, ",\"from\":");
    buffer_span(out, from);
    buffer_str(out, ",\"to\":");
    buffer_span(out, to);
    buffer_byte(out, '}');
}

/* Either line may be NULL: the row is new, or gone. */
static void compare_lines(struct comparing *comparing, const struct line *before, const struct line *now)
{
    const struct span none = SPAN("null");
    for (size_t c = 0; c < comparing->report->n_columns; c++) {
        struct span from = before ? before->values[c] : none, to = now ? now->values[c] : none;
        if (!span_equal(from, to)) put_change(comparing, now ? now : before, c, from, to);
    }
}

void render_changes(const struct report *report, const struct rendered *before, struct rendered *now)
{
    struct comparing comparing = { .report = report, .out = &now->changes };
    for (size_t i = 0; i < before->n_lines; i++)
        if (before->lines[i].type != LINE_PREVIOUS)
            map_put(&comparing.before, place_of(&comparing, &before->lines[i]), &before->lines[i]);
    buffer_byte(&now->changes, '[');
    for (size_t i = 0; i < now->n_lines; i++)
        if (now->lines[i].type != LINE_PREVIOUS)
            compare_lines(&comparing, map_remove(&comparing.before, place_of(&comparing, &now->lines[i])), &now->lines[i]);
    for (size_t i = 0; i < before->n_lines; i++)
        if (before->lines[i].type != LINE_PREVIOUS && map_get(&comparing.before, place_of(&comparing, &before->lines[i])))
            compare_lines(&comparing, &before->lines[i], NULL);
    buffer_byte(&now->changes, ']');
    now->truncated = comparing.truncated;
    map_deinit(&comparing.before);
    arena_deinit(&comparing.arena);
}
