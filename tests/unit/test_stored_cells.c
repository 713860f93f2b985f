/* Cells in the worker's memory against plain ones, their table against an array, and rosters: what they save is never in the state. */
#include "daemon/tenant/fold.h"
#include "unit.h"

enum {
    KEYS = 600,
    ROUNDS = 40000
};

struct fixture {
    struct cache cache;
    struct tenant tenant;
    struct rules rules;
};

static int start(void **state)
{
    struct fixture *fixture = must_zalloc(sizeof *fixture);
    fixture->cache.limit_bytes = SIZE_MAX;
    fixture->tenant.cache = &fixture->cache;
    fixture->tenant.rules = &fixture->rules;
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;
    fixture->cache.limit_bytes = 0;
    cache_trim(&fixture->cache);
    assert_int_equal(fixture->cache.bytes, 0);
    assert_int_equal(fixture->tenant.cells.n, 0);
    cell_table_deinit(&fixture->tenant.cells);
    map_deinit(&fixture->tenant.rosters);
    free(fixture);
    return 0;
}

static const struct bucket buckets[] = {
    { BUCKET_DAY, 20000 }, { BUCKET_DAY, 20001 }, { BUCKET_MONTH, 24300 }, { BUCKET_NOW, 0 }
};

static struct cell_key key_of(int i)
{
    enum fact fact = (enum fact)(i % N_FACTS);
    struct cell_key key = { .fact = (uint16_t)fact, .n = (uint16_t)fact_rows[fact].n_dims };
    for (int dim = 0; dim < key.n; dim++) key.dims[dim] = (name_id)(i / (dim + 1));
    return key;
}

static uint32_t hash_of(struct bucket bucket, const struct cell_key *key)
{
    return (uint32_t)cell_hash(bucket, cell_key_hash(key));
}

static void fill(struct cell_value *value, const struct fact_row *row)
{
    for (int i = 0; i < row->n_measures; i++) {
        value->sums[i] = rand() - RAND_MAX / 2;
        bool spreads = row->measures[i].type == MEASURE_DURATION;
        for (int n = rand() % 4; spreads && n > 0; n--) histogram_add(&value->spread[i], rand() % 100000, rand() % 3 - 1);
    }
}

static void assert_same(enum fact fact, const struct stored_cell *cell, const struct cell_value *plain)
{
    struct buffer own = { 0 }, expected = { 0 };
    struct cell_value value = stored_cell_value(cell);
    cell_value_write(fact, &value, &own);
    cell_value_write(fact, plain, &expected);
    assert_true(span_equal(buffer_all(&own), buffer_all(&expected)));
    buffer_deinit(&own);
    buffer_deinit(&expected);
}

/* Of every fact: set, added to, and taken back to nothing. */
static void values_are_those_of_plain_cells(void **state)
{
    struct fixture *fixture = *state;
    srand(1);
    for (int i = 0; i < N_FACTS; i++) {
        struct cell_key key = key_of(i);
        const struct fact_row *row = &fact_rows[key.fact];
        struct stored_cell *cell = tenant_cell_add(&fixture->tenant, buckets[0], &key, hash_of(buckets[0], &key));
        struct cell_value plain = { 0 }, difference = { 0 }, first = { 0 };
        size_t bytes = cell->cached.bytes;
        fill(&first, row);
        assert_true(cell_value_add(&plain, &first, 1));
        stored_cell_set(cell, &first);
        assert_true(cell_value_is_zero(&first));
        assert_same((enum fact)key.fact, cell, &plain);
        for (int n = 0; n < 50; n++) {
            fill(&difference, row);
            assert_true(cell_value_add(&plain, &difference, 1) && stored_cell_add(cell, &difference));
            assert_same((enum fact)key.fact, cell, &plain);
            cell_value_clear(&difference);
        }
        tenant_cell_resized(cell);
        assert_true(cell->cached.bytes >= bytes);
        assert_true(cell_value_add(&difference, &plain, -1) && stored_cell_add(cell, &difference));
        struct cell_value rest = stored_cell_value(cell);
        assert_true(cell_value_is_zero(&rest));
        cell_value_deinit(&plain);
        cell_value_deinit(&difference);
        cell_value_deinit(&first);
    }
}

