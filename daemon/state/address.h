/* Where a Redis is and who asks, taken from its URL. */
#pragma once

#include "common/error.h"
#include "common/span.h"

enum {
    ADDRESS_SEEDS_MAX = 16
};

enum address_kind {
    ADDRESS_SERVER,    /* one server, always the same */
    ADDRESS_SENTINELS, /* the server that sentinels name as the master */
    ADDRESS_CLUSTER    /* a Redis Cluster: the server of a key is found from any of its nodes */
};

struct endpoint {
    char host[256];
    int port;
};

/* Texts are the address's own, terminated, empty when not given. */
struct address {
    enum address_kind kind;
    bool is_unix, is_tls;
    char host[256]; /* or the path of a unix socket; empty where others are to be asked for it */
    int port;
    struct endpoint seeds[ADDRESS_SEEDS_MAX]; /* the sentinels, or nodes of the cluster */
    size_t n_seeds;
    char master[128]; /* by which the sentinels know it */
    int database;
    char user[256], password[512];
    char where[300]; /* to be shown: "host:port/db" or the path, without user and password */
};

/* redis://[user:password@]host[:port][/db], rediss://…, unix:///path; redis-sentinel://[user:password@]host[:port],…/master[/db],
 * redis-cluster://[user:password@]host[:port],…; rediss-sentinel://…, rediss-cluster://… with TLS. User and password may be
 * %-encoded. The message does not show the url. */
bool address_parse(struct address *address, struct span url, struct error *error) MUST_USE;

/* The server that is meant from now on: names it. */
void address_lead(struct address *address, const char *host, int port);
