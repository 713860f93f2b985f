/* Compares tenants in Redis with a fresh count: from the topics, each at its own positions and clock, and from the entities that are
 * stored. Reads only. */
#pragma once

#include "daemon/run/engine.h"

struct verify_options {
    char *const *tenants; /* which; n_tenants 0: all */
    size_t n_tenants;
    bool entities_only; /* the topics are not read */
    size_t most;        /* differences told of each tenant */
};

struct verify_result {
    size_t tenants;       /* looked at */
    size_t differ;        /* of them: with a difference, or that could not be compared */
    size_t differences;   /* in all */
    struct error unknown; /* names that Redis does not know, beside others that were looked at; empty: none */
};

/* Prints a line for each difference, "acme: …", and one for each tenant on standard output; progress on standard error.
 * False: a server does not answer, or Redis knows none of the tenants. */
bool engine_verify(struct engine *engine, const struct verify_options *options, struct verify_result *result,
                   struct error *error) MUST_USE;
