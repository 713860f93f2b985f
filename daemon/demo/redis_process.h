/* A redis-server of the demo's own: a child process on a unix socket in a temporary folder, gone with the demo. */
#pragma once

#include "common/error.h"

#include <sys/types.h>

struct redis_process {
    char folder[96], socket[108]; /* the folder may hold other files of the demo, too */
    pid_t pid;                    /* 0: none */
};

/* Makes the folder and starts it in there, with an append-only file; waits until it takes connections. `stays`: it is to
 * outlive this process, also when that is killed. False: `redis_process_stop` cleans up all the same. */
MUST_USE bool redis_process_start(struct redis_process *redis, bool stays, struct error *error);

/* Has it ended by itself? */
bool redis_process_gone(struct redis_process *redis);

/* Ends it and removes the folder with all that is in it. Fine for a zeroed one. */
void redis_process_stop(struct redis_process *redis);
