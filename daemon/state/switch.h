/* Puts a copy of a tenant, counted anew under another prefix, in the place of what stands there: by compare-and-set, in one step. */
#pragma once

#include "daemon/state/redis.h"

struct switch_over {
    struct span state_key, copy_state_key;
    int64_t version, copy_version; /* as they were read: must still stand */
    const struct span *old_keys;   /* what goes; some may not be there */
    size_t n_old;
    const struct span *copy_keys, *new_keys; /* what they become; some may not be there */
    size_t n_new;
    const struct span *fields; /* field, value, field, value … for the new state hash */
    size_t n_fields;           /* of both together */
    bool switched;             /* out: false, another version stands there */
    int64_t version_new;       /* out */
};
bool state_redis_switch(struct state *state, struct switch_over *switch_over, enum outcome *outcome,
                        struct error *error) MUST_USE;

/* Removes keys of one tenant in one step; some may not be there. */
bool state_redis_remove(struct state *state, const struct span *keys, size_t n, enum outcome *outcome,
                        struct error *error) MUST_USE;
