#include "common/period.h"

#include "common/instant.h"

enum {
    MONTHS_PER_YEAR = 12,
    MONTHS_PER_QUARTER = 3,
    DAYS_PER_WEEK = 7
};

const char *const unit_names[N_UNITS] = { "day", "week", "month", "quarter", "year" };
const char *const weekday_names[] = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", NULL };

/* Months of the units that are made of them. */
static const int unit_months[N_UNITS] = { [UNIT_MONTH] = 1, [UNIT_QUARTER] = MONTHS_PER_QUARTER, [UNIT_YEAR] = MONTHS_PER_YEAR };

/* name, unit, how many units from today; or the days that end today; neither (no days): all */
#define NAMED_PERIODS(ROW)                                                                                                       \
    ROW("today", UNIT_DAY, 0, 0)                                                                                                 \
    ROW("yesterday", UNIT_DAY, -1, 0)                                                                                            \
    ROW("this_week", UNIT_WEEK, 0, 0)                                                                                            \
    ROW("last_week", UNIT_WEEK, -1, 0)                                                                                           \
    ROW("this_month", UNIT_MONTH, 0, 0)                                                                                          \
    ROW("last_month", UNIT_MONTH, -1, 0)                                                                                         \
    ROW("this_quarter", UNIT_QUARTER, 0, 0)                                                                                      \
    ROW("last_quarter", UNIT_QUARTER, -1, 0)                                                                                     \
    ROW("this_year", UNIT_YEAR, 0, 0)                                                                                            \
    ROW("last_year", UNIT_YEAR, -1, 0)                                                                                           \
    ROW("last_7_days", N_UNITS, 0, 7)                                                                                            \
    ROW("last_30_days", N_UNITS, 0, 30)                                                                                          \
    ROW("last_90_days", N_UNITS, 0, 90)                                                                                          \
    ROW("tomorrow", UNIT_DAY, 1, 0)                                                                                              \
    ROW("next_week", UNIT_WEEK, 1, 0)                                                                                            \
    ROW("next_month", UNIT_MONTH, 1, 0)                                                                                          \
    ROW("next_quarter", UNIT_QUARTER, 1, 0)                                                                                      \
    ROW("next_year", UNIT_YEAR, 1, 0)                                                                                            \
    ROW("all", N_UNITS, 0, 0)

#define NAME(name, unit, units, days) name,
#define NAMED(name, unit, units, days) { unit, units, days },

const char *const period_names[] = { NAMED_PERIODS(NAME) NULL };

/* In the order of period_names. */
static const struct named {
    enum unit unit;
    int units, days;
} named[] = { NAMED_PERIODS(NAMED) };

static int32_t floor_to(int32_t value, int32_t step)
{
    int32_t rest = value % step;
    return value - (rest < 0 ? rest + step : rest);
}

int32_t month_of_day(int32_t day)
{
    struct civil civil = civil_of_day(day);
    return civil.year * MONTHS_PER_YEAR + civil.month - 1;
}

static int32_t first_of_month(int32_t month)
{
    int32_t january = floor_to(month, MONTHS_PER_YEAR);
    return day_of_civil((struct civil){ january / MONTHS_PER_YEAR, month - january + 1, 1 });
}

static struct period months_period(int32_t first, int32_t n)
{
    return (struct period){ first_of_month(first), first_of_month(first + n) - 1 };
}

struct period month_period(int32_t month)
{
    return months_period(month, 1);
}

void month_label(int32_t month, char label[LABEL_BYTES])
{
    day_format(month_period(month).from, label);
    label[strlen("2026-03")] = 0;
}

bool month_parse(struct span text, int32_t *month)
{
    char first_day[] = "yyyy-mm-01";
    int32_t day;
    if (text.len != strlen("yyyy-mm")) return false;
    memcpy(first_day, text.at, text.len);
    if (!day_parse(span_of(first_day), &day)) return false;
    *month = month_of_day(day);
    return true;
}

