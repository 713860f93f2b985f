/* Who plays in the demo: the tenants, their people, sources, campaigns and habits, as tables. */
#pragma once

#include <stddef.h>

enum {
    CAST_SELLERS = 5,
    CAST_HELPERS = 3,
    CAST_SOURCES = 5,
    CAST_CAMPAIGNS = 3,
    CAST_STAGES = 4
};

struct seller {
    const char *name, *team;
};

struct lead_source {
    const char *name;
    int share;   /* of all leads, in percent; together 100 */
    int quality; /* chance of a deal to get from one stage to the next, in percent */
};

struct tenant_cast {
    const char *name, *time_zone, *currency;
    const char *week_start;
    int decimals;     /* of the currency */
    int amount_scale; /* what a small deal is worth, in whole units of the currency */
    int events_a_day; /* on a working day */
    int weight;       /* of the live events, beside the other tenants */
    struct seller sellers[CAST_SELLERS];
    const char *helpers[CAST_HELPERS];
    struct lead_source sources[CAST_SOURCES];
    const char *campaigns[CAST_CAMPAIGNS];
};

extern const struct tenant_cast cast[];
extern const size_t n_cast;

extern const char *const cast_stages[CAST_STAGES]; /* a deal's way, in order */

/* The settings of these tenants as JSON text: `"acme":{…},…`, for the object "tenants". */
struct buffer;
void cast_settings(struct buffer *out);
