/* A metric: a name, a unit, and a formula over sums of facts, parsed once and worked out by report/evaluate.
 *
 *   formula   = term { ("+" | "-") term }            term = factor { ("*" | "/") factor }
 *   factor    = number | "days" | "(" formula ")" | operand [ filter ] | call
 *   operand   = fact "." measure | metric            filter = "[" dimension ("=" | "!=") values { "," … } "]"
 *   values    = value { "|" value } | "*" (any) ; null = missing ; custom attributes are "custom.<name>"
 *   call      = level(x)                  what has come in minus what has gone out, up to the end of the period
 *             | per(fact.count, unit …)   of facts that are kept per calendar unit: those of the period's own unit
 *             | before(x)                 a level at the end of the day before the period; per(…) of the unit before
 *             | ever(x)                   of all dates, whatever the period
 *             | between(low, x, high)     x, but not below low and not above high
 *             | distribution(fact.duration, …)          average and percentiles; stands alone
 *             | weighted(fact.money, metric)            each pipeline and stage times the metric of it, rounded once
 *             | goal(value)               of each goal that begins in the period: target, actual, progress, expected or
 *                                         projection; stands alone, by goal only
 *             | likely(fact.money, metric, share)       of those only where the metric of it is at least so much
 *   days      = days of the period up to today
 * The dimensions that weighted() and likely() go by are those that their metric names as its own ("dimensions"). */
#pragma once

#include "common/period.h"
#include "daemon/catalogue/rational.h"
#include "daemon/facts/table.h"

/* Which facts a sum is over. */
enum window {
    WINDOW_PERIOD,       /* those of the period */
    WINDOW_LEVEL,        /* all up to its end */
    WINDOW_LEVEL_BEFORE, /* all up to the day before it */
    WINDOW_UNIT,         /* of the period that is one calendar unit, those kept for that unit */
    WINDOW_UNIT_BEFORE,  /* of the unit before it */
    WINDOW_EVER,         /* all */
    WINDOW_NOW,          /* undated ones */
    WINDOW_GOALS         /* the undated goals whose period begins in the period */
};
static inline bool window_is_level(enum window window)
{
    return window == WINDOW_LEVEL || window == WINDOW_LEVEL_BEFORE;
}
/* Does it add up from unit to unit? */
static inline bool window_is_running(enum window window)
{
    return window_is_level(window) || window == WINDOW_EVER;
}
static inline bool window_is_undated(enum window window)
{
    return window == WINDOW_NOW || window == WINDOW_GOALS;
}

/* One condition on a dimension of a fact. */
struct filter {
    int dimension;             /* enum dimension; -1: a custom attribute */
    struct span custom;        /* its name */
    bool negated, any;         /* any: whatever is not missing */
    const struct span *values; /* an empty one: missing */
    size_t n_values;
};

enum {
    FILTERS_MAX = 8,
    WEIGHT_DIMS_MAX = 2
};

struct metric;

/* One sum that the formula needs. */
struct atom {
    enum fact fact;
    uint8_t measure;
    enum window window;
    uint8_t units;    /* WINDOW_UNIT…: which units there are, a bit per enum unit */
    uint8_t group;    /* atoms of one group tell together whether a row exists: */
    int8_t sign;      /* Σ sign × number of facts is not 0 */
    bool by_currency; /* kept per currency: money, and counts that money is divided by */
    struct filter filters[FILTERS_MAX];
    size_t n_filters;
    const struct metric *weight; /* weighted(), likely(): else NULL */
    struct rational least;       /* likely(): else null */
};

/* What can be asked of a goal. */
enum goal_value {
    GOAL_TARGET,
    GOAL_ACTUAL,     /* its metric in its period */
    GOAL_PROGRESS,   /* actual / target */
    GOAL_EXPECTED,   /* the part of its period that is over, with today */
    GOAL_PROJECTION, /* actual / expected, for counts and money; else actual */
    N_GOAL_VALUES
};

enum node_type {
    NODE_CONSTANT,
    NODE_DAYS,
    NODE_ATOM,
    NODE_SPREAD, /* of atoms atom … atom + n_atoms - 1 */
    NODE_ADD,
    NODE_SUBTRACT,
    NODE_MULTIPLY,
    NODE_DIVIDE,
    NODE_BETWEEN, /* left; low, high */
    NODE_GOAL     /* goal */
};

struct node {
    enum node_type type;
    unsigned atom, n_atoms;
    enum goal_value goal;
    struct rational low, high; /* low: also the constant */
    const struct node *left, *right;
};

/* What the value of a metric looks like. */
enum shape {
    SHAPE_NUMBER,
    SHAPE_MONEY,  /* per currency, in its smallest unit */
    SHAPE_RATIOS, /* per currency, without a unit */
    SHAPE_SPREAD, /* a distribution: average and percentiles */
    SHAPE_GOAL    /* of a goal: a number or money, as the goal's metric is */
};

enum {
    ATOMS_MAX = 32,
    METRIC_NAME_BYTES_MAX = 64
};

struct metric {
    const char *name, *unit, *formula;
    const char *about, *number; /* description, the article's number: may be NULL */
    const char *place;          /* file and name, for messages */
    uint32_t own_dims;          /* "dimensions" of its row, a bit per enum dimension; 0: not restricted */
    enum shape shape;
    int64_t scale;           /* milliseconds of its unit; 1 for what is no duration */
    const struct node *root; /* NULL: the formula could not be parsed */
    struct atom *atoms;
    unsigned n_atoms, n_groups;
    uint32_t dims;   /* what it can be grouped and filtered by, a bit per enum dimension */
    bool customs;    /* also by custom attributes that all of its facts' kinds declare */
    bool dated;      /* can be grouped by time */
    bool needs_days; /* has no value for a period without beginning or end */
    uint8_t units;   /* not 0: only for whole units of these, a bit per enum unit */
};

bool filter_equal(const struct filter *a, const struct filter *b);
