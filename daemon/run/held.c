#include "daemon/run/held.h"

#include "daemon/run/servers.h"
#include "daemon/tenant/terms.h"
#include "daemon/tenant/view.h"

static void note_held(const struct engine *engine, const struct tenant *tenant, struct findings *findings)
{
    struct buffer now = { 0 }, changed = { 0 };
    terms_write(tenant->rules, engine->counted_by, &now);
    if (tenant->terms.len) terms_compare(tenant->terms, buffer_all(&now), &changed);
    if (!changed.len) buffer_str(&changed, "settings or catalogue");
    problem_add(
        &findings->wrong, "tenants",
        "%.*s was counted by others: %.*s. The daemon holds it (its events wait, its numbers stay as they are; other tenants "
        "go on) until: crm-reportd rebuild %.*s",
        SPAN_ARG(tenant->name), SPAN_ARG(buffer_all(&changed)), SPAN_ARG(tenant->name));
    buffer_deinit(&now);
    buffer_deinit(&changed);
}

void held_probe(struct engine *engine, struct findings *findings)
{
    struct servers servers;
    struct error ignored = { "" };
    struct span *names = NULL;
    size_t n = 0;
    struct worker_parts parts = engine_parts(engine);
    bool fine = servers_open(&servers, engine, false, &ignored) && servers_tenants(&servers, NULL, 0, &names, &n, &ignored);
    for (size_t i = 0; i < n && fine; i++) {
        struct view view = { 0 };
        const struct rules *rules = settings_rules(engine->settings, names[i]);
        fine = view_open(&view, servers.state, &parts.tenants, names[i], rules, &ignored);
        if (fine && view.tenant->held) note_held(engine, view.tenant, findings);
        view_close(&view);
    }
    servers_close(&servers);
}
