/* A server's insides, shared by the files that talk to the library. */
#pragma once

#include "daemon/http/clerks.h"
#include "daemon/http/hub.h"
#include "daemon/http/listener.h"
#include "daemon/http/server.h"
#include "daemon/http/shelf.h"
#include "daemon/settings/log.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

struct carrier;

/* One TCP connection, and until when what it is at must be over. */
struct wire {
    int descriptor;
    bool reading;            /* a request is awaited or under way */
    int64_t deadline_us;     /* 0: none */
    struct carrier *carrier; /* the request under way; NULL: none */
    struct wire *next, *previous;
};

/* One request on its way. */
struct carrier {
    struct exchange exchange; /* first: an exchange is turned into its carrier by a cast */
    struct http_server *server;
    struct MHD_Connection *connection;
    struct wire *wire;
    bool begun, asked, suspended, replied;
    struct carrier *next, *previous;
    /* of a stream: */
    struct follower follower;
    struct buffer out;
    size_t sent;
    int64_t beat_at_us;
    bool asleep, over;
};

struct http_server {
    struct answering with;
    struct tokens tokens;
    struct http_operations operations;
    struct http_counts counts;
    bool any_port;
    struct MHD_Daemon *mhd;
    struct clerks *clerks;
    struct listener *listener;
    struct hub hub;
    struct shelf shelf;
    struct wire *wires;
    struct carrier *carriers;
    int64_t sweep_at_us, bind_at_us, tell_at_us;
    struct log_cause cause;
    int wake;    /* an eventfd */
    int hangups; /* an epoll of the streams' connections: the library does not watch those that sleep */
    pthread_t thread;
    bool started;
    atomic_bool stop;
    pthread_mutex_t lock;  /* of what follows */
    struct exchange *done; /* answered by the clerks */
    struct tokens fresh;   /* those that hold from the next turn on … */
    bool renewed;          /* … if there are such */
    char where[HTTP_WHERE_BYTES];
};

/* listen.c: a socket that listens on "address:port"; -1 and error. `where`: as a URL. */
int listen_open(const char *listen, bool any_port, char where[HTTP_WHERE_BYTES], struct error *error);

/* carrier.c */
struct MHD_Daemon *carrier_library(struct http_server *server, int socket); /* NULL: the library does not start */
bool carrier_shelve(struct carrier *carrier); /* keeps its answer, gives it to who waits for the same; returns false */
void carrier_resume(struct carrier *carrier); /* its answer is there */
bool carrier_refuse(struct carrier *carrier); /* the daemon is ending; returns false */

/* stream.c */
void stream_follow(struct carrier *carrier); /* from now on hints are kept for it */
struct MHD_Response *stream_response(struct carrier *carrier);
void stream_beat(struct follower *follower); /* now and then something is written, so that a dead reader is noticed */
void stream_end(struct follower *follower);
void stream_doubt(struct follower *follower);          /* ends it, if its token is one no more */
void stream_leave(struct carrier *carrier);            /* it is over */
void stream_hangups(const struct http_server *server); /* ends those whose readers are gone */
