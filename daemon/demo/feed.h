/* A believable CRM feed: weeks of history, then what happens now, with late, repeated and reopened events on purpose.
 * Deterministic: equal seed and clock, equal events. Pure: no clock, no Kafka of its own.
 *
 *   history:  feed_history … until it returns false, then  live:  feed_live … as often as wanted */
#pragma once

#include "common/buffer.h"
#include "common/zone.h"

enum feed_mark {
    FEED_USUAL,
    FEED_LATE,      /* it happened days ago */
    FEED_UNORDERED, /* the end arrives before the beginning */
    FEED_REPEATED,  /* sent before, byte by byte */
    FEED_REOPENED,  /* takes back what was counted */
    FEED_MERGED,    /* two contacts were one */
    FEED_MOVED,     /* somebody else owns it now, its past included */
    N_FEED_MARKS
};
extern const char *const feed_mark_names[N_FEED_MARKS]; /* "", "late", "out of order" … */

/* A number in a report that an event of note should move (or, repeated, should not). */
struct feed_spot {
    const char *report; /* NULL: none */
    const char *by;     /* the section's dimension; NULL: the total */
    const char *row;    /* its value */
    const char *period, *metric;
    const char *label; /* in words, for people */
};

enum {
    FEED_HEADLINE_BYTES = 120
};

struct feed_event {
    const char *tenant, *topic;
    struct buffer value; /* the CloudEvent as JSON */
    int64_t time_us;     /* when it happened */
    enum feed_mark mark;
    char headline[FEED_HEADLINE_BYTES]; /* "deal D-1042 won, 12,300.00 EUR (anna)" */
    struct feed_spot spot;
};
void feed_event_deinit(struct feed_event *event);

struct feed;

/* `zones`: of the tenants of the cast, in its order; they must outlive the feed. History ends at now_us. */
struct feed *feed_create(uint64_t seed, int64_t now_us, const struct zone *const *zones);
void feed_destroy(struct feed *feed); /* NULL is fine */

/* The next event of the history; the caller owns what it holds. False: now is reached. */
bool feed_history(struct feed *feed, struct feed_event *event);

/* The next event of now. `now_us` must not go back. Every few seconds it is one of note. */
void feed_live(struct feed *feed, int64_t now_us, struct feed_event *event);
