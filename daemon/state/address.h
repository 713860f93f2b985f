/* Where a Redis is and who asks, taken from its URL. */
#pragma once

#include "common/error.h"
#include "common/span.h"

/* Texts are the address's own, terminated, empty when not given. */
struct address {
    bool is_unix, is_tls;
    char host[256]; /* or the path of a unix socket */
    int port;
    int database;
    char user[256], password[512];
    char where[300]; /* to be shown: "host:port/db" or the path, without user and password */
};

/* redis://[user:password@]host[:port][/db], rediss://…, unix:///path. User and password may be %-encoded. The message does not
 * show the url. */
bool address_parse(struct address *address, struct span url, struct error *error) MUST_USE;
