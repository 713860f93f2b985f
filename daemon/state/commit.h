/* Commits on their way to Redis: one call of commit.lua per tenant, all in one pipeline; or, when they
 * are large, one transaction. */
#pragma once

#include "daemon/state/steps.h"

enum {
    COMMITS_FLUSH_BYTES = 256 * 1024 /* written before more is gathered */
};

struct commits {
    struct connection *connection;
    struct script script;
    struct commit **queue; /* not answered yet, in the order sent */
    size_t n, room;
    struct steps steps;  /* of the commit being written */
    enum commit_way way; /* by script once Redis has not allowed anything else */
    bool in_transaction;
    size_t n_commands;  /* of the transaction under way, between MULTI and EXEC */
    struct error error; /* of the first that was LOST or REFUSED */
    bool failed;
};

void commits_init(struct commits *commits, struct connection *connection);
void commits_deinit(struct commits *commits);

/* What is to be sent together: begin anew, add each, send. Send: false when nothing is under way, every outcome is then set. */
void commits_begin(struct commits *commits);
void commits_add(struct commits *commits, struct commit *commit);
bool commits_send(struct commits *commits, struct error *error) MUST_USE;
/* Waits for the answers, as struct state_ops has it. */
bool commits_end(struct commits *commits, struct error *error) MUST_USE;

/* What commit.c and transaction.c share: the outcome of one, of all that are queued. */
void commits_settle_one(struct commits *commits, struct commit *commit, enum outcome outcome);
void commits_settle_all(struct commits *commits, enum outcome outcome);

/* Takes the answers still to come, so that something else can be asked; commits_end tells of them. */
void commits_settle(struct commits *commits);
