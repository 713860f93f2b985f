/* Whoever has left, and however much came for them later: the numbers are those of a plain fold of the events that were not
 * refused. Histories from seeds: SEED=7 is that one alone. What is handed to an entity that has left is dropped: what shows it
 * (a deal's calls, unknown references) is not kept here, unit/test_retirement looks at it. */
#include "daemon/recount/balance.h"
#include "daemon/recount/refold.h"
#include "tests/unit/counting.h"

enum {
    SEEDS = 150,
    TURNS = 40,
    RECORDS_MAX = 1600
};

static char settings[] = "CRM_REPORTD_TENANTS={\"default\":{\"time_zone\":\"Europe/Berlin\",\"retire_after\":4}}";

struct history {
    struct dice dice;
    struct arena arena;
    struct record records[RECORDS_MAX];
    bool refused[RECORDS_MAX];
    size_t n, n_refused, n_retired;
    struct daemon daemon;
    struct state *state;
    int64_t now_us;
};

static void note_refusal(void *context, const struct entry *entry)
{
    struct history *history = context;
    assert_int_equal(entry->refused, REASON_AFTER_RETENTION);
    history->refused[entry->offset] = true;
    history->n_refused++;
}

/* "de3" becomes "de3.7": entities of now, and of some time ago. */
static struct span of_their_time(struct history *history, struct span text, uint32_t turn)
{
    struct buffer out = { 0 };
    for (size_t i = 0; i < text.len; i++) {
        buffer_byte(&out, (uint8_t)text.at[i]);
        bool is_id = i >= 4 && i + 1 < text.len && text.at[i - 3] == '"' && text.at[i + 1] == '"' && text.at[i] >= '0' &&
                     text.at[i] <= '3' && text.at[i - 1] >= 'a' && text.at[i - 2] >= 'a';
        if (is_id) buffer_printf(&out, ".%u", turn / 4 - dice_below(&history->dice, turn / 4 + 1) / 2);
    }
    struct span made = arena_copy(&history->arena, buffer_all(&out));
    buffer_deinit(&out);
    return made;
}

static void add_record(struct history *history, uint64_t seed, uint32_t turn)
{
    struct log_record made = event_make(seed, (int)history->n, true, history->now_us, &history->arena);
    history->records[history->n] =
        (struct record){ .value = made.value.at ? of_their_time(history, made.value, turn) : made.value,
                         .topic = SPAN("t"),
                         .offset = (int64_t)history->n,
                         .timestamp_us = made.timestamp_us };
    history->n++;
}

/* None of what shows that something was dropped. */
static void need_less(struct kept *kept)
{
    static const enum fact facts[] = { FACT_DEAL_CREATED, FACT_DEAL_WON, FACT_DEAL_LOST };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        int calls = fact_measure(&fact_rows[facts[i]], SPAN("calls"));
        kept->fact[facts[i]].measures &= (uint8_t) ~(1u << calls);
    }
    memset(&kept->fact[FACT_UNKNOWN_REFERENCE], 0, sizeof kept->fact[FACT_UNKNOWN_REFERENCE]);
    kept->lists &= (uint16_t) ~(1u << LIST_UNKNOWN_REFERENCES);
}

static void live(struct history *history, uint64_t seed)
{
    *history = (struct history){ .dice = { seed * 91 }, .now_us = instant("2026-03-20T08:00:00Z") };
    history->state = state_memory_create(NULL, NULL);
    open_daemon(&history->daemon, settings, NULL);
    need_less(&history->daemon.engine.kept);
    history->daemon.refused = note_refusal;
    history->daemon.context = history;
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        size_t from = history->n, n = 1 + dice_below(&history->dice, RECORDS_MAX / TURNS);
        history->now_us += (int64_t)dice_below(&history->dice, 40) * 3600 * MICROS_PER_SECOND;
        for (size_t i = 0; i < n; i++) add_record(history, seed, turn);
        count(&history->daemon, history->state, &history->records[from], n, history->now_us);
        for (int i = 0; i < 2; i++) count(&history->daemon, history->state, NULL, 0, history->now_us);
        if (dice_below(&history->dice, 4) == 0)
            for (int t = 0; t < TENANTS; t++) tenant_drop(history->daemon.tenants[t]);
    }
}

/* A tenant as it stands, and as a fold of all that was not refused makes it. */
struct pair {
    struct view view, again;
    struct census got, said, want;
    struct state *memory;
    struct refold *refold;
};

static void fold_again(struct pair *pair, const struct history *history, const struct worker_parts *parts)
{
    struct error error = { "" };
    const struct refold_partition partition = { SPAN("t:0"), 0 }, *partitions[RECORDS_MAX];
    struct refold_settings with = { state_memory_create(NULL, NULL), parts->tenants, parts->decode, SIZE_MAX };
    const struct tenant *like = pair->view.tenant;
    for (size_t i = 0; i < history->n; i++) partitions[i] = history->refused[i] ? NULL : &partition;
    pair->memory = with.state;
    pair->refold = refold_create(&with);
    refold_add(pair->refold, like, like->kept, like->clock_us);
    assert_true(refold_take(pair->refold, history->records, partitions, history->n, &error));
    assert_true(view_open(&pair->again, pair->memory, &parts->tenants, like->name, like->rules, &error));
}

