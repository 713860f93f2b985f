#include "daemon/run/tenants.h"

#include "common/instant.h"
#include "daemon/run/servers.h"
#include "daemon/tenant/terms.h"
#include "daemon/tenant/view.h"

enum {
    ADDED_BYTES = 250 /* of what is counted anew: names of tenants may be long, and a problem is no more than a line */
};

static void note_held(const struct tenant *tenant, struct findings *findings)
{
    struct buffer changed = { 0 };
    terms_write_changed(tenant, &changed);
    problem_add(
        &findings->wrong, "tenants",
        "%.*s was counted by others: %.*s. The daemon holds it (its events wait, its numbers stay as they are; other tenants "
        "go on) until: crm-reportd rebuild %.*s",
        SPAN_ARG(tenant->name), SPAN_ARG(buffer_all(&changed)), SPAN_ARG(tenant->name));
    buffer_deinit(&changed);
}

/* Some of it is counted, or is about to be, from some day on only. */
static void note_widened(const struct tenant *tenant, struct findings *findings)
{
    struct buffer added = { 0 };
    char since[DAY_TEXT_BYTES] = "its next commit";
    const struct generations *generations = &tenant->generations;
    if (generations->n < 2) return;
    generation_write_added(&generations->at[0], generations_last(generations), ADDED_BYTES, &added);
    if (generations->stored > 1) day_format(generations->at[1].since, since);
    problem_add(&findings->advice, "tenants",
                "%.*s counts some of what is needed only from %s on, of what changes then, until "
                "crm-reportd rebuild %.*s: %.*s",
                SPAN_ARG(tenant->name), since, SPAN_ARG(tenant->name), SPAN_ARG(buffer_all(&added)));
    buffer_deinit(&added);
}

void tenants_probe(struct engine *engine, struct findings *findings)
{
    struct servers servers;
    struct error ignored = { "" };
    struct span *names = NULL;
    size_t n = 0;
    struct worker_parts parts = engine_parts(engine);
    bool fine =
        servers_open(&servers, engine, false, &ignored) && servers_tenants(&servers, NULL, 0, &names, &n, &ignored, &ignored);
    for (size_t i = 0; i < n && fine; i++) {
        struct view view = { 0 };
        const struct rules *rules = settings_rules(engine->settings, names[i]);
        fine = view_open(&view, servers.state, &parts.tenants, names[i], rules, &ignored);
        if (fine && view.tenant->held)
            note_held(view.tenant, findings);
        else if (fine && view.tenant->version)
            note_widened(view.tenant, findings);
        view_close(&view);
    }
    servers_close(&servers);
}
