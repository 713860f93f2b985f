#include "daemon/counters/cell.h"

#include "common/error.h"
#include "common/map.h"
#include "common/number.h"

struct span cell_bytes(const struct bucket *bucket, const struct cell_key *key)
{
    REQUIRE((const char *)(bucket + 1) == (const char *)key);
    return (struct span){ (const char *)bucket, sizeof *bucket + cell_key_bytes(key) };
}

uint64_t cell_key_hash(const struct cell_key *key)
{
    return bytes_hash(key, cell_key_bytes(key));
}

uint64_t cell_hash(struct bucket bucket, uint64_t key_hash)
{
    uint64_t mixed = (key_hash ^ ((uint64_t)(uint32_t)bucket.number << 2 | bucket.type)) * UINT64_C(0x9e3779b97f4a7c15);
    return mixed ^ mixed >> 29;
}

void cell_value_deinit(struct cell_value *value)
{
    for (int i = 0; i < MEASURES_MAX; i++) histogram_deinit(&value->spread[i]);
    *value = (struct cell_value){ 0 };
}

void cell_value_clear(struct cell_value *value)
{
    for (int i = 0; i < MEASURES_MAX; i++) {
        value->sums[i] = 0;
        histogram_clear(&value->spread[i]);
    }
}

bool cell_value_is_zero(const struct cell_value *value)
{
    for (int i = 0; i < MEASURES_MAX; i++)
        if (value->sums[i] || value->spread[i].n) return false;
    return true;
}

bool cell_value_add(struct cell_value *into, const struct cell_value *other, int factor)
{
    int64_t sums[MEASURES_MAX];
    for (int i = 0; i < MEASURES_MAX; i++) {
        if (__builtin_mul_overflow(other->sums[i], factor, &sums[i])) return false;
        if (__builtin_add_overflow(into->sums[i], sums[i], &sums[i])) return false;
    }
    memcpy(into->sums, sums, sizeof sums);
    for (int i = 0; i < MEASURES_MAX; i++) histogram_merge(&into->spread[i], &other->spread[i], factor);
    return true;
}

/* The tenant's declared custom attributes that are dimensions of the fact. */
static int customs(const struct rules *rules, enum fact fact, const char *const **names)
{
    *names = rules->customs[fact_rows[fact].kinds].at;
    return rules->customs[fact_rows[fact].kinds].n;
}

int cell_dims(const struct rules *rules, enum fact fact)
{
    return fact_rows[fact].n_dims + rules->customs[fact_rows[fact].kinds].n;
}

void cell_field_write(const struct cell_key *key, const struct rules *rules, struct buffer *out)
{
    enum fact fact = (enum fact)key->fact;
    const char *const *names = NULL;
    int n_dims = fact_rows[fact].n_dims, n_customs = customs(rules, fact, &names), used = n_dims;
    REQUIRE(key->n == n_dims + n_customs);
    while (used && !key->dims[used - 1]) used--;

    buffer_str(out, fact_rows[fact].name);
    for (int i = 0; i < used; i++) {
        buffer_byte(out, i ? ',' : ':');
        if (key->dims[i]) buffer_decimal(out, key->dims[i]);
    }
    for (int i = 0; i < n_customs; i++) {
        if (!key->dims[n_dims + i]) continue;
        buffer_byte(out, ';');
        buffer_str(out, names[i]);
        buffer_byte(out, '=');
        buffer_decimal(out, key->dims[n_dims + i]);
    }
}

/* A name's number; a missing one is not written as 0. */
static bool take_name(struct span *text, name_id *id)
{
    int64_t number;
    if (!number_take(text, &number) || number < 1 || number > UINT32_MAX) return false;
    *id = (name_id)number;
    return true;
}

