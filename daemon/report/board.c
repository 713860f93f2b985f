#include "daemon/report/board_state.h"
#include "daemon/report/reading.h"

#include <stdlib.h>

enum {
    CATCH_UPS_MAX = 64 /* then it is loaded as a whole: what was is given back */
};

static bool metric_is_weighed(const struct metric *metric)
{
    bool weighed = metric->shape == SHAPE_GOAL;
    for (unsigned i = 0; i < metric->n_atoms; i++) weighed = weighed || metric->atoms[i].weight;
    return weighed;
}

/* Each metric of the columns once, and which one each column shows. */
static void list_metrics(struct board *board, struct board_report *of)
{
    const struct report *report = of->report;
    of->metrics = arena_alloc(&board->arena, (report->n_columns + 1) * sizeof *of->metrics);
    of->metric_of_column = arena_alloc(&board->arena, (report->n_columns + 1) * sizeof *of->metric_of_column);
    for (size_t c = 0; c < report->n_columns; c++) {
        const struct metric *metric = report->columns[c].metric;
        size_t at = 0;
        while (metric && at < of->n_metrics && of->metrics[at] != metric) at++;
        if (metric && at == of->n_metrics) of->metrics[of->n_metrics++] = metric;
        of->metric_of_column[c] = metric ? at : SIZE_MAX;
        of->has_goals = of->has_goals || (metric && metric->shape == SHAPE_GOAL);
        of->has_weights = of->has_weights || (metric && metric_is_weighed(metric));
    }
}

struct board *board_create(const struct catalogue *catalogue, const struct rules *rules, const struct names *names,
                           const char *const *metrics_periods, size_t n_metrics_periods)
{
    struct board *board = must_zalloc(sizeof *board);
    *board = (struct board){ .catalogue = catalogue, .rules = rules, .names = names, .n_metrics = n_metrics_periods };
    board->reports = arena_zalloc(&board->arena, (catalogue->n_reports + 1) * sizeof *board->reports);
    for (size_t i = 0; i < catalogue->n_reports; i++) {
        const struct report *report = &catalogue->reports[i];
        struct board_report *of = &board->reports[i];
        of->report = report;
        list_metrics(board, of);
        of->periods = arena_zalloc(&board->arena, (report->n_periods + 1) * sizeof *of->periods);
        for (size_t p = 0; p < report->n_periods; p++) of->periods[p].name = report->periods[p];
    }
    struct kept kept;
    catalogue_kept(catalogue, &kept);
    board->lists_kept = kept.lists;
    board->metrics = arena_zalloc(&board->arena, (n_metrics_periods + 1) * sizeof *board->metrics);
    for (size_t p = 0; p < n_metrics_periods; p++)
        board->metrics[p].name = arena_text(&board->arena, span_of(metrics_periods[p]));
    return board;
}

/* Forgets all that was counted. */
static void clear_day(struct board *board)
{
    for (size_t i = 0; i < board->n_tallies; i++)
        if (board->tallies[i].owned) tally_destroy(board->tallies[i].tally);
    weights_deinit(&board->weights);
    goals_deinit(&board->goals);
    board->goals_read = 0;
    lists_deinit(&board->lists);
    arena_reset(&board->day_arena);
    board->n_tallies = 0;
}

void board_rest(struct board *board)
{
    clear_day(board);
    for (int fact = 0; fact < N_FACTS; fact++) board->n_of_fact[fact] = 0;
}

void board_destroy(struct board *board)
{
    if (!board) return;
    clear_day(board);
    for (size_t i = 0; i < board->catalogue->n_reports; i++) {
        rendered_destroy(board->reports[i].sent);
        rendered_destroy(board->reports[i].pending);
    }
    free(board->watches);
    free(board->tallies);
    arena_deinit(&board->day_arena);
    arena_deinit(&board->arena);
    free(board);
}

void board_watch(struct board *board, const struct watch *watches, size_t n)
{
    board_rest(board);
    board->watches = must_realloc(board->watches, (n + 1) * sizeof *board->watches);
    board->n_watches = n;
    for (size_t i = 0; i < n; i++) board->watches[i] = (struct board_watch){ .what = watches[i] };
}

