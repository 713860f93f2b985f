/* All that the demo needs, built up and taken down: Redis, a Kafka in this process, the daemon, somebody who sends. */
#pragma once

#include "daemon/demo/dashboard.h"
#include "daemon/demo/redis_process.h"
#include "daemon/demo/sender.h"
#include "daemon/http/server.h"
#include "daemon/run/daemon.h"
#include "daemon/source/kafka_mock.h"

#include <stdio.h>

struct demo_options {
    long seconds; /* 0: until it is told to end */
    long rate;    /* live events per second */
    long seed;
    bool plain; /* no full-screen page */
    bool once;  /* the history, its reports, the end */
    bool keep;  /* Redis stays */
};

enum {
    STAGE_TENANTS_MAX = 8,
    STAGE_FILE_BYTES = 128
};

struct stage {
    struct redis_process redis;
    char settings_file[STAGE_FILE_BYTES], log_file[STAGE_FILE_BYTES];
    FILE *log;
    struct kafka_mock *kafka;
    struct settings *settings;
    struct catalogue *catalogue;
    struct engine engine;
    const struct zone *zones[STAGE_TENANTS_MAX]; /* of the cast */
    struct daemon *daemon;
    struct http_server *http;
    char where[HTTP_WHERE_BYTES]; /* of the dashboard; empty: nowhere */
    struct news *news;
    struct sender *sender;
    struct dashboard *dashboard;
};

/* Starts everything, the sender last. False: stage_close cleans up all the same. */
MUST_USE bool stage_open(struct stage *stage, const struct demo_options *options, struct error *error);

/* No more events; all that was sent is counted and published. */
void stage_settle(struct stage *stage);

/* Ends everything; of Redis and its folder nothing is left, unless `keep`. */
void stage_close(struct stage *stage, bool keep);

/* Is something that is needed gone? */
bool stage_failed(struct stage *stage, struct error *error);
