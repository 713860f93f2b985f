/* Chance that repeats itself: a small generator (splitmix64), equal seed, equal draws. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct draw {
    uint64_t state;
};

static inline uint64_t draw_next(struct draw *draw)
{
    uint64_t z = draw->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 … n-1; n > 0. */
static inline int draw_below(struct draw *draw, int n)
{
    return (int)((draw_next(draw) >> 33) % (uint64_t)n);
}

/* from … to, both possible. */
static inline int draw_between(struct draw *draw, int from, int to)
{
    return from + draw_below(draw, to - from + 1);
}

/* True in so many of a hundred cases. */
static inline bool draw_percent(struct draw *draw, int percent)
{
    return draw_below(draw, 100) < percent;
}

/* A waiting time with this mean, more often short than long: at least 0, at most four times the mean. */
static inline int64_t draw_wait(struct draw *draw, int64_t mean)
{
    double a = draw_below(draw, 1 << 20) / (double)(1 << 20), b = draw_below(draw, 1 << 20) / (double)(1 << 20);
    return (int64_t)((double)mean * 4 * a * b);
}
