#include "daemon/settings/rules_read.h"

#include "common/siphash.h"
#include "daemon/intake/kinds.h"
#include "daemon/settings/rules_readers.h"

#include <stdlib.h>

/* clang-format off */
const struct tenant_key tenant_keys[] = {
    { "time_zone", "\"UTC\"", read_time_zone, "IANA time zone", "Where its days begin" },
    { "week_start", "\"monday\"", read_week_start, "`monday` … `sunday`", "First day of its weeks" },
    { "fiscal_year_start", "1", read_fiscal_year_start, "month, whole number 1…12", "First month of its quarters and years" },
    { "currency", "\"EUR\"", read_currency, "three capital letters", "Of amounts that name none" },
    { "business_hours",
      "{\"monday\":[[\"09:00\",\"17:00\"]],\"tuesday\":[[\"09:00\",\"17:00\"]],\"wednesday\":[[\"09:00\",\"17:00\"]],"
      "\"thursday\":[[\"09:00\",\"17:00\"]],\"friday\":[[\"09:00\",\"17:00\"]]}",
      read_business_hours, "object: weekday to pairs of local times, `24:00` ends a day", "What business time is counted by" },
    { "holidays", "[]", read_holidays, "list of dates", "Days without business hours" },
    { "stale_after", "30", read_stale_after, "days of 24 hours, whole number 1…36500", "A deal without an event for so long is stale" },
    { "retire_after", "0", read_retire_after, "days, whole number 0…36500", "A closed entity leaves Redis when nothing came for it for longer; 0: never" },
    { "fold_after", "0", read_fold_after, "days, 0 or whole number 250…36500", "Months that are over for longer are kept as a whole, no longer day by day; 0: never" },
    { "custom", "{}", read_custom, "object: kind to list of names", "Attributes of your own, to group and filter by (at most 16 per kind, 22 of calls, meetings and e-mails together, which say facts in common)" },
    { "lists", "{}", read_lists, "object: attribute to list of values", "The values that are right; the audit shows others" },
    { "expected", "{\"contact\":[\"source\",\"owner\",\"email\"],\"deal\":[\"owner\",\"amount\",\"expected_close\",\"contact|account\"],\"case\":[\"owner\"]}",
      read_expected, "object: kind to list of attributes, `a|b`: one of them", "The audit shows where they are missing" },
};
/* clang-format on */
const size_t n_tenant_keys = sizeof tenant_keys / sizeof tenant_keys[0];

void unknown_key(const struct setting_reading *at, const char *what, struct suggestion suggestion)
{
    if (suggestion.best)
        problem_add(at->problems, at->where, "unknown %s; did you mean %s?", what, suggestion.best);
    else
        problem_add(at->problems, at->where, "unknown %s", what);
}

json_t *tenant_key_value(const struct tenant_key *key, const char *text, struct error *error)
{
    json_error_t cause;
    bool is_text = key->standard[0] == '"' && text[0] != '"';
    json_t *value = is_text ? json_string(text) : json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &cause);
    if (!value && is_text)
        fail(error, "is no valid UTF-8 text");
    else if (!value)
        fail(error, "is no JSON: line %d, column %d: %s", cause.line, cause.column, cause.text);
    return value;
}

static void check_keys(const struct setting_reading *at, const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        struct suggestion suggestion = { .name = span_of(name) };
        size_t i = 0;
        while (i < n_tenant_keys && strcmp(tenant_keys[i].name, name) != 0) suggest(&suggestion, tenant_keys[i++].name);
        struct setting_reading inner = setting_at(at, name);
        if (i == n_tenant_keys) unknown_key(&inner, "setting of a tenant", suggestion);
    }
}

static void read_standard(struct rules_reading reading, const struct tenant_key *key)
{
    json_t *value = json_loads(key->standard, JSON_DECODE_ANY, NULL);
    REQUIRE(value);
    key->read(&reading, value);
    json_decref(value);
}

/* The value of the tenant, else of `default`, else the key's own default. What is wrong is said where it stands. */
static void read_key(struct rules_reading reading, const struct tenant_key *key, const char *tenant, const json_t *own,
                     const json_t *filler)
{
    const json_t *value = json_object_get(own, key->name);
    struct setting_reading of_tenant = setting_at(&reading.at, value ? tenant : "default");
    reading.at = setting_at(&of_tenant, key->name);
    if (!value) value = json_object_get(filler, key->name);
    if (value)
        key->read(&reading, value);
    else
        read_standard(reading, key);
}

