#include "daemon/report/query.h"

#include "daemon/report/figure.h"
#include "daemon/report/goals.h"
#include "daemon/report/reading.h"
#include "daemon/report/rows.h"
#include "daemon/report/text.h"

/* A query at work. */
struct answer {
    const struct bound_query *query;
    const struct query_tenant *tenant;
    struct arena arena;
    struct tally *tally;
    struct weights weights;
    struct goals goals; /* of a metric of goals: else without any */
    struct row_list rows;
};

static void take_cells(void *context, const struct period *period, const struct cell_key *key, const struct cell_value *value)
{
    struct answer *answer = context;
    (void)tally_add(answer->tally, period, key, value);
    for (size_t i = 0; i < answer->weights.n; i++) (void)tally_add(answer->weights.at[i].tally, period, key, value);
    for (size_t i = 0; i < answer->goals.n_tallies; i++) (void)tally_add(answer->goals.tallies[i], period, key, value);
}

static bool read_cells(struct answer *answer, struct error *error)
{
    struct reading reading;
    reading_init(&reading);
    tally_needs(answer->tally, &reading);
    for (size_t i = 0; i < answer->weights.n; i++) tally_needs(answer->weights.at[i].tally, &reading);
    for (size_t i = 0; i < answer->goals.n_tallies; i++) tally_needs(answer->goals.tallies[i], &reading);
    bool good = reading_run(&reading, answer->tenant->reader, take_cells, answer, error);
    reading_deinit(&reading);
    return good;
}

static void take_row(void *context, const struct tally_row *row)
{
    struct answer *answer = context;
    const struct bound_query *query = answer->query;
    struct evaluation evaluation = { query->metric,         row->sums,      &answer->weights, row->period,
                                     answer->tenant->today, &answer->arena, &answer->goals,   0 };
    for (size_t i = 0; i < query->n_by; i++)
        if (grouping_is_goal(&query->by[i])) evaluation.goal = row->key[i];
    struct figure figure = evaluate(&evaluation, query->stat);
    struct buffer text = { 0 };
    buffer_str(&text, "\"value\":");
    figure_write(query->metric, &figure, answer->tenant->names, &text);
    row_list_add(&answer->rows, row->key, buffer_all(&text));
    buffer_deinit(&text);
}

static void write_rows(struct answer *answer, struct buffer *out)
{
    tally_rows(answer->tally, take_row, answer);
    buffer_str(out, "{\"rows\":");
    row_list_write(&answer->rows, out);
    buffer_byte(out, '}');
}

/* The tallies that the answer is made from. False: the goals could not be read. */
static bool open_answer(struct answer *answer, const struct catalogue *catalogue, struct error *error)
{
    const struct bound_query *query = answer->query;
    struct tally_spec spec = { .rules = answer->tenant->rules,
                               .names = answer->tenant->names,
                               .metrics = &query->metric,
                               .n_metrics = 1,
                               .by = query->by,
                               .n_by = query->n_by,
                               .where = query->where,
                               .n_where = query->n_where,
                               .period = query->period,
                               .today = answer->tenant->today };
    answer->tally = tally_create(&spec, &answer->arena);
    goals_init(&answer->goals, catalogue, &spec, &query->period, 1, &answer->arena);
    if (query->metric->shape == SHAPE_GOAL && !goals_read(&answer->goals, answer->tenant->reader, error)) return false;
    size_t n;
    const struct metric **metrics = goals_metrics(&answer->goals, query->metric, &n);
    weights_init(&answer->weights, metrics, n, &spec, &answer->arena);
    return true;
}

static bool answer_bound(const struct bound_query *query, const struct catalogue *catalogue, const struct query_tenant *tenant,
                         struct buffer *out, struct error *error)
{
    struct answer answer = { .query = query, .tenant = tenant };
    answer.rows = (struct row_list){ query->by, query->n_by, tenant->rules, tenant->names, &answer.arena, NULL, 0, 0 };
    bool good = open_answer(&answer, catalogue, error) && read_cells(&answer, error);
    if (good) write_rows(&answer, out);
    weights_deinit(&answer.weights);
    goals_deinit(&answer.goals);
    tally_destroy(answer.tally);
    row_list_deinit(&answer.rows);
    arena_deinit(&answer.arena);
    return good;
}

bool query_answer(const struct query *query, const struct catalogue *catalogue, const struct query_tenant *tenant,
                  struct buffer *out, struct error *error)
{
    struct arena arena = { 0 };
    struct bound_query bound;
    struct query_error refused;
    bool good = true;
    if (query_bind(query, catalogue, tenant, &arena, &bound, &refused))
        good = answer_bound(&bound, catalogue, tenant, out, error);
    else
        query_error_write(&refused, out);
    arena_deinit(&arena);
    return good;
}

/* A message that had to be cut may end within a letter: that is left out. */
static struct span whole_letters(struct span text)
{
    if (text.len < QUERY_MESSAGE_BYTES - 1) return text;
    while (text.len && ((unsigned char)text.at[text.len - 1] & 0xc0) == 0x80) text.len--;
    if (text.len && (unsigned char)text.at[text.len - 1] >= 0xc0) text.len--;
    return text;
}

void query_error_write(const struct query_error *error, struct buffer *out)
{
    buffer_printf(out, "{\"error\":{\"code\":\"%s\",\"message\":", query_code_names[error->code]);
    text_write(whole_letters(span_of(error->message)), out);
    buffer_str(out, "}}");
}