/* "3,1,,7", as far as there is a custom attribute or the end; the last one is not empty. */
static bool take_dims(struct span *text, const struct fact_row *row, struct cell_key *key)
{
    for (int i = 0;; i++) {
        name_id id = 0;
        bool empty = text->len && *text->at == ',';
        if (!empty && !take_name(text, &id)) return false;
        if (i < row->n_dims) key->dims[i] = id;
        if (!byte_take(text, ',')) return true;
    }
}

/* "region=9" */
static bool take_custom(struct span *text, const struct rules *rules, struct cell_key *key)
{
    enum fact fact = (enum fact)key->fact;
    const char *const *names = NULL;
    int n_customs = customs(rules, fact, &names);
    struct span custom = until_take(text, ';');
    struct span name = until_take(&custom, '=');
    name_id id;
    if (!name.len || !byte_take(&custom, '=') || !take_name(&custom, &id) || custom.len) return false;
    for (int i = 0; i < n_customs; i++)
        if (span_is(name, names[i])) key->dims[fact_rows[fact].n_dims + i] = id;
    return true;
}

/* The fact's name reaches to the first byte that can be none of it. */
static struct span take_fact(struct span *text)
{
    size_t n = 0;
    while (n < text->len && text->at[n] != ':' && text->at[n] != ';') n++;
    struct span name = { text->at, n };
    *text = (struct span){ text->at + n, text->len - n };
    return name;
}

bool cell_field_parse(struct span field, const struct rules *rules, struct cell_key *key)
{
    if (!field.len) return false;
    int fact = fact_find(take_fact(&field));
    if (fact < 0) return false;
    *key = (struct cell_key){ .fact = (uint16_t)fact, .n = (uint16_t)cell_dims(rules, (enum fact)fact) };
    if (byte_take(&field, ':') && !take_dims(&field, &fact_rows[fact], key)) return false;
    while (byte_take(&field, ';'))
        if (!take_custom(&field, rules, key)) return false;
    return !field.len;
}

bool cell_names_below(const struct cell_key *key, uint32_t n)
{
    for (int i = 0; i < key->n; i++)
        if (key->dims[i] >= n) return false;
    return true;
}

void cell_value_write(enum fact fact, const struct cell_value *value, struct buffer *out)
{
    const struct fact_row *row = &fact_rows[fact];
    int used = row->n_measures;
    while (used && !value->sums[used - 1]) used--;
    for (int i = 0; i < used; i++) {
        if (i) buffer_byte(out, ' ');
        buffer_decimal(out, value->sums[i]);
    }
    for (int i = 0; i < row->n_measures; i++) {
        if (!value->spread[i].n) continue;
        buffer_byte(out, '|');
        buffer_str(out, row->measures[i].name);
        buffer_byte(out, ' ');
        histogram_write(&value->spread[i], out);
    }
}

/* "1 130000 0", as far as the first spread or the end */
static bool take_sums(struct span *text, const struct fact_row *row, int64_t *sums)
{
    if (!text->len || *text->at == '|') return true;
    for (int i = 0; i < row->n_measures; i++) {
        if (!number_take(text, &sums[i])) return false;
        if (!byte_take(text, ' ')) return true;
    }
    return false;
}

/* "seconds 812:1", each measure at most once */
static bool take_spread(struct span *text, const struct fact_row *row, struct histogram *spreads)
{
    struct span bars = until_take(text, '|');
    struct span name = until_take(&bars, ' ');
    int measure = fact_measure(row, name);
    if (measure < 0 || row->measures[measure].type != MEASURE_DURATION || spreads[measure].n) return false;
    return byte_take(&bars, ' ') && bars.len && histogram_parse(&spreads[measure], bars);
}

bool cell_value_parse(enum fact fact, struct span text, struct cell_value *value)
{
    cell_value_clear(value);
    bool good = take_sums(&text, &fact_rows[fact], value->sums);
    while (good && byte_take(&text, '|')) good = take_spread(&text, &fact_rows[fact], value->spread);
    if (good && !text.len) return true;
    cell_value_clear(value);
    return false;
}
