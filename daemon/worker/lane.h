/* A source partition as its worker sees it: how far it is committed, how far its mark stands, which dead letters are out. */
#pragma once

#include "daemon/worker/worker.h"

struct letter {
    int64_t offset;
    bool acknowledged;
};

struct lane {
    struct span topic; /* own memory, as `key` */
    int32_t number;
    struct span key; /* "topic:number" */
    uint64_t life;
    bool started;
    struct reached {
        int64_t next, last, last_timestamp_us;
    } decoded, sent, committed; /* received in this round; in the commit under way; all below is committed in the state */
    struct reached first;       /* record that was received while the mark knows none to be recognised by */
    int64_t passed;             /* the first event of a tenant that was passed over: no mark beyond it; INT64_MAX */
    int64_t floor;              /* a tenant was set back: read again from here at the latest; INT64_MAX */
    int64_t floor_until;        /* that has been done once so much is committed again */
    int64_t counted;  /* the mark as it was found: all below it is counted, though read again; it is not taken back behind it */
    struct mark mark; /* as it stands; next < 0: there is none */
    struct letter *letters; /* produced, oldest first */
    size_t n_letters, room_letters;
    int64_t resend_from;    /* a dead letter from here on was not taken: read again from here; NO_OFFSET */
    int64_t resend_at_us;   /* monotonic */
    int64_t resend_wait_us; /* until then; longer each time, as all that came since is read again, too; 0: all were taken */
};

struct lanes {
    struct lane **at;
    size_t n;
};

struct lane *lane_add(struct lanes *lanes, struct partition partition);
struct lane *lane_find(const struct lanes *lanes, struct span topic, int32_t number); /* NULL */
struct lane *lane_of_key(const struct lanes *lanes, struct span key);                 /* NULL */
void lane_remove(struct lanes *lanes, struct lane *lane);
void lanes_deinit(struct lanes *lanes);
struct partition lane_partition(const struct lane *lane);

/* Before the first commit that relies on the partition's life its mark must name a record by which it is recognised. */
bool lane_needs_pin(const struct lane *lane);
struct mark lane_pinned_mark(const struct lane *lane);
void lane_pin(struct lane *lane, const struct mark *mark);

/* A record was decoded; what was decoded goes into a commit; that took place; nothing beyond what is committed counts. */
void lane_decoded(struct lane *lane, int64_t offset, int64_t timestamp_us);
void lane_send(struct lane *lane);
void lane_commit(struct lane *lane);
void lane_rewind(struct lane *lane);

/* A tenant stands lower than what is committed: wherever the lane begins, not above this, until all of it has been read again. */
void lane_lower(struct lane *lane, int64_t offset);
void lane_forget_floor(struct lane *lane); /* if it has been */

void lane_letter_sent(struct lane *lane, int64_t offset);
void lane_letter_acknowledged(struct lane *lane, int64_t offset);
void lane_letter_failed(struct lane *lane, int64_t offset, int64_t now_us);
bool lane_letter_waits(const struct lane *lane, int64_t offset); /* sent, and not acknowledged, or to be sent again */
bool lane_resends(struct lane *lane, int64_t now_us);            /* it is time to read those again that failed */

/* The mark as far as it may move now: committed, and no dead letter below it unacknowledged. */
struct mark lane_safe_mark(const struct lane *lane);
