/* Readers of what a tenant counts days, hours and money by. */
#include "common/decimal.h"
#include "common/instant.h"
#include "common/period.h"
#include "daemon/settings/rules_readers.h"

#include <stdlib.h>

void read_time_zone(const struct rules_reading *reading, const json_t *value)
{
    const char *name = "";
    struct error error = { "" };
    if (!read_text(&reading->at, value, &name)) return;
    const struct zone *zone = zones_get(reading->zones, name, &error);
    if (zone)
        reading->rules->zone = zone;
    else
        expected(&reading->at, value, "an IANA time zone such as \"Europe/Berlin\" (%.200s)", error.text);
}

void read_week_start(const struct rules_reading *reading, const json_t *value)
{
    int64_t day;
    if (read_choice(&reading->at, value, weekday_names, &day)) reading->rules->week_start = (int)day;
}

void read_fiscal_year_start(const struct rules_reading *reading, const json_t *value)
{
    int64_t month;
    if (read_integer(&reading->at, value, 1, 12, &month)) reading->rules->fiscal_year_start = (int)month;
}

void read_stale_after(const struct rules_reading *reading, const json_t *value)
{
    int64_t days;
    if (read_integer(&reading->at, value, 1, 36500, &days)) reading->rules->stale_after_days = (int)days;
}

void read_retire_after(const struct rules_reading *reading, const json_t *value)
{
    int64_t days;
    if (read_integer(&reading->at, value, 0, 36500, &days)) reading->rules->retire_after_days = (int)days;
}

/* What reports show by named periods reaches back 211 days at most, unless it is shown by days or weeks. */
void read_fold_after(const struct rules_reading *reading, const json_t *value)
{
    int64_t days;
    if (json_is_integer(value) && json_integer_value(value) == 0)
        reading->rules->fold_after_days = 0;
    else if (read_integer(&reading->at, value, 250, 36500, &days))
        reading->rules->fold_after_days = (int)days;
}

void read_currency(const struct rules_reading *reading, const json_t *value)
{
    const char *code = json_string_value(value);
    if (!code || !currency_valid(span_of(code)))
        expected(&reading->at, value, "three capital letters such as \"EUR\"");
    else
        memcpy(reading->rules->currency, code, sizeof reading->rules->currency);
}

/* "09:00" … "24:00" */
static bool time_of_day(const char *text, int32_t *second)
{
    if (!text || strlen(text) != 5 || text[2] != ':') return false;
    for (int i = 0; i < 5; i++)
        if (i != 2 && (text[i] < '0' || text[i] > '9')) return false;
    int hour = (text[0] - '0') * 10 + text[1] - '0', minute = (text[3] - '0') * 10 + text[4] - '0';
    *second = hour * 3600 + minute * 60;
    return minute < 60 && *second <= 86400;
}

static bool read_hours(const struct setting_reading *at, const json_t *value, struct open_hours *hours)
{
    bool pair = json_array_size(value) == 2 && time_of_day(json_string_value(json_array_get(value, 0)), &hours->from_s) &&
                time_of_day(json_string_value(json_array_get(value, 1)), &hours->to_s);
    return (pair && hours->from_s < hours->to_s) ||
           expected(at, value, "a pair of local times such as [\"09:00\",\"17:00\"], the first one earlier");
}

static int by_opening(const void *a, const void *b)
{
    return ((const struct open_hours *)a)->from_s - ((const struct open_hours *)b)->from_s;
}

static void read_day(const struct rules_reading *reading, const struct setting_reading *at, const json_t *value, int day)
{
    struct open_hours *open = reading->rules->business_hours[day].open;
    size_t i, n = 0;
    json_t *item;
    if (!json_is_array(value) || json_array_size(value) > HOURS_PER_DAY_MAX) {
        expected(at, value, "a list of at most %d pairs of times", HOURS_PER_DAY_MAX);
        return;
    }
    json_array_foreach(value, i, item)
    {
        struct setting_reading nth = setting_nth(at, i);
        n += read_hours(&nth, item, &open[n]);
    }
    qsort(open, n, sizeof *open, by_opening);
    for (i = 1; i < n; i++)
        if (open[i].from_s < open[i - 1].to_s)
            problem_add(at->problems, at->where,
                        "found hours that overlap, expected each to begin after the one before has ended");
    reading->rules->business_hours[day].n = (int)n;
}

void read_business_hours(const struct rules_reading *reading, const json_t *value)
{
    const char *name;
    json_t *hours;
    if (!expect_object(&reading->at, value, "an object of weekdays")) return;
    json_object_foreach((json_t *)value, name, hours)
    {
        struct setting_reading at = setting_at(&reading->at, name);
        struct suggestion suggestion = { .name = span_of(name) };
        int day = 0;
        while (weekday_names[day] && strcmp(weekday_names[day], name) != 0) suggest(&suggestion, weekday_names[day++]);
        if (weekday_names[day])
            read_day(reading, &at, hours, day);
        else
            unknown_key(&at, "weekday (they are lower-case, in English)", suggestion);
    }
}

static int by_day(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

void read_holidays(const struct rules_reading *reading, const json_t *value)
{
    if (!expect_list(&reading->at, value, "a list of dates")) return;
    int32_t *days = arena_zalloc(reading->at.arena, (json_array_size(value) + 1) * sizeof *days);
    size_t i, n = 0;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        struct setting_reading at = setting_nth(&reading->at, i);
        if (day_parse(span_of(json_string_value(item)), &days[n]))
            n++;
        else
            expected(&at, item, "a date such as \"2026-12-25\"");
    }
    qsort(days, n, sizeof *days, by_day);
    reading->rules->holidays = days;
    for (i = 0; i < n; i++)
        if (i == 0 || days[i] != days[i - 1]) days[reading->rules->n_holidays++] = days[i];
}
