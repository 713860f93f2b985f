/* What latency_feed sends and latency_watch looks for: probe n is due at a known instant, whoever asks, and goes to the tenants in turn. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    FIRST_DAY = 16801, /* 2016-01-01: a day that no other event has, for each round of the tenants */
    DATE_BYTES = 11
};

/* In microseconds of CLOCK_MONOTONIC, which processes share. */
struct plan {
    int64_t start_us;
    int probes_per_s, n_probes, n_tenants;
    char **tenants;
};

static inline int64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline int64_t plan_due_us(const struct plan *plan, int probe)
{
    return plan->start_us + (int64_t)probe * 1000000 / plan->probes_per_s;
}

static inline const char *plan_tenant(const struct plan *plan, int probe)
{
    return plan->tenants[probe % plan->n_tenants];
}

/* The day of its own that a probe of a counter is dated on. */
static inline void plan_date(const struct plan *plan, int probe, char date[DATE_BYTES])
{
    time_t at = (time_t)(FIRST_DAY + probe / plan->n_tenants) * 86400;
    struct tm parts;
    gmtime_r(&at, &parts);
    strftime(date, DATE_BYTES, "%Y-%m-%d", &parts);
}

static inline _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}
