/* The board that followed a story event by event, each a commit, says what one loaded at its end says: all shipped reports, over
 * the events of tests/cases. */
#include "daemon/report/board.h"
#include "daemon/run/engine.h"
#include "daemon/source/files.h"
#include "daemon/tenant/view.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TURN_MS = 10,
    FOLDER_BYTES = 400,
    PATH_BYTES = FOLDER_BYTES + 32
};

/* A tenant of the story. */
struct follower {
    struct span tenant;
    struct names names;
    struct board *board;
    int64_t version;
};

/* The engine is first: it is the clock's context. */
struct story {
    struct engine engine;
    const char *folder;
    struct state *state;
    struct follower followers[4];
    size_t n, caught_up;
};

static void open_view(struct story *story, const struct follower *follower, struct view *view)
{
    struct error error = { "" };
    struct worker_parts parts = engine_parts(&story->engine);
    const struct rules *rules = settings_rules(story->engine.settings, follower->tenant);
    assert_true(view_open(view, story->state, &parts.tenants, follower->tenant, rules, &error));
}

static void load(struct story *story, struct follower *follower)
{
    struct error error = { "" };
    struct view view;
    open_view(story, follower, &view);
    struct cell_reader reader = view_reader(&view);
    names_deinit(&follower->names);
    names_init(&follower->names);
    for (name_id id = 1; id < view.tenant->names.n; id++) names_intern(&follower->names, names_text(&view.tenant->names, id));
    assert_true(board_load(follower->board, view.tenant->today, &reader, &error));
    follower->version = view.tenant->version;
    view_close(&view);
}

/* As a desk does: of the very version, or as a whole. */
static void catch_up(struct story *story, struct follower *follower)
{
    struct error error = { "" };
    struct view view;
    open_view(story, follower, &view);
    struct cell_reader reader = view_reader(&view);
    bool same = view.tenant->version == follower->version;
    if (same) assert_true(board_catch_up(follower->board, &reader, &error));
    story->caught_up += same;
    view_close(&view);
    if (!same) load(story, follower);
    assert_false(board_is_stale(follower->board));
}

static struct follower new_follower(struct span tenant)
{
    struct follower follower = { .tenant = { strndup(tenant.at, tenant.len), tenant.len } };
    names_init(&follower.names);
    return follower;
}

static void free_follower(struct follower *follower)
{
    board_destroy(follower->board);
    names_deinit(&follower->names);
    free((char *)(uintptr_t)follower->tenant.at);
}

static struct follower *follower_of(struct story *story, struct span tenant)
{
    for (size_t i = 0; i < story->n; i++)
        if (span_equal(story->followers[i].tenant, tenant)) return &story->followers[i];
    assert_true(story->n < 4);
    struct follower *follower = &story->followers[story->n++];
    *follower = new_follower(tenant);
    follower->board =
        board_create(story->engine.catalogue, settings_rules(story->engine.settings, tenant), &follower->names, NULL, 0);
    load(story, follower);
    return follower;
}

/* What is rendered stays known: parts of it are taken over later. Not everything that is rendered is sent. */
static void publish(struct story *story, struct follower *follower)
{
    struct board_limits limits = { 200, 0 };
    for (size_t i = 0; i < story->engine.catalogue->n_reports; i++) {
        struct board_document document;
        if (!board_touched(follower->board, i)) continue;
        board_render(follower->board, i, &limits, &document);
        if (follower->version % 3) board_sent(follower->board, i);
    }
}

static void follow(void *context, struct committed *committed)
{
    struct story *story = context;
    struct follower *follower = follower_of(story, committed->tenant);
    const struct rules *rules = settings_rules(story->engine.settings, follower->tenant);
    int32_t today = local_day(committed->clock_us, zone_offset(rules->zone, committed->clock_us));
    if (board_today(follower->board) != today) {
        load(story, follower); /* as it was before anything was counted */
    } else if (committed->version > follower->version) {
        assert_int_equal(committed->version_before, follower->version);
        for (size_t i = 0; i < committed->n_names; i++) names_intern(&follower->names, committed->names[i]);
        for (size_t i = 0; i < committed->n_differences; i++) {
            const struct difference *difference = committed->differences[i];
            board_add(follower->board, difference->bucket.number, &difference->key, &difference->value);
        }
        for (size_t i = 0; i < committed->n_lines; i++) {
            const struct list_change *line = &committed->lines[i];
            board_add_line(follower->board, line->list, line->id, line->was ? &line->before : NULL,
                           line->is ? &line->after : NULL);
        }
        follower->version = committed->version;
    }
    if (board_is_stale(follower->board)) catch_up(story, follower);
    publish(story, follower);
    committed_destroy(committed);
}

