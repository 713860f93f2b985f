#include "tests/sim/check.h"

#include "common/period.h"
#include "daemon/report/board.h"
#include "daemon/report/document.h"
#include "daemon/state/keys.h"
#include "daemon/state/marks.h"
#include "tests/sim/entities.h"
#include "tests/sim/events.h"
#include "tests/sim/fold.h"

#include <inttypes.h>
#include <stdlib.h>

struct comparison {
    struct world *world;
    const struct store *got, *want;
    struct span tenant;
    struct span prefix; /* "crm:{acme}:" */
    struct names names;
    struct arena arena;
};

/* ---- cells ---- */

static bool same_cell(struct span field, struct span got, struct span want, const struct rules *rules)
{
    struct cell_key key;
    struct cell_value a = { 0 }, b = { 0 };
    if (span_equal(got, want)) return true;
    bool same = cell_field_parse(field, rules, &key) && cell_value_parse(key.fact, got, &a) &&
                cell_value_parse(key.fact, want, &b) && cell_value_add(&a, &b, -1) && cell_value_is_zero(&a);
    cell_value_deinit(&a);
    cell_value_deinit(&b);
    return same;
}

/* A partition read again in a new life counts its repeats and its bad records again: of no life before it anything is known. */
static bool counts_again(const struct comparison *comparison, struct span field)
{
    struct span name = { field.at, field.len < 15 ? field.len : 15 };
    bool undated = (name.len == 15 && memcmp(name.at, "duplicate_event", 15) == 0) ||
                   (name.len >= 14 && memcmp(name.at, "rejected_event", 14) == 0);
    return undated && comparison->world->new_life;
}

/* Of a list: who has left is in none. */
static bool is_of_one_who_left(const struct comparison *comparison, struct span key, struct span field)
{
    enum kind kind;
    const char *blank = memchr(field.at, ' ', field.len);
    struct span name = { field.at, blank ? (size_t)(blank - field.at) : 0 };
    bool is_list = key.len > comparison->prefix.len + 5 && !memcmp(key.at + comparison->prefix.len, "list:", 5);
    if (!is_list || !kind_find(name, &kind)) return false;
    return entity_has_left(comparison->got, comparison->tenant, kind, (struct span){ blank + 1, field.len - name.len - 1 });
}

static bool compare_cells(struct comparison *comparison, const struct store_hash *a, const struct store *other, const char *which)
{
    const struct rules *rules = settings_rules(comparison->world->engine->settings, comparison->tenant);
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&a->fields, &at));) {
        struct span one = ((struct store_field *)slot->value)->value, two = store_get(other, a->key, slot->key);
        if (!two.at && other == comparison->got && is_of_one_who_left(comparison, a->key, slot->key)) continue;
        if (counts_again(comparison, slot->key) || (two.at && same_cell(slot->key, one, two, rules))) continue;
        return fail(&comparison->world->wrong, "cell %.*s of %.*s: %s %.*s, the other %.*s", SPAN_ARG(slot->key),
                    SPAN_ARG(a->key), which, SPAN_ARG(one), SPAN_ARG(two));
    }
    return true;
}

/* ---- hashes of a tenant ---- */

static bool begins(struct span text, const char *start)
{
    size_t n = strlen(start);
    return text.len >= n && memcmp(text.at, start, n) == 0;
}

static bool compare_hash(struct comparison *comparison, const struct store_hash *hash, bool is_got)
{
    const struct store *other = is_got ? comparison->want : comparison->got;
    struct span rest = { hash->key.at + comparison->prefix.len, hash->key.len - comparison->prefix.len };
    bool counts = begins(rest, "day:") || begins(rest, "month:") || begins(rest, "list:") || span_is(rest, "now");
    return !counts || compare_cells(comparison, hash, other, is_got ? "got" : "want");
}

static bool compare_hashes(struct comparison *comparison, bool got)
{
    const struct store *store = got ? comparison->got : comparison->want;
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&store->hashes, &at));) {
        if (slot->key.len < comparison->prefix.len || memcmp(slot->key.at, comparison->prefix.at, comparison->prefix.len) != 0)
            continue;
        if (!compare_hash(comparison, slot->value, got)) return false;
    }
    return true;
}

/* Positions: none beyond the end of its partition. */
static bool compare_positions(struct comparison *comparison)
{
    struct span key = key_state(&comparison->arena, state_prefix, comparison->tenant);
    char field[32];
    for (int p = 0; p < comparison->world->broker.n_logs && !comparison->world->broker.reborn; p++) {
        snprintf(field, sizeof field, "position:%s:%d", world_topic, p);
        if (store_number(comparison->got, key, span_of(field)) > (int64_t)comparison->world->broker.logs[p].n)
            return fail(&comparison->world->wrong, "%s of %.*s is beyond the end", field, SPAN_ARG(key));
    }
    return true;
}

static bool read_names(struct comparison *comparison)
{
    struct span key = key_names(&comparison->arena, state_prefix, comparison->tenant);
    const struct store_hash *hash = store_hash(comparison->got, key);
    for (name_id id = 1; hash && id <= hash->fields.count; id++) {
        char field[16];
        snprintf(field, sizeof field, "%u", id);
        if (!names_restore(&comparison->names, id, store_get(comparison->got, key, span_of(field))))
            return fail(&comparison->world->wrong, "%.*s has no good number %u", SPAN_ARG(key), id);
    }
    return true;
}

