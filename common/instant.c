#include "common/instant.h"

#include <stdio.h>

enum {
    YEAR_FIRST = 1,
    YEAR_LAST = 9999
};

/* floor(a / b), b > 0 */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int month_days(int year, int month)
{
    static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* Years are taken to begin in March, so that the leap day ends one; eras are 400 years. (Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms", days_from_civil and civil_from_days.) */
int32_t day_of_civil(struct civil civil)
{
    int64_t year = civil.year - (civil.month <= 2);
    int64_t era = floor_div(year, 400), year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (civil.month + (civil.month > 2 ? -3 : 9)) + 2) / 5 + civil.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int32_t)(era * 146097 + day_of_era - 719468);
}

struct civil civil_of_day(int32_t day)
{
    int64_t shifted = (int64_t)day + 719468;
    int64_t era = floor_div(shifted, 146097), day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    int month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    return (struct civil){ .year = (int)(year_of_era + era * 400) + (month <= 2),
                           .month = month,
                           .day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1) };
}

/* Is there such a month and day in the year, whatever the year? */
static bool civil_exists(struct civil civil)
{
    return civil.month >= 1 && civil.month <= 12 && civil.day >= 1 && civil.day <= month_days(civil.year, civil.month);
}

bool civil_valid(struct civil civil)
{
    return civil.year >= YEAR_FIRST && civil.year <= YEAR_LAST && civil_exists(civil);
}

int day_weekday(int32_t day)
{
    int64_t since_monday = (int64_t)day + 3; /* 1970-01-01 was a Thursday */
    return (int)(since_monday - floor_div(since_monday, 7) * 7);
}

int32_t local_day(int64_t instant_us, int32_t offset_s)
{
    /* in two steps: the offset must not overflow an instant at the end of time */
    int64_t day = floor_div(instant_us, MICROS_PER_DAY);
    int64_t rest_us = instant_us - day * MICROS_PER_DAY + offset_s * MICROS_PER_SECOND;
    return (int32_t)(day + floor_div(rest_us, MICROS_PER_DAY));
}

/* ---- fixed forms: each takes what it read off `rest`, or says that it is not there ---- */

enum {
    NO_DIGITS = -100000, /* whatever is added to it stays below 0 */
    DATE_BYTES = 10,
    TIME_BYTES = 8
};

static int two_digits(const char *at)
{
    unsigned tens = (unsigned char)at[0] - '0', ones = (unsigned char)at[1] - '0';
    return tens <= 9 && ones <= 9 ? (int)(tens * 10 + ones) : NO_DIGITS;
}

static void skip(struct span *rest, size_t bytes)
{
    *rest = (struct span){ rest->at + bytes, rest->len - bytes };
}

static bool take_date(struct span *rest, struct civil *civil)
{
    const char *at = rest->at;
    if (rest->len < DATE_BYTES || at[4] != '-' || at[7] != '-') return false;
    *civil = (struct civil){ two_digits(at) * 100 + two_digits(at + 2), two_digits(at + 5), two_digits(at + 8) };
    skip(rest, DATE_BYTES);
    return civil->year >= 0 && civil_exists(*civil);
}

static bool take_time(struct span *rest, int64_t *second_of_day, bool *leap_second)
{
    const char *at = rest->at;
    if (rest->len < TIME_BYTES || at[2] != ':' || at[5] != ':') return false;
    int hour = two_digits(at), minute = two_digits(at + 3), second = two_digits(at + 6);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return false;
    *leap_second = second == 60;
    *second_of_day = hour * 3600 + minute * 60 + second;
    skip(rest, TIME_BYTES);
    return true;
}

static bool at_digit(struct span rest)
{
    return rest.len && rest.at[0] >= '0' && rest.at[0] <= '9';
}

