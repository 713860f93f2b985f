/* A worker's insides, shared by the files of this folder. */
#pragma once

#include "daemon/settings/log.h"
#include "daemon/worker/lane.h"
#include "daemon/worker/midnights.h"

enum {
    ROUND_RECORDS_MIN = 256
};

/* One round of records, from receiving to the answer of its commit. */
struct round {
    struct arena arena;
    size_t n_entries;
    struct batch **batches; /* in the arena */
    size_t n_batches, room_batches;
    struct commit *commits; /* those of the batches that have one */
    struct batch **owners;
    size_t n_commits;
    bool sent; /* commit_begin done, its answers are due */
    int64_t sent_at_us;
};

struct worker {
    struct worker_parts parts;
    struct worker_counts counts;
    struct cache cache;
    uint64_t unused_records, forget_at; /* what so many records did not use is forgotten; then the next time */
    struct map tenants;                 /* name -> struct tenant */
    struct lanes lanes;
    struct loading loading;
    struct arena scratch;   /* of one step */
    struct arena folding;   /* of one batch's fold */
    struct arena working;   /* of the round that is collected and folded, until its commits are sent */
    struct round rounds[2]; /* one is being committed while the next is received and decoded */
    int current;
    struct record *records;
    size_t round_bytes, round_records; /* a round is to take so much at most; so many records, by the last one */
    struct span *unlisted;             /* tenants to be added to crm:tenants; own memory */
    size_t n_unlisted;
    bool lanes_pending; /* where to begin is still to be found out */
    bool away;          /* the state does not answer: wait, keep membership */
    int64_t retry_at_us, retry_wait_us;
    int64_t marks_due_us, clocks_due_us;
    int64_t due_us, last_trusted_us, look_held_us;
    size_t looks_at_held; /* so far */
    bool clock_trusted;
    struct adoption {
        bool pending;
        size_t at_once; /* tenants of a step: between steps records are taken */
        struct arena listed;
        struct span *names; /* of all tenants, in `listed`; NULL: not read yet */
        size_t n, from;     /* from here on still to be done */
    } adoption;
    bool in_part;     /* of some tenants the state does not answer: they are passed over, no mark moves */
    bool any_awaited; /* a tenant is (tenant.h): dropped while the clock had to do with it */
    int64_t await_us; /* monotonic: then those that were left to others are awaited, too; NEVER: there are none */
    struct midnight_wave midnights;
    bool ended;                 /* the source has no more records */
    bool behind;                /* as of the last records: more waits in the source than the largest round takes */
    bool heard_nothing;         /* … had none in this turn */
    bool end_looked_at, at_end; /* in this turn; had it received all that there is? */
    char trouble[ERROR_TEXT_BYTES];
    struct log_cause cause;
    struct error fatal;
};

int64_t worker_now(struct worker *worker);                             /* the clock that tenants count by */
struct tenant *worker_tenant(struct worker *worker, struct span name); /* made if need be */
void worker_forget_tenants(struct worker *worker);                     /* all are read again when needed */
bool worker_finish_pending(struct worker *worker); /* waits for the commits under way. False: the worker was set back */

/* round.c */
bool worker_read_all(struct worker *worker); /* what was asked of its loading. False: the worker was set back */
struct batch *round_batch(struct worker *worker, struct round *round, struct span tenant); /* made if need be */
void round_decode(struct worker *worker, struct round *round, const struct record *records, size_t n);
bool round_fold(struct worker *worker, struct round *round); /* loads, folds, makes the commits. False: the worker was set back */
bool round_send(struct worker *worker, struct round *round); /* begins the commits */
bool round_finish(struct worker *worker, struct round *round); /* waits for the answers */
void round_clear(struct round *round);
size_t round_bytes(const struct worker *worker, const struct round *round); /* of memory that it takes, before it is sent */

/* recover.c: the one answer to everything that goes wrong */
void worker_set_back(struct worker *worker, enum outcome outcome, const struct error *error); /* drop, and read again */
void worker_doubt_state(
    struct worker *worker); /* it lost something: marks and tenants are read again, what was published compared */
void worker_drop_rounds(struct worker *worker); /* of what is under way nothing is known any more */
void worker_return(struct worker *worker);      /* tries to reach the state again, when it is time to */
bool worker_reaches(const struct worker *worker, const struct tenant *tenant); /* does the state answer of it? */
void worker_assigned(struct worker *worker, const struct change *change);
void worker_released(struct worker *worker, const struct change *change);
void worker_restart_lanes(struct worker *worker); /* reads marks, finds where to begin, starts */

/* held.c: tenants that were counted by other rules than ours; those of whom the state does not answer; and those of which a dead
 * letter was not taken, known when they are folded. Their batches are taken out of the round. */
void worker_pass_over(struct worker *worker, struct round *round);
void worker_pass_unheard(struct worker *worker, struct round *round);
void worker_forget_passed(struct worker *worker);     /* all is read again from the marks */
void worker_say_held(struct tenant *tenant);          /* once */
void worker_say_widened(const struct tenant *tenant); /* its last generation has begun */
void worker_look_at_held(struct worker *worker);      /* has one been counted anew? Then it is read again, and goes on */

/* marks.c */
void worker_move_marks(struct worker *worker);
bool worker_pin_marks(struct worker *worker); /* false: the worker was set back */
void worker_letters_resend(struct worker *worker);

/* timers.c */
void worker_tell_publisher(struct worker *worker, const struct tenant *tenant); /* to look at it, as it stands */
void worker_begin_adoption(struct worker *worker);                              /* of all tenants, or once more of all */
void worker_adopt_tenants(
    struct worker *worker); /* a step: those that somebody must look after it loads, and tells the publisher */
bool worker_is_ours(const struct worker *worker, const struct tenant *tenant);
bool worker_is_behind(const struct worker *worker);    /* does more wait in the source than a round may take? (sight.c) */
bool worker_reads_at_end(const struct worker *worker); /* has it received all that there is? (sight.c) */
bool worker_collect_due(struct worker *worker); /* a round of tenants whose timers ring or whose day is over; false: none */
