/* From a record to an event: CloudEvents 1.0 with the Kafka protocol binding, structured and binary mode. Pure. */
#pragma once

#include "daemon/intake/event.h"

/* How a tenant's rules are found. Never returns NULL: tenants without settings of their own count by the defaults. */
struct decode_settings {
    const char *type_prefix; /* "crm." */
    int64_t max_ahead_us;
    size_t max_event_bytes;
    const struct rules *(*rules_of)(void *context, struct span tenant);
    void *context;
};

/* True: `event` is filled. False: `rejection` is. Both point into `record` and `arena`. */
bool decode(const struct decode_settings *settings, const struct record *record, struct arena *arena, struct event *event,
            struct rejection *rejection);
