/* Chance from a seed: the same seed, the same throws, on every machine (splitmix64). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_throw(struct dice *dice)
{
    uint64_t z = (dice->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 … n - 1; 0 for n = 0 */
static inline uint32_t dice_below(struct dice *dice, uint32_t n)
{
    return n ? (uint32_t)(dice_throw(dice) % n) : 0;
}

static inline bool dice_permille(struct dice *dice, uint32_t permille)
{
    return permille && dice_below(dice, 1000) < permille;
}
