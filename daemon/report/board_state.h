/* What is inside a board: shared by what keeps it (board.c) and what renders it (render.c, changes.c, numbers.c). */
#pragma once

#include "daemon/report/board.h"
#include "daemon/report/figure.h"
#include "daemon/report/goals.h"
#include "daemon/report/lists.h"
#include "daemon/report/watch.h"

/* One period of a report (or of the single metrics: without sections). */
struct board_period {
    const char *name;
    struct period now, before;
    bool has_before;
    struct tally *total, *previous; /* previous: NULL without has_before */
    bool touched;                   /* since it was rendered */
    struct tally **sections;
};

enum line_type {
    LINE_TOTAL,
    LINE_PREVIOUS,
    LINE_ROW
};

/* A piece of the rendered sections. */
struct piece {
    uint32_t at, len;
};

/* One line of a rendered report. */
struct line {
    enum line_type type;
    uint32_t section, period;
    struct piece key; /* of a row: `"owner":"u12"`, the JSON of its dimensions */
    size_t values;    /* the first of its pieces, one for each column */
};

/* One period of a section, as it was rendered: where its text, its lines and their pieces are. */
struct segment {
    struct piece text;
    size_t first_line, n_lines, first_piece, n_pieces;
};

/* A report as it was rendered. */
struct rendered {
    struct buffer sections;
    struct segment *segments; /* by section, then period */
    size_t max_rows;          /* so many were shown at most */
    struct line *lines;
    size_t n_lines, room_lines;
    struct piece *pieces; /* the values of all lines */
    size_t n_pieces, room_pieces;
    struct buffer changes; /* against what was sent before */
    bool truncated;
};

static inline struct span piece_text(const struct rendered *rendered, struct piece piece)
{
    return (struct span){ rendered->sections.at + piece.at, piece.len };
}

struct board_report {
    const struct report *report;
    const struct metric **metrics; /* each once */
    size_t n_metrics;
    size_t *metric_of_column; /* SIZE_MAX: a share */
    struct board_period *periods;
    bool touched;
    bool all_touched;                /* in every period */
    bool has_goals;                  /* it shows what has become of goals */
    bool has_weights;                /* something in it is weighed (goals may be, too) */
    struct rendered *sent, *pending; /* may be NULL */
};

/* What somebody watches, besides the reports. */
struct board_watch {
    struct watch what;
    struct board_period period; /* its name, dates and tallies; without sections */
    bool touched;
};

/* A tally and whose it is. */
struct board_tally {
    struct tally *tally;
    bool *touched, *moved; /* what it says; moved: of its period */
    struct period range;   /* of an entry of of_fact: days that can count there */
    bool owned;            /* else it is one of the weights' or goals' */
};

struct board {
    const struct catalogue *catalogue;
    const struct rules *rules;
    const struct names *names;
    int32_t today;
    struct arena arena;     /* of all below that does not depend on the day */
    struct arena day_arena; /* of all that does */
    struct board_report *reports;
    struct board_period *metrics;
    size_t n_metrics;
    bool metrics_touched;
    struct board_watch *watches;
    size_t n_watches;
    struct weights weights;
    bool weights_touched; /* what is weighed anywhere may differ */
    struct goals goals;
    bool goals_touched;
    struct lists lists;
    uint16_t lists_kept; /* a bit per list that a report shows */
    size_t goals_read;   /* so many of the goals' tallies are filled */
    size_t catch_ups;    /* since the last load */
    struct board_tally *tallies;
    size_t n_tallies, room_tallies;
    struct board_tally *of_fact[N_FACTS]; /* those that take such cells */
    size_t n_of_fact[N_FACTS];
};

/* What a formula is worked out from, but for the metric and the row. */
static inline struct evaluation board_evaluation(const struct board *board, struct arena *arena)
{
    return (struct evaluation){ .weights = &board->weights, .today = board->today, .arena = arena, .goals = &board->goals };
}

/* The lines that differ, as JSON, into rendered->changes. */
void render_changes(const struct report *report, const struct rendered *before, struct rendered *now);

/* rendered.c: pieces and lines of what is being rendered, and those of an older rendering that still hold. */
void rendered_piece(struct rendered *rendered, size_t at); /* from there to the end of what is written */
void rendered_line(struct rendered *rendered, const struct line *line);
void rendered_begin(const struct rendered *rendered, struct segment *segment);
void rendered_end(const struct rendered *rendered, struct segment *segment);
void rendered_copy(struct rendered *rendered, const struct rendered *old, size_t segment);
void rendered_destroy(struct rendered *rendered); /* NULL is fine */
