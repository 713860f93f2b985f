/* How long something takes, counted in buckets of fixed bounds: for the program's own statistics, not for numbers of the CRM. */
#pragma once

#include <stdint.h>

enum {
    N_LATENCY_BOUNDS = 15
};
extern const int64_t latency_bounds_us[N_LATENCY_BOUNDS]; /* ascending, each inclusive */

/* A zeroed one is empty. Nothing but uint64_t: sums of them are sums of their members. Written by one thread, read by any. */
struct latency {
    uint64_t within[N_LATENCY_BOUNDS + 1]; /* in the bucket up to each bound, not below it; the last: above all */
    uint64_t sum_us;
};

void latency_add(struct latency *latency, int64_t us); /* below 0 counts as 0: a clock went back */