/* "" or ".5": microseconds, finer digits cut */
static bool take_fraction(struct span *rest, int64_t *micros)
{
    *micros = 0;
    if (!rest->len || rest->at[0] != '.') return true;
    skip(rest, 1);
    if (!at_digit(*rest)) return false;
    for (int worth = MICROS_PER_SECOND / 10; at_digit(*rest); worth /= 10, skip(rest, 1)) *micros += (rest->at[0] - '0') * worth;
    return true;
}

/* To the end. */
static bool take_offset(struct span rest, int64_t *seconds)
{
    *seconds = 0;
    if (rest.len == 1) return (rest.at[0] | 0x20) == 'z';
    if (rest.len != sizeof "+00:00" - 1 || (rest.at[0] != '+' && rest.at[0] != '-') || rest.at[3] != ':') return false;
    int hours = two_digits(rest.at + 1), minutes = two_digits(rest.at + 4);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
    *seconds = (rest.at[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

/* RFC 3339, 5.7: a leap second stands at the end of a month, UTC; so the second after it begins one. */
static bool begins_month(int64_t second)
{
    return second % 86400 == 0 && civil_of_day((int32_t)(second / 86400)).day == 1;
}

static bool in_years(int64_t second, int first_year, int last_year)
{
    int64_t first = day_of_civil((struct civil){ first_year, 1, 1 }), end = day_of_civil((struct civil){ last_year + 1, 1, 1 });
    return second >= first * 86400 && second < end * 86400;
}

bool instant_is_possible(int64_t instant_us)
{
    return in_years(floor_div(instant_us, MICROS_PER_SECOND), POSSIBLE_YEAR_FIRST, POSSIBLE_YEAR_LAST);
}

bool instant_parse(struct span text, int64_t *instant_us)
{
    struct civil civil;
    bool leap_second;
    int64_t second_of_day, fraction, offset;
    if (!take_date(&text, &civil) || !text.len || (text.at[0] | 0x20) != 't') return false;
    skip(&text, 1);
    if (!take_time(&text, &second_of_day, &leap_second) || !take_fraction(&text, &fraction) || !take_offset(text, &offset))
        return false;
    int64_t second = day_of_civil(civil) * INT64_C(86400) + second_of_day - offset;
    if (!in_years(second, YEAR_FIRST, YEAR_LAST) || (leap_second && !begins_month(second))) return false;
    *instant_us = second * MICROS_PER_SECOND + fraction;
    return true;
}

bool day_parse(struct span text, int32_t *day)
{
    struct civil civil;
    if (!take_date(&text, &civil) || text.len || !civil_valid(civil)) return false;
    *day = day_of_civil(civil);
    return true;
}

void instant_format(int64_t instant_us, char text[INSTANT_TEXT_BYTES])
{
    int64_t day = floor_div(instant_us, MICROS_PER_DAY);
    int64_t ms = (instant_us - day * MICROS_PER_DAY) / MICROS_PER_MS;
    day_format((int32_t)day, text);
    size_t n = strlen(text);
    snprintf(text + n, INSTANT_TEXT_BYTES - n, "T%02u:%02u:%02u.%03uZ", (unsigned)(ms / 3600000) % 24,
             (unsigned)(ms / 60000) % 60, (unsigned)(ms / 1000) % 60, (unsigned)(ms % 1000));
}

void day_format(int32_t day, char text[DAY_TEXT_BYTES])
{
    struct civil civil = civil_of_day(day);
    int year = civil.year;
    if (year < 0 || year > 9999) {
        snprintf(text, DAY_TEXT_BYTES, "%04d-%02d-%02d", (int16_t)civil.year, (uint8_t)civil.month, (uint8_t)civil.day);
        return;
    }
    const int parts[] = { year / 100, year % 100, (int)civil.month, (int)civil.day };
    static const uint8_t at[] = { 0, 2, 5, 8 };
    for (int i = 0; i < 4; i++) {
        text[at[i]] = (char)('0' + parts[i] / 10);
        text[at[i] + 1] = (char)('0' + parts[i] % 10);
    }
    text[4] = text[7] = '-';
    text[10] = 0;
}