/* The unit that lies so many units after the one that holds the day. */
static struct period unit_beside(const struct rules *rules, enum unit unit, int32_t day, int units)
{
    if (unit == UNIT_DAY) return (struct period){ day + units, day + units };
    if (unit == UNIT_WEEK) {
        int into_week = (day_weekday(day) - rules->week_start + DAYS_PER_WEEK) % DAYS_PER_WEEK;
        int32_t first = day - into_week + units * DAYS_PER_WEEK;
        return (struct period){ first, first + DAYS_PER_WEEK - 1 };
    }
    int32_t months = unit_months[unit], start = rules->fiscal_year_start - 1;
    int32_t first = floor_to(month_of_day(day) - start, months) + start;
    return months_period(first + units * months, months);
}

struct period unit_period(const struct rules *rules, enum unit unit, int32_t day)
{
    return unit_beside(rules, unit, day, 0);
}

bool unit_parse(struct span name, enum unit *unit)
{
    for (int i = 0; i < N_UNITS; i++) {
        if (!span_is(name, unit_names[i])) continue;
        *unit = (enum unit)i;
        return true;
    }
    return false;
}

void unit_label(const struct rules *rules, enum unit unit, int32_t day, char label[LABEL_BYTES])
{
    int32_t begin = unit_period(rules, unit, day).from, year_begin = unit_period(rules, UNIT_YEAR, day).from;
    bool of_year = unit == UNIT_QUARTER || unit == UNIT_YEAR;
    day_format(of_year ? year_begin : begin, label);
    size_t n = strlen(label);
    if (unit == UNIT_MONTH) label[n - strlen("-01")] = 0;
    if (of_year) label[n - strlen("-01-01")] = 0;
    if (unit != UNIT_QUARTER) return;
    int quarter = (month_of_day(begin) - month_of_day(year_begin)) / MONTHS_PER_QUARTER + 1;
    n = strlen(label);
    memcpy(label + n, (char[]){ '-', 'Q', (char)('0' + quarter), 0 }, 4);
}

bool period_labelled(const struct rules *rules, struct span label, struct period *period)
{
    char first[] = "yyyy-01-01"; /* of the month, or of January of the year */
    bool quarter = label.len == 7 && label.at[4] == '-' && label.at[5] == 'Q' && label.at[6] >= '1' && label.at[6] <= '4';
    bool month = label.len == 7 && !quarter, year = label.len == 4;
    int32_t day;
    if (!quarter && !month && !year) return false;
    memcpy(first, label.at, quarter ? 4 : label.len);
    if (!day_parse(span_of(first), &day)) return false;
    int32_t start = month_of_day(day) + rules->fiscal_year_start - 1;
    if (month) *period = month_period(month_of_day(day));
    if (year) *period = months_period(start, MONTHS_PER_YEAR);
    if (quarter) *period = months_period(start + (label.at[6] - '1') * MONTHS_PER_QUARTER, MONTHS_PER_QUARTER);
    return true;
}

static const struct named *find_named(struct span name)
{
    for (int i = 0; period_names[i]; i++)
        if (span_is(name, period_names[i])) return &named[i];
    return NULL;
}

bool period_named(const struct rules *rules, struct span name, int32_t today, struct period *period)
{
    const struct named *row = find_named(name);
    if (!row) return false;
    if (row->unit != N_UNITS)
        *period = unit_beside(rules, row->unit, today, row->units);
    else if (row->days)
        *period = (struct period){ today - row->days + 1, today };
    else
        *period = (struct period){ PERIOD_BEGIN, PERIOD_END };
    return true;
}

static bool is_open_ended(struct period period)
{
    return period.from == PERIOD_BEGIN || period.to == PERIOD_END;
}

bool period_previous(const struct rules *rules, struct span name, struct period period, struct period *previous)
{
    if (is_open_ended(period)) return false;
    const struct named *row = find_named(name);
    if (row && row->unit != N_UNITS)
        *previous = unit_beside(rules, row->unit, period.from, -1);
    else
        *previous = (struct period){ period.from - (period.to - period.from + 1), period.from - 1 };
    return true;
}