static void a_sum_that_would_overflow_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct cell_key key = { .fact = FACT_DEAL_WON, .n = (uint16_t)fact_rows[FACT_DEAL_WON].n_dims };
    struct stored_cell *cell = tenant_cell_add(&fixture->tenant, buckets[0], &key, hash_of(buckets[0], &key));
    struct cell_value much = { .sums = { 1, INT64_MAX } };
    assert_true(stored_cell_add(cell, &much));
    assert_false(stored_cell_add(cell, &much));
    assert_int_equal(stored_cell_value(cell).sums[0], 1);
    assert_int_equal(stored_cell_value(cell).sums[1], INT64_MAX);
}

/* Comes and goes at random; few bits of hash, so that many want the same place. */
static void the_table_finds_what_was_put(void **state)
{
    (void)state;
    struct cell_table table = { 0 };
    static struct stored_cell *there[KEYS];
    size_t n = 0;
    srand(2);
    for (int round = 0; round < ROUNDS; round++) {
        int i = rand() % KEYS;
        struct cell_key key = { .fact = FACT_DEAL_WON, .n = 3, .dims = { 1, (name_id)i / 4 } };
        struct bucket bucket = buckets[i % 4];
        uint32_t hash = hash_of(bucket, &key) & 63;
        assert_ptr_equal(cell_table_get(&table, bucket, &key, hash), there[i]);
        if (there[i]) {
            cell_table_remove(&table, there[i]);
            stored_cell_destroy(there[i]);
            there[i] = NULL, n--;
        } else if (round < ROUNDS * 3 / 4 || rand() % 8 == 0) {
            there[i] = stored_cell_create(bucket, &key, hash);
            cell_table_put(&table, there[i]), n++;
        }
        assert_int_equal(table.n, n);
    }
    for (int i = 0; i < KEYS; i++) {
        struct cell_key key = { .fact = FACT_DEAL_WON, .n = 3, .dims = { 1, (name_id)i / 4 } };
        assert_ptr_equal(cell_table_get(&table, buckets[i % 4], &key, hash_of(buckets[i % 4], &key) & 63), there[i]);
    }
    for (int i = 0; i < KEYS; i++)
        if (there[i]) stored_cell_destroy(there[i]);
    cell_table_deinit(&table);
}

/* Of the same hash, one a fact without dimensions: nothing behind a short cell is looked at (the sanitizer looks). */
static void a_short_key_is_not_taken_for_a_long_one(void **state)
{
    (void)state;
    struct cell_table table = { 0 };
    struct cell_key brief = { .fact = FACT_DEAL_WON, .n = 0 }, more = { .fact = FACT_DEAL_WON, .n = CELL_DIMS_MAX };
    struct stored_cell *cell = stored_cell_create(buckets[0], &brief, 5);
    cell_table_put(&table, cell);
    assert_null(cell_table_get(&table, buckets[0], &more, 5));
    assert_ptr_equal(cell_table_get(&table, buckets[0], &brief, 5), cell);
    cell_table_remove(&table, cell);
    stored_cell_destroy(cell);
    cell_table_deinit(&table);
}

static void an_empty_bucket_is_followed(void **state)
{
    struct fixture *fixture = *state;
    assert_null(tenant_roster(&fixture->tenant, buckets[0]));
    struct roster *roster = tenant_roster_add(&fixture->tenant, buckets[0]);
    assert_ptr_equal(tenant_roster(&fixture->tenant, buckets[0]), roster);
    assert_null(tenant_roster(&fixture->tenant, buckets[2]));
    roster_settle(roster, 0);
    assert_false(roster_may_hold(roster, 7));
    for (uint32_t hash = 7; hash < 5000; hash++) tenant_note_cell(&fixture->tenant, buckets[0], hash);
    tenant_note_cell(&fixture->tenant, buckets[2], 5); /* it has none */
    for (uint32_t hash = 7; hash < 5000; hash++) assert_true(roster_may_hold(roster, hash));
    assert_false(roster_may_hold(roster, 5) || roster_may_hold(roster, 5000) || roster_may_hold(roster, 0));
    tenant_note_cell(&fixture->tenant, buckets[0], 0);
    assert_true(roster_may_hold(roster, 0));
    assert_true(roster->cached.bytes > 5000 * sizeof(uint32_t));
    assert_false(roster_wants_fields(roster));
}

