/* The machine's clocks, in microseconds. */
#pragma once

#include "common/instant.h"

#include <time.h>

/* CLOCK_REALTIME: since 1970; CLOCK_MONOTONIC: for waiting. */
static inline int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * MICROS_PER_SECOND + now.tv_nsec / 1000;
}
