#include "common/rules.h"

#include "common/instant.h"

bool rules_unlisted(const struct rules *rules, const char *attribute, struct span value)
{
    const struct map *list = map_get(&rules->lists, span_of(attribute));
    return list && !map_get(list, value);
}

static bool is_holiday(const struct rules *rules, int32_t day)
{
    size_t low = 0, high = rules->n_holidays;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rules->holidays[middle] < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rules->n_holidays && rules->holidays[low] == day;
}

/* The part of the day's business hours that lies between the instants. */
static int64_t business_of_day_us(const struct rules *rules, int32_t day, int64_t from_us, int64_t to_us)
{
    if (is_holiday(rules, day)) return 0;
    int weekday = day_weekday(day);
    int64_t sum_us = 0;
    for (int i = 0; i < rules->business_hours[weekday].n; i++) {
        struct open_hours open = rules->business_hours[weekday].open[i];
        int64_t opens_us = zone_instant(rules->zone, day, open.from_s);
        int64_t closes_us = zone_instant(rules->zone, day, open.to_s);
        int64_t begin_us = opens_us > from_us ? opens_us : from_us;
        int64_t end_us = closes_us < to_us ? closes_us : to_us;
        if (begin_us < end_us) sum_us += end_us - begin_us;
    }
    return sum_us;
}

int64_t rules_business_ms(const struct rules *rules, int64_t from_us, int64_t to_us)
{
    if (to_us <= from_us) return 0;
    int32_t first = local_day(from_us, zone_offset(rules->zone, from_us));
    /* the next day, too: where the clock is put back over midnight, it has begun once before `to` */
    int32_t last = local_day(to_us, zone_offset(rules->zone, to_us)) + 1;
    int64_t sum_us = 0;
    for (int32_t day = first; day <= last; day++) sum_us += business_of_day_us(rules, day, from_us, to_us);
    return sum_us / MICROS_PER_MS;
}
