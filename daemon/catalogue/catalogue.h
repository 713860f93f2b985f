/* The catalogue: all metrics and reports, read from files as data. The shipped one is config/catalogue.json; a user's files
 * are loaded beside it: what they name replaces or adds, "only" and "dimensions" cut. Read-only once loaded. */
#pragma once

#include "daemon/catalogue/metric.h"
#include "daemon/facts/kept.h"
#include "daemon/settings/problems.h"

enum stat {
    STAT_AVERAGE,
    STAT_P50,
    STAT_P90,
    STAT_P95,
    N_STATS
};
extern const char *const stat_names[];    /* "average", "p50" …, NULL at the end */
extern const double stat_shares[N_STATS]; /* of the percentiles */

/* What rows go by. */
struct grouping {
    enum grouping_type {
        BY_DIMENSION,
        BY_CUSTOM, /* a custom attribute */
        BY_UNIT    /* of time */
    } type;
    const char *name; /* "owner", "region", "month" */
    enum dimension dimension;
    enum unit unit;
};

enum {
    GROUPINGS_MAX = CELL_DIMS_MAX + 1 /* all dimensions of a fact and a unit of time */
};

struct report_column {
    const char *name; /* "revenue", "sales_cycle.p90", "share" */
    const char *unit;
    const struct metric *metric; /* NULL: the row's share of the total of the first column */
    enum stat stat;              /* of a distribution */
};

struct report_section {
    struct grouping by[GROUPINGS_MAX];
    size_t n_by;
};

/* What single entities a report lists beside its sections. */
enum report_list {
    SHOWS_OPEN_DEALS, /* with the largest expected value, by the first column that is weighted(…) */
    SHOWS_OFFENDERS,  /* of each finding of the audit, the newest */
    N_REPORT_LISTS
};
extern const char *const report_list_names[]; /* "open_deals", "offenders", NULL */

struct report {
    const char *name;
    const char *question, *view; /* what it answers, whom it is for: may be NULL */
    const char *place;
    struct report_section *sections;
    size_t n_sections;
    struct report_column *columns; /* the first is never a share */
    size_t n_columns;
    const char **periods; /* of period_names */
    size_t n_periods;
    uint8_t lists;               /* a bit per enum report_list */
    const struct metric *weight; /* of open deals: what their amount is multiplied by */
};

struct catalogue {
    struct arena arena;
    struct metric **metrics; /* in the order of the files */
    size_t n_metrics;
    struct report *reports;
    size_t n_reports;
    struct map by_name;       /* metric's name -> struct metric */
    const char **plain_units; /* of plain numbers, named by the files: "score" */
    size_t n_plain_units;
    bool dims_restricted;
    uint32_t dims_on;     /* when restricted: a bit per enum dimension */
    bool customs_on;      /* when restricted: do the custom attributes stay? */
    uint64_t fingerprint; /* of all files: a document's "catalogue" in 16 hexadecimal digits */
};

struct catalogue_file {
    const char *name; /* for messages */
    struct span text;
};

/* The one that is built in. */
struct catalogue_file catalogue_shipped(void);

/* NULL when anything is wrong: `problems` then holds all of it, with its place. Files in their order. */
struct catalogue *catalogue_load(const struct catalogue_file *files, size_t n, struct problems *problems) MUST_USE;
void catalogue_destroy(struct catalogue *catalogue); /* NULL is fine */

struct metric *catalogue_metric(const struct catalogue *catalogue, struct span name);       /* NULL: no such */
const struct report *catalogue_report(const struct catalogue *catalogue, struct span name); /* NULL: no such */
const char *catalogue_suggestion(const struct catalogue *catalogue, struct span name);      /* a metric's name, or NULL */
const char *catalogue_report_suggestion(const struct catalogue *catalogue, struct span name);

const char *dimension_suggestion(struct span name); /* a dimension's name, or NULL */

/* What of the facts the catalogue's metrics need; the rest need be neither computed nor stored. */
void catalogue_kept(const struct catalogue *catalogue, struct kept *kept);
