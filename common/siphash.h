/* SipHash-2-4 (Aumasson, Bernstein 2012): a keyed 64-bit hash for what strangers choose and for personal data. */
#pragma once

#include "common/span.h"

struct hash_key {
    uint64_t k0, k1;
};

uint64_t siphash(struct hash_key key, struct span bytes);
