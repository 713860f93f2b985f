/* The other way of a commit, for what is large: no script, but WATCH, a look at what stands, and all commits in one MULTI … EXEC.
 * A script has every argument hashed and copied twice by Lua: two fifths of what commits of three metrics cost Redis.
 *
 * Watched are the keys of which something is asked: the state's version, and the types of what else is written and not a string.
 * The answers are there before anything is written, so a version that is not the expected one, or another type, is known then; who
 * changes one of them later makes EXEC do nothing. Memory, disk, replicas and rights are asked by Redis for each command as it is
 * queued and again by EXEC, which does nothing if one of them was refused. One thing is not covered that the script covers: a
 * right to one of the writing commands that is withdrawn between its queueing and EXEC leaves the others done. It is seen and said.
 *
 * Used by commit.c only. */
#pragma once

#include "daemon/state/commit.h"

/* Watches, looks, and begins; commits that cannot take place are settled and leave the queue. False: it is not allowed or not
 * possible here, the queue is as it was, and nothing is watched. */
bool transaction_begin(struct commits *commits) MUST_USE;
void transaction_send(struct commits *commits);
void transaction_read(struct commits *commits);
