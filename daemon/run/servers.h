/* Redis and the topics as a command looks at them, from outside of the group. */
#pragma once

#include "daemon/recount/topics.h"
#include "daemon/run/engine.h"

struct servers {
    struct engine *engine;
    struct arena arena;
    struct state *state;
    struct mark_keeper *keeper;
    struct mark *marks;
    size_t n_marks;
    struct source *source; /* NULL: the topics are not looked at */
    struct topics topics;
};

/* Connects, reads the marks; with `kafka` looks at the topics, too. False: one of them does not answer. To be closed anyway. */
bool servers_open(struct servers *servers, struct engine *engine, bool kafka, struct error *error) MUST_USE;
void servers_close(struct servers *servers);

/* The tenants named, else all of the list, sorted; in the arena. Names that Redis does not know are left out and told in
 * `unknown`. False: Redis does not answer. */
bool servers_tenants(struct servers *servers, char *const *names, size_t n_names, struct span **tenants, size_t *n,
                     struct error *unknown, struct error *error) MUST_USE;

/* A line on standard error now and then: "crm-reportd verify: 120000 of 400000 records (30 %)". */
struct progress {
    const char *command, *what; /* "verify", "records read" */
    int64_t told_s;
};
void progress_tell(void *progress, int64_t done, int64_t all);
