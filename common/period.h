/* Periods of a tenant's calendar: weeks, months, fiscal quarters and years, and the named ones. Pure. */
#pragma once

#include "common/rules.h"

enum unit {
    UNIT_DAY,
    UNIT_WEEK,
    UNIT_MONTH,
    UNIT_QUARTER,
    UNIT_YEAR,
    N_UNITS
};
extern const char *const unit_names[N_UNITS]; /* "day" … "year" */
extern const char *const weekday_names[];     /* "monday" … "sunday", by day_weekday; NULL-terminated */

/* Both days inclusive. PERIOD_BEGIN…PERIOD_END stand for "all". */
#define PERIOD_BEGIN INT32_MIN
#define PERIOD_END INT32_MAX
struct period {
    int32_t from, to;
};

/* First and last day of the unit that holds the day. Quarters and years are fiscal. */
struct period unit_period(const struct rules *rules, enum unit unit, int32_t day);
bool unit_parse(struct span name, enum unit *unit);

/* The period of a label: "2026-03", "2026-Q1", "2026" (fiscal). False: it is none of these. */
bool period_labelled(const struct rules *rules, struct span label, struct period *period);

/* "2026-03-02" (day, and a week's first day), "2026-03", "2026-Q1", "2026" (named after the calendar year in which the
 * fiscal year begins). `day`: any day within. */
enum {
    LABEL_BYTES = 16
};
void unit_label(const struct rules *rules, enum unit unit, int32_t day, char label[LABEL_BYTES]);

/* "today", "last_30_days", "next_quarter", "all" …; false: no such name. */
bool period_named(const struct rules *rules, struct span name, int32_t today, struct period *period);
extern const char *const period_names[]; /* NULL-terminated, all names */

/* The one before of the same kind and length: of this_month the month before (also when the months differ in length), of
 * last_7_days the 7 days before, of from…to as many days before. "all" has none: false. `name` may be empty (a range). */
bool period_previous(const struct rules *rules, struct span name, struct period period, struct period *previous);

/* Months as numbers: year * 12 + month - 1. */
int32_t month_of_day(int32_t day);
struct period month_period(int32_t month);
void month_label(int32_t month, char label[LABEL_BYTES]); /* "2026-03" */
bool month_parse(struct span text, int32_t *month);       /* of its label */
