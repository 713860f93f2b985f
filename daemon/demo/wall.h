/* All reports of all tenants as the demo shows them: the newest documents, fetched when a hint says so and somebody looks. */
#pragma once

#include "daemon/catalogue/catalogue.h"
#include "daemon/demo/dashboard.h"
#include "daemon/demo/snapshot.h"

struct wall_report {
    struct snapshot snapshot;
    int64_t hinted; /* the newest version there is word of */
};

struct wall {
    struct dashboard *dashboard; /* borrowed */
    const struct catalogue *catalogue;
    struct wall_report *reports; /* tenant by tenant, in the catalogue's order */
    uint64_t updates;            /* hints so far */
    double latency_ms;           /* from a commit to the hint, a running mean; 0: none yet */
};

void wall_init(struct wall *wall, struct dashboard *dashboard, const struct catalogue *catalogue);
void wall_deinit(struct wall *wall);

/* Takes the hints that are there. False and error: the connection is lost. */
MUST_USE bool wall_update(struct wall *wall, int64_t now_us, struct error *error);

/* The newest document, fetched if need be; an empty one: there is none yet. */
const struct snapshot *wall_report(struct wall *wall, size_t tenant, const char *report);
const struct snapshot *wall_report_at(struct wall *wall, size_t tenant, size_t report);

size_t wall_tenant(const char *name); /* its number in the cast; n_cast: none */
