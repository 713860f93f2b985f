#include "common/latency.h"

const int64_t latency_bounds_us[N_LATENCY_BOUNDS] = { 250,    500,    1000,   2500,    5000,    10000,   25000,   50000,
                                                      100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000 };

void latency_add(struct latency *latency, int64_t us)
{
    int bucket = 0;
    if (us < 0) us = 0;
    while (bucket < N_LATENCY_BOUNDS && us > latency_bounds_us[bucket]) bucket++;
    latency->within[bucket]++;
    latency->sum_us += (uint64_t)us;
}