static void put_tally(struct board *board, struct tally *tally, bool *touched, bool *moved, bool owned)
{
    if (board->n_tallies == board->room_tallies) {
        board->room_tallies = board->room_tallies ? 2 * board->room_tallies : 64;
        board->tallies = must_realloc(board->tallies, board->room_tallies * sizeof *board->tallies);
    }
    board->tallies[board->n_tallies++] =
        (struct board_tally){ .tally = tally, .touched = touched, .moved = moved, .owned = owned };
}

static struct tally *new_tally(struct board *board, struct tally_spec *spec, const struct period *period, bool *touched,
                               bool *moved)
{
    spec->period = *period;
    struct tally *tally = tally_create(spec, &board->day_arena);
    put_tally(board, tally, touched, moved, true);
    return tally;
}

/* Works out the dates of the period, and makes its tallies. */
static void open_period(struct board *board, struct board_period *period, struct tally_spec spec, const struct report *report,
                        bool *touched)
{
    struct span name = span_of(period->name);
    REQUIRE(period_named(board->rules, name, board->today, &period->now));
    period->has_before = period_previous(board->rules, name, period->now, &period->before);
    period->total = new_tally(board, &spec, &period->now, touched, &period->touched);
    period->previous = report && period->has_before ? new_tally(board, &spec, &period->before, touched, &period->touched) : NULL;
    period->sections = arena_alloc(&board->day_arena, (report ? report->n_sections + 1 : 1) * sizeof(struct tally *));
    for (size_t s = 0; report && s < report->n_sections; s++) {
        spec.by = report->sections[s].by;
        spec.n_by = report->sections[s].n_by;
        period->sections[s] = new_tally(board, &spec, &period->now, touched, &period->touched);
    }
}

static void open_watch(struct board *board, struct board_watch *watch, struct tally_spec spec)
{
    const struct watch *what = &watch->what;
    struct board_period *period = &watch->period;
    struct span name = span_of(what->period);
    spec.metrics = &what->metric;
    spec.n_metrics = 1;
    spec.by = what->by;
    spec.n_by = what->n_by;
    spec.where = what->where;
    spec.n_where = what->n_where;
    REQUIRE(period_named(board->rules, name, board->today, &period->now));
    period->has_before = what->previous && period_previous(board->rules, name, period->now, &period->before);
    period->total = new_tally(board, &spec, &period->now, &watch->touched, &period->touched);
    period->previous = period->has_before ? new_tally(board, &spec, &period->before, &watch->touched, &period->touched) : NULL;
}

/* Goals find theirs themselves: there may be very many. */
static bool takes(const struct board *board, const struct board_tally *of, enum fact fact)
{
    return of->touched != &board->goals_touched && tally_takes(of->tally, fact);
}

/* Which tallies take the cells of the fact. */
static void index_fact(struct board *board, enum fact fact)
{
    size_t n = 0;
    for (size_t i = 0; i < board->n_tallies; i++) n += takes(board, &board->tallies[i], fact);
    struct board_tally *list = arena_alloc(&board->day_arena, n * sizeof *list);
    board->of_fact[fact] = list;
    board->n_of_fact[fact] = n;
    for (size_t i = 0; i < board->n_tallies; i++) {
        if (!takes(board, &board->tallies[i], fact)) continue;
        *list = board->tallies[i];
        list++->range = tally_range(board->tallies[i].tally, fact);
    }
}

static void open_day(struct board *board)
{
    const struct catalogue *catalogue = board->catalogue;
    const struct metric *const *all = (const struct metric *const *)catalogue->metrics;
    struct tally_spec spec = { .rules = board->rules, .names = board->names, .today = board->today };
    weights_init(&board->weights, all, catalogue->n_metrics, &spec, &board->day_arena);
    for (size_t i = 0; i < board->weights.n; i++)
        put_tally(board, board->weights.at[i].tally, &board->weights_touched, &board->weights_touched, false);
    for (size_t i = 0; i < catalogue->n_reports; i++) {
        struct board_report *of = &board->reports[i];
        spec.metrics = of->metrics;
        spec.n_metrics = of->n_metrics;
        for (size_t p = 0; p < of->report->n_periods; p++) open_period(board, &of->periods[p], spec, of->report, &of->touched);
    }
    spec.metrics = all;
    spec.n_metrics = catalogue->n_metrics;
    for (size_t p = 0; p < board->n_metrics; p++) open_period(board, &board->metrics[p], spec, NULL, &board->metrics_touched);
    for (size_t i = 0; i < board->n_watches; i++) open_watch(board, &board->watches[i], spec);
}

