/* How the demo is doing, for the top line. */
#pragma once

#include "common/zone.h"

struct status {
    int64_t now_us;
    int running_s;
    uint64_t sent, counted, repeated; /* events: by Kafka's, by the daemon's account; of these, known already */
    double events_per_s;              /* counted, over the last seconds */
    uint64_t updates;                 /* report versions seen */
    double latency_ms;                /* from a commit to the word of its report */
    bool catching_up;                 /* with the history */
    const struct zone *const *zones;  /* of the tenants of the cast */
    const char *where;                /* the dashboard's address; empty: none */
};

static inline uint64_t status_lag(const struct status *status)
{
    return status->sent > status->counted ? status->sent - status->counted : 0;
}
