#include "daemon/report/watch.h"

#include "daemon/report/board_state.h"

struct watching {
    const struct board *board;
    const struct board_watch *watch;
    struct arena *arena;
    void (*each)(void *context, const struct watch_row *row);
    void *context;
    struct map *seen; /* keys of rows that exist now; NULL: nobody asks */
};

bool board_watch_touched(const struct board *board, size_t watch)
{
    return board->watches[watch].touched;
}

void board_watch_reset(struct board *board)
{
    for (size_t i = 0; i < board->n_watches; i++) board->watches[i].touched = false;
}

struct period board_watch_period(const struct board *board, size_t watch)
{
    return board->watches[watch].period.now;
}

/* `sums` NULL: nothing ever came for the row. */
static struct figure figure_in(const struct watching *watching, const uint32_t *key, struct period period, const struct sum *sums)
{
    const struct watch *what = &watching->watch->what;
    if (!sums) sums = arena_zalloc(watching->arena, (what->metric->n_atoms + 1) * sizeof *sums);
    struct evaluation evaluation = board_evaluation(watching->board, watching->arena);
    evaluation.metric = what->metric;
    evaluation.sums = sums;
    evaluation.period = period;
    evaluation.goal = goal_of_row(what->by, what->n_by, key);
    return evaluate(&evaluation, what->stat);
}

static void show(const struct watching *watching, const uint32_t *key, const struct sum *sums)
{
    const struct board_period *period = &watching->watch->period;
    struct watch_row row = { .key = key, .now = figure_in(watching, key, period->now, sums), .has_previous = period->has_before };
    if (row.has_previous) row.previous = figure_in(watching, key, period->before, tally_find(period->previous, key));
    watching->each(watching->context, &row);
}

static struct span key_bytes(const struct watching *watching, const uint32_t *key)
{
    return (struct span){ (const char *)key, watching->watch->what.n_by * sizeof *key };
}

static void show_now(void *context, const struct tally_row *row)
{
    const struct watching *watching = context;
    if (watching->seen && row->key)
        map_put(watching->seen, arena_copy(watching->arena, key_bytes(watching, row->key)), watching->seen);
    show(watching, row->key, row->sums);
}

/* Rows that existed in the period before only. */
static void show_gone(void *context, const struct tally_row *row)
{
    const struct watching *watching = context;
    if (!map_get(watching->seen, key_bytes(watching, row->key)))
        show(watching, row->key, tally_find(watching->watch->period.total, row->key));
}

void board_watched(struct board *board, size_t number, struct arena *arena,
                   void (*each)(void *context, const struct watch_row *row), void *context)
{
    struct map seen = { 0 };
    const struct board_watch *watch = &board->watches[number];
    struct watching watching = { board, watch, arena, each, context, watch->what.n_by && watch->period.previous ? &seen : NULL };
    if (!tally_shows(watch->period.total, 0)) return;
    tally_rows(watch->period.total, show_now, &watching);
    if (watching.seen) tally_rows(watch->period.previous, show_gone, &watching);
    map_deinit(&seen);
}