static void of_a_bucket_with_cells_all_is_asked(void **state)
{
    struct fixture *fixture = *state;
    struct roster *roster = tenant_roster_add(&fixture->tenant, buckets[1]);
    roster_settle(roster, 80);
    for (uint32_t hash = 0; hash < 9; hash++) assert_true(roster_may_hold(roster, hash));
    assert_false(roster_wants_fields(roster));
    assert_true(roster_may_hold(roster, 9)); /* the tenth: reading eighty fields would have been no dearer */
    assert_true(roster_wants_fields(roster));

    const struct span fields[] = { SPAN("deal_won:3"), SPAN("1"), SPAN("of a later daemon:1"), SPAN("2") };
    struct cell_key there, other;
    roster_settle_fields(roster, fields, 2);
    assert_false(roster_wants_fields(roster));
    assert_true(cell_field_parse(fields[0], &fixture->rules, &there));
    assert_true(cell_field_parse(SPAN("deal_won:4"), &fixture->rules, &other));
    assert_true(roster_may_hold(roster, hash_of(buckets[1], &there)));
    assert_false(roster_may_hold(roster, hash_of(buckets[1], &other)));

    struct roster *giant = tenant_roster_add(&fixture->tenant, buckets[2]);
    roster_settle(giant, 1000000);
    for (uint32_t hash = 0; hash < 1000000; hash++) assert_true(roster_may_hold(giant, hash));
    assert_false(roster_wants_fields(giant));
}

/* ---- cells that come, go, and come back, with little memory ---- */

enum {
    DAYS = 8,
    CELLS_PER_DAY = 12,
    BATCHES = 20000
};

static struct cell_key counted_key(int cell)
{
    return (struct cell_key){ .fact = FACT_LEAD, .n = (uint16_t)fact_rows[FACT_LEAD].n_dims, .dims = { (name_id)cell + 1 } };
}

static void write_changed(struct state *state, struct batch *batch, struct commit *commit)
{
    struct hash_write *writes = arena_alloc(batch->arena, (batch->ledger.n * 2 + 1) * sizeof *writes);
    size_t n = 0;
    for (size_t i = 0; i < batch->ledger.n * 2; i++) {
        const struct difference *difference = batch->ledger.differences[i / 2];
        struct stored_cell *cell = i % 2 ? difference->month : difference->cell;
        assert_true(stored_cell_add(cell, &difference->value));
        struct cell_value value = stored_cell_value(cell);
        struct buffer text = { 0 };
        cell_value_write(FACT_LEAD, &value, &text);
        struct span written = cell_value_is_zero(&value) ? NO_SPAN : arena_copy(batch->arena, buffer_all(&text));
        struct span key = key_bucket(batch->arena, "crm", batch->tenant->name, cell->bucket);
        writes[n++] = (struct hash_write){ key, difference->field, written };
        buffer_deinit(&text);
    }
    commit->writes = writes;
    commit->n_writes = n;
    struct error error = { "" };
    assert_true(state->ops->commit_begin(state, commit, 1, &error) && state->ops->commit_end(state, &error));
    assert_int_equal(commit->outcome, DONE);
    batch->tenant->version = commit->version = commit->version_new;
}

static void assert_stands(struct state *state, struct arena *arena, const int *counts)
{
    enum outcome outcome;
    struct error error = { "" };
    struct hash_read read = { 0 };
    for (int day_at = 0; day_at < DAYS; day_at++) {
        int there = 0;
        read.key = key_bucket(arena, "crm", SPAN("t"), (struct bucket){ BUCKET_DAY, day("2026-03-02") + day_at });
        assert_true(state->ops->read(state, &read, 1, arena, &outcome, &error));
        for (int cell = 0; cell < CELLS_PER_DAY; cell++) there += counts[day_at * CELLS_PER_DAY + cell] != 0;
        assert_int_equal(read.n_values / 2, there);
        for (size_t i = 0; i < read.n_values; i += 2) {
            struct rules rules = { 0 };
            struct cell_key key;
            assert_true(cell_field_parse(read.values[i], &rules, &key));
            assert_int_equal(strtol(arena_text(arena, read.values[i + 1]), NULL, 10),
                             counts[day_at * CELLS_PER_DAY + (int)key.dims[0] - 1]);
        }
    }
}

