#include "common/zone.h"

#include "common/instant.h"

/* No offset from UTC is as large as this. */
#define OFFSET_BOUND_US (2 * MICROS_PER_DAY)

/* The step that holds at the instant. */
static size_t step_at(const struct zone *zone, int64_t instant_us)
{
    size_t low = 0, high = zone->n_steps; /* steps[low] holds or is the first; steps[high] begins later */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->steps[middle].from_us <= instant_us)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int32_t zone_offset(const struct zone *zone, int64_t instant_us)
{
    return zone->steps[step_at(zone, instant_us)].offset_s;
}

int64_t zone_instant(const struct zone *zone, int32_t local_day, int32_t second_of_day)
{
    int64_t local_us = local_day * MICROS_PER_DAY + second_of_day * MICROS_PER_SECOND;
    size_t i = step_at(zone, local_us - OFFSET_BOUND_US);
    int64_t instant_us = local_us - zone->steps[i].offset_s * MICROS_PER_SECOND;
    /* the first step that has not ended by that time of its own clock */
    while (i + 1 < zone->n_steps && instant_us >= zone->steps[i + 1].from_us)
        instant_us = local_us - zone->steps[++i].offset_s * MICROS_PER_SECOND;
    /* before its beginning: the clock was put forward over that time */
    return i > 0 && instant_us < zone->steps[i].from_us ? zone->steps[i].from_us : instant_us;
}
