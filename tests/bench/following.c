#include "tests/bench/following.h"

#include "daemon/tenant/view.h"

#include <stdlib.h>

enum {
    SECTIONS_BYTES_MAX = 600 * 1000
};

static struct followed *add(struct following *following, const struct view *view, struct span tenant)
{
    struct followed *added = must_zalloc(sizeof *added);
    following->at = must_realloc(following->at, (following->n + 1) * sizeof *following->at);
    following->at[following->n++] = added;
    added->tenant = (struct span){ memcpy(must_alloc(tenant.len), tenant.at, tenant.len), tenant.len };
    names_init(&added->names);
    for (name_id id = 1; id < view->tenant->names.n; id++) names_intern(&added->names, names_text(&view->tenant->names, id));
    return added;
}

struct followed *following_load(struct following *following, struct state *state, struct span tenant)
{
    struct view view = { 0 };
    struct error error = { "" };
    struct worker_parts parts = engine_parts(following->engine);
    const struct settings *settings = following->engine->settings;
    const struct rules *rules = settings_rules(settings, tenant);
    REQUIRE(view_open(&view, state, &parts.tenants, tenant, rules, &error));
    struct followed *made = add(following, &view, tenant);
    const struct text_list *periods = &settings->metrics_periods;
    made->board = board_create(following->engine->catalogue, rules, &made->names, periods->at, periods->n);
    struct cell_reader reader = view_reader(&view);
    REQUIRE(board_load(made->board, view.tenant->today, &reader, &error));
    view_close(&view);
    following_render(following, made);
    return made;
}

struct followed *following_of(const struct following *following, struct span tenant)
{
    for (size_t i = 0; i < following->n; i++)
        if (span_equal(following->at[i]->tenant, tenant)) return following->at[i];
    return NULL;
}

void following_add(struct followed *followed, const struct committed *committed)
{
    for (size_t i = 0; i < committed->n_names; i++) names_intern(&followed->names, committed->names[i]);
    for (size_t i = 0; i < committed->n_differences; i++) {
        const struct difference *difference = committed->differences[i];
        board_add(followed->board, difference->bucket.number, &difference->key, &difference->value);
    }
    for (size_t i = 0; i < committed->n_lines; i++) {
        const struct list_change *line = &committed->lines[i];
        board_add_line(followed->board, line->list, line->id, line->was ? &line->before : NULL, line->is ? &line->after : NULL);
    }
}

void following_render(struct following *following, struct followed *followed)
{
    struct board_limits limits = { (size_t)following->engine->max_rows, SECTIONS_BYTES_MAX };
    for (size_t i = 0; i < following->engine->catalogue->n_reports; i++) {
        struct board_document document;
        if (!board_touched(followed->board, i)) continue;
        board_render(followed->board, i, &limits, &document);
        following->bytes += document.sections.len;
        following->rendered++;
        if (document.changed) board_sent(followed->board, i);
    }
}
