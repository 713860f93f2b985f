#include "common/histogram.h"

#include "common/error.h"
#include "common/number.h"

#include <math.h>
#include <stdlib.h>

/* Each power of two is cut into 64 buckets of equal width; below 128 ms a bucket is one value. So a bucket is at most
 * 1/64 of its values wide, and its middle at most 1/128 = 0.8 % off any of them. Integers only: the same everywhere. */
enum {
    CUTS = 64,
    CUTS_LOG2 = 6,
    BUCKET_LAST = (62 - CUTS_LOG2 + 1) * CUTS + CUTS - 1,
    ROOM_OF_SOME = 4,    /* bars */
    SEARCHES_PER_BAR = 8 /* steps of a search, for one of a merge */
};

static int32_t bucket_of(int64_t value_ms)
{
    REQUIRE(value_ms >= 0);
    if (value_ms < CUTS) return (int32_t)value_ms;
    int shift = 63 - __builtin_clzll((unsigned long long)value_ms) - CUTS_LOG2;
    return shift * CUTS + (int32_t)(value_ms >> shift);
}

static double bucket_middle(int32_t bucket)
{
    if (bucket < 2 * CUTS) return bucket;
    int shift = bucket / CUTS - 1;
    int64_t low = (int64_t)(bucket - shift * CUTS) << shift;
    return (double)low + (double)((INT64_C(1) << shift) - 1) / 2;
}

/* Counts stay at the ends of their range rather than wrap. */
static int64_t narrowed(__int128 count)
{
    if (count > INT64_MAX) return INT64_MAX;
    return count < INT64_MIN ? INT64_MIN : (int64_t)count;
}

/* ---- one bar lies in place ---- */

static bool is_in_place(const struct histogram *histogram)
{
    return histogram->room < 0;
}

static void put_in_place(struct histogram *histogram, struct histogram_bar bar)
{
    *histogram = (struct histogram){ .count = bar.count, .n = 1, .room = -1 - bar.bucket };
}

static struct histogram_bar bar_in_place(const struct histogram *histogram)
{
    return (struct histogram_bar){ -1 - histogram->room, histogram->count };
}

const struct histogram_bar *histogram_bars(const struct histogram *histogram, struct histogram_bar *one)
{
    if (!is_in_place(histogram)) return histogram->bars;
    *one = bar_in_place(histogram);
    return one;
}

/* ---- several have an allocation ---- */

void histogram_deinit(struct histogram *histogram)
{
    if (histogram->room > 0) free(histogram->bars);
    *histogram = (struct histogram){ 0 };
}

void histogram_clear(struct histogram *histogram)
{
    histogram->n = 0;
    if (is_in_place(histogram)) histogram->room = 0;
}

size_t histogram_bytes(const struct histogram *histogram)
{
    return histogram->room > 0 ? (size_t)histogram->room * sizeof *histogram->bars : 0;
}

/* Afterwards none lies in place. */
static void make_room(struct histogram *histogram, uint32_t bars)
{
    struct histogram_bar only = bar_in_place(histogram);
    bool was_in_place = is_in_place(histogram);
    uint32_t had = was_in_place ? 0 : (uint32_t)histogram->room, room = had ? had * 2 : ROOM_OF_SOME;
    if (bars <= had) return;
    while (room < bars) room *= 2;
    histogram->bars = must_realloc(had ? histogram->bars : NULL, room * sizeof *histogram->bars);
    histogram->room = (int32_t)room;
    if (was_in_place) histogram->bars[0] = only;
}

