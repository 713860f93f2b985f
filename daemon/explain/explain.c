#include "daemon/explain/explain.h"

#include "daemon/explain/parts.h"
#include "daemon/report/rows.h"

/* An answer at work. */
struct explanation {
    const struct shares *shares;
    struct row_list rows;
    size_t limit; /* of each row */
    struct arena arena;
};

static void count_row(void *context, const struct tally_row *row)
{
    (void)row;
    ++*(size_t *)context;
}

static void explain_row(void *context, const struct tally_row *row)
{
    struct explanation *explanation = context;
    const struct shares *shares = explanation->shares;
    const struct bound_query *query = shares->query;
    struct evaluation evaluation = { .metric = query->metric,
                                     .sums = row->sums,
                                     .weights = &shares->weights,
                                     .period = row->period,
                                     .today = shares->tenant->today,
                                     .arena = &explanation->arena,
                                     .goals = &shares->goals,
                                     .goal = goal_of_row(query->by, query->n_by, row->key) };
    struct lister listing = { shares, row, &evaluation, explanation->limit };
    struct buffer fields = { 0 };
    parts_write(&listing, &fields);
    row_list_add(&explanation->rows, row->key, buffer_all(&fields));
    buffer_deinit(&fields);
}

static void write_answer(struct explanation *explanation, int64_t version, struct buffer *out)
{
    struct row_list *rows = &explanation->rows;
    buffer_byte(out, '{');
    if (!rows->n_by && rows->n) {
        buffer_span(out, rows->at[0].fields);
    } else {
        buffer_str(out, "\"rows\":");
        row_list_write(rows, out);
    }
    buffer_printf(out, ",\"version\":%lld", (long long)version);
}

/* Each row lists somebody. */
static bool count_rows(const struct shares *shares, size_t *n)
{
    *n = 0;
    return tally_rows_within(shares->tally, EXPLAIN_LIMIT_MAX, count_row, n);
}

static void explain_shares(const struct shares *shares, size_t limit, size_t n, struct buffer *out)
{
    const struct tenant *tenant = shares->tenant->view->tenant;
    struct explanation explanation = { .shares = shares, .limit = limit };
    explanation.rows = (struct row_list){ .by = shares->query->by,
                                          .n_by = shares->query->n_by,
                                          .rules = tenant->rules,
                                          .names = &tenant->names,
                                          .arena = &explanation.arena };
    if (n > 1) explanation.limit = limit / n ? limit / n : 1;
    tally_rows(shares->tally, explain_row, &explanation);
    write_answer(&explanation, tenant->version, out);
    uint64_t left = tenant_retired(shares->tenant->view->tenant);
    if (left) buffer_printf(out, ",\"left\":%llu", (unsigned long long)left);
    if (view_is_behind(shares->tenant->view)) buffer_str(out, ",\"behind\":true");
    buffer_byte(out, '}');
    row_list_deinit(&explanation.rows);
    arena_deinit(&explanation.arena);
}

static void answer(const struct shares *shares, size_t limit, struct buffer *out)
{
    size_t n;
    if (count_rows(shares, &n)) return explain_shares(shares, limit, n, out);
    struct query_error refused = query_too_many_rows(EXPLAIN_LIMIT_MAX);
    query_error_write(&refused, out);
}

bool explain_answer(const struct query *query, size_t limit, const struct catalogue *catalogue,
                    const struct explain_tenant *tenant, struct buffer *out, struct error *error)
{
    struct arena arena = { 0 };
    struct bound_query bound;
    struct query_error refused;
    struct shares shares;
    struct query_tenant asked = { .rules = tenant->view->tenant->rules,
                                  .names = &tenant->view->tenant->names,
                                  .today = tenant->today };
    bool good = true;
    if (query_bind(query, catalogue, &asked, &arena, &bound, &refused)) {
        good = shares_gather(&shares, &bound, catalogue, tenant, error);
        if (good) answer(&shares, limit, out);
        shares_deinit(&shares);
    } else {
        query_error_write(&refused, out);
    }
    arena_deinit(&arena);
    return good;
}
