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

static inline int compare_us(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Of the sorted times; -1: there are none. */
static inline double rank_ms(const int64_t *sorted, int n, double share)
{
    int at = (int)(share * n);
    return n ? (double)sorted[at < n ? at : n - 1] / 1000 : -1;
}

/* Of times by probe, from `first` on, those that are known (not 0), sorted. Returns how many. */
static inline int plan_sort(const struct plan *plan, const int64_t *took_us, int first, int64_t *sorted)
{
    int n = 0;
    for (int i = first; i < plan->n_probes; i++)
        if (took_us[i]) sorted[n++] = took_us[i];
    qsort(sorted, (size_t)n, sizeof *sorted, compare_us);
    return n;
}
