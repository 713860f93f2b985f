/* A tenant at the publisher: its reports in memory, as of one version, and how far they are published. */
#pragma once

#include "daemon/publish/publisher.h"
#include "daemon/report/board.h"
#include "daemon/report/document.h"

struct desk_report {
    int64_t version; /* of the document in Redis; 0: none yet, or not looked at */
    int64_t sent;    /* newest version produced to the topic */
    bool send_again; /* the topic lacks what stands in Redis */
};

struct desk {
    struct span tenant;
    const struct rules *rules;
    struct names names;
    struct board *board;
    bool loaded;   /* the board stands at `version` */
    bool compared; /* what stands in Redis was looked at since the start */
    bool dirty;
    int64_t version, clock_us;
    int64_t waiting_since_us, next_at_us; /* monotonic */
    struct desk_report *reports;          /* as in the catalogue */
    struct buffer traceparent;            /* of the last event since it was last published; empty: none */
};

struct desk *desk_create(const struct engine *engine, struct span tenant);
void desk_destroy(struct desk *desk);

/* A commit took place: follows it, or, when it does not continue what the desk has, is to be loaded again. */
void desk_follow(struct desk *desk, const struct committed *committed, int64_t now_us);

/* Reads everything as it stands now. */
bool desk_load(struct desk *desk, const struct engine *engine, struct state *state, enum outcome *outcome,
               struct error *error) MUST_USE;
