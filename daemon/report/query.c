#include "daemon/report/query.h"

#include "common/instant.h"
#include "daemon/report/figure.h"
#include "daemon/report/goals.h"
#include "daemon/report/joined.h"
#include "daemon/report/reading.h"
#include "daemon/report/rows.h"
#include "daemon/report/text.h"

#include <stdio.h>
#include <stdlib.h>

/* One metric of a query at work. */
struct answer {
    const struct bound_query *query;
    const struct query_tenant *tenant;
    struct arena arena;
    struct tally *tally;
    struct weights weights;
    struct goals goals; /* of a metric of goals: else without any */
    struct row_list rows;
    bool bare; /* the rows' fields are values only: they are joined with those of others */
};

/* All of them: read once. */
struct answers {
    struct answer *at;
    size_t n;
};

static void take_cell_of(struct answer *answer, const struct period *period, const struct cell_key *key,
                         const struct cell_value *value)
{
    (void)tally_add(answer->tally, period, key, value);
    for (size_t i = 0; i < answer->weights.n; i++) (void)tally_add(answer->weights.at[i].tally, period, key, value);
    (void)goals_add(&answer->goals, answer->goals.n_tallies, period, key, value);
}

static void take_cells(void *context, const struct period *period, const struct cell_key *key, const struct cell_value *value)
{
    const struct answers *answers = context;
    for (size_t i = 0; i < answers->n; i++) take_cell_of(&answers->at[i], period, key, value);
}

static void add_needs(const struct answer *answer, struct reading *reading)
{
    tally_needs(answer->tally, reading);
    for (size_t i = 0; i < answer->weights.n; i++) tally_needs(answer->weights.at[i].tally, reading);
    for (size_t i = 0; i < answer->goals.n_tallies; i++) tally_needs(answer->goals.tallies[i], reading);
}

/* Which days there are, and what can still be had of the others. */
static void refuse_days(const struct cell_reader *reader, struct query_error *refused)
{
    char day[DAY_TEXT_BYTES];
    day_format(reader->days_from, day);
    refused->code = QUERY_DAYS_FOLDED;
    snprintf(
        refused->message, sizeof refused->message,
        "the request takes single days before %s, of which only whole months are kept: let \"from\" be %s or later, or ask for "
        "whole months, quarters or years there, not by day or week",
        day, day);
}

/* `refused`: its message stays empty where the cells are there. */
static bool read_cells(struct answers *answers, const struct cell_reader *reader, struct query_error *refused,
                       struct error *error)
{
    struct reading reading;
    int32_t first;
    reading_init(&reading);
    for (size_t i = 0; i < answers->n; i++) add_needs(&answers->at[i], &reading);
    bool folded = reading_is_folded(&reading, reader, &first);
    if (folded) refuse_days(reader, refused);
    bool good = folded || reading_run(&reading, reader, take_cells, answers, error);
    reading_deinit(&reading);
    return good;
}

