/* The HTTP server: one thread that serves, clerks that ask Redis, a listener for its hints. It shares nothing with the daemon's
 * work but the processor, and there it steps back. */
#pragma once

#include "daemon/http/routes.h"

struct http_server;

enum {
    HTTP_WHERE_BYTES = 320
};

struct http_settings {
    struct engine *engine;             /* must outlive the server */
    struct http_operations operations; /* its context, too */
    bool any_port;                     /* where the port of `listen` is taken, another will do (demo) */
};

struct daemon;
/* Those of a daemon; to be stopped before it is. */
struct http_settings http_settings_of(struct engine *engine, struct daemon *daemon);

/* Starts serving on `listen` of the settings and returns. An address that is not to be had is no error: it is tried again, every
 * second, and the log says so; the daemon's work comes first. NULL: the tokens' file is wrong. */
struct http_server *http_start(const struct http_settings *settings, struct error *error) MUST_USE;

/* Other tokens hold from now on: connections stay, streams of tokens that are gone end. Takes them over, from any thread. */
void http_renew_tokens(struct http_server *server, struct tokens *fresh);
void http_stop(struct http_server *server); /* NULL is fine */

/* "http://127.0.0.1:8380/"; empty: not listening (yet). */
void http_where(struct http_server *server, char where[HTTP_WHERE_BYTES]);
