#include "daemon/run/explanation.h"

#include "common/instant.h"
#include "daemon/explain/explain.h"

enum {
    ATTEMPTS = 6,
    ATTEMPTS_IN_PIECES = 3 /* then in one step */
};

static bool explain_view(struct engine *engine, struct view *view, const struct query *query, size_t limit, struct buffer *out,
                         struct error *error)
{
    const struct tenant *tenant = view->tenant;
    if (!tenant->version && !settings_knows_tenant(engine->settings, query->tenant)) {
        struct query_error unknown = query_unknown_tenant(query->tenant);
        query_error_write(&unknown, out);
        return true;
    }
    int64_t now_us = engine_clock(engine);
    if (tenant->clock_us > now_us) now_us = tenant->clock_us;
    struct explain_tenant asked = { view, local_day(now_us, zone_offset(tenant->rules->zone, now_us)) };
    return explain_answer(query, limit, engine->catalogue, &asked, out, error);
}

static bool explain_once(struct engine *engine, struct state *state, const struct query *query, size_t limit, bool whole,
                         struct buffer *out, bool *again, struct error *error)
{
    struct view view;
    struct worker_parts parts = engine_parts(engine);
    const struct rules *rules = settings_rules(engine->settings, query->tenant);
    bool fine = (whole ? view_open_whole : view_open)(&view, state, &parts.tenants, query->tenant, rules, error) &&
                explain_view(engine, &view, query, limit, out, error);
    *again = !fine && view.moved;
    view_close(&view);
    return fine;
}

static bool explain_query(struct engine *engine, struct state *state, const struct query *query, size_t limit, struct buffer *out,
                          struct error *error)
{
    bool fine = false, again = true;
    for (int attempt = 0; again && attempt < ATTEMPTS; attempt++) {
        error->text[0] = 0;
        fine = explain_once(engine, state, query, limit, attempt >= ATTEMPTS_IN_PIECES, out, &again, error);
    }
    return fine;
}

bool engine_explain(struct engine *engine, struct state *state, struct span tenant, struct span request, struct buffer *out,
                    struct error *error)
{
    struct arena arena = { 0 };
    struct query query;
    struct query_error wrong;
    size_t limit;
    bool fine = true;
    if (query_parse_explain(&query, &limit, request, &arena, &wrong) && query_for_tenant(&query, tenant, &wrong))
        fine = explain_query(engine, state, &query, limit, out, error);
    else
        query_error_write(&wrong, out);
    arena_deinit(&arena);
    return fine;
}
