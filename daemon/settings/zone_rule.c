#include "daemon/settings/zone_rule.h"

#include "common/instant.h"
#include "common/number.h"

enum {
    SECONDS_PER_HOUR = 3600,
    SECONDS_PER_DAY = 86400,
    HOURS_MAX = 167,
    DAYS_PER_WEEK = 7
};

/* A number without sign, leading zeros allowed, at most `max`. */
static bool take_small(struct span *text, int max, int *value)
{
    size_t n = 0;
    int sum = 0;
    for (; n < text->len && text->at[n] >= '0' && text->at[n] <= '9' && sum <= max; n++) sum = sum * 10 + (text->at[n] - '0');
    *text = (struct span){ text->at + n, text->len - n };
    *value = sum;
    return n && sum <= max;
}

/* "CET" or "<+0330>" */
static bool take_abbreviation(struct span *text)
{
    if (byte_take(text, '<')) {
        struct span name = until_take(text, '>');
        return name.len && byte_take(text, '>');
    }
    size_t n = 0;
    while (n < text->len && (text->at[n] | 32) >= 'a' && (text->at[n] | 32) <= 'z') n++;
    *text = (struct span){ text->at + n, text->len - n };
    return n >= 3;
}

/* "-1", "3:30", "+02:00:00" in seconds */
static bool take_time(struct span *text, int32_t *time_s)
{
    int sign = byte_take(text, '-') ? -1 : 1, hours, minutes = 0, seconds = 0;
    if (sign > 0) (void)byte_take(text, '+');
    if (!take_small(text, HOURS_MAX, &hours)) return false;
    if (byte_take(text, ':') && !take_small(text, 59, &minutes)) return false;
    if (byte_take(text, ':') && !take_small(text, 59, &seconds)) return false;
    *time_s = sign * (hours * SECONDS_PER_HOUR + minutes * 60 + seconds);
    return true;
}

/* POSIX counts west of Greenwich positive. */
static bool take_offset(struct span *text, int32_t *offset_s)
{
    if (!take_time(text, offset_s) || *offset_s < -SECONDS_PER_DAY || *offset_s > SECONDS_PER_DAY) return false;
    *offset_s = -*offset_s;
    return true;
}

static bool take_month_form(struct span *text, struct zone_change *change)
{
    return take_small(text, 12, &change->month) && change->month && byte_take(text, '.') && take_small(text, 5, &change->week) &&
           change->week && byte_take(text, '.') && take_small(text, 6, &change->day);
}

static bool take_change(struct span *text, struct zone_change *change)
{
    *change = (struct zone_change){ .form = 'N', .time_s = 2 * SECONDS_PER_HOUR };
    bool good;
    if (byte_take(text, 'M')) {
        change->form = 'M';
        good = take_month_form(text, change);
    } else {
        if (byte_take(text, 'J')) change->form = 'J';
        good = take_small(text, 365, &change->day) && (change->form == 'N' || change->day);
    }
    return good && (!byte_take(text, '/') || take_time(text, &change->time_s));
}

bool zone_rule_parse(struct span text, struct zone_rule *rule)
{
    *rule = (struct zone_rule){ 0 };
    if (!take_abbreviation(&text) || !take_offset(&text, &rule->standard_s)) return false;
    if (!text.len) return true;
    rule->changes = true;
    rule->other_s = rule->standard_s + SECONDS_PER_HOUR;
    if (!take_abbreviation(&text)) return false;
    if (text.len && *text.at != ',' && !take_offset(&text, &rule->other_s)) return false;
    return byte_take(&text, ',') && take_change(&text, &rule->to_other) && byte_take(&text, ',') &&
           take_change(&text, &rule->to_standard) && !text.len;
}

static int32_t day_of_change(const struct zone_change *change, int year)
{
    int32_t january = day_of_civil((struct civil){ year, 1, 1 });
    if (change->form == 'N') return january + change->day;
    int32_t march = day_of_civil((struct civil){ year, 3, 1 });
    if (change->form == 'J') return change->day < 60 ? january + change->day - 1 : march + change->day - 60;

    int32_t first = day_of_civil((struct civil){ year, change->month, 1 });
    int monday_based = (change->day + 6) % DAYS_PER_WEEK;
    int32_t day =
        first + (monday_based - day_weekday(first) + DAYS_PER_WEEK) % DAYS_PER_WEEK + (change->week - 1) * DAYS_PER_WEEK;
    while (civil_of_day(day).month != change->month) day -= DAYS_PER_WEEK;
    return day;
}

static int64_t second_of_change(const struct zone_change *change, int year, int32_t offset_before_s)
{
    return (int64_t)day_of_change(change, year) * SECONDS_PER_DAY + change->time_s - offset_before_s;
}

void zone_rule_turns(const struct zone_rule *rule, int year, struct zone_turn turns[2])
{
    struct zone_turn to_other = { second_of_change(&rule->to_other, year, rule->standard_s), rule->other_s };
    struct zone_turn to_standard = { second_of_change(&rule->to_standard, year, rule->other_s), rule->standard_s };
    bool other_first = to_other.at_s < to_standard.at_s;
    turns[0] = other_first ? to_other : to_standard;
    turns[1] = other_first ? to_standard : to_other;
}