static void take_row(void *context, const struct tally_row *row)
{
    struct answer *answer = context;
    const struct bound_query *query = answer->query;
    struct evaluation evaluation = { .metric = query->metric,
                                     .sums = row->sums,
                                     .weights = &answer->weights,
                                     .period = row->period,
                                     .today = answer->tenant->today,
                                     .arena = &answer->arena,
                                     .goals = &answer->goals,
                                     .goal = goal_of_row(query->by, query->n_by, row->key) };
    struct figure figure = evaluate(&evaluation, query->stat);
    struct buffer text = { 0 };
    if (!answer->bare) buffer_str(&text, "\"value\":");
    figure_write(query->metric, &figure, answer->tenant->names, &text);
    row_list_add(&answer->rows, row->key, buffer_all(&text));
    buffer_deinit(&text);
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

static bool open_all(struct answers *answers, const struct bound_query *bound, const struct query_tenant *tenant,
                     const struct catalogue *catalogue, bool bare, struct error *error)
{
    bool good = true;
    for (size_t i = 0; i < answers->n; i++) {
        struct answer *answer = &answers->at[i];
        const struct bound_query *query = &bound[i];
        *answer = (struct answer){ .query = query, .tenant = tenant, .bare = bare };
        answer->rows = (struct row_list){
            .by = query->by, .n_by = query->n_by, .rules = tenant->rules, .names = tenant->names, .arena = &answer->arena
        };
        good = open_answer(answer, catalogue, error) && good;
    }
    return good;
}

static void close_all(struct answers *answers)
{
    for (size_t i = 0; i < answers->n; i++) {
        struct answer *answer = &answers->at[i];
        weights_deinit(&answer->weights);
        goals_deinit(&answer->goals);
        tally_destroy(answer->tally);
        row_list_deinit(&answer->rows);
        arena_deinit(&answer->arena);
    }
    free(answers->at);
}

/* False: they are too many. */
static bool take_rows(struct answers *answers)
{
    size_t left = ANSWER_ROWS_MAX;
    for (size_t i = 0; i < answers->n; i++) {
        struct answer *answer = &answers->at[i];
        if (!tally_rows_within(answer->tally, left, take_row, answer)) return false;
        left -= answer->rows.n;
    }
    return true;
}

/* `names` of the metrics; NULL: it is one. */
static void write_rows(struct answers *answers, const struct span *names, struct buffer *out)
{
    const struct row_list *lists[METRICS_MAX];
    for (size_t i = 0; i < answers->n; i++) lists[i] = &answers->at[i].rows;
    buffer_str(out, "{\"rows\":");
    if (names)
        joined_write(lists, names, answers->n, out);
    else
        row_list_write(&answers->at[0].rows, out);
    buffer_byte(out, '}');
}

static bool answer_bound(const struct bound_query *bound, const struct span *names, size_t n, const struct catalogue *catalogue,
                         const struct query_tenant *tenant, struct buffer *out, struct error *error)
{
    struct answers answers = { must_zalloc(n * sizeof *answers.at), n };
    struct query_error refused = { .message = "" };
    bool good = open_all(&answers, bound, tenant, catalogue, names != NULL, error) &&
                read_cells(&answers, tenant->reader, &refused, error);
    if (good && !refused.message[0] && !take_rows(&answers)) refused = query_too_many_rows(ANSWER_ROWS_MAX);
    if (good && refused.message[0])
        query_error_write(&refused, out);
    else if (good)
        write_rows(&answers, names, out);
    close_all(&answers);
    return good;
}

/* "sales_cycle.p90": of a metric its statistic. */
static void split_name(struct span name, struct query *one)
{
    one->metric = name;
    for (size_t i = 0; stat_names[i]; i++) {
        size_t len = strlen(stat_names[i]);
        if (name.len <= len + 1 || name.at[name.len - len - 1] != '.' ||
            memcmp(name.at + name.len - len, stat_names[i], len) != 0)
            continue;
        one->metric.len = name.len - len - 1;
        one->stat = (struct span){ name.at + name.len - len, len };
    }
}

static bool bind_all(const struct query *query, const struct catalogue *catalogue, const struct query_tenant *tenant,
                     struct arena *arena, struct bound_query *bound, struct query_error *refused)
{
    if (!query->n_metrics) return query_bind(query, catalogue, tenant, arena, bound, refused);
    for (size_t i = 0; i < query->n_metrics; i++) {
        struct query one = *query;
        split_name(query->metrics[i], &one);
        if (!query_bind(&one, catalogue, tenant, arena, &bound[i], refused)) return false;
    }
    return true;
}

bool query_answer(const struct query *query, const struct catalogue *catalogue, const struct query_tenant *tenant,
                  struct buffer *out, struct error *error)
{
    struct arena arena = { 0 };
    size_t n = query->n_metrics ? query->n_metrics : 1;
    struct bound_query *bound = arena_zalloc(&arena, n * sizeof *bound);
    struct query_error refused;
    bool good = true;
    if (bind_all(query, catalogue, tenant, &arena, bound, &refused))
        good = answer_bound(bound, query->n_metrics ? query->metrics : NULL, n, catalogue, tenant, out, error);
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
