/* The topics read once more from their beginning, and what of them still reaches back to it. */
#pragma once

#include "daemon/recount/refold.h"
#include "daemon/source/source.h"
#include "daemon/worker/worker.h"

struct topics_lane {
    struct refold_partition partition; /* its life is that of its mark */
    struct partition of;
    bool whole;       /* it begins at its beginning, and holds what its mark speaks of: all that was counted can be read */
    const char *lack; /* else: why not */
    int64_t high;     /* offset behind the last record, when it was looked at */
    int64_t next;     /* read up to here */
    int64_t until;    /* to be read up to here; 0: not at all */
    bool started;
};

struct topics {
    struct source *source;
    struct arena arena;
    struct topics_lane *lanes;
    size_t n;
    struct record *records;
    const struct refold_partition **partitions;
    bool beyond; /* records behind `until` count, too, when they come along */
};

/* Looks at all partitions of the source (one that is alone). The source stays the caller's. */
bool topics_open(struct topics *topics, struct source *source, const struct mark *marks, size_t n_marks,
                 struct error *error) MUST_USE;
void topics_close(struct topics *topics); /* a zeroed one is fine */

struct topics_lane *topics_lane(const struct topics *topics, struct span key); /* NULL: no such partition */

/* Can all events of the tenant be read that are in its numbers? NULL: yes; else why not. */
const char *topics_lack(const struct topics *topics, const struct tenant *tenant);

/* Reads all lanes up to their `until` into the refold. `progress` is told now and then; may be NULL. */
typedef void (*tell_progress)(void *context, int64_t done, int64_t all);
bool topics_read(struct topics *topics, struct refold *refold, tell_progress progress, void *context,
                 struct error *error) MUST_USE;
