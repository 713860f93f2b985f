#include "daemon/tenant/terms.h"

#include "common/period.h"

#include <inttypes.h>

/* ---- writing ---- */

static void put_hash(struct buffer *out, const char *name, struct buffer *bytes)
{
    buffer_printf(out, " %s=%016" PRIx64, name, siphash((struct hash_key){ 0, 0 }, buffer_all(bytes)));
    buffer_clear(bytes);
}

static void put_hours(const struct rules *rules, struct buffer *bytes)
{
    for (int day = 0; day < 7; day++) {
        buffer_varint(bytes, (uint64_t)rules->business_hours[day].n);
        for (int i = 0; i < rules->business_hours[day].n; i++) {
            buffer_zigzag(bytes, rules->business_hours[day].open[i].from_s);
            buffer_zigzag(bytes, rules->business_hours[day].open[i].to_s);
        }
    }
}

static void put_texts(const char *const *texts, int n, struct buffer *bytes)
{
    buffer_varint(bytes, (uint64_t)n);
    for (int i = 0; i < n; i++) buffer_text(bytes, span_of(texts[i]));
}

/* A map has no order: its entries' hashes are added up. */
static uint64_t hash_of_list(const struct map *list, struct span name)
{
    uint64_t sum = siphash((struct hash_key){ 1, 0 }, name);
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(list, &at));) sum += siphash((struct hash_key){ 0, 2 }, slot->key);
    return sum;
}

static void put_lists(const struct rules *rules, struct buffer *bytes)
{
    uint64_t sum = 0;
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&rules->lists, &at));)
        sum += siphash((struct hash_key){ hash_of_list(slot->value, slot->key), 3 }, slot->key);
    buffer_varint(bytes, sum);
}

void terms_write(const struct rules *rules, struct buffer *out)
{
    struct buffer bytes = { 0 };
    buffer_printf(out, "time_zone=%s week_start=%s fiscal_year_start=%d currency=%s stale_after=%d", rules->zone->name,
                  weekday_names[rules->week_start], rules->fiscal_year_start, rules->currency, rules->stale_after_days);
    put_hours(rules, &bytes);
    put_hash(out, "business_hours", &bytes);
    for (size_t i = 0; i < rules->n_holidays; i++) buffer_zigzag(&bytes, rules->holidays[i]);
    put_hash(out, "holidays", &bytes);
    put_lists(rules, &bytes);
    put_hash(out, "lists", &bytes);
    for (int kind = 0; kind < N_KINDS; kind++) put_texts(rules->kind[kind].expected, rules->kind[kind].n_expected, &bytes);
    put_hash(out, "expected", &bytes);
    buffer_deinit(&bytes);
}

/* ---- comparing ---- */

/* Cuts the first word off. */
static bool next_word(struct span *text, struct span *word)
{
    if (!text->len) return false;
    const char *end = memchr(text->at, ' ', text->len);
    *word = (struct span){ text->at, end ? (size_t)(end - text->at) : text->len };
    size_t cut = word->len + (end != NULL);
    *text = (struct span){ text->at + cut, text->len - cut };
    return true;
}

static void split(struct span word, struct span *name, struct span *value)
{
    const char *sign = memchr(word.at, '=', word.len);
    size_t n = sign ? (size_t)(sign - word.at) : word.len;
    *name = (struct span){ word.at, n };
    *value = sign ? (struct span){ sign + 1, word.len - n - 1 } : NO_SPAN;
}

static struct span value_of(struct span terms, struct span wanted)
{
    struct span word, name, value;
    while (next_word(&terms, &word)) {
        split(word, &name, &value);
        if (span_equal(name, wanted)) return value;
    }
    return NO_SPAN;
}

/* Hashes say nothing to a reader. */
static bool is_hash(struct span value)
{
    return value.len == 16;
}

static void compare(struct span then, struct span now, struct buffer *out)
{
    struct span word, name, value;
    while (next_word(&now, &word)) {
        split(word, &name, &value);
        struct span old = value_of(then, name);
        if (span_equal(old, value)) continue;
        buffer_printf(out, "%s%.*s", out->len ? ", " : "", SPAN_ARG(name));
        if (!is_hash(value) && old.len) buffer_printf(out, " (%.*s, now %.*s)", SPAN_ARG(old), SPAN_ARG(value));
    }
}

void terms_write_changed(const struct tenant *tenant, struct buffer *out)
{
    struct buffer now = { 0 };
    terms_write(tenant->rules, &now);
    if (tenant->terms.len) compare(tenant->terms, buffer_all(&now), out);
    if (tenant->undeclared.len)
        buffer_printf(out, "%scustom (%.*s is no longer declared)", out->len ? ", " : "", SPAN_ARG(tenant->undeclared));
    if (!out->len) buffer_str(out, "the form of its state");
    buffer_deinit(&now);
}
