/* By what an entity was counted it is taken back, whatever is needed by now; what was kept from the beginning is as if nothing had ever
 * changed: histories of which three daemons, each with needs, declared attributes and time zone data of its own, count a part in
 * turn. A history is made from its seed: SEED=7 is that one alone. */
#include "daemon/facts/needs.h"
#include "daemon/recount/differences.h"
#include "daemon/recount/refold.h"
#include "tests/unit/counting.h"

enum {
    DAEMONS = 3,
    SEEDS = 300,
    RECORDS_MAX = 600,
    TURNS = 12
};

#define SETTINGS(custom) "CRM_REPORTD_TENANTS={\"default\":{\"time_zone\":\"Europe/Berlin\",\"custom\":" custom "}}"
static char all_customs[] = SETTINGS("{\"deal\":[\"region\",\"area\"],\"contact\":[\"area\"],\"case\":[\"region\"],"
                                     "\"call\":[\"region\",\"area\"],\"email\":[\"area\"],\"meeting\":[\"region\"]}"),
            some_customs[] =
                SETTINGS("{\"deal\":[\"region\"],\"contact\":[\"area\"],\"call\":[\"region\"],\"email\":[\"area\"]}");

struct history {
    struct dice dice;
    struct arena arena;
    struct record records[RECORDS_MAX];
    size_t n;
    struct daemon daemons[DAEMONS];
    struct state *state;
    int64_t now_us;
};

/* Any part of what the shipped catalogue needs. */
static void need_some(struct dice *dice, struct kept *kept)
{
    uint32_t permille = 200 + dice_below(dice, 700);
    for (int fact = 0; fact < N_FACTS; fact++) {
        kept->fact[fact].on &= dice_permille(dice, permille);
        if (!kept->fact[fact].on) memset(&kept->fact[fact], 0, sizeof kept->fact[fact]);
        kept->fact[fact].measures &= (uint8_t)(dice_throw(dice) | 1);
        kept->fact[fact].dims &= (uint16_t)dice_throw(dice);
        kept->fact[fact].customs &= dice_permille(dice, 700);
    }
    kept->lists &= (uint16_t)dice_throw(dice);
    for (int list = 0; list < N_FINDINGS; list++)
        if (!kept->fact[FACT_MISSING_VALUE + list].on) kept->lists &= (uint16_t) ~(1u << list);
    if (!kept->fact[FACT_DEAL_CREATED].on) kept->lists &= (uint16_t) ~(1u << LIST_OPEN_DEALS);
    kept_kinds(kept);
}

/* An event of the simulation with declared attributes. */
static void add_record(struct history *history, uint64_t seed)
{
    struct log_record made = event_make(seed, (int)history->n, true, history->now_us, &history->arena);
    struct record *record = &history->records[history->n];
    *record = (struct record){
        .value = made.value, .topic = SPAN("t"), .offset = (int64_t)history->n, .timestamp_us = made.timestamp_us
    };
    history->n++;
    if (!made.value.at || made.bad || made.value.len < 3 || !dice_permille(&history->dice, 500)) return;
    struct buffer text = { 0 };
    buffer_put(&text, made.value.at, made.value.len - 2);
    buffer_printf(&text, "%s\"region\":\"r%u\",\"area\":\"a%u\"}}", text.at[text.len - 1] == '{' ? "" : ",",
                  dice_below(&history->dice, 3), dice_below(&history->dice, 2));
    record->value = arena_copy(&history->arena, buffer_all(&text));
    buffer_deinit(&text);
}

static void live(struct history *history, uint64_t seed)
{
    *history = (struct history){ .dice = { seed * 77 }, .now_us = instant("2026-03-20T08:00:00Z") };
    history->state = state_memory_create(NULL, NULL);
    bool elsewhere = dice_below(&history->dice, 4) == 0;
    bool fewer = dice_below(&history->dice, 2); /* one that declares fewer attributes cannot count on after the others */
    for (int d = 0; d < DAEMONS; d++) {
        char *tenants = d == 0 && fewer ? some_customs : all_customs;
        if (d == 1 && elsewhere)
            open_elsewhere(&history->daemons[d], tenants, NULL, "Europe/Kyiv");
        else
            open_daemon(&history->daemons[d], tenants, NULL);
        need_some(&history->dice, &history->daemons[d].engine.kept);
    }
    for (int turn = 0; turn < TURNS; turn++) {
        size_t from = history->n, n = 1 + dice_below(&history->dice, RECORDS_MAX / TURNS);
        uint32_t d = turn < 3 ? 0 : fewer + dice_below(&history->dice, DAEMONS - fewer);
        history->now_us += (int64_t)dice_below(&history->dice, 60) * 3600 * MICROS_PER_SECOND;
        for (size_t i = 0; i < n; i++) add_record(history, seed);
        count(&history->daemons[d], history->state, &history->records[from], n, history->now_us);
    }
}

struct telling {
    uint64_t seed;
    int tenant;
    const char *what;
};

static void tell(void *context, const char *line)
{
    const struct telling *telling = context;
    print_error("seed %llu, t%d, %s: %s\n", (unsigned long long)telling->seed, telling->tenant, telling->what, line);
}