/* The keys of a map in byte order. To be freed. */
static struct span *sorted_keys(const struct map *map)
{
    struct span *keys = must_alloc(map->count * sizeof *keys);
    struct map_slot *slot;
    size_t n = 0;
    for (size_t i = 0; (slot = map_next(map, &i));) keys[n++] = slot->key;
    qsort(keys, n, sizeof *keys, spans_compare);
    return keys;
}

static void put_keys(struct buffer *out, const struct map *map, bool lists)
{
    struct span *keys = sorted_keys(map);
    buffer_varint(out, map->count);
    for (size_t i = 0; i < map->count; i++) {
        buffer_text(out, keys[i]);
        if (lists) put_keys(out, map_get(map, keys[i]), false);
    }
    free(keys);
}

static void put_texts(struct buffer *out, const char *const *texts, int n)
{
    buffer_varint(out, (uint64_t)n);
    for (int i = 0; i < n; i++) buffer_text(out, span_of(texts[i]));
}

static void put_hours(struct buffer *out, const struct rules *rules)
{
    for (int day = 0; day < 7; day++) {
        buffer_varint(out, (uint64_t)rules->business_hours[day].n);
        for (int i = 0; i < rules->business_hours[day].n; i++) {
            buffer_zigzag(out, rules->business_hours[day].open[i].from_s);
            buffer_zigzag(out, rules->business_hours[day].open[i].to_s);
        }
    }
    buffer_varint(out, rules->n_holidays);
    for (size_t i = 0; i < rules->n_holidays; i++) buffer_zigzag(out, rules->holidays[i]);
}

/* Lists of references have an effect since references are looked up in them: who has such a list is counted anew. */
static bool has_lists_of_references(const struct rules *rules)
{
    bool has = false;
    for (int i = 0; i < N_ATTRIBUTES; i++)
        if (reference_attributes >> i & 1) has = has || map_get(&rules->lists, span_of(attribute_rows[i].name));
    return has;
}

/* Over the content in a fixed order: equal content, equal number, on every machine. */
static uint64_t fingerprint(const struct rules *rules)
{
    struct buffer out = { 0 };
    buffer_text(&out, span_of(rules->zone ? rules->zone->name : ""));
    buffer_text(&out, span_of(rules->currency));
    buffer_zigzag(&out, rules->week_start);
    buffer_zigzag(&out, rules->fiscal_year_start);
    buffer_zigzag(&out, rules->stale_after_days);
    put_hours(&out, rules);
    put_keys(&out, &rules->lists, true);
    if (has_lists_of_references(rules)) buffer_str(&out, "references are looked up");
    for (int kind = 0; kind < N_KINDS; kind++) put_texts(&out, rules->kind[kind].expected, rules->kind[kind].n_expected);
    uint64_t hash = siphash((struct hash_key){ 0, 0 }, buffer_all(&out));
    buffer_deinit(&out);
    return hash;
}

struct rules *rules_read(const struct setting_reading *reading, const char *tenant, const json_t *own, const json_t *filler,
                         struct zones *zones)
{
    struct rules *rules = must_zalloc(sizeof *rules);
    struct rules_reading inner = { *reading, rules, zones };
    struct setting_reading at = setting_at(reading, tenant);
    check_keys(&at, own);
    for (size_t i = 0; i < n_tenant_keys; i++) read_key(inner, &tenant_keys[i], tenant, own, filler);
    rules->fingerprint = fingerprint(rules);
    return rules;
}

void rules_destroy(struct rules *rules)
{
    struct map_slot *slot;
    if (!rules) return;
    for (size_t i = 0; (slot = map_next(&rules->lists, &i));) {
        map_deinit(slot->value);
        free(slot->value);
    }
    map_deinit(&rules->lists);
    free(rules);
}

/* A bar would end the cell. */
static void put_cell(struct buffer *out, const char *before, const char *text, const char *after)
{
    buffer_str(out, before);
    for (; *text; text++) {
        if (*text == '|') buffer_byte(out, '\\');
        buffer_byte(out, (uint8_t)*text);
    }
    buffer_str(out, after);
}

void tenant_keys_write_table(struct buffer *out)
{
    buffer_str(out, "| key | takes | default | what |\n|---|---|---|---|\n");
    for (size_t i = 0; i < n_tenant_keys; i++) {
        const struct tenant_key *key = &tenant_keys[i];
        put_cell(out, "| `", key->name, "` | ");
        put_cell(out, "", key->takes, " | `");
        put_cell(out, "", key->standard, "` | ");
        put_cell(out, "", key->help, " |\n");
    }
}
