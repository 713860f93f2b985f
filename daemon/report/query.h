/* Queries: any metric, any range, any grouping. One request (JSON) in, one answer (a JSON line, without its end) out. */
#pragma once

#include "daemon/catalogue/catalogue.h"
#include "daemon/report/reader.h"

enum query_code {
    QUERY_UNKNOWN_TENANT,
    QUERY_UNKNOWN_METRIC,
    QUERY_UNKNOWN_DIMENSION,
    QUERY_UNKNOWN_PERIOD,
    QUERY_BAD_RANGE,
    QUERY_UNKNOWN_STAT,
    QUERY_BAD_REQUEST,
    QUERY_DAYS_FOLDED,
    N_QUERY_CODES
};
extern const char *const query_code_names[N_QUERY_CODES]; /* "unknown_tenant" … */

enum {
    QUERY_MESSAGE_BYTES = 384
};
struct query_error {
    enum query_code code;
    char message[QUERY_MESSAGE_BYTES];
};

enum {
    CONDITIONS_MAX = 16,
    METRICS_MAX = 32
};

/* A request as it was written: nothing of it is looked up yet. Texts are in the arena given to query_parse. */
struct query {
    struct span tenant;                         /* "default" where the request names none … */
    bool names_tenant;                          /* … and whether it does */
    struct span metric, stat, period, from, to; /* .at NULL: not given */
    struct span metrics[METRICS_MAX];           /* instead of one: as a report names its columns, "sales_cycle.p90" … */
    size_t n_metrics;                           /* … 0: it is one */
    struct span by[GROUPINGS_MAX];
    size_t n_by;
    struct query_condition {
        struct span dimension;
        const struct span *values; /* an empty one: null */
        size_t n_values;
    } where[CONDITIONS_MAX];
    size_t n_where;
};

/* Whose numbers they are. */
struct query_tenant {
    const struct rules *rules;
    const struct names *names;
    const struct cell_reader *reader;
    int32_t today; /* the clock's local day */
};

/* A query whose names are looked up. */
struct bound_query {
    const struct metric *metric;
    enum stat stat;
    struct grouping by[GROUPINGS_MAX];
    size_t n_by;
    struct condition *where;
    size_t n_where;
    struct period period;
};

/* False: no such request (code QUERY_BAD_REQUEST). */
bool query_parse(struct query *query, struct span json, struct arena *arena, struct query_error *error);

/* The same of a request to explain a number: it may also say how many entities are to be listed ("limit"). */
enum {
    EXPLAIN_LIMIT = 1000,
    EXPLAIN_LIMIT_MAX = 100000
};
bool query_parse_explain(struct query *query, size_t *limit, struct span json, struct arena *arena, struct query_error *error);

/* Whose numbers they must be (.at NULL: whomever it names). False: it names another tenant (code QUERY_BAD_REQUEST). */
bool query_for_tenant(struct query *query, struct span tenant, struct query_error *error);

/* False: names something that there is not, or asks for what cannot be. */
bool query_bind(const struct query *query, const struct catalogue *catalogue, const struct query_tenant *tenant,
                struct arena *arena, struct bound_query *bound, struct query_error *error);

/* As query_bind where nobody knows the metric: whether the other names are there at all. bound->metric stays NULL. */
bool query_bind_names(const struct query *query, const struct query_tenant *tenant, struct arena *arena,
                      struct bound_query *bound, struct query_error *error);

/* Of an answer, of all its metrics together. They are held in memory, and a level by owner and the days of centuries has more of
 * them than that holds. */
enum {
    ANSWER_ROWS_MAX = 200000
};

/* Appends the answer of one state to one metric ("value" in each row) or several (each by its name; null where it has no such row),
 * be it rows or an error of the request. False only when cells could not be read: then nothing is
 * appended and `error` says why. */
bool query_answer(const struct query *query, const struct catalogue *catalogue, const struct query_tenant *tenant,
                  struct buffer *out, struct error *error) MUST_USE;

/* Appends {"error":{"code":"…","message":"…"}}. */
void query_error_write(const struct query_error *error, struct buffer *out);

/* The error of a request whose answer would have more than so many rows. */
struct query_error query_too_many_rows(size_t most);

/* The error of a tenant of whom there is no event and no settings. */
struct query_error query_unknown_tenant(struct span tenant);
