/* The open deals with the largest expected value, out of the largest of each currency, pipeline and stage. */
#include "common/decimal.h"
#include "common/instant.h"
#include "daemon/report/lists.h"
#include "daemon/report/text.h"

#include <stdlib.h>

/* A deal that may be shown. */
struct candidate {
    const struct ranked *deal;
    struct rational probability;
    int64_t expected; /* smallest units */
    struct span code; /* of its currency */
    bool own;         /* it is the tenant's */
};

struct choosing {
    const struct metric *weight;
    const struct evaluation *evaluation;
    const struct names *names;
    struct span currency; /* the tenant's */
    struct candidate *at;
    size_t n, room;
};

/* Of the deal's pipeline and stage: what the metric goes by. */
static struct rational probability_of(const struct choosing *choosing, const struct list_line *line)
{
    name_id weighed[WEIGHT_DIMS_MAX] = { 0 };
    int n = 0;
    if (choosing->weight->own_dims >> DIM_PIPELINE & 1) weighed[n++] = (name_id)line->at[OPEN_PIPELINE];
    if (choosing->weight->own_dims >> DIM_STAGE & 1) weighed[n++] = (name_id)line->at[OPEN_STAGE];
    return weight_value(choosing->evaluation, choosing->weight, weighed);
}

static void add_candidate(struct choosing *choosing, const struct ranked *deal, struct rational probability)
{
    struct candidate candidate = { .deal = deal, .probability = probability };
    candidate.code = names_text(choosing->names, (name_id)deal->line.at[OPEN_CURRENCY]);
    candidate.own = span_equal(candidate.code, choosing->currency);
    struct rational amount = rational_of(deal->line.at[OPEN_AMOUNT], 1);
    if (!rational_is_null(probability)) candidate.expected = rational_rounded(rational_multiply(amount, probability));
    if (choosing->n == choosing->room) {
        choosing->room = choosing->room ? 2 * choosing->room : 256;
        choosing->at = must_realloc(choosing->at, choosing->room * sizeof *choosing->at);
    }
    choosing->at[choosing->n++] = candidate;
}

static void add_group(struct choosing *choosing, const struct ranking *deals)
{
    if (!deals->n) return;
    struct rational probability = probability_of(choosing, &deals->at[0].line);
    for (size_t i = 0; i < deals->n && i < deals->limit; i++) add_candidate(choosing, &deals->at[i], probability);
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->own != y->own) return x->own ? -1 : 1;
    int c = span_compare(x->code, y->code);
    if (c) return c;
    if (x->expected != y->expected) return x->expected > y->expected ? -1 : 1;
    return span_compare(x->deal->id, y->deal->id);
}

static void write_name(const char *key, const struct names *names, int64_t number, struct buffer *out)
{
    buffer_printf(out, ",\"%s\":", key);
    if (number)
        text_write(names_text(names, (name_id)number), out);
    else
        buffer_str(out, "null");
}

static void write_money(const char *key, const struct candidate *candidate, int64_t minor, struct buffer *out)
{
    char text[MONEY_TEXT_BYTES];
    money_format(minor, currency_decimals(candidate->code), text);
    buffer_printf(out, ",\"%s\":{", key);
    if (minor) buffer_printf(out, "\"%.*s\":%s", SPAN_ARG(candidate->code), text);
    buffer_byte(out, '}');
}

static void write_expected_close(int64_t day, struct buffer *out)
{
    char text[DAY_TEXT_BYTES];
    if (day == NO_DAY) return buffer_str(out, ",\"expected_close\":null");
    day_format((int32_t)day, text);
    buffer_printf(out, ",\"expected_close\":\"%s\"", text);
}

static void write_deal(const struct candidate *candidate, const struct names *names, struct buffer *out)
{
    const int64_t *line = candidate->deal->line.at;
    struct span kind = NO_SPAN, id = NO_SPAN;
    (void)list_id_split(candidate->deal->id, &kind, &id);
    buffer_str(out, "{\"deal\":");
    text_write(id, out);
    write_name("owner", names, line[OPEN_OWNER], out);
    write_name("pipeline", names, line[OPEN_PIPELINE], out);
    write_name("stage", names, line[OPEN_STAGE], out);
    write_expected_close(line[OPEN_EXPECTED_CLOSE], out);
    write_money("amount", candidate, line[OPEN_AMOUNT], out);
    buffer_str(out, ",\"win_probability\":");
    figure_write_number(candidate->probability, out);
    write_money("expected_value", candidate, candidate->expected, out);
    buffer_byte(out, '}');
}

/* So many of each currency. */
static void write_best(const struct choosing *choosing, struct buffer *out)
{
    size_t of_currency = 0;
    buffer_byte(out, '[');
    for (size_t i = 0, n = 0; i < choosing->n; i++) {
        const struct candidate *candidate = &choosing->at[i];
        bool same = i && span_equal(candidate->code, choosing->at[i - 1].code);
        of_currency = same ? of_currency + 1 : 0;
        if (of_currency >= OPEN_DEALS_SHOWN) continue;
        if (n++) buffer_byte(out, ',');
        write_deal(candidate, choosing->names, out);
    }
    buffer_byte(out, ']');
}

void lists_write_open_deals(const struct lists *lists, const struct metric *weight, const struct evaluation *evaluation,
                            const struct names *names, struct span currency, struct buffer *out)
{
    struct choosing choosing = { .weight = weight, .evaluation = evaluation, .names = names, .currency = currency };
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&lists->groups, &at));)
        add_group(&choosing, &((const struct open_group *)slot->value)->deals);
    if (choosing.n) qsort(choosing.at, choosing.n, sizeof *choosing.at, compare_candidates);
    write_best(&choosing, out);
    free(choosing.at);
}
