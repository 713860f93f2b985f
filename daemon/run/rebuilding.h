/* Counts tenants anew beside the running daemon: into a copy under "<prefix>:rebuild", from the topics, or where they no longer reach
 * back from the stored entities; then puts the copy in place in one step, if nobody changed the tenant since. Whatever happens before
 * that step leaves the old numbers as they are; what is left of the copy the next run removes. */
#pragma once

#include "daemon/run/engine.h"

struct rebuild_options {
    char *const *tenants; /* which */
    size_t n_tenants;
    bool all;           /* none named: all, else those that were counted by other settings, or not all from their beginning */
    bool from_entities; /* the topics are not read */
};

struct rebuild_result {
    size_t tenants, switched;
};

/* Prints a line for each tenant on standard output, progress on standard error. False: a server does not answer, there is no such
 * tenant, or one could not be switched; those that were are done. */
bool engine_rebuild(struct engine *engine, const struct rebuild_options *options, struct rebuild_result *result,
                    struct error *error) MUST_USE;