/* The first bar at or behind the bucket. */
static uint32_t position(const struct histogram *histogram, int32_t bucket)
{
    uint32_t low = 0, high = histogram->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (histogram->bars[middle].bucket < bucket)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* There is room. */
static void insert(struct histogram *histogram, uint32_t at, struct histogram_bar bar)
{
    memmove(histogram->bars + at + 1, histogram->bars + at, (histogram->n - at) * sizeof bar);
    histogram->bars[at] = bar;
    histogram->n++;
}

static void take_out(struct histogram *histogram, uint32_t at)
{
    histogram->n--;
    memmove(histogram->bars + at, histogram->bars + at + 1, (histogram->n - at) * sizeof *histogram->bars);
}

static void add_bar(struct histogram *histogram, int32_t bucket, __int128 count)
{
    if (!count) return;
    if (is_in_place(histogram) && bar_in_place(histogram).bucket == bucket) {
        histogram->count = narrowed(histogram->count + count);
        if (!histogram->count) histogram_clear(histogram);
        return;
    }
    if (!histogram->room) {
        put_in_place(histogram, (struct histogram_bar){ bucket, narrowed(count) });
        return;
    }
    make_room(histogram, histogram->n + 1);
    uint32_t at = position(histogram, bucket);
    if (at == histogram->n || histogram->bars[at].bucket != bucket) {
        insert(histogram, at, (struct histogram_bar){ bucket, narrowed(count) });
        return;
    }
    histogram->bars[at].count = narrowed(histogram->bars[at].count + count);
    if (!histogram->bars[at].count) take_out(histogram, at);
}

void histogram_add(struct histogram *histogram, int64_t value_ms, int64_t count)
{
    add_bar(histogram, bucket_of(value_ms), count);
}

/* Both rows into one, from the back, so that no third is needed; `factor` is not 0. */
static void merge_rows(struct histogram *into, const struct histogram_bar *others, uint32_t b, int64_t factor)
{
    uint32_t a = into->n, n = a + b, at = n;
    make_room(into, n);
    struct histogram_bar *bars = into->bars;
    while (b) {
        const struct histogram_bar *theirs = &others[b - 1];
        __int128 count = (__int128)theirs->count * factor;
        if (a && bars[a - 1].bucket > theirs->bucket) {
            bars[--at] = bars[--a];
            continue;
        }
        if (a && bars[a - 1].bucket == theirs->bucket) count += bars[--a].count;
        if (count) bars[--at] = (struct histogram_bar){ theirs->bucket, narrowed(count) };
        b--;
    }
    memmove(bars + a, bars + at, (n - at) * sizeof *bars);
    into->n = a + n - at;
}

/* Looking for the place of each of a few bars is less than going through a long row; one may stay in place. */
static bool are_few(uint32_t n, uint32_t of)
{
    return n == 1 || (uint64_t)n * SEARCHES_PER_BAR < of;
}

void histogram_merge(struct histogram *into, const struct histogram *other, int64_t factor)
{
    struct histogram_bar one;
    const struct histogram_bar *bars = histogram_bars(other, &one);
    REQUIRE(into != other);
    if (!factor || !other->n) return;
    if (!are_few(other->n, into->n)) {
        merge_rows(into, bars, other->n, factor);
        return;
    }
    for (uint32_t i = 0; i < other->n; i++) add_bar(into, bars[i].bucket, (__int128)bars[i].count * factor);
}

int64_t histogram_total(const struct histogram *histogram)
{
    struct histogram_bar one;
    const struct histogram_bar *bars = histogram_bars(histogram, &one);
    __int128 total = 0;
    for (uint32_t i = 0; i < histogram->n; i++) total += bars[i].count;
    return narrowed(total);
}

double histogram_percentile(const struct histogram *histogram, double share)
{
    struct histogram_bar one;
    const struct histogram_bar *bars = histogram_bars(histogram, &one);
    int64_t total = histogram_total(histogram);
    REQUIRE(total > 0 && share >= 0 && share <= 1);
    __int128 millionths = llround(share * 1e6); /* 0.95 is no double; 95 % of 20 must be 19, not 20 */
    __int128 rank = (millionths * total + 999999) / 1000000, seen = 0;
    if (rank < 1) rank = 1;
    uint32_t i = 0;
    while (i + 1 < histogram->n && (seen += bars[i].count) < rank) i++;
    return bucket_middle(bars[i].bucket);
}

void histogram_write(const struct histogram *histogram, struct buffer *out)
{
    struct histogram_bar one;
    const struct histogram_bar *bars = histogram_bars(histogram, &one);
    for (uint32_t i = 0; i < histogram->n; i++) {
        if (i) buffer_byte(out, ',');
        buffer_decimal(out, bars[i].bucket);
        buffer_byte(out, ':');
        buffer_decimal(out, bars[i].count);
    }
}

static bool take_bar(struct span *text, struct histogram_bar *bar)
{
    int64_t bucket;
    if (!number_take(text, &bucket) || bucket < 0 || bucket > BUCKET_LAST) return false;
    bar->bucket = (int32_t)bucket;
    return byte_take(text, ':') && number_take(text, &bar->count) && bar->count;
}

bool histogram_parse(struct histogram *histogram, struct span text)
{
    struct histogram_bar bar;
    if (!text.len) return true;
    do {
        if (!take_bar(&text, &bar)) return false;
        add_bar(histogram, bar.bucket, bar.count);
    } while (byte_take(&text, ','));
    return !text.len;
}