/* The tallies that goals have made since: they follow differences from here on. */
static void put_goals(struct board *board)
{
    for (; board->goals_read < board->goals.n_tallies; board->goals_read++)
        put_tally(board, board->goals.tallies[board->goals_read], &board->goals_touched, &board->goals_touched, false);
}

/* Goals that reports show: those that begin in any of their periods. */
static bool open_goals(struct board *board, const struct cell_reader *reader, struct error *error)
{
    struct tally_spec spec = { .rules = board->rules, .names = board->names, .today = board->today };
    size_t n = 0;
    for (size_t i = 0; i < board->catalogue->n_reports; i++)
        n += board->reports[i].has_goals ? board->reports[i].report->n_periods : 0;
    for (size_t i = 0; i < board->n_watches; i++) n += board->watches[i].what.metric->shape == SHAPE_GOAL;
    struct period *begin = arena_alloc(&board->day_arena, (n + 1) * sizeof *begin);
    goals_init(&board->goals, board->catalogue, &spec, begin, n, &board->day_arena);
    if (!n) return true;
    for (size_t i = 0; i < board->catalogue->n_reports; i++) {
        const struct board_report *of = &board->reports[i];
        for (size_t p = 0; of->has_goals && p < of->report->n_periods; p++) *begin++ = of->periods[p].now;
    }
    for (size_t i = 0; i < board->n_watches; i++)
        if (board->watches[i].what.metric->shape == SHAPE_GOAL) *begin++ = board->watches[i].period.now;
    if (!goals_read(&board->goals, reader, error)) return false;
    put_goals(board);
    return true;
}

static void touch_report(struct board_report *of)
{
    of->touched = of->all_touched = true;
}

static void touch_all(struct board *board)
{
    for (size_t i = 0; i < board->catalogue->n_reports; i++) touch_report(&board->reports[i]);
    board->metrics_touched = true;
    for (size_t i = 0; i < board->n_watches; i++) board->watches[i].touched = true;
}

/* What is weighed, and what has become of goals, may differ everywhere. */
static void touch_shared(struct board *board)
{
    for (size_t i = 0; i < board->catalogue->n_reports; i++) {
        struct board_report *of = &board->reports[i];
        if ((board->weights_touched && of->has_weights) || (board->goals_touched && of->has_goals)) touch_report(of);
    }
    for (size_t i = 0; i < board->n_watches; i++) {
        const struct metric *metric = board->watches[i].what.metric;
        bool goal = board->goals_touched && metric->shape == SHAPE_GOAL;
        if (goal || (board->weights_touched && metric_is_weighed(metric))) board->watches[i].touched = true;
    }
    board->metrics_touched = board->metrics_touched || board->weights_touched;
    board->weights_touched = board->goals_touched = false;
}

static void take_cell_in(void *context, const struct period *period, const struct cell_key *key, const struct cell_value *value)
{
    struct board *board = context;
    for (size_t i = 0; i < board->n_of_fact[key->fact]; i++) {
        const struct board_tally *of = &board->of_fact[key->fact][i];
        if (period && (period->from < of->range.from || period->from > of->range.to)) continue;
        if (tally_add(of->tally, period, key, value)) *of->touched = *of->moved = true;
    }
    if (goals_add(&board->goals, board->goals_read, period, key, value)) board->goals_touched = true;
    if (board->weights_touched || board->goals_touched) touch_shared(board);
}

static void take_line_in(void *context, enum list list, struct span id, const struct list_line *line)
{
    lists_take(context, list, id, NULL, line);
}

static bool load_lists(struct board *board, const struct cell_reader *reader, struct error *error)
{
    lists_init(&board->lists);
    for (int list = 0; reader->lines && list < N_LISTS; list++)
        if (board->lists_kept >> list & 1 && !reader->lines(reader->context, (enum list)list, take_line_in, &board->lists, error))
            return false;
    return true;
}