/* All cells of the one are in the other. */
static size_t compare_cells(const struct census *one, const struct census *other, uint64_t seed)
{
    size_t at = 0, n = 0;
    for (struct map_slot *slot; (slot = map_next(&one->cells, &at));) {
        const struct census_cell *cell = slot->value;
        const struct cell_value *value = census_cell(other, cell);
        struct cell_value rest = { 0 };
        if (cell->key.fact == FACT_REJECTED_EVENT || cell->key.fact == FACT_DUPLICATE_EVENT) continue;
        assert_true(cell_value_add(&rest, &cell->value, 1) && (!value || cell_value_add(&rest, value, -1)));
        if (!cell_value_is_zero(&rest) && ++n < 5)
            print_error("seed %llu: %s of %d differs by %lld\n", (unsigned long long)seed, fact_rows[cell->key.fact].name,
                        cell->bucket.number, (long long)rest.sums[0]);
        cell_value_deinit(&rest);
    }
    return n;
}

/* Who is there is the same; who is not has left. */
static size_t compare_entities(const struct pair *pair, uint64_t seed)
{
    size_t at = 0, n = 0, retired = 0;
    for (struct map_slot *slot; (slot = map_next(&pair->got.entities, &at));) {
        const struct census_entity *entity = slot->value, *other = census_entity(&pair->want, entity);
        if (other && other->hash == entity->hash && entity->readable) continue;
        if (++n < 5) print_error("seed %llu: %.*s differs\n", (unsigned long long)seed, SPAN_ARG(entity->id));
    }
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) retired += pair->view.tenant->kind[kind].retired;
    if (pair->got.entities.count + retired == pair->want.entities.count) return n;
    print_error("seed %llu: %zu entities and %zu that have left, of %zu\n", (unsigned long long)seed, pair->got.entities.count,
                retired, pair->want.entities.count);
    return n + 1;
}

static void tell(void *context, const char *line)
{
    print_error("seed %llu: %s\n", *(unsigned long long *)context, line);
}

/* As `verify` finds it; and finds it wrong when it is. */
static size_t check_balance(struct pair *pair, uint64_t seed)
{
    struct tenant *tenant = pair->view.tenant;
    struct comparison comparison = {
        .rules = tenant->rules, .names = &tenant->names, .redis = &pair->got, .entities = &pair->said
    };
    comparison.tell = tell;
    comparison.context = &seed;
    size_t n = balance_find(&comparison, tenant, 5);
    tenant->retired_weight++;
    assert_int_equal(balance_find(&comparison, tenant, 0), n + !n);
    tenant->retired_weight--;
    return n;
}

static size_t check_tenant(struct history *history, uint64_t seed, int t)
{
    struct error error = { "" };
    struct worker_parts parts = engine_parts(&history->daemon.engine);
    const struct tenant *like = history->daemon.tenants[t];
    struct pair pair = { .memory = NULL };
    assert_true(view_open(&pair.view, history->state, &parts.tenants, like->name, like->rules, &error));
    fold_again(&pair, history, &parts);
    assert_true(census_add_cells(&pair.got, &pair.view, &error) && census_add_cells(&pair.want, &pair.again, &error));
    size_t n = compare_cells(&pair.got, &pair.want, seed) + compare_cells(&pair.want, &pair.got, seed);
    assert_true(census_add_entities(&pair.said, &pair.view, NULL, NULL, &error));
    n += check_balance(&pair, seed);
    pair.got.entities = pair.said.entities;
    pair.said.entities = (struct map){ 0 };
    assert_true(census_add_entities(&pair.said, &pair.again, NULL, NULL, &error));
    pair.want.entities = pair.said.entities;
    pair.said.entities = (struct map){ 0 };
    n += compare_entities(&pair, seed);
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) history->n_retired += pair.view.tenant->kind[kind].retired;
    census_deinit(&pair.got);
    census_deinit(&pair.want);
    census_deinit(&pair.said);
    view_close(&pair.view);
    view_close(&pair.again);
    refold_destroy(pair.refold);
    pair.memory->ops->destroy(pair.memory);
    return n;
}

static void the_numbers_are_those_of_what_was_not_refused(void **unused)
{
    (void)unused;
    size_t differences = 0, refused = 0, retired = 0;
    const char *only = getenv("SEED");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1, last = only ? first : SEEDS;
    struct history *history = must_alloc(sizeof *history);
    for (uint64_t seed = first; seed <= last; seed++) {
        live(history, seed);
        for (int t = 0; t < TENANTS; t++) differences += check_tenant(history, seed, t);
        refused += history->n_refused;
        retired += history->n_retired;
        close_daemon(&history->daemon);
        history->state->ops->destroy(history->state);
        arena_deinit(&history->arena);
    }
    free(history);
    print_message("%zu events refused, %zu entities have left\n", refused, retired);
    if (!only) assert_true(refused > 5 * SEEDS && retired > 10 * SEEDS);
    assert_int_equal(differences, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_numbers_are_those_of_what_was_not_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
