/* A worker: one thread with its own source, state and dead letters. Takes records in batches, folds them tenant by tenant,
 * commits, moves marks. The daemon, replay and tests run the very same one; they differ in the adapters only.
 *
 *   turn: changes of assignment → receive → decode → (answers of the last commit) → fold → begin the next commit → release
 *
 * One answer to everything that goes wrong (conflict, no answer, lost tail): what is cached is dropped, and every partition is
 * read again from where it is known to be committed; positions skip what is counted. */
#pragma once

#include "common/latency.h"
#include "daemon/intake/decode.h"
#include "daemon/sink/sink.h"
#include "daemon/source/source.h"
#include "daemon/tenant/fold.h"

/* A commit that took place, handed to whoever publishes. It owns all it holds. With equal versions: a tenant to look after. Without
 * a tenant: the state may have lost something, what was published of any may be gone. */
struct committed {
    struct span tenant;
    int64_t version_before, version;
    int64_t clock_us;
    struct difference **differences;
    size_t n_differences;
    struct arena arena; /* of the differences */
    struct list_change *lines;
    size_t n_lines;
    name_id first_name; /* numbers from here on are new … */
    struct span *names; /* … with these texts */
    size_t n_names;
    struct span traceparent; /* of the last of its events that has one; empty: none */
    bool behind;             /* more waits in the source than a round may take */
    bool dropped;            /* differences, lines and names went for want of room: it cannot be followed */
    bool set_back;           /* without a tenant: it has lost something, or is another one */
};
void committed_destroy(struct committed *committed);
void committed_drop(struct committed *committed);          /* lets all go that it is followed by: see `dropped` */
size_t committed_bytes(const struct committed *committed); /* of memory, but for spreads of durations */

/* What a worker reports, for logs and metrics. Counts only grow. */
struct worker_counts {
    uint64_t records, events, duplicates, rejected, ignored, skipped, commits, conflicts, rewinds, overflows, retired,
        dead_letters, letters_unsent;
    uint64_t rejected_by[N_REASONS];
    uint64_t events_by[N_KINDS][N_EVENT_RESULTS]; /* committed ones */
    struct latency commit;                        /* from sending a round's commits to their answers */
};

/* How a worker stands at one moment: a whole object, to be handed to another thread. */
struct worker_sight {
    int64_t at_us; /* monotonic */
    size_t cache_bytes;
    bool away;                      /* the state does not answer, or did not yet */
    char trouble[ERROR_TEXT_BYTES]; /* why it does not get on; empty: all is well */
    struct partition_lag {
        struct span topic; /* in the arena */
        int32_t number;
        int64_t records;           /* waiting behind the last committed; -1: not known */
        int64_t last_timestamp_us; /* of the last record committed; NO_INSTANT: none yet */
    } * lags;
    size_t n_lags;
    struct arena arena;
};

/* Marks of source partitions, kept where the state is. NULL in struct worker_parts: there are none (replay). */
struct mark {
    struct span partition; /* "topic:number" */
    int64_t next;          /* all below is committed, its dead letters acknowledged */
    int64_t last;          /* offset of the last record below, or, as long as there is none, of the first one; -1: none yet */
    int64_t last_timestamp_us;
    uint64_t life; /* of the partition: positions of another life say nothing */
};

struct mark_keeper {
    const struct mark_keeper_ops {
        /* All marks there are, in the arena. */
        bool (*read)(struct mark_keeper *, struct mark **marks, size_t *n, struct arena *, enum outcome *, struct error *);
        /* Moves each mark from `old` (next < 0: none stands there) to `new`; `*moved` tells which were. */
        bool (*move)(struct mark_keeper *, const struct mark *old, const struct mark *new, bool *moved, size_t n, enum outcome *,
                     struct error *);
        /* Adds tenants to the list of all. */
        bool (*add_tenants)(struct mark_keeper *, const struct span *tenants, size_t n, enum outcome *, struct error *);
        bool (*tenants)(struct mark_keeper *, struct span **tenants, size_t *n, struct arena *, enum outcome *, struct error *);
        /* (Re)connects; `same`: it is the server, with the history, that it was before. */
        bool (*connect)(struct mark_keeper *, bool *same, struct error *);
        bool (*connected)(const struct mark_keeper *);
        /* Makes ready for commits to tenants that may be new to it: marks stand wherever one of these may be set back alone. CONFLICT:
         * they do not stand as they should, read them again. NULL: there is nothing to make ready. */
        bool (*admit)(struct mark_keeper *, const struct commit *commits, size_t n, enum outcome *, struct error *);
        /* Can the tenant be read and committed now? tenant.at NULL: can all? Changes with `connect` only. What cannot is known by an
         * error beside a `connect` that is true; as soon as it can again, `same` is false. NULL: all or none. */
        bool (*reaches)(const struct mark_keeper *, struct span tenant);
    } * ops;
};

struct worker_parts {
    struct source *source;
    struct state *state;
    struct sink *dead_letters;                                     /* NULL: rejected events are only told to `rejected` */
    struct mark_keeper *marks;                                     /* NULL: the state is always there, nothing to trail */
    int64_t (*clock)(void *context);                               /* now, microseconds */
    bool clock_is_set;                                             /* for a test: it may differ from the server's */
    void (*committed)(void *context, struct committed *committed); /* may be NULL; takes ownership */
    void (*rejected)(void *context, const struct record *record, const struct rejection *rejection); /* may be NULL */
    void *context;
    struct decode_settings decode;
    struct tenant_settings tenants;
    struct span dead_letter_topic;
    size_t cache_bytes;
    size_t batch_records;                     /* of a round */
    const _Atomic int64_t *durability_lag_us; /* may change; NULL where there are no marks */
    int64_t midnight_spread_us;               /* all tenants of a zone are refreshed so soon after their midnight */
    bool accept_gap;                          /* go on where retention was faster than we */
};

struct worker;

struct worker *worker_create(const struct worker_parts *parts);
void worker_destroy(struct worker *worker);

/* Memory for its cache, and for one round of events (0: as many as `batch_records`); and after how many records it forgets what none of them
 * used (0: never), or twice as many. Between turns. */
void worker_limit(struct worker *worker, size_t cache_bytes, size_t round_bytes, uint64_t unused_records);

/* To be given to the dead letters' sink as `acknowledged` (with the worker as context). */
void worker_acknowledged(void *worker, void *tag, enum delivery delivery, const char *why);

/* One turn. False: the worker must stop; `error` says why, with the ways out (empty: the source has ended). */
bool worker_turn(struct worker *worker, int timeout_ms, struct error *error) MUST_USE;

/* Finishes what is under way: commits, moves marks, at most so long. */
void worker_drain(struct worker *worker, int timeout_ms);

/* Other threads may read the counts; they are only ever added to. */
struct worker_counts worker_counts(const struct worker *worker);

int64_t worker_monotonic(void); /* now, microseconds, of a clock that never goes back */

/* How it stands; to be given back with worker_sight_destroy. From the worker's own thread. */
struct worker_sight *worker_look(const struct worker *worker);
void worker_sight_destroy(struct worker_sight *sight); /* NULL is fine */

/* Why it does not get on; NULL: all is well. Valid until the next turn. */
const char *worker_trouble(const struct worker *worker);

/* Tests only: ends the process at the N-th numbered point of the commit path (CRM_REPORTD_CRASH_AT), when built with CRASH_POINTS. */
#ifdef CRASH_POINTS
void crash_point(const char *where);
#else
#define crash_point(where) ((void)0)
#endif