static bool compare_tenant(struct world *world, const struct store *want, struct span tenant)
{
    struct comparison comparison = { .world = world, .got = &world->store, .want = want, .tenant = tenant };
    struct buffer prefix = { 0 };
    names_init(&comparison.names);
    buffer_printf(&prefix, "%s:{%.*s}:", state_prefix, SPAN_ARG(tenant));
    comparison.prefix = buffer_all(&prefix);
    bool same = read_names(&comparison) && compare_hashes(&comparison, true) && compare_hashes(&comparison, false) &&
                compare_positions(&comparison) && entities_equal(world, want, tenant, &comparison.names);
    buffer_deinit(&prefix);
    names_deinit(&comparison.names);
    arena_deinit(&comparison.arena);
    return same;
}

/* ---- what is published ---- */

static bool report_stands(struct world *world, struct desk *desk, size_t report, struct arena *arena)
{
    const char *name = world->engine->catalogue->reports[report].name;
    struct board_limits limits = { (size_t)world->engine->max_rows, 0 };
    struct board_document document;
    struct buffer key = { 0 };
    board_render(desk->board, report, &limits, &document);
    struct span stored = store_get(&world->store, key_report(arena, state_prefix, desk->tenant, name), NO_SPAN);
    buffer_printf(&key, "%.*s/%s", SPAN_ARG(desk->tenant), name);
    const struct topic_record *last = map_get(&world->topic, buffer_all(&key));
    const struct span *sent = last ? &last->value : NULL;
    buffer_deinit(&key);
    if (!stored.at || !span_equal(document_sections(stored), document.sections))
        return fail(&world->wrong, "report %s of %.*s in Redis: got %.*s, want %.*s", name, SPAN_ARG(desk->tenant),
                    (int)(stored.len < 180 ? stored.len : 180), stored.at ? stored.at : "", 180, document.sections.at);
    /* Equal numbers; the version may be another where Redis was set back, or where two published the same by turns. */
    if (!world->forgotten && (!sent || !memmem(sent->at, sent->len, document.sections.at, document.sections.len)))
        return fail(&world->wrong,
                    "report %s of %.*s: the topic's last record does not hold version %" PRId64 " as in Redis: %.*s", name,
                    SPAN_ARG(desk->tenant), document_version(stored), sent ? (int)(sent->len < 300 ? sent->len : 300) : 4,
                    sent ? sent->at : "none");
    return true;
}

struct numbers {
    struct world *world;
    struct span key;
    size_t n;
};

static void compare_number(void *context, struct span name, struct span value)
{
    struct numbers *numbers = context;
    struct span got = store_get(&numbers->world->store, numbers->key, name);
    numbers->n++;
    if (!got.at || !span_equal(got, value))
        fail(&numbers->world->wrong, "%.*s of %.*s: got %.*s, want %.*s", SPAN_ARG(name), SPAN_ARG(numbers->key), SPAN_ARG(got),
             SPAN_ARG(value));
}

static bool numbers_stand(struct world *world, struct desk *desk, struct arena *arena)
{
    const struct text_list *periods = &world->engine->settings->metrics_periods;
    for (size_t i = 0; i < periods->n; i++) {
        struct numbers numbers = { world, key_metrics(arena, state_prefix, desk->tenant, periods->at[i]), 1 };
        board_metrics(desk->board, i, compare_number, &numbers);
        const struct store_hash *hash = store_hash(&world->store, numbers.key);
        if ((hash ? hash->fields.count : 0) != numbers.n)
            fail(&world->wrong, "%.*s has %zu fields, expected %zu", SPAN_ARG(numbers.key), hash ? hash->fields.count : 0,
                 numbers.n);
    }
    return !world->wrong.text[0];
}

static bool compare_published(struct world *world, struct span tenant)
{
    struct arena arena = { 0 };
    struct link link;
    bool connected, same, fine = true;
    enum outcome outcome;
    if (!store_number(&world->store, key_state(&arena, state_prefix, tenant), SPAN("version"))) {
        arena_deinit(&arena);
        return true;
    }
    link_init(&link, world, &world->store);
    connected = link.marks.ops->connect(&link.marks, &same, &world->wrong);
    struct desk *desk = desk_create(world->engine, tenant);
    struct alert_rules *rules = world_rules(world);
    desk_watch(desk, rules, 0);
    fine = connected && desk_load(desk, world->engine, &link.base, &outcome, &world->wrong);
    for (size_t i = 0; fine && i < world->engine->catalogue->n_reports; i++) fine = report_stands(world, desk, i, &arena);
    fine = fine && numbers_stand(world, desk, &arena) && alerts_right(world, desk);
    desk_destroy(desk);
    alert_rules_destroy(rules);
    arena_deinit(&arena);
    return fine;
}

/* ---- the whole ---- */

static bool letters_sent(struct world *world)
{
    for (int p = 0; p < world->broker.n_logs; p++) {
        const struct log *log = &world->broker.logs[p];
        for (size_t i = 0; i < log->n; i++)
            if (log->records[i].bad && !log->records[i].lettered)
                return fail(&world->wrong, "no dead letter for record %zu of partition %d", i, p);
    }
    return true;
}

bool check_equal(struct world *world)
{
    struct store want = { .clock_us = &world->now_us, .run = 1 };
    fold_plainly(world, &want);
    bool same = !world->wrong.text[0] && letters_sent(world);
    for (int t = 0; t <= TENANTS && same; t++)
        same = compare_tenant(world, &want, event_tenant(t)) && compare_published(world, event_tenant(t));
    store_deinit(&want);
    return same;
}
