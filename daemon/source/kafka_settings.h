/* Settings of the Kafka adapters as pairs of text, handed through to librdkafka over the daemon's own defaults. */
#pragma once

#include "common/error.h"

#include <stddef.h>

struct kafka_property {
    const char *name, *value;
};

/* Who is told of troubles: a cause once, not once per attempt. Called from within the calls of the source or sink. */
struct kafka_reporter {
    void (*report)(void *context, const char *text); /* NULL: nobody */
    void *context;
};

struct kafka_settings {
    const struct kafka_property *properties; /* of the settings file's "kafka"; must hold bootstrap.servers */
    size_t n_properties;
    struct kafka_reporter reporter;
};

/* Would librdkafka take it, and is it none of those that the daemon must set itself? The error names both. */
MUST_USE bool kafka_property_check(const char *name, const char *value, struct error *error);
