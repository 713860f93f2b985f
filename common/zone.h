/* A time zone as a table of offsets: which offset from UTC holds from which instant on. Pure; daemon/settings/zones.c fills it. */
#pragma once

#include "common/span.h"

struct zone_step {
    int64_t from_us;  /* the first instant at which the offset holds; the first step holds from ever */
    int32_t offset_s; /* seconds east of UTC */
};

struct zone {
    char name[64]; /* IANA name */
    struct zone_step *steps;
    size_t n_steps;
    uint64_t fingerprint; /* of name and steps: tells time zone data updates */
};

int32_t zone_offset(const struct zone *zone, int64_t instant_us);

/* The instant of a local time: days since 1970 and seconds within the day (0…86400). Where the clock is put forward
 * over that time, the instant of the change; where it comes twice, the first. */
int64_t zone_instant(const struct zone *zone, int32_t local_day, int32_t second_of_day);

static inline int64_t zone_midnight(const struct zone *zone, int32_t local_day)
{
    return zone_instant(zone, local_day, 0);
}
