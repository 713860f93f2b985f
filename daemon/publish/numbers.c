/* A tenant's single numbers of standard periods: all of them at first, then what changed since they were written last. */
#include "daemon/publish/inner.h"

enum {
    FIRST_NUMBERS = 64
};

struct telling {
    struct arena *arena;
    struct turn_numbers *told;
    size_t room;
};

static void take_number(void *context, struct span metric, struct span value)
{
    struct telling *telling = context;
    struct turn_numbers *told = telling->told;
    if (told->n == telling->room) {
        telling->room = telling->room ? telling->room * 2 : FIRST_NUMBERS;
        struct publication_number *bigger = arena_alloc(telling->arena, telling->room * sizeof *bigger);
        if (told->n) memcpy(bigger, told->at, told->n * sizeof *bigger);
        told->at = bigger;
    }
    told->at[told->n++] = (struct publication_number){ arena_copy(telling->arena, metric), arena_copy(telling->arena, value) };
}

/* False: other numbers are there than then, or fewer; nearly always they are the same with other values. */
static bool put_changed(const struct desk_numbers *written, const struct turn_numbers *now, struct publication_period *period,
                        struct arena *arena)
{
    struct cursor cursor = cursor_of(buffer_all(&written->texts));
    struct publication_number *changed = arena_alloc(arena, (now->n + 1) * sizeof *changed);
    size_t n = 0;
    for (size_t i = 0; i < now->n; i++) {
        struct span metric = cursor_text(&cursor), value = cursor_text(&cursor);
        if (cursor.broken || !span_equal(metric, now->at[i].metric)) return false;
        if (!span_equal(value, now->at[i].value)) changed[n++] = now->at[i];
    }
    if (cursor_more(&cursor)) return false;
    period->numbers = changed;
    period->n = n;
    period->changes = written->version;
    return true;
}

void numbers_collect(struct publisher *publisher, struct turn *turn, bool all)
{
    const struct text_list *names = &publisher->engine->settings->metrics_periods;
    struct arena *arena = &publisher->arena;
    struct desk *desk = turn->desk;
    if (!all && !desk->numbers_elsewhere && !board_metrics_touched(desk->board)) return;
    struct publication_period *periods = arena_zalloc(arena, (names->n + 1) * sizeof *periods);
    turn->numbers = arena_zalloc(arena, (names->n + 1) * sizeof *turn->numbers);
    for (size_t i = 0; i < names->n; i++) {
        const struct desk_numbers *written = &desk->numbers[i];
        struct turn_numbers *now = &turn->numbers[i];
        board_metrics(desk->board, i, take_number, &(struct telling){ arena, now, 0 });
        periods[i] =
            (struct publication_period){ .period = names->at[i], .version = desk->version, .numbers = now->at, .n = now->n };
        if (!all && written->version) (void)!put_changed(written, now, &periods[i], arena);
    }
    turn->publication.periods = periods;
    turn->publication.n_periods = names->n;
}

void numbers_stored(const struct turn *turn)
{
    struct desk *desk = turn->desk;
    if (turn->publication.n_periods) desk->numbers_elsewhere = false;
    for (size_t i = 0; i < turn->publication.n_periods; i++) {
        struct desk_numbers *written = &desk->numbers[i];
        const struct turn_numbers *now = &turn->numbers[i];
        bool elsewhere = turn->publication.periods[i].elsewhere;
        written->version = elsewhere ? 0 : desk->version;
        desk->numbers_elsewhere |= elsewhere;
        buffer_clear(&written->texts);
        for (size_t n = 0; written->version && n < now->n; n++) {
            buffer_text(&written->texts, now->at[n].metric);
            buffer_text(&written->texts, now->at[n].value);
        }
    }
}
