#include "daemon/alert/judge.h"

#include "common/decimal.h"

#include <math.h>

enum {
    PERCENTILE_STEPS = 1000000
};

static bool is_per_currency(const struct metric *metric)
{
    return metric->shape == SHAPE_MONEY || metric->shape == SHAPE_RATIOS;
}

struct span alert_currency(const struct alert_rule *rule, const struct rules *rules)
{
    if (!is_per_currency(rule->watch.metric)) return NO_SPAN;
    return span_of(rule->currency ? rule->currency : rules->currency);
}

static struct rational part_of(const struct figure *figure, name_id currency, struct rational otherwise)
{
    for (size_t i = 0; currency && i < figure->n_parts; i++)
        if (figure->parts[i].currency == currency) return figure->parts[i].value;
    return otherwise;
}

/* Whole currency, rounded as it is shown; none is 0. */
static struct rational money_of(const struct figure *figure, struct span code, const struct names *names)
{
    __int128 minor = rational_rounded(part_of(figure, names_find(names, code), rational_of(0, 1))), unit = 1;
    for (int i = 0; i < currency_decimals(code); i++) unit *= 10;
    return rational_of(minor, unit);
}

static struct rational number_of(const struct alert_rule *rule, const struct figure *figure, struct span currency,
                                 const struct names *names)
{
    const struct metric *metric = rule->watch.metric;
    if (metric->shape == SHAPE_MONEY) return money_of(figure, currency, names);
    if (metric->shape == SHAPE_GOAL && figure->parted)
        return figure->n_parts ? money_of(figure, names_text(names, figure->parts[0].currency), names) : rational_of(0, 1);
    if (metric->shape == SHAPE_RATIOS) return part_of(figure, names_find(names, currency), RATIONAL_NULL);
    if (figure_is_null(metric, figure)) return RATIONAL_NULL;
    if (figure->is_percentile) return rational_of((__int128)llround(figure->percentile * PERCENTILE_STEPS), PERCENTILE_STEPS);
    return figure->one;
}

static struct span shown(const struct metric *metric, struct rational number, struct span currency, struct arena *arena)
{
    struct buffer text = { 0 };
    char money[MONEY_TEXT_BYTES];
    if (metric && metric->shape == SHAPE_MONEY) {
        __int128 unit = 1;
        for (int i = 0; i < currency_decimals(currency); i++) unit *= 10;
        money_format(rational_rounded(rational_multiply(number, rational_of(unit, 1))), currency_decimals(currency), money);
        buffer_str(&text, money);
    } else {
        figure_write_number(number, &text);
    }
    struct span copy = arena_copy(arena, buffer_all(&text));
    buffer_deinit(&text);
    return copy;
}

/* Nothing is known of a change from nothing. */
static struct rational change_of(struct rational now, struct rational before)
{
    if (rational_is_null(now) || rational_is_null(before) || !before.num) return RATIONAL_NULL;
    struct rational size = before.num < 0 ? rational_of(-before.num, before.den) : before;
    return rational_divide(rational_subtract(now, before), size);
}

struct alert_measure alert_measure(const struct alert_rule *rule, const struct watch_row *row, const struct rules *rules,
                                   const struct names *names, struct arena *arena)
{
    const struct metric *metric = rule->watch.metric;
    struct span currency = alert_currency(rule, rules);
    struct rational now = number_of(rule, &row->now, currency, names);
    struct alert_measure measure = { .tested = now, .value = shown(metric, now, currency, arena) };
    if (!alert_test_is_change(rule->test)) return measure;
    struct rational before = row->has_previous ? number_of(rule, &row->previous, currency, names) : RATIONAL_NULL;
    measure.tested = change_of(now, before);
    measure.previous = row->has_previous ? shown(metric, before, currency, arena) : SPAN("null");
    measure.change = shown(NULL, measure.tested, currency, arena);
    return measure;
}

/* Beyond the limit; an alert that is raised stays so until it is back at `clear`. */
static bool is_beyond(const struct alert_rule *rule, struct rational tested, struct rational limit)
{
    if (rational_is_null(tested)) return false;
    int order = rational_compare(tested, limit);
    return alert_test_is_above(rule->test) ? order > 0 : order < 0;
}

bool alert_begins(const struct alert_rule *rule, struct rational tested)
{
    return is_beyond(rule, tested, rule->limit);
}

enum alert_state alert_judge(const struct alert_rule *rule, enum alert_state was, int64_t *since_us, struct rational tested,
                             int64_t state_us, int64_t now_us)
{
    if (!is_beyond(rule, tested, was == ALERT_RAISED ? rule->clear : rule->limit)) return ALERT_CLEAR;
    if (was == ALERT_RAISED) return ALERT_RAISED;
    if (was == ALERT_CLEAR) *since_us = state_us;
    return now_us - *since_us >= rule->for_us ? ALERT_RAISED : ALERT_PENDING;
}
