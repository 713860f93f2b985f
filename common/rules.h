/* How one tenant counts: its calendar, currency, business hours, lists and declared attributes. Read-only once loaded;
 * daemon/settings fills it. Source of every default: the contract's "Settings of a tenant". */
#pragma once

#include "common/map.h"
#include "common/zone.h"

enum {
    CUSTOM_MAX = 16,
    CUSTOM_SHARED_MAX = 22, /* of a set of kinds */
    EXPECTED_MAX = 32,
    HOURS_PER_DAY_MAX = 8,
    N_KINDS_MAX = 16,
    KIND_SETS_MAX = 20
};

struct open_hours {
    int32_t from_s, to_s; /* seconds of the local day, from < to <= 86400 */
};

struct rules {
    const struct zone *zone;
    int week_start;        /* 0 = Monday … 6 = Sunday */
    int fiscal_year_start; /* month 1…12 */
    char currency[4];      /* default of entities that name none */
    int stale_after_days;
    int retire_after_days; /* a closed entity leaves when nothing came for it for longer; 0: never */
    int fold_after_days;   /* days longer ago stand in their months only; 0: never */
    struct {
        struct open_hours open[HOURS_PER_DAY_MAX];
        int n;
    } business_hours[7]; /* by weekday, 0 = Monday; sorted, not overlapping */
    int32_t *holidays;   /* local days, sorted */
    size_t n_holidays;
    struct map lists; /* attribute name -> struct map of allowed values (value -> itself), see rules_listed */
    /* Per kind (enum kind of daemon/intake/kinds.h): */
    struct {
        const char *custom[CUSTOM_MAX]; /* declared custom attributes, sorted by name */
        int n_custom;
        const char *expected[EXPECTED_MAX]; /* "source" or "contact|account" */
        int n_expected;
    } kind[N_KINDS_MAX];
    /* Per kind, and per set of kinds that say a fact in common (enum kind_set of daemon/facts/table.h): by what else than the fact's
     * dimensions it can be asked. Each name once, sorted. */
    struct {
        const char *at[CUSTOM_SHARED_MAX];
        int n;
    } customs[KIND_SETS_MAX];
    /* Of all of the above except the zone's data, the declared attributes, and what becomes of what is old. */
    uint64_t fingerprint;
};

/* Which of the kind's declared custom attributes has this name; -1: none. */
static inline int rules_custom(const struct rules *rules, int kind, struct span name)
{
    for (int i = 0; i < rules->kind[kind].n_custom; i++)
        if (span_is(name, rules->kind[kind].custom[i])) return i;
    return -1;
}

/* Is there a list for this attribute that lacks the value? */
bool rules_unlisted(const struct rules *rules, const char *attribute, struct span value);

/* Milliseconds of business time between two instants (0 when to <= from). */
int64_t rules_business_ms(const struct rules *rules, int64_t from_us, int64_t to_us);
