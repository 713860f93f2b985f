#include "daemon/run/reports.h"

#include "daemon/report/board.h"
#include "daemon/report/document.h"
#include "daemon/tenant/view.h"

#include <stdio.h>

static void print_document(struct engine *engine, const struct view *view, struct board *board, size_t report)
{
    struct board_limits limits = { .max_rows = (size_t)engine->max_rows };
    struct board_document document;
    struct buffer text = { 0 };
    board_render(board, report, &limits, &document);
    struct document_head head = { .report = engine->catalogue->reports[report].name,
                                  .tenant = view->tenant->name,
                                  .version = view->tenant->version,
                                  .as_of_us = view->tenant->clock_us,
                                  .rules = view->tenant->rules,
                                  .catalogue = engine->catalogue->fingerprint };
    document_write(&head, document.sections, &text);
    printf("%.*s\n", SPAN_ARG(buffer_all(&text)));
    buffer_deinit(&text);
}

static bool print_tenant(struct engine *engine, struct state *state, size_t report, struct span tenant, struct error *error)
{
    struct view view = { 0 };
    struct worker_parts parts = engine_parts(engine);
    const struct rules *rules = settings_rules(engine->settings, tenant);
    bool fine = view_open(&view, state, &parts.tenants, tenant, rules, error);
    if (fine) {
        struct cell_reader reader = view_reader(&view);
        struct board *board = board_create(engine->catalogue, rules, &view.tenant->names, NULL, 0);
        fine = board_load(board, view.tenant->today, &reader, error);
        if (fine) print_document(engine, &view, board, report);
        board_destroy(board);
    }
    view_close(&view);
    return fine;
}

bool reports_print(struct engine *engine, struct state *state, const char *name, const struct span *tenants, size_t n,
                   struct error *error)
{
    const struct report *report = catalogue_report(engine->catalogue, span_of(name));
    REQUIRE(report != NULL);
    bool fine = true;
    for (size_t i = 0; i < n && fine; i++)
        fine = print_tenant(engine, state, (size_t)(report - engine->catalogue->reports), tenants[i], error);
    return fine;
}