/* A tenant as it stands, and as a fold of all events makes it by what was kept from the beginning alone. */
struct pair {
    struct view view, again;
    struct kept shared;
    struct census redis, entities, due, topics, said;
    struct state *memory;
    struct refold *refold;
};

static void move_entities(struct census *from, struct census *to)
{
    to->entities = from->entities;
    from->entities = (struct map){ 0 };
}

static void take_tenant(struct pair *pair, const struct history *history, const struct worker_parts *parts,
                        const struct tenant *like)
{
    struct error error = { "" };
    assert_true(view_open(&pair->view, history->state, &parts->tenants, like->name, like->rules, &error));
    pair->shared = generations_common(&pair->view.tenant->generations);
    assert_true(census_add_cells(&pair->redis, &pair->view, &error));
    assert_true(census_add_entities(&pair->entities, &pair->view, &pair->shared, &pair->due, &error));
    move_entities(&pair->entities, &pair->redis);
}

static void fold_again(struct pair *pair, const struct history *history, const struct worker_parts *parts,
                       const struct tenant *like)
{
    struct error error = { "" };
    const struct refold_partition partition = { SPAN("t:0"), 0 }, *partitions[RECORDS_MAX];
    struct refold_settings settings = { state_memory_create(NULL, NULL), parts->tenants, parts->decode, SIZE_MAX };
    for (size_t i = 0; i < history->n; i++) partitions[i] = &partition;
    pair->memory = settings.state;
    pair->refold = refold_create(&settings);
    refold_add(pair->refold, pair->view.tenant, &pair->shared, pair->view.tenant->clock_us);
    assert_true(refold_take(pair->refold, history->records, partitions, history->n, &error));
    assert_true(view_open(&pair->again, pair->memory, &parts->tenants, like->name, like->rules, &error));
    assert_true(census_add_cells(&pair->topics, &pair->again, &error));
    assert_true(census_add_entities(&pair->said, &pair->again, &pair->shared, NULL, &error));
    move_entities(&pair->said, &pair->topics);
}

static void close_pair(struct pair *pair)
{
    struct census *all[] = { &pair->redis, &pair->entities, &pair->due, &pair->topics, &pair->said };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) census_deinit(all[i]);
    view_close(&pair->view);
    view_close(&pair->again);
    refold_destroy(pair->refold);
    pair->memory->ops->destroy(pair->memory);
}

/* What was kept from the beginning, of both. */
static size_t compare_shared(struct pair *pair, struct comparison comparison)
{
    struct census redis = { 0 }, entities = { 0 }, due = { 0 };
    census_add_shared(&redis, &pair->redis, &pair->shared);
    census_add_shared(&entities, &pair->entities, &pair->shared);
    census_add_shared(&due, &pair->due, &pair->shared);
    redis.entities = pair->redis.entities;
    comparison.redis = &redis;
    comparison.entities = &entities;
    comparison.due = &due;
    comparison.topics = &pair->topics;
    comparison.by_topics = true;
    comparison.with_lines = false;
    size_t n = differences_find(&comparison, 5);
    redis.entities = (struct map){ 0 };
    census_deinit(&redis);
    census_deinit(&entities);
    census_deinit(&due);
    return n;
}

static size_t check_tenant(struct history *history, uint64_t seed, int t, bool *widened)
{
    struct daemon *daemon = &history->daemons[DAEMONS - 1];
    struct worker_parts parts = engine_parts(&daemon->engine);
    struct pair pair = { .memory = NULL };
    take_tenant(&pair, history, &parts, daemon->tenants[t]);
    fold_again(&pair, history, &parts, daemon->tenants[t]);
    const struct generations *generations = &pair.view.tenant->generations;
    struct telling telling = { seed, t, "as counted" };
    struct comparison comparison = { .rules = daemon->tenants[t]->rules,
                                     .names = &pair.again.tenant->names,
                                     .redis = &pair.redis,
                                     .entities = &pair.entities,
                                     .due = &pair.due,
                                     .with_lines = true,
                                     .with_graves = pair.view.tenant->graves > 0,
                                     .tell = tell,
                                     .context = &telling };
    size_t n = differences_find(&comparison, 5);
    telling.what = "from the beginning";
    if (generations_share_zone(generations)) n += compare_shared(&pair, comparison);
    *widened = *widened || generations->stored > 1;
    close_pair(&pair);
    return n;
}

static void whatever_is_needed_when_all_is_taken_back_exactly(void **unused)
{
    (void)unused;
    bool widened = false;
    size_t differences = 0;
    const char *only = getenv("SEED");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1, last = only ? first : SEEDS;
    struct history *history = must_alloc(sizeof *history);
    for (uint64_t seed = first; seed <= last; seed++) {
        live(history, seed);
        for (int t = 0; t < TENANTS; t++) differences += check_tenant(history, seed, t, &widened);
        for (int d = 0; d < DAEMONS; d++) close_daemon(&history->daemons[d]);
        history->state->ops->destroy(history->state);
        arena_deinit(&history->arena);
    }
    free(history);
    assert_true(widened);
    assert_int_equal(differences, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_needed_when_all_is_taken_back_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
