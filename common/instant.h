/* Instants (microseconds since 1970 UTC) and civil days (days since 1970-01-01), with their texts. Pure. */
#pragma once

#include "common/span.h"

enum {
    MICROS_PER_MS = 1000
};
#define MICROS_PER_SECOND INT64_C(1000000)
#define MICROS_PER_DAY (INT64_C(86400) * MICROS_PER_SECOND)
#define NO_INSTANT INT64_MIN
#define NEVER INT64_MAX

struct civil {
    int year, month, day; /* month 1..12, day 1..31 */
};

int32_t day_of_civil(struct civil civil);
struct civil civil_of_day(int32_t day);
bool civil_valid(struct civil civil); /* year 1…9999, the month has that day */
int day_weekday(int32_t day);         /* 0 = Monday … 6 = Sunday */

/* The local day of an instant, given the zone's offset from UTC at that instant (seconds, east positive). */
int32_t local_day(int64_t instant_us, int32_t offset_s);

/* RFC 3339 date-time, any offset, year 1…9999 (of the UTC instant), finer digits than microseconds are cut,
 * a leap second (:60) is read as the next second. False: not of that form or no such date. */
bool instant_parse(struct span text, int64_t *instant_us);
bool day_parse(struct span text, int32_t *day); /* YYYY-MM-DD, year 1…9999 */

/* Is it of the years 1900 to 2199, in which something can happen? Dates that somebody writes down may be of others. */
enum {
    POSSIBLE_YEAR_FIRST = 1900,
    POSSIBLE_YEAR_LAST = 2199
};
bool instant_is_possible(int64_t instant_us);

/* "2026-03-02T14:05:12.400Z" (milliseconds, cut) and "2026-03-02". Terminated, so the arrays hold one more. */
enum {
    INSTANT_TEXT_BYTES = 32,
    DAY_TEXT_BYTES = 16
};
void instant_format(int64_t instant_us, char text[INSTANT_TEXT_BYTES]);
void day_format(int32_t day, char text[DAY_TEXT_BYTES]);