/* A tenant's cells on their way into a state in memory. */
struct story {
    struct tenant *tenant;
    struct arena arena;
    struct state *memory;
    struct loading loading;
    struct commit commit;
    size_t asked; /* cells, by the last batch */
};

static void begin(struct story *story, struct fixture *fixture)
{
    *story = (struct story){ .tenant = &fixture->tenant, .memory = state_memory_create(NULL, NULL) };
    story->loading = (struct loading){ .state = story->memory, .prefix = "crm", .arena = &story->arena };
    story->commit =
        (struct commit){ .tenant = SPAN("t"), .state_key = SPAN("crm:{t}:state"), .timers_key = SPAN("crm:{t}:timers") };
    fixture->tenant.name = SPAN("t");
    fixture->tenant.days_from = INT32_MIN;
}

static void end(struct story *story)
{
    loading_deinit(&story->loading);
    arena_deinit(&story->arena);
    story->memory->ops->destroy(story->memory);
}

static void add(struct ledger *ledger, int day_at, int cell, int factor)
{
    struct fact_entry fact = { .day = day("2026-03-02") + day_at, .measures = { 1 } };
    for (int measure = 1; measure < MEASURES_MAX; measure++) fact.measures[measure] = ABSENT;
    struct cell_key key = counted_key(cell);
    cell_key_copy(&fact.key, &key);
    ledger_add(ledger, &fact, factor);
}

/* What was added goes into the state. */
static void count(struct story *story, struct ledger *ledger)
{
    struct batch batch = {
        .tenant = story->tenant, .arena = &story->arena, .working = &story->arena, .loading = &story->loading, .ledger = *ledger
    };
    enum outcome outcome;
    struct error error = { "" };
    ledger_settle(&batch.ledger);
    batch_ask_for_cells(&batch);
    story->asked = 0;
    for (size_t i = 0; i < story->loading.n; i++) story->asked += story->loading.reads[i].n_fields;
    assert_true(loading_run(&story->loading, NULL, &outcome, &error));
    write_changed(story->memory, &batch, &story->commit);
    ledger_deinit(&batch.ledger);
    arena_reset(&story->arena);
}

static size_t asked_for_cells(struct story *story, int day_at, int from, int to)
{
    struct ledger ledger = { 0 };
    for (int cell = from; cell < to; cell++) add(&ledger, day_at, cell, 1);
    count(story, &ledger);
    return story->asked;
}

static void new_cells_are_not_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct story story;
    begin(&story, fixture);
    assert_int_equal(asked_for_cells(&story, 0, 0, 4), 0); /* nothing is stored of the tenant */
    assert_int_equal(asked_for_cells(&story, 0, 2, 8), 0);
    assert_int_equal(asked_for_cells(&story, 1, 0, 4), 4); /* of another day nothing is known … */
    assert_int_equal(asked_for_cells(&story, 1, 2, 8), 0); /* … but that it was empty; those two are in memory */
    fixture->cache.limit_bytes = 0;
    cache_trim(&fixture->cache);
    fixture->cache.limit_bytes = SIZE_MAX;
    assert_int_equal(asked_for_cells(&story, 1, 0, 8), 16);  /* nothing is known of the day, nor of its month */
    assert_int_equal(asked_for_cells(&story, 1, 8, 12), 8);  /* both have cells … */
    assert_int_equal(asked_for_cells(&story, 1, 12, 16), 0); /* … which were read meanwhile: they were asked for too often */
    end(&story);
}

