/* Where a tenant's state lives: hashes of fields and a row of timers, all under the tenant's hash tag, changed by one
 * atomic, version-compared commit per tenant and batch. Two adapters: Redis (redis.c) and memory (memory.c, for replay and
 * tests). Not thread-safe: one per thread. */
#pragma once

#include "common/arena.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/instant.h"

struct state;

/* What an operation came to. */
enum outcome {
    DONE,
    CONFLICT, /* the tenant's version is another: forget what is cached of it, read again, compute again */
    REFUSED,  /* Redis said no to this and would again (out of memory, read only, no rights, wrong type …): wait and retry */
    LOST      /* no answer: the connection is gone, whether the commit took place is unknown; state_connect, then read again */
};

/* Reads fields of one hash: HMGET; or all of them: HGETALL; or how many: HLEN; or a string: MGET. Keys are whole keys (keys.h). Strings that stand
 * together and carry the same hash tag are asked for in one command. */
struct hash_read {
    struct span key;
    bool is_string;            /* values[0] is the string (.at NULL: not there) */
    const struct span *fields; /* NULL: the whole hash */
    size_t n_fields;           /* 0, fields not NULL: only how many it has */
    /* Out, in the arena of the call: */
    struct span *values; /* of the fields asked (.at NULL: not there); or field, value, field, value … of the whole hash */
    size_t n_values;
    size_t n_stored; /* where no field was asked for: how many the hash has */
};

/* One field to set, or to remove (value.at == NULL). Equal keys stand together. */
struct hash_write {
    struct span key, field, value;
};

/* One string to set; or (value empty) whatever stands there to remove, a hash as well. */
struct string_write {
    struct span key, value;
};

struct timer_write {
    struct span member;
    int64_t at_us; /* NEVER: remove */
};

struct commit {
    struct span tenant;
    struct span state_key; /* its field "version" is compared and set */
    struct span timers_key;
    int64_t version; /* that was read before anything else of the tenant; 0: the tenant does not exist yet */
    const struct string_write *strings;
    size_t n_strings;
    const struct hash_write *writes;
    size_t n_writes;
    const struct timer_write *timers;
    size_t n_timers;
    /* Out: */
    enum outcome outcome;
    int64_t version_new; /* of DONE: max(version + 1, the server's clock in microseconds). Of CONFLICT: what stands there */
};

struct timer {
    struct span member;
    int64_t at_us;
};

struct state_ops {
    /* All reads in one round trip (bounded pipelines inside). False: LOST or REFUSED, why is in `error`; `*outcome` says which. */
    bool (*read)(struct state *, struct hash_read *reads, size_t n, struct arena *, enum outcome *, struct error *);

    /* The same, but all reads see one state (MULTI/EXEC). All keys share the tenant's hash tag. */
    bool (*read_atomic)(struct state *, struct hash_read *reads, size_t n, struct arena *, enum outcome *, struct error *);

    /* Timers of the key that are at or before `until_us`, earliest first, at most `limit` (at least 1). */
    bool (*timers)(struct state *, struct span timers_key, int64_t until_us, size_t limit, struct arena *, struct timer **,
                   size_t *n, enum outcome *, struct error *);

    /* Starts sending the commits, all in one pipeline, and returns; what they point to must stay until commit_end. */
    bool (*commit_begin)(struct state *, struct commit *commits, size_t n, struct error *);
    /* Waits for the answers: every commit's `outcome` is set. False when any was LOST or REFUSED: `error` says why. */
    bool (*commit_end)(struct state *, struct error *);

    /* Microseconds since 1970 by the server's clock. */
    bool (*clock)(struct state *, int64_t *now_us, enum outcome *, struct error *);

    void (*destroy)(struct state *);
};

struct state {
    const struct state_ops *ops;
};

/* A state in memory. `now_us`: its clock (for versions); may be NULL: versions then count 1, 2, 3 … */
struct state *state_memory_create(int64_t (*now_us)(void *context), void *context);
