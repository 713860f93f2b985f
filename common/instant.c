#include "common/instant.h"

#include <stdio.h>

enum {
    YEAR_FIRST = 1900,
    YEAR_LAST = 2199
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

/* A reader of fixed forms: what is missing or different makes it fail, and it stays so. */
struct reader {
    struct span rest;
    bool failed;
};

static char next(struct reader *reader)
{
    if (!reader->rest.len) {
        reader->failed = true;
        return 0;
    }
    reader->rest.len--;
    return *reader->rest.at++;
}

static void expect(struct reader *reader, char wanted)
{
    if (next(reader) != wanted) reader->failed = true;
}

static int digits(struct reader *reader, size_t n)
{
    int value = 0;
    bool good = reader->rest.len >= n;
    for (size_t i = 0; i < n && good; i++) {
        int digit = reader->rest.at[i] - '0';
        good = digit >= 0 && digit <= 9;
        value = value * 10 + digit;
    }
    if (!good) {
        reader->failed = true;
        return 0;
    }
    reader->rest = (struct span){ reader->rest.at + n, reader->rest.len - n };
    return value;
}

static struct civil read_date(struct reader *reader)
{
    struct civil civil = { 0 };
    civil.year = digits(reader, 4);
    expect(reader, '-');
    civil.month = digits(reader, 2);
    expect(reader, '-');
    civil.day = digits(reader, 2);
    if (!reader->failed && !civil_exists(civil)) reader->failed = true;
    return civil;
}

static int64_t read_seconds_of_day(struct reader *reader, bool *leap_second)
{
    int hour = digits(reader, 2);
    expect(reader, ':');
    int minute = digits(reader, 2);
    expect(reader, ':');
    int second = digits(reader, 2);
    if (hour > 23 || minute > 59 || second > 60) reader->failed = true;
    *leap_second = second == 60;
    return hour * 3600 + minute * 60 + second;
}

static bool at_digit(const struct reader *reader)
{
    return reader->rest.len && reader->rest.at[0] >= '0' && reader->rest.at[0] <= '9';
}

/* "" or ".5": microseconds, finer digits cut */
static int64_t read_fraction(struct reader *reader)
{
    if (!reader->rest.len || reader->rest.at[0] != '.') return 0;
    next(reader);
    if (!at_digit(reader)) reader->failed = true;
    int64_t micros = 0;
    for (int64_t worth = MICROS_PER_SECOND / 10; at_digit(reader); worth /= 10) micros += (next(reader) - '0') * worth;
    return micros;
}

static int64_t read_offset(struct reader *reader)
{
    char sign = next(reader);
    if (sign == 'Z' || sign == 'z') return 0;
    if (sign != '+' && sign != '-') reader->failed = true;
    int hours = digits(reader, 2);
    expect(reader, ':');
    int minutes = digits(reader, 2);
    if (hours > 23 || minutes > 59) reader->failed = true;
    return (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/* RFC 3339, 5.7: a leap second stands at the end of a month, UTC; so the second after it begins one. */
static bool begins_month(int64_t second)
{
    return second % 86400 == 0 && civil_of_day((int32_t)(second / 86400)).day == 1;
}

bool instant_parse(struct span text, int64_t *instant_us)
{
    struct reader reader = { text, false };
    bool leap_second;
    int64_t day = day_of_civil(read_date(&reader));
    if ((next(&reader) | 0x20) != 't') reader.failed = true;
    int64_t second = day * 86400 + read_seconds_of_day(&reader, &leap_second);
    int64_t fraction = read_fraction(&reader);
    second -= read_offset(&reader);
    if (reader.failed || reader.rest.len) return false;
    if (leap_second && !begins_month(second)) return false;
    int year = civil_of_day((int32_t)floor_div(second, 86400)).year;
    if (year < YEAR_FIRST || year > YEAR_LAST) return false;
    *instant_us = second * MICROS_PER_SECOND + fraction;
    return true;
}

bool day_parse(struct span text, int32_t *day)
{
    struct reader reader = { text, false };
    struct civil civil = read_date(&reader);
    if (reader.failed || reader.rest.len || !civil_valid(civil)) return false;
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
