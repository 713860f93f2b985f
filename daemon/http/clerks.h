/* Clerks: a few threads that answer what is asked of Redis, each over a connection of its own, so that neither the thread that
 * serves nor the daemon's work ever waits for it. */
#pragma once

#include "daemon/http/routes.h"

struct clerks;

/* `done` is called from a clerk's thread with each exchange that has its answer. */
struct clerks *clerks_start(const struct answering *with, void (*done)(void *context, struct exchange *exchange), void *context,
                            struct error *error) MUST_USE;
void clerks_stop(struct clerks *clerks); /* NULL is fine. What still waits is given up: its exchanges are the caller's */

/* False: too many wait already; it is answered with that. */
bool clerks_take(struct clerks *clerks, struct exchange *exchange);
