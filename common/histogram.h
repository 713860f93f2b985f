/* How durations are spread: counts per bucket, the buckets growing by 1.5 %, so that any percentile is within 1 % of the
 * exact order statistic. Counts may be negative (differences); adding is exact and order does not matter. */
#pragma once

#include "common/buffer.h"

struct histogram_bar {
    int32_t bucket;
    int64_t count; /* never 0 */
};

/* A zeroed struct histogram is an empty one. Most that are kept have one bar for ever: it lies here, without an allocation. */
struct histogram {
    union {
        struct histogram_bar *bars; /* room > 0: sorted by bucket */
        int64_t count;              /* room < 0: of the only one */
    };
    uint32_t n;
    int32_t room; /* bars that fit; -1 - bucket of the one that lies here; 0: nothing */
};

void histogram_deinit(struct histogram *histogram);
void histogram_clear(struct histogram *histogram);
void histogram_add(struct histogram *histogram, int64_t value_ms, int64_t count); /* value >= 0 */
void histogram_merge(struct histogram *into, const struct histogram *other, int64_t factor);
int64_t histogram_total(const struct histogram *histogram);
size_t histogram_bytes(const struct histogram *histogram); /* of memory, beside itself */

/* All n of them. `one`: room for it, if it lies in the histogram itself. */
const struct histogram_bar *histogram_bars(const struct histogram *histogram, struct histogram_bar *one);

/* The value (ms) at nearest rank: the smallest with at least `share` (0…1) of the values at or below it. Total must be > 0. */
double histogram_percentile(const struct histogram *histogram, double share);

/* "bucket:count,bucket:count" and back. Writes nothing for an empty one. Parse: false when malformed; adds to what is there. */
void histogram_write(const struct histogram *histogram, struct buffer *out);
bool histogram_parse(struct histogram *histogram, struct span text);
