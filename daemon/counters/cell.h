/* A cell: all measures of one fact with one set of dimension values, on one day, in one month, or of now.
 * In Redis it is a field of a day's, a month's or the "now" hash. See config/keys.md for the text form. */
#pragma once

#include "common/histogram.h"
#include "common/names.h"
#include "common/rules.h"
#include "daemon/facts/table.h"

/* Which hash the cell stands in. */
enum bucket_type {
    BUCKET_DAY,
    BUCKET_MONTH,
    BUCKET_NOW
};
struct bucket {
    enum bucket_type type;
    int32_t number; /* day: days since 1970; month: year * 12 + month - 1; now: 0 */
};

/* A bucket's key in maps. */
static inline struct span bucket_bytes(const struct bucket *bucket)
{
    return (struct span){ (const char *)bucket, sizeof *bucket };
}

/* n = fact_row.n_dims + the number of custom attributes that the tenant declares for fact_row.kinds.
 * Values: 0 = missing. */
struct cell_key {
    uint16_t fact;
    uint16_t n;
    name_id dims[CELL_DIMS_MAX];
};

/* So much of a key is used, and copied: where keys are many, no more is allocated. */
static inline size_t cell_key_bytes(const struct cell_key *key)
{
    return offsetof(struct cell_key, dims) + key->n * sizeof *key->dims;
}
static inline void cell_key_copy(struct cell_key *to, const struct cell_key *from)
{
    memcpy(to, from, cell_key_bytes(from));
}

/* A cell's key in maps: the bytes of a bucket and of the key that lies right behind it. Its hash is made of that of the key
 * alone, so that a day's and its month's cell cost one. */
struct span cell_bytes(const struct bucket *bucket, const struct cell_key *key);
uint64_t cell_key_hash(const struct cell_key *key);
uint64_t cell_hash(struct bucket bucket, uint64_t key_hash); /* all of its bits are as good */

struct cell_value {
    int64_t sums[MEASURES_MAX];
    struct histogram spread[MEASURES_MAX]; /* used for measures of MEASURE_DURATION */
};

void cell_value_deinit(struct cell_value *value);
void cell_value_clear(struct cell_value *value);
bool cell_value_is_zero(const struct cell_value *value);

/* into += factor * other. False: a sum would overflow (into is then unchanged). */
bool cell_value_add(struct cell_value *into, const struct cell_value *other, int factor);

int cell_dims(const struct rules *rules, enum fact fact); /* n of the fact's cells */

/* Field: "deal_won:3,1,,7" (numbers of names, the missing empty, empty ones at the end dropped), custom attributes
 * behind: "deal_won:3,1;region=9". Value: "1 130000 0 86400000 2|seconds 812:1" (sums in the order of the fact's measures,
 * zeros at the end dropped; behind "|" the spread of a duration, bucket:count). */
void cell_field_write(const struct cell_key *key, const struct rules *rules, struct buffer *out);
void cell_value_write(enum fact fact, const struct cell_value *value, struct buffer *out);
/* False: not a cell of this daemon's facts (unknown facts are skipped by readers), or malformed. A dimension or custom attribute that
 * the rules do not know is ignored. Parse adds to nothing: `value` is overwritten. */
bool cell_field_parse(struct span field, const struct rules *rules, struct cell_key *key);
bool cell_names_below(const struct cell_key *key, uint32_t n); /* are the numbers of its names? */
bool cell_value_parse(enum fact fact, struct span text, struct cell_value *value);