static void fold(struct story *story, const char *events)
{
    struct error error = { "" };
    struct source *source = files_source_create(&events, 1, engine_clock(&story->engine), 1 << 20, &error);
    assert_non_null(source);
    struct worker_parts parts = engine_parts(&story->engine);
    parts.source = source;
    parts.state = story->state;
    parts.context = story;
    parts.committed = follow;
    parts.cache_bytes = SIZE_MAX;
    parts.batch_records = 1;
    struct worker *worker = worker_create(&parts);
    while (worker_turn(worker, TURN_MS, &error)) continue;
    worker_drain(worker, 0);
    worker_destroy(worker);
    source_destroy(source);
}

/* Every report of both boards, and that there is anything. */
static void compare(const struct story *story, struct board *followed, struct board *loaded)
{
    struct board_limits limits = { 200, 0 };
    for (size_t i = 0; i < story->engine.catalogue->n_reports; i++) {
        struct board_document a, b;
        board_render(followed, i, &limits, &a);
        board_render(loaded, i, &limits, &b);
        if (!span_equal(a.sections, b.sections))
            fail_msg("%s, %s: followed\n%.*s\nloaded\n%.*s", story->folder, story->engine.catalogue->reports[i].name,
                     SPAN_ARG(a.sections), SPAN_ARG(b.sections));
    }
}

static void compare_all(struct story *story)
{
    for (size_t i = 0; i < story->n; i++) {
        struct follower fresh = new_follower(story->followers[i].tenant);
        const struct rules *rules = settings_rules(story->engine.settings, fresh.tenant);
        fresh.board = board_create(story->engine.catalogue, rules, &fresh.names, NULL, 0);
        load(story, &fresh);
        compare(story, story->followers[i].board, fresh.board);
        free_follower(&fresh);
        free_follower(&story->followers[i]);
    }
}

static void read_clock(const char *folder, int64_t *clock_us)
{
    char path[PATH_BYTES], text[64] = "";
    snprintf(path, sizeof path, "%s/as_of", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    text[strcspn(text, "\n")] = 0;
    assert_true(instant_parse(span_of(text), clock_us));
}

static size_t play(const char *folder, const struct catalogue *catalogue)
{
    char path[PATH_BYTES];
    struct problems problems = { 0 };
    struct error error = { "" };
    struct story story = { .folder = folder };
    snprintf(path, sizeof path, "%s/config.json", folder);
    struct settings *settings = settings_load(access(path, R_OK) ? NULL : path, environ, NEED_RULES, &problems);
    assert_non_null(settings);
    assert_true(engine_init(&story.engine, settings, catalogue, &error));
    read_clock(folder, &story.engine.set_clock_us);
    story.state = state_memory_create(NULL, NULL);
    snprintf(path, sizeof path, "%s/events.ndjson", folder);
    fold(&story, path);
    compare_all(&story);
    story.state->ops->destroy(story.state);
    settings_destroy(settings);
    problems_deinit(&problems);
    return story.caught_up;
}

static void followed_is_what_is_loaded(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    struct catalogue_file shipped = catalogue_shipped();
    struct catalogue *catalogue = catalogue_load(&shipped, 1, &problems);
    struct dirent **stories;
    size_t caught_up = 0, played = 0;
    int n = scandir(SOURCE_DIR "/tests/cases", &stories, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char folder[FOLDER_BYTES], events[PATH_BYTES];
        snprintf(folder, sizeof folder, SOURCE_DIR "/tests/cases/%s", stories[i]->d_name);
        snprintf(events, sizeof events, "%s/events.ndjson", folder);
        free(stories[i]);
        if (access(events, R_OK)) continue;
        caught_up += play(folder, catalogue);
        played++;
    }
    free(stories);
    assert_true(played > 30);
    assert_true(caught_up > 0); /* with a goal that nobody had before */
    catalogue_destroy(catalogue);
    problems_deinit(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(followed_is_what_is_loaded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
