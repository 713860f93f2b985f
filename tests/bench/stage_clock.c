#include "tests/bench/stage_clock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TRIALS = 200000
};

static struct {
    uint64_t ticks, calls, children, allocations, bytes; /* children: how often another stage was entered from it */
} sums[N_STAGES];
static enum stage now_on;
static uint64_t since;
static bool runs;
static struct timespec started;
static uint64_t started_ticks;
static double ns_per_tick = 1, own_ticks, parents_ticks; /* what entering and leaving costs the stage, and the one around it */

static inline uint64_t ticks(void)
{
#ifdef __x86_64__
    return __builtin_ia32_rdtsc();
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
#endif
}

enum stage stage_enter(enum stage stage)
{
    uint64_t now = ticks();
    enum stage before = now_on;
    sums[before].ticks += now - since;
    sums[before].children++;
    sums[stage].calls++;
    now_on = stage;
    since = now;
    return before;
}

void stage_leave(enum stage before)
{
    uint64_t now = ticks();
    sums[now_on].ticks += now - since;
    now_on = before;
    since = now;
}

static void begin(void)
{
    memset(sums, 0, sizeof sums);
    now_on = STAGE_REST;
    clock_gettime(CLOCK_MONOTONIC, &started);
    since = started_ticks = ticks();
}

static void calibrate(void)
{
    begin();
    for (int i = 0; i < TRIALS; i++) stage_leave(stage_enter(STAGE_DECODE));
    own_ticks = (double)sums[STAGE_DECODE].ticks / TRIALS;
    parents_ticks = (double)sums[STAGE_REST].ticks / TRIALS;
}

void stage_clock_start(void)
{
    if (own_ticks == 0) calibrate();
    begin();
    runs = true;
}

void stage_clock_stop(void)
{
    struct timespec now;
    stage_leave(STAGE_REST);
    runs = false;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double ns = (double)(now.tv_sec - started.tv_sec) * 1e9 + (double)(now.tv_nsec - started.tv_nsec);
    ns_per_tick = ns / (double)(since - started_ticks);
}

struct stage_sum stage_sum(enum stage stage)
{
    double own = (double)sums[stage].calls * own_ticks + (double)sums[stage].children * parents_ticks;
    double left = (double)sums[stage].ticks - own;
    return (struct stage_sum){ left > 0 ? left * ns_per_tick : 0, sums[stage].calls, sums[stage].allocations, sums[stage].bytes };
}

/* Every allocation of the process, also of the libraries, comes through here. A sanitizer has its own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__)
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *at, size_t bytes);

static inline void count(size_t bytes)
{
    if (!runs) return;
    sums[now_on].allocations++;
    sums[now_on].bytes += bytes;
}

void *malloc(size_t bytes)
{
    count(bytes);
    return __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes)
{
    count(n * bytes);
    return __libc_calloc(n, bytes);
}

void *realloc(void *at, size_t bytes)
{
    count(bytes);
    return __libc_realloc(at, bytes);
}
#endif
