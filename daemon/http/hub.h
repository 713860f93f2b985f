/* The hub: which reports changed last, for the streams that follow a tenant. What comes faster than HUB_REST_MS, or than a reader
 * reads, is coalesced: a reader gets the newest version of each report, and memory stays bounded. What all streams of a tenant are
 * to read is written once. Used by one thread; knows no socket. */
#pragma once

#include "common/buffer.h"
#include "common/map.h"

enum {
    HUB_REST_MS = 200 /* a tenant's followers are woken at most once in this time, the first time at once */
};

struct follower {
    struct followed *tenant;
    struct follower *next, *previous;
    uint64_t seen;                   /* news up to here are written */
    void (*wake)(struct follower *); /* there is news; may be called again and again */
};

/* A zeroed hub is an empty one. */
struct hub {
    struct map tenants;          /* name -> struct followed: those that are followed */
    size_t n_followers, n_fresh; /* streams; tenants with news that their followers were not woken for */
};

void hub_follow(struct hub *hub, struct follower *follower, struct span tenant); /* `wake` is set by the caller */
void hub_leave(struct hub *hub, struct follower *follower);

/* `report` empty: how the alerts stand. */
void hub_hint(struct hub *hub, struct span tenant, struct span report, int64_t version);

/* Wakes the followers of tenants with news, when their rest is over. When the next is due; INT64_MAX: nobody is. */
int64_t hub_tell(struct hub *hub, int64_t now_us);

/* Appends what the follower has not seen yet. False: nothing. */
bool hub_news(struct follower *follower, struct buffer *out);

void hub_each(struct hub *hub, void (*each)(struct follower *));
