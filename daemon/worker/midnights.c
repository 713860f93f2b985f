#include "daemon/worker/midnights.h"

enum {
    AT_ONCE = 16 /* so many at each look in any case */
};

/* How many may still wait: all at the beginning, none a little before the end. */
static size_t may_wait(const struct midnight_wave *wave, int64_t spread_us, int64_t now_us)
{
    int64_t last_us = spread_us - spread_us / 8, passed_us = now_us - wave->began_us;
    if (passed_us >= last_us || last_us <= 0) return 0;
    return (size_t)((double)wave->most * (double)(last_us - passed_us) / (double)last_us);
}

size_t midnight_share(struct midnight_wave *wave, size_t waiting, int64_t spread_us, int64_t now_us)
{
    if (!waiting) wave->most = 0;
    if (!waiting) return 0;
    if (!wave->most || now_us < wave->began_us) *wave = (struct midnight_wave){ now_us, 0 };
    if (waiting > wave->most) wave->most = waiting;
    size_t left = may_wait(wave, spread_us, now_us), share = waiting > left ? waiting - left : 0;
    if (share < AT_ONCE) share = AT_ONCE;
    return share < waiting ? share : waiting;
}
