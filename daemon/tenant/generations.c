#include "daemon/tenant/generations.h"

#include "common/error.h"
#include "common/instant.h"
#include "common/number.h"
#include "common/zone_bytes.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    GENERATIONS_MAX = 1000 /* each is wider than the one before, or has time zone data that none had: no tenant comes near */
};
#define ZONE_WORD "zone="

struct older_zone {
    struct older_zone *next;
    uint64_t fingerprint;
    struct zone zone;
    struct rules rules; /* the tenant's, with it */
};

void generations_deinit(struct generations *generations)
{
    free(generations->at);
    arena_deinit(&generations->arena);
    *generations = (struct generations){ 0 };
}

size_t generations_bytes(const struct generations *generations)
{
    return generations->n * sizeof *generations->at + generations->arena.bytes;
}

static void grow(struct generations *generations, uint32_t n)
{
    if (n <= generations->n) return;
    generations->at = must_realloc(generations->at, n * sizeof *generations->at);
    memset(&generations->at[generations->n], 0, (n - generations->n) * sizeof *generations->at);
    for (uint32_t i = generations->n; i < n; i++) generations->at[i].since = NO_DAY;
    generations->n = n;
}

static bool knows_zone(const struct generations *generations, uint64_t fingerprint)
{
    for (uint32_t i = 0; i < generations->n; i++)
        if (generations->at[i].zone == fingerprint) return true;
    return false;
}

void generations_cover(struct generations *generations, const struct kept *needed, const struct rules *rules)
{
    uint32_t n = generations->n;
    bool same_zone = knows_zone(generations, rules->zone->fingerprint);
    if (n && same_zone && kept_covers(&generations_last(generations)->kept, needed)) return;
    grow(generations, n + 1);
    struct generation *added = &generations->at[n];
    if (n) *added = added[-1];
    added->since = NO_DAY;
    kept_join(&added->kept, needed);
    if (same_zone) return;
    added->zone = rules->zone->fingerprint;
    added->rules = rules;
}

struct kept generations_common(const struct generations *generations)
{
    struct kept common = generations->at[0].kept;
    for (uint32_t i = 1; i < generations->stored; i++) kept_meet(&common, &generations->at[i].kept);
    kept_drop_halves(&common, generations->at[0].rules);
    return common;
}

bool generations_share_zone(const struct generations *generations)
{
    return generations->at[0].zone == generations_last(generations)->zone;
}

void generation_write_added(const struct generation *before, const struct generation *after, size_t most, struct buffer *out)
{
    if (before->zone != after->zone) buffer_str(out, "time zone data, ");
    size_t begun = out->len;
    kept_write_added(&before->kept, &after->kept, after->rules, most, out);
    if (begun && out->len == begun) out->len -= 2;
}

/* ---- in the state ---- */

void generation_write(const struct generation *generation, struct buffer *out)
{
    char day[DAY_TEXT_BYTES];
    day_format(generation->since, day);
    buffer_printf(out, "%s " ZONE_WORD "%016" PRIx64 " ", day, generation->zone);
    kept_write(&generation->kept, generation->rules, out);
}

/* 16 hexadecimal digits */
static bool take_fingerprint(struct span text, uint64_t *fingerprint)
{
    char digits[17] = "", *end;
    if (text.len != 16) return false;
    memcpy(digits, text.at, 16);
    *fingerprint = strtoull(digits, &end, 16);
    return !*end;
}

static bool take_zone(struct span *text, uint64_t *fingerprint)
{
    struct span word = until_take(text, ' ');
    size_t prefix = sizeof ZONE_WORD - 1;
    if (word.len < prefix || memcmp(word.at, ZONE_WORD, prefix) != 0) return false;
    return take_fingerprint((struct span){ word.at + prefix, word.len - prefix }, fingerprint) && byte_take(text, ' ');
}

void generations_read(struct generations *generations, struct span number, struct span value, const struct rules *rules,
                      struct span *undeclared)
{
    int64_t at;
    int32_t since;
    if (!number_take(&number, &at) || number.len || at < 0 || at >= GENERATIONS_MAX) return;
    grow(generations, (uint32_t)at + 1);
    generations->stored = generations->n;
    struct generation *generation = &generations->at[at];
    if (!day_parse(until_take(&value, ' '), &since) || !byte_take(&value, ' ') || !take_zone(&value, &generation->zone)) return;
    if (kept_read(value, rules, &generation->kept, undeclared)) generation->since = since;
}

void generations_read_zone(struct generations *generations, struct span fingerprint, struct span value, const struct rules *rules)
{
    uint64_t number;
    if (!take_fingerprint(fingerprint, &number) || number == rules->zone->fingerprint) return;
    struct older_zone *older = arena_zalloc(&generations->arena, sizeof *older);
    memcpy(older->zone.name, rules->zone->name, sizeof older->zone.name);
    older->fingerprint = older->zone.fingerprint = number;
    older->rules = *rules;
    older->rules.zone = &older->zone;
    if (!zone_read(value, &older->zone, &generations->arena)) return;
    older->next = generations->zones;
    generations->zones = older;
}

static const struct rules *rules_with(const struct generations *generations, uint64_t zone, const struct rules *rules)
{
    if (zone == rules->zone->fingerprint) return rules;
    for (const struct older_zone *older = generations->zones; older; older = older->next)
        if (older->fingerprint == zone) return &older->rules;
    return NULL;
}

bool generations_settle(struct generations *generations, const struct rules *rules)
{
    bool whole = generations->stored > 0;
    for (uint32_t i = 0; i < generations->stored; i++) {
        struct generation *generation = &generations->at[i];
        generation->rules = rules_with(generations, generation->zone, rules);
        whole = whole && generation->rules && generation->since != NO_DAY;
        if (!generation->rules) generation->rules = rules;
    }
    return whole;
}