/* Of what Redis holds: said, nothing of it is taken over. */
static void a_malformed_cell_is_said(void **state)
{
    struct fixture *fixture = *state;
    struct story story;
    enum outcome outcome;
    struct error error = { "" };
    begin(&story, fixture);
    struct cell_key key = { .fact = FACT_CASE_RESOLVED, .n = (uint16_t)fact_rows[FACT_CASE_RESOLVED].n_dims };
    struct stored_cell *cells[2];
    const struct span fields[] = { SPAN("case_resolved"), SPAN("case_resolved:3") };
    const struct hash_write writes[] = { { SPAN("crm:{t}:day:2026-03-02"), fields[0], SPAN("1 5000|seconds 1:1,x") } };
    story.commit.writes = writes;
    story.commit.n_writes = 1;
    assert_true(story.memory->ops->commit_begin(story.memory, &story.commit, 1, &error));
    assert_true(story.memory->ops->commit_end(story.memory, &error));
    struct bucket bucket = { BUCKET_DAY, day("2026-03-02") };
    for (int i = 0; i < 2; i++) {
        key.dims[0] = (name_id)(i * 3);
        cells[i] = tenant_cell_add(&fixture->tenant, bucket, &key, hash_of(bucket, &key));
    }
    loading_add_cells(&story.loading, &fixture->tenant, cells, fields, 2);
    assert_false(loading_run(&story.loading, NULL, &outcome, &error));
    assert_int_equal(outcome, REFUSED);
    assert_string_equal(error.text, "field case_resolved of crm:{t}:day:2026-03-02 is malformed");
    struct cell_value value = stored_cell_value(cells[0]);
    assert_true(cell_value_is_zero(&value));
    end(&story);
}

/* Cells go to zero and back, memory is short now and then, a day is at rest for long: what stands is what was added. */
static void what_is_not_asked_for_is_not_there(void **state)
{
    struct fixture *fixture = *state;
    static int counts[DAYS * CELLS_PER_DAY];
    struct story story;
    begin(&story, fixture);
    srand(3);
    for (int n = 0; n < BATCHES; n++) {
        struct ledger ledger = { 0 };
        int quiet = n / 100 % DAYS; /* its cells stay as they are meanwhile, but for a few */
        for (int i = rand() % 6; i >= 0; i--) {
            int day_at = rand() % DAYS, cell = rand() % CELLS_PER_DAY, *now = &counts[day_at * CELLS_PER_DAY + cell];
            if (day_at == quiet && rand() % 8) continue;
            int factor = *now && rand() % 2 ? -1 : 1;
            add(&ledger, day_at, cell, factor);
            *now += factor;
        }
        count(&story, &ledger);
        fixture->cache.limit_bytes = (size_t)(rand() % 20 ? 1 + rand() % 14 : 0) << 10;
        cache_trim(&fixture->cache);
        if (n % 100 == 0) assert_stands(story.memory, &story.arena, counts);
    }
    assert_stands(story.memory, &story.arena, counts);
    end(&story);
}

/* Beyond the cache's limit cells and rosters go, oldest first; a roster that was forgotten knows nothing. */
static void the_cache_forgets(void **state)
{
    struct fixture *fixture = *state;
    struct cell_key key = key_of(3);
    roster_settle(tenant_roster_add(&fixture->tenant, buckets[0]), 0);
    struct stored_cell *cell = tenant_cell_add(&fixture->tenant, buckets[0], &key, hash_of(buckets[0], &key));
    fixture->cache.limit_bytes = cell->cached.bytes;
    cache_trim(&fixture->cache);
    assert_null(tenant_roster(&fixture->tenant, buckets[0]));
    assert_ptr_equal(tenant_cell(&fixture->tenant, buckets[0], &key, hash_of(buckets[0], &key)), cell);
    roster_settle(tenant_roster_add(&fixture->tenant, buckets[0]), 0);
    tenant_forget_rosters(&fixture->tenant);
    assert_null(tenant_roster(&fixture->tenant, buckets[0]));
    fixture->cache.limit_bytes = SIZE_MAX;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_are_those_of_plain_cells, start, stop),
        cmocka_unit_test_setup_teardown(a_sum_that_would_overflow_changes_nothing, start, stop),
        cmocka_unit_test_setup_teardown(the_table_finds_what_was_put, start, stop),
        cmocka_unit_test(a_short_key_is_not_taken_for_a_long_one),
        cmocka_unit_test_setup_teardown(an_empty_bucket_is_followed, start, stop),
        cmocka_unit_test_setup_teardown(of_a_bucket_with_cells_all_is_asked, start, stop),
        cmocka_unit_test_setup_teardown(the_cache_forgets, start, stop),
        cmocka_unit_test_setup_teardown(new_cells_are_not_asked_for, start, stop),
        cmocka_unit_test_setup_teardown(a_malformed_cell_is_said, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_asked_for_is_not_there, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
