/* When tenants whose local day is over are refreshed: spread over a while, those with events that day first. */
#pragma once

#include "common/span.h"

/* Tenants wait in waves: one begins when a day is over somewhere and nobody waits, and ends when nobody waits any more. */
struct midnight_wave {
    int64_t began_us; /* by the tenants' clock */
    size_t most;      /* that were waiting at once; 0: there is no wave */
};

/* How many of those waiting are to be refreshed now, so that all are within `spread_us` of the wave's beginning, evenly; a few
 * need not wait at all. Called again and again, at any intervals. */
size_t midnight_share(struct midnight_wave *wave, size_t waiting, int64_t spread_us, int64_t now_us);