bool board_load(struct board *board, int32_t today, const struct cell_reader *reader, struct error *error)
{
    struct reading reading;
    clear_day(board);
    board->today = today;
    board->catch_ups = 0;
    open_day(board);
    if (!open_goals(board, reader, error) || !load_lists(board, reader, error)) return false;
    for (int fact = 0; fact < N_FACTS; fact++) index_fact(board, (enum fact)fact);
    reading_init(&reading);
    for (size_t i = 0; i < board->n_tallies; i++) tally_needs(board->tallies[i].tally, &reading);
    bool good = reading_run(&reading, reader, take_cell_in, board, error);
    reading_deinit(&reading);
    touch_all(board);
    return good;
}

int32_t board_today(const struct board *board)
{
    return board->today;
}

void board_add(struct board *board, int32_t day, const struct cell_key *key, const struct cell_value *difference)
{
    struct period period = { day, day };
    if (key->fact == FACT_GOAL) goals_take(&board->goals, key, difference->sums[0]);
    take_cell_in(board, fact_rows[key->fact].dating == UNDATED ? NULL : &period, key, difference);
}

/* A cell that goals want which the board did not have when it was read. */
static void take_late_cell(void *context, const struct period *period, const struct cell_key *key, const struct cell_value *value)
{
    struct board *board = context;
    for (size_t i = board->goals_read; i < board->goals.n_tallies; i++)
        (void)tally_add(board->goals.tallies[i], period, key, value);
}

static bool read_new_goals(struct board *board, const struct cell_reader *reader, struct error *error)
{
    struct reading reading;
    reading_init(&reading);
    for (size_t i = board->goals_read; i < board->goals.n_tallies; i++) tally_needs(board->goals.tallies[i], &reading);
    bool good = reading_run(&reading, reader, take_late_cell, board, error);
    reading_deinit(&reading);
    put_goals(board);
    board->goals_touched = true;
    touch_shared(board);
    return good;
}

static void touch_lists(struct board *board, unsigned shown)
{
    for (size_t i = 0; i < board->catalogue->n_reports; i++)
        board->reports[i].touched = board->reports[i].touched || (board->reports[i].report->lists & shown);
}

static bool read_short_lists(struct board *board, const struct cell_reader *reader, struct error *error)
{
    lists_deinit(&board->lists);
    touch_lists(board, UINT8_MAX);
    return load_lists(board, reader, error);
}

bool board_catch_up(struct board *board, const struct cell_reader *reader, struct error *error)
{
    if (board->catch_ups++ == CATCH_UPS_MAX) return board_load(board, board->today, reader, error);
    if (board->goals_read < board->goals.n_tallies && !read_new_goals(board, reader, error)) return false;
    return !lists_are_short(&board->lists) || read_short_lists(board, reader, error);
}

void board_add_line(struct board *board, enum list list, struct span id, const struct list_line *before,
                    const struct list_line *after)
{
    enum report_list shown = list == LIST_OPEN_DEALS ? SHOWS_OPEN_DEALS : SHOWS_OFFENDERS;
    lists_take(&board->lists, list, id, before, after);
    touch_lists(board, 1u << shown);
}

bool board_is_stale(const struct board *board)
{
    return board->goals_read < board->goals.n_tallies || lists_are_short(&board->lists);
}

bool board_touched(const struct board *board, size_t report)
{
    return board->reports[report].touched;
}

bool board_metrics_touched(const struct board *board)
{
    return board->metrics_touched;
}

static size_t rendered_bytes(const struct rendered *rendered)
{
    if (!rendered) return 0;
    return rendered->sections.room + rendered->changes.room + rendered->room_lines * sizeof *rendered->lines +
           rendered->room_pieces * sizeof *rendered->pieces;
}

size_t board_bytes(const struct board *board)
{
    size_t bytes = board->arena.bytes + board->day_arena.bytes + board->room_tallies * sizeof *board->tallies;
    bytes += lists_bytes(&board->lists);
    for (size_t i = 0; i < board->n_tallies; i++) bytes += tally_bytes(board->tallies[i].tally);
    for (size_t i = 0; i < board->catalogue->n_reports; i++)
        bytes += rendered_bytes(board->reports[i].sent) + rendered_bytes(board->reports[i].pending);
    return bytes;
}
