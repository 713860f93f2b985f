#include "daemon/demo/wall.h"

#include "common/instant.h"
#include "daemon/demo/cast.h"

#include <stdlib.h>

void wall_init(struct wall *wall, struct dashboard *dashboard, const struct catalogue *catalogue)
{
    *wall = (struct wall){ .dashboard = dashboard, .catalogue = catalogue };
    wall->reports = must_zalloc(n_cast * catalogue->n_reports * sizeof *wall->reports);
    for (size_t i = 0; i < n_cast * catalogue->n_reports; i++) wall->reports[i].hinted = 1; /* look once */
}

void wall_deinit(struct wall *wall)
{
    if (!wall->reports) return;
    for (size_t i = 0; i < n_cast * wall->catalogue->n_reports; i++) snapshot_deinit(&wall->reports[i].snapshot);
    free(wall->reports);
    wall->reports = NULL;
}

size_t wall_tenant(const char *name)
{
    size_t tenant = 0;
    while (tenant < n_cast && strcmp(cast[tenant].name, name) != 0) tenant++;
    return tenant;
}

static struct wall_report *find(struct wall *wall, size_t tenant, const char *name)
{
    const struct report *report = catalogue_report(wall->catalogue, span_of(name));
    if (tenant == n_cast || !report) return NULL;
    return &wall->reports[tenant * wall->catalogue->n_reports + (size_t)(report - wall->catalogue->reports)];
}

/* A version is the instant of its commit, in microseconds, or a little more. */
static void take_hint(struct wall *wall, const struct dashboard_hint *hint, int64_t now_us)
{
    struct wall_report *report = find(wall, wall_tenant(hint->tenant), hint->report);
    double ms = (double)(now_us - hint->version) / MICROS_PER_MS;
    if (!report || hint->version <= report->hinted) return;
    report->hinted = hint->version;
    wall->updates++;
    if (ms > 0) wall->latency_ms += (ms - wall->latency_ms) * (wall->latency_ms > 0 ? 0.05 : 1);
}

bool wall_update(struct wall *wall, int64_t now_us, struct error *error)
{
    struct dashboard_hint hint;
    while (dashboard_next(wall->dashboard, &hint, error)) take_hint(wall, &hint, now_us);
    return !error->text[0];
}

static const struct snapshot *fetch(struct wall *wall, struct wall_report *at, size_t tenant, const char *name)
{
    struct error error = { "" }; /* a lost connection shows at the next update */
    if (at->snapshot.version < at->hinted)
        (void)snapshot_parse(&at->snapshot, dashboard_get(wall->dashboard, cast[tenant].name, name, &error));
    return &at->snapshot;
}

const struct snapshot *wall_report(struct wall *wall, size_t tenant, const char *name)
{
    static const struct snapshot none = { 0 };
    struct wall_report *at = find(wall, tenant, name);
    return at ? fetch(wall, at, tenant, name) : &none;
}

const struct snapshot *wall_report_at(struct wall *wall, size_t tenant, size_t report)
{
    struct wall_report *at = &wall->reports[tenant * wall->catalogue->n_reports + report];
    return fetch(wall, at, tenant, wall->catalogue->reports[report].name);
}
