/* The publisher: a thread of its own that keeps each tenant's reports up to date from the differences of the commits and
 * publishes what changed, to Redis and to the topic, at most once per snapshot_interval; what comes faster is coalesced. */
#pragma once

#include "common/latency.h"
#include "daemon/run/engine.h"

struct publisher;

struct publisher *publisher_start(struct engine *engine, struct error *error) MUST_USE;

/* From any thread: a commit that took place (takes ownership), or, without differences, a tenant to look after. */
void publisher_take(struct publisher *publisher, struct committed *committed);

/* From any thread: from now on these alert rules hold (takes ownership; NULL: none). */
void publisher_set_alerts(struct publisher *publisher, struct alert_rules *rules);

/* Publishes what is waiting, and waits for its acknowledgement, at most so long. No commits come any more. */
void publisher_drain(struct publisher *publisher, int timeout_ms);
void publisher_destroy(struct publisher *publisher); /* NULL is fine */

struct publisher_counts {
    uint64_t snapshots, unchanged, loads, sent, unsent, refused;
    uint64_t alerts_raised, alerts_cleared;  /* transitions committed */
    uint64_t alerts_sent, alerts_unsent;     /* to the topic */
    uint64_t alerts_posted, alerts_given_up; /* by webhooks */
    struct latency publish; /* from the first commit that is not published yet until its reports stand in Redis */
};
struct publisher_counts publisher_counts(const struct publisher *publisher);

/* How it stands: the tenants whose changes wait longest, a few of them. */
enum {
    WAITING_SHOWN_MAX = 20,
    TENANT_NAME_BYTES = 72
};
struct publisher_sight {
    size_t n_tenants, n_waiting, n_unacknowledged;
    int64_t longest_us;             /* 0: nobody waits */
    char trouble[ERROR_TEXT_BYTES]; /* empty: all is well */
    struct waiting_tenant {
        char name[TENANT_NAME_BYTES];
        int64_t waiting_us;
    } shown[WAITING_SHOWN_MAX]; /* longest first; then those that were published last */
    size_t n_shown;
};

/* The newest, at most a second old while the publisher is not busy with a document. From any thread. */
void publisher_look(struct publisher *publisher, struct publisher_sight *sight);
