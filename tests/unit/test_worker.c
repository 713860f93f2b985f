/* The worker against a state and a source that fail: whatever is lost, refused, repeated or done by somebody else meanwhile,
 * the numbers come out as if nothing had happened. Each history is made from a seed, printed when it fails. */
#include "daemon/run/engine.h"
#include "daemon/state/keys.h"
#include "tests/unit/unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PARTITIONS = 3,
    RECORDS = 400,
    SEEDS = 60,
    TURNS_MAX = 20000
};

/* ---- a source of records in memory, that can be read again from any offset ---- */

struct log_record {
    char value[400];
    size_t len;
};

struct script {
    struct log_record records[PARTITIONS][RECORDS];
    size_t n[PARTITIONS];
};

struct script_source {
    struct source base;
    const struct script *script;
    int64_t next[PARTITIONS];
    int64_t lowest;           /* offset that partition 0 was read from */
    int64_t low;              /* the first one there is */
    int64_t *committed;       /* per partition, of the group; NULL: none, and nobody looks */
    bool told, silent, blind; /* blind: nothing can be found out about partitions */
    bool whole;               /* all that there is comes at once */
    int least_timeout_ms;     /* that was waited for records */
    bool lost;                /* its partitions are gone, and come again */
    bool moved;               /* partition 0 cannot be read on */
    int64_t later;            /* partition 1 was created anew, its records are so much younger */
    unsigned seed;
    struct partition partitions[PARTITIONS];
};

static const char *const topic = "t";

static size_t script_receive(struct source *base, struct record *records, size_t room, int timeout_ms)
{
    struct script_source *source = (struct script_source *)base;
    if (timeout_ms < source->least_timeout_ms) source->least_timeout_ms = timeout_ms;
    size_t n = 0, some = 1 + (size_t)rand_r(&source->seed) % 40, wanted = source->silent ? 0 : source->whole ? room : some;
    for (int tries = 0; tries < 100 && n < wanted && n < room; tries++) {
        int p = rand_r(&source->seed) % PARTITIONS;
        if (source->next[p] < 0 || (size_t)source->next[p] >= source->script->n[p]) continue;
        const struct log_record *record = &source->script->records[p][source->next[p]];
        records[n++] = (struct record){ .value = { record->value, record->len },
                                        .topic = span_of(topic),
                                        .partition = p,
                                        .offset = source->next[p]++,
                                        .timestamp_us = instant("2026-03-31T00:00:00Z") + (p == 1 ? source->later : 0) };
    }
    return n;
}

static void script_nothing(struct source *base)
{
    (void)base;
}

static void script_idle(struct source *base, int timeout_ms)
{
    (void)base, (void)timeout_ms;
    usleep(500); /* the worker waits by the real clock before it tries again */
}

static bool script_change(struct source *base, struct change *change)
{
    struct script_source *source = (struct script_source *)base;
    if (source->lost) {
        source->lost = source->told = false;
        for (int p = 0; p < PARTITIONS; p++) source->next[p] = -1;
        *change = (struct change){ CHANGE_LOST, source->partitions, PARTITIONS };
        return true;
    }
    if (source->moved) {
        source->moved = false;
        source->next[0] = -1;
        *change = (struct change){ CHANGE_MOVED, source->partitions, 1 };
        return true;
    }
    if (source->told) return false;
    source->told = true;
    for (int p = 0; p < PARTITIONS; p++) source->partitions[p] = (struct partition){ span_of(topic), p };
    *change = (struct change){ CHANGE_ASSIGNED, source->partitions, PARTITIONS };
    return true;
}

static void script_start(struct source *base, struct partition partition, int64_t offset)
{
    struct script_source *source = (struct script_source *)base;
    source->next[partition.number] = offset;
    if (partition.number == 0 && offset < source->lowest) source->lowest = offset;
}

static bool script_view(struct source *base, struct partition_view *views, size_t n, int timeout_ms, struct error *error)
{
    const struct script_source *source = (struct script_source *)base;
    (void)timeout_ms;
    if (source->blind) return (fail)(error, "nothing is seen");
    for (size_t i = 0; i < n; i++) {
        views[i].committed = source->committed ? source->committed[views[i].partition.number] : NO_OFFSET;
        views[i].low = source->low;
        views[i].high = (int64_t)source->script->n[views[i].partition.number];
        views[i].found = views[i].probe >= 0 && views[i].probe < views[i].high;
        views[i].timestamp_us = instant("2026-03-31T00:00:00Z") + (views[i].partition.number == 1 ? source->later : 0);
    }
    return true;
}

static void script_commit(struct source *base, const struct position *positions, size_t n)
{
    struct script_source *source = (struct script_source *)base;
    for (size_t i = 0; source->committed && i < n; i++) source->committed[positions[i].partition.number] = positions[i].next;
}

static size_t script_positions(struct source *base, struct position *positions, size_t room)
{
    (void)base, (void)positions, (void)room;
    return 0;
}

static const char *script_trouble(struct source *base)
{
    (void)base;
    return NULL;
}

static const struct source_ops script_ops = { script_receive,   script_nothing, script_idle,   script_change,
                                              script_nothing,   script_start,   script_view,   script_commit,
                                              script_positions, script_trouble, script_nothing };

static bool is_at_end(const struct script_source *source)
{
    for (int p = 0; p < PARTITIONS; p++)
        if (source->next[p] < (int64_t)source->script->n[p]) return false;
    return true;
}

/* ---- a state that fails now and then ---- */

struct shaky {
    struct state base;
    struct state *real;
    unsigned *seed;
    int permille; /* how often something goes wrong */
    struct commit *commits;
    size_t n;
    int reads_that_fail; /* the last of so many reads does */
    bool under_way;      /* they stay until their answers are taken */
    enum {
        ALL_WELL,
        ANSWER_LOST,
        NEVER_SENT,
        TURNED_DOWN
    } fate;
    bool connected;
};

static bool goes_wrong(struct shaky *shaky)
{
    return rand_r(shaky->seed) % 1000 < shaky->permille;
}

static bool shaky_read(struct state *base, struct hash_read *reads, size_t n, struct arena *arena, enum outcome *outcome,
                       struct error *error)
{
    struct shaky *shaky = (struct shaky *)base;
    bool fails = shaky->reads_that_fail && !--shaky->reads_that_fail;
    if (shaky->connected && !fails && !goes_wrong(shaky))
        return shaky->real->ops->read(shaky->real, reads, n, arena, outcome, error);
    shaky->connected = false;
    *outcome = LOST;
    return (fail)(error, "no answer to a read");
}

static bool shaky_timers(struct state *base, struct span key, int64_t until_us, size_t limit, struct arena *arena,
                         struct timer **timers, size_t *n, enum outcome *outcome, struct error *error)
{
    struct shaky *shaky = (struct shaky *)base;
    return shaky->real->ops->timers(shaky->real, key, until_us, limit, arena, timers, n, outcome, error);
}

static bool shaky_begin(struct state *base, struct commit *commits, size_t n, struct error *error)
{
    struct shaky *shaky = (struct shaky *)base;
    assert_false(shaky->under_way);
    shaky->under_way = true;
    shaky->commits = commits;
    shaky->n = n;
    shaky->fate = goes_wrong(shaky) ? 1 + rand_r(shaky->seed) % 3 : ALL_WELL;
    if (shaky->fate == NEVER_SENT || shaky->fate == TURNED_DOWN) return true;
    return shaky->real->ops->commit_begin(shaky->real, commits, n, error);
}

static bool shaky_end(struct state *base, struct error *error)
{
    struct shaky *shaky = (struct shaky *)base;
    shaky->under_way = false;
    if (shaky->fate == ALL_WELL) return shaky->real->ops->commit_end(shaky->real, error);
    if (shaky->fate == ANSWER_LOST) (void)shaky->real->ops->commit_end(shaky->real, error);
    if (shaky->fate != TURNED_DOWN) shaky->connected = false;
    for (size_t i = 0; i < shaky->n; i++) shaky->commits[i].outcome = shaky->fate == TURNED_DOWN ? REFUSED : LOST;
    return (fail)(error, "no answer to a commit");
}

static bool shaky_clock(struct state *base, int64_t *now_us, enum outcome *outcome, struct error *error)
{
    struct shaky *shaky = (struct shaky *)base;
    return shaky->real->ops->clock(shaky->real, now_us, outcome, error);
}

static const struct state_ops shaky_ops = { .read = shaky_read,
                                            .read_atomic = shaky_read,
                                            .timers = shaky_timers,
                                            .commit_begin = shaky_begin,
                                            .commit_end = shaky_end,
                                            .clock = shaky_clock };

/* ---- marks in memory ---- */

struct keeper {
    struct mark_keeper base;
    struct shaky *state;
    bool placing; /* they were read, and are to be placed next */
    enum {
        PLACED,
        PLACED_LOST,
        PLACED_ELSEWHERE
    } next_placing;
    struct stored_marks {
        struct mark marks[PARTITIONS];
        bool there[PARTITIONS];
    } * stored;
};

static bool keep_read(struct mark_keeper *base, struct mark **marks, size_t *n, struct arena *arena, enum outcome *outcome,
                      struct error *error)
{
    struct keeper *keeper = (struct keeper *)base;
    static const char *const keys[PARTITIONS] = { "t:0", "t:1", "t:2" };
    (void)outcome, (void)error;
    keeper->placing = true;
    *marks = arena_zalloc(arena, PARTITIONS * sizeof **marks);
    *n = 0;
    for (int p = 0; p < PARTITIONS; p++) {
        if (!keeper->stored->there[p]) continue;
        (*marks)[*n] = keeper->stored->marks[p];
        (*marks)[(*n)++].partition = span_of(keys[p]);
    }
    return true;
}

static bool fail_to_place(struct keeper *keeper, bool *moved, size_t n, enum outcome *outcome, struct error *error)
{
    bool lost = keeper->next_placing == PLACED_LOST;
    keeper->next_placing = PLACED;
    memset(moved, false, n);
    if (!lost) return true;
    keeper->state->connected = false;
    *outcome = LOST;
    return (fail)(error, "no answer to marks");
}

static bool keep_move(struct mark_keeper *base, const struct mark *old, const struct mark *new, bool *moved, size_t n,
                      enum outcome *outcome, struct error *error)
{
    struct keeper *keeper = (struct keeper *)base;
    if (keeper->placing && keeper->next_placing != PLACED) return fail_to_place(keeper, moved, n, outcome, error);
    keeper->placing = false;
    for (size_t i = 0; i < n; i++) {
        int p = new[i].partition.at[2] - '0';
        const struct mark *stands = &keeper->stored->marks[p];
        bool there = keeper->stored->there[p];
        moved[i] = there ? old[i].next == stands->next && old[i].life == stands->life : old[i].next < 0;
        if (!moved[i]) continue;
        keeper->stored->marks[p] = new[i];
        keeper->stored->there[p] = true;
    }
    return true;
}

static bool keep_tenants(struct mark_keeper *base, struct span **tenants, size_t *n, struct arena *arena, enum outcome *outcome,
                         struct error *error)
{
    (void)base, (void)arena, (void)outcome, (void)error;
    *tenants = NULL;
    *n = 0;
    return true;
}

static bool keep_add(struct mark_keeper *base, const struct span *tenants, size_t n, enum outcome *outcome, struct error *error)
{
    (void)base, (void)tenants, (void)n, (void)outcome, (void)error;
    return true;
}

static bool keep_connect(struct mark_keeper *base, bool *same, struct error *error)
{
    struct keeper *keeper = (struct keeper *)base;
    (void)error;
    *same = true;
    keeper->state->connected = true;
    return true;
}

static bool keep_connected(const struct mark_keeper *base)
{
    return ((const struct keeper *)base)->state->connected;
}

static const struct mark_keeper_ops keeper_ops = {
    .read = keep_read,
    .move = keep_move,
    .add_tenants = keep_add,
    .tenants = keep_tenants,
    .connect = keep_connect,
    .connected = keep_connected,
};

/* ---- histories ---- */

static void add_record(struct script *script, int partition, const char *text)
{
    struct log_record *record = &script->records[partition][script->n[partition]++];
    record->len = (size_t)snprintf(record->value, sizeof record->value, "%s", text);
}

/* Deals, calls and contacts of three tenants; some events come again, on whichever partition. */
static void make_script(struct script *script, unsigned seed)
{
    static const char *const types[] = { "contact.created", "contact.updated", "contact.deleted", "contact.merged",
                                         "deal.created",    "deal.updated",    "deal.won",        "deal.lost",
                                         "deal.reopened",   "call.completed",  "case.opened",     "case.closed" };
    memset(script->n, 0, sizeof script->n);
    for (int i = 0; i < 500; i++) {
        char text[400];
        const char *type = types[rand_r(&seed) % (sizeof types / sizeof *types)];
        int subject = rand_r(&seed) % 6, other = rand_r(&seed) % 6, minute = rand_r(&seed) % 60, day = 1 + rand_r(&seed) % 28;
        snprintf(text, sizeof text,
                 "{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"/"
                 "s\",\"type\":\"crm.%s\",\"subject\":\"%c%d\",\"tenantid\":\"t%d\","
                 "\"time\":\"2026-03-%02dT10:%02d:00Z\",\"data\":{%s\"owner\":\"u%d\"%s}}",
                 i, type, type[0] == 'c' && type[1] == 'o' ? 'k' : type[2], subject, rand_r(&seed) % 3, day, minute,
                 strcmp(type, "contact.merged") == 0 ? (other == 0   ? "\"into\":\"k0\","
                                                        : other == 1 ? "\"into\":\"k1\","
                                                                     : "\"into\":\"k2\",")
                                                     : "",
                 rand_r(&seed) % 3,
                 type[0] == 'd'                        ? ",\"contact\":\"k1\",\"amount\":\"10.00\",\"stage\":\"s1\""
                 : strcmp(type, "call.completed") == 0 ? ",\"deal\":\"a1\",\"contact\":\"k2\""
                                                       : "");
        add_record(script, rand_r(&seed) % PARTITIONS, text);
        if (rand_r(&seed) % 10 == 0) add_record(script, rand_r(&seed) % PARTITIONS, text);
        if (rand_r(&seed) % 50 == 0) add_record(script, rand_r(&seed) % PARTITIONS, "{\"specversion\":\"1.0\"");
    }
}

/* ---- running ---- */

struct house {
    struct settings *settings;
    struct catalogue *catalogue;
    struct engine engine;
    _Atomic int64_t lag_us;
};

static int set_up(void **state)
{
    struct house *house = must_zalloc(sizeof *house);
    struct problems problems = { 0 };
    struct error error = { "" };
    struct catalogue_file shipped = catalogue_shipped();
    log_setup(LEVEL_ERROR, LOG_TEXT);
    house->settings = settings_load(NULL, NULL, NEED_RULES, &problems);
    house->catalogue = catalogue_load(&shipped, 1, &problems);
    assert_non_null(house->settings);
    assert_non_null(house->catalogue);
    assert_true(engine_init(&house->engine, house->settings, house->catalogue, &error));
    house->engine.set_clock_us = instant("2026-03-31T12:00:00Z");
    problems_deinit(&problems);
    *state = house;
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;
    catalogue_destroy(house->catalogue);
    settings_destroy(house->settings);
    free(house);
    return 0;
}

struct run {
    struct script_source source;
    struct shaky state;
    struct keeper keeper;
    struct worker *worker;
    struct worker_parts parts;
};

static int64_t house_clock(void *context)
{
    const struct house *house = context;
    return house->engine.set_clock_us;
}

static void open_run(struct run *run, struct house *house, const struct script *script, struct state *real,
                     struct stored_marks *marks, unsigned *seed, int permille)
{
    *run = (struct run){ .source = { .base = { &script_ops }, .script = script, .seed = rand_r(seed) } };
    for (int p = 0; p < PARTITIONS; p++) run->source.next[p] = -1;
    run->state = (struct shaky){ .base = { &shaky_ops }, .real = real, .seed = seed, .permille = permille };
    run->keeper = (struct keeper){ .base = { &keeper_ops }, .state = &run->state, .stored = marks };
    run->parts = engine_parts(&house->engine);
    run->parts.source = &run->source.base;
    run->parts.state = &run->state.base;
    run->parts.marks = &run->keeper.base;
    run->parts.context = house;
    run->parts.clock = house_clock;
    run->parts.durability_lag_us = &house->lag_us;
    run->worker = worker_create(&run->parts);
}

static bool turn(struct run *run)
{
    struct error error = { "" };
    if (worker_turn(run->worker, 0, &error)) return true;
    print_error("the worker gave up: %s\n", error.text);
    return false;
}

/* All metrics, whole and by owner. */
static struct buffer answers(struct house *house, struct state *real)
{
    struct buffer all = { 0 };
    struct error error = { "" };
    for (int t = 0; t < 3; t++)
        for (size_t m = 0; m < house->catalogue->n_metrics; m++)
            for (int by = 0; by < 2; by++) {
                struct buffer request = { 0 };
                buffer_printf(&request, "{\"tenant\":\"t%d\",\"metric\":\"%s\"%s}", t, house->catalogue->metrics[m]->name,
                              by ? ",\"by\":[\"owner\"]" : "");
                buffer_printf(&all, "t%d %s: ", t, house->catalogue->metrics[m]->name);
                assert_true(engine_answer(&house->engine, real, buffer_all(&request), &all, &error));
                buffer_byte(&all, '\n');
                buffer_deinit(&request);
            }
    return all;
}

static bool is_done(const struct run *run)
{
    const struct stored_marks *marks = run->keeper.stored;
    for (int p = 0; p < PARTITIONS; p++)
        if (!marks->there[p] || marks->marks[p].next < (int64_t)run->source.script->n[p]) return false;
    return is_at_end(&run->source);
}

static struct buffer run_calmly(struct house *house, const struct script *script, unsigned seed)
{
    struct state *real = state_memory_create(NULL, NULL);
    struct stored_marks marks = { 0 };
    struct run run;
    open_run(&run, house, script, real, &marks, &seed, 0);
    for (int i = 0; i < TURNS_MAX && !is_done(&run); i++) assert_true(turn(&run));
    assert_true(is_done(&run));
    struct buffer expected = answers(house, real);
    worker_destroy(run.worker);
    real->ops->destroy(real);
    return expected;
}

static void check_equal(struct buffer *expected, struct buffer *got, unsigned seed, const char *what)
{
    if (expected->len != got->len || memcmp(expected->at, got->at, got->len) != 0) {
        struct span a = buffer_all(expected), b = buffer_all(got);
        size_t at = 0, line = 0;
        while (at < a.len && at < b.len && a.at[at] == b.at[at]) line = a.at[at] == '\n' ? at + 1 : line, at++;
        fail_msg("seed %u, %s:\nexpected %.300s\ngot      %.300s", seed, what, a.at + line, b.at + line);
    }
    buffer_deinit(got);
}

static void nothing_is_lost_or_counted_twice(void **state)
{
    struct house *house = *state;
    struct script *script = must_alloc(sizeof *script);
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        unsigned dice = seed * 7919;
        make_script(script, seed);
        struct buffer expected = run_calmly(house, script, seed);
        struct state *real = state_memory_create(NULL, NULL);
        struct stored_marks marks = { 0 };
        struct run run;
        open_run(&run, house, script, real, &marks, &dice, 100);
        for (int i = 0; i < TURNS_MAX && !is_done(&run); i++) {
            if (i % 50 == 49) run.state.permille = 0;   /* calm down in the end: what fails for ever never ends */
            if (i % 7 == 6 && rand_r(&dice) % 4 == 0) { /* kill -9, and a new start */
                worker_destroy(run.worker);
                open_run(&run, house, script, real, &marks, &dice, i < 300 ? 100 : 0);
            }
            if (!turn(&run)) fail_msg("seed %u", seed);
            if (i < 300) run.state.permille = 100;
        }
        assert_true(is_done(&run));
        struct buffer got = answers(house, real);
        check_equal(&expected, &got, seed, "killed and cut off");
        buffer_deinit(&expected);
        worker_destroy(run.worker);
        real->ops->destroy(real);
    }
    free(script);
}

/* ---- one history, told step by step ---- */

struct scene {
    struct house *house;
    unsigned seed;
    struct script script;
    struct state *real;
    struct stored_marks marks;
    struct run run;
};

static struct scene *scene_create(struct house *house)
{
    struct scene *scene = must_zalloc(sizeof *scene);
    scene->house = house;
    scene->seed = 1;
    scene->real = state_memory_create(NULL, NULL);
    return scene;
}

static void scene_open(struct scene *scene)
{
    open_run(&scene->run, scene->house, &scene->script, scene->real, &scene->marks, &scene->seed, 0);
}

/* With other parts than those it was opened with. */
static void scene_open_anew(struct scene *scene)
{
    worker_destroy(scene->run.worker);
    scene->run.worker = worker_create(&scene->run.parts);
}

static void scene_destroy(struct scene *scene)
{
    worker_destroy(scene->run.worker);
    scene->real->ops->destroy(scene->real);
    free(scene);
}

/* Redis lost a second, then a move of marks from before took place over a dead connection: they stand beyond what is counted. */
static void offsets_stay_behind_what_is_read_again(void **state)
{
    struct house *house = *state;
    struct scene *scene = scene_create(house);
    int64_t committed[PARTITIONS] = { 0 };
    make_script(&scene->script, scene->seed);
    struct buffer expected = run_calmly(house, &scene->script, scene->seed);
    for (int p = 0; p < PARTITIONS; p++) {
        scene->marks.marks[p] =
            (struct mark){ .next = 3, .last = 2, .last_timestamp_us = instant("2026-03-31T00:00:00Z"), .life = 7 };
        scene->marks.there[p] = true;
    }
    scene_open(scene);
    scene->run.source.committed = committed;
    scene->run.source.silent = true;
    for (int i = 0; i < 20; i++) assert_true(turn(&scene->run));
    for (int p = 0; p < PARTITIONS; p++) assert_int_equal(committed[p], 0);
    worker_destroy(scene->run.worker); /* whoever comes next must begin there, too */
    scene_open(scene);
    scene->run.source.committed = committed;
    for (int i = 0; i < TURNS_MAX && !is_done(&scene->run); i++) assert_true(turn(&scene->run));
    assert_true(is_done(&scene->run));
    struct buffer got = answers(house, scene->real);
    check_equal(&expected, &got, scene->seed, "marks beyond what is counted");
    buffer_deinit(&expected);
    scene_destroy(scene);
}

/* Nothing had come yet when the worker ended; then retention was faster. Whoever accepts that begins at what is still there. */
static void a_gap_that_is_accepted_is_left_behind(void **state)
{
    struct house *house = *state;
    unsigned seed = 1;
    struct script *script = must_alloc(sizeof *script);
    struct state *real = state_memory_create(NULL, NULL);
    struct stored_marks marks = { .marks = { { .life = 7, .last = NO_OFFSET } }, .there = { true } };
    struct run run;
    make_script(script, seed);
    open_run(&run, house, script, real, &marks, &seed, 0);
    run.parts.accept_gap = true;
    worker_destroy(run.worker);
    run.worker = worker_create(&run.parts);
    run.source.low = 3;
    run.source.lowest = INT64_MAX;
    for (int i = 0; i < TURNS_MAX && !is_done(&run); i++) assert_true(turn(&run));
    assert_true(is_done(&run));
    assert_int_equal(run.source.lowest, 3);
    worker_destroy(run.worker);
    real->ops->destroy(real);
    free(script);
}

/* Somebody else commits to tenant t0. What stood there before, in the arena. */
static struct span write_field(const struct run *run, struct state *real, const char *field, struct span value,
                               struct arena *arena)
{
    struct error error = { "" };
    enum outcome outcome;
    struct span fields[] = { SPAN("version"), span_of(field) }, key = key_state(arena, run->parts.tenants.prefix, SPAN("t0"));
    struct hash_read read = { .key = key, .fields = fields, .n_fields = 2 };
    assert_true(real->ops->read(real, &read, 1, arena, &outcome, &error));
    struct hash_write write = { key, span_of(field), value };
    struct commit commit = { .tenant = SPAN("t0"),
                             .state_key = key,
                             .version = strtoll(arena_text(arena, read.values[0]), NULL, 10),
                             .writes = &write,
                             .n_writes = 1 };
    assert_true(real->ops->commit_begin(real, &commit, 1, &error) && real->ops->commit_end(real, &error));
    assert_int_equal(commit.outcome, DONE);
    return read.values[1];
}

/* As if somebody had put an older copy of one tenant back: what of it lies behind the first event is not counted. */
static void set_tenant_back(const struct run *run, struct state *real)
{
    struct arena arena = { 0 };
    char text[40];
    snprintf(text, sizeof text, "0 %llu", (unsigned long long)run->keeper.stored->marks[0].life);
    write_field(run, real, "position:t:0", span_of(text), &arena);
    arena_deinit(&arena);
}

/* Until all is read again from where the tenant stands nothing that fails meanwhile makes the worker forget it. */
static void check_read_again(struct house *house, int next_placing)
{
    struct scene *scene = scene_create(house);
    make_script(&scene->script, scene->seed);
    scene_open(scene);
    for (int i = 0; i < TURNS_MAX && !is_done(&scene->run); i++) assert_true(turn(&scene->run));
    assert_true(is_done(&scene->run));
    set_tenant_back(&scene->run, scene->real);
    scene->run.source.lowest = INT64_MAX;
    scene->run.keeper.next_placing = next_placing;
    add_record(&scene->script, 0,
               "{\"specversion\":\"1.0\",\"id\":\"last\",\"source\":\"/s\",\"type\":\"crm.deal.created\",\"subject\":\"l1\","
               "\"tenantid\":\"t0\",\"time\":\"2026-03-20T10:00:00Z\",\"data\":{}}");
    for (int i = 0; i < TURNS_MAX && !is_done(&scene->run); i++) assert_true(turn(&scene->run));
    assert_true(is_done(&scene->run));
    assert_int_equal(scene->run.keeper.next_placing, PLACED);
    assert_int_equal(scene->run.source.lowest, 0);
    scene_destroy(scene);
}

static void a_tenant_set_back_is_read_again(void **state)
{
    check_read_again(*state, PLACED);
    check_read_again(*state, PLACED_LOST);
    check_read_again(*state, PLACED_ELSEWHERE);
}

static void add_deal(struct script *script, const char *id)
{
    char text[400];
    snprintf(text, sizeof text,
             "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/s\",\"type\":\"crm.deal.created\",\"subject\":\"%s\","
             "\"tenantid\":\"t0\",\"time\":\"2026-03-20T10:00:00Z\",\"data\":{}}",
             id, id);
    add_record(script, 0, text);
}

static void add_lead(struct script *script, int partition, int i)
{
    char text[400];
    snprintf(text, sizeof text,
             "{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"/s\",\"type\":\"crm.contact.created\",\"subject\":\"c%d\","
             "\"tenantid\":\"x\",\"time\":\"2026-03-20T10:00:00Z\",\"data\":{}}",
             i, i);
    add_record(script, partition, text);
}

static void turn_until_done(struct run *run)
{
    int64_t until_us = worker_monotonic() + 5 * MICROS_PER_SECOND;
    for (; !is_done(run) && worker_monotonic() < until_us; usleep(500)) assert_true(turn(run));
    assert_true(is_done(run));
}

/* What comes for a tenant that has just been counted anew waits for what was passed over before it; whether its copy has gone for
 * want of room (`cache_bytes`), or it could not be read again when that was noticed. */
static void check_passed_over(struct house *house, size_t cache_bytes, int reads_that_fail)
{
    struct scene *scene = scene_create(house);
    struct arena arena = { 0 };
    make_script(&scene->script, scene->seed);
    scene_open(scene);
    worker_limit(scene->run.worker, cache_bytes, 0, 0);
    turn_until_done(&scene->run);
    struct span counted_by = write_field(&scene->run, scene->real, "counted_by", SPAN("1"), &arena);
    add_deal(&scene->script, "passed");
    for (int i = 0; i < 100; i++) assert_true(turn(&scene->run));
    write_field(&scene->run, scene->real, "counted_by", counted_by, &arena);
    write_field(&scene->run, scene->real, "rebuilt", SPAN("1"), &arena);
    scene->run.state.reads_that_fail = reads_that_fail;
    for (int64_t until_us = worker_monotonic() + 1500 * MICROS_PER_MS; scene->run.state.reads_that_fail; usleep(500)) {
        assert_true(worker_monotonic() < until_us);
        assert_true(turn(&scene->run));
    }
    add_deal(&scene->script, "behind");
    turn_until_done(&scene->run);
    struct buffer got = answers(house, scene->real), expected = run_calmly(house, &scene->script, scene->seed);
    check_equal(&expected, &got, scene->seed, "passed over");
    buffer_deinit(&expected);
    arena_deinit(&arena);
    scene_destroy(scene);
}

static void what_was_passed_over_comes_first(void **state)
{
    check_passed_over(*state, SIZE_MAX, 0);
    check_passed_over(*state, 0, 0);
    check_passed_over(*state, SIZE_MAX, 2);
}

static void check_leads(struct house *house, struct state *real, const char *want)
{
    struct buffer got = { 0 };
    struct error error = { "" };
    assert_true(engine_answer(&house->engine, real, SPAN("{\"tenant\":\"x\",\"metric\":\"leads\"}"), &got, &error));
    assert_true(span_is(buffer_all(&got), want));
    buffer_deinit(&got);
}

/* Of each partition it is found out anew where to begin when one cannot be read on. Until the marks stand so none is read: one
 * that was created anew, and has more records by now than were read of the other, has others before them. */
static void nothing_is_read_before_its_mark_is_placed(void **state)
{
    struct house *house = *state;
    struct scene *scene = scene_create(house);
    for (int i = 0; i < 5; i++) add_lead(&scene->script, 1, i);
    scene_open(scene);
    turn_until_done(&scene->run);
    scene->script.n[1] = 0;
    for (int i = 5; i < 15; i++) add_lead(&scene->script, 1, i);
    scene->run.source.later = MICROS_PER_SECOND;
    scene->run.source.moved = true;
    scene->run.keeper.next_placing = PLACED_ELSEWHERE;
    turn_until_done(&scene->run);
    check_leads(house, scene->real, "{\"rows\":[{\"value\":15}]}");
    scene_destroy(scene);
}

/* A commit may still be on its way when partitions are lost. */
static void what_is_under_way_is_answered_before_it_is_dropped(void **state)
{
    struct house *house = *state;
    struct scene *scene = scene_create(house);
    make_script(&scene->script, scene->seed);
    struct buffer expected = run_calmly(house, &scene->script, scene->seed);
    scene_open(scene);
    house->lag_us = INT64_MAX / 4; /* marks move once all is answered */
    for (int i = 0, n_lost = 0; i < TURNS_MAX && !is_at_end(&scene->run.source); i++) {
        scene->run.source.lost = scene->run.state.under_way && n_lost < 5;
        n_lost += scene->run.source.lost;
        assert_true(turn(&scene->run));
    }
    house->lag_us = 0;
    worker_drain(scene->run.worker, 0);
    assert_true(is_done(&scene->run));
    struct buffer got = answers(house, scene->real);
    check_equal(&expected, &got, scene->seed, "partitions lost");
    buffer_deinit(&expected);
    scene_destroy(scene);
}

/* ---- dead letters that are not taken at once ---- */

struct letter_box {
    struct sink base;
    struct worker *worker;
    void *tag;
    size_t n;
};

static bool take_letter(struct sink *base, const struct outgoing *outgoing)
{
    struct letter_box *box = (struct letter_box *)base;
    if (box->tag) return false;
    box->tag = outgoing->tag;
    return true;
}

/* Each first one of three is not. */
static void answer_letter(struct sink *base, int timeout_ms)
{
    struct letter_box *box = (struct letter_box *)base;
    void *tag = box->tag;
    (void)timeout_ms;
    box->tag = NULL;
    if (tag) worker_acknowledged(box->worker, tag, box->n++ % 3 ? DELIVERED : UNDELIVERED, "");
}

static bool answer_letters(struct sink *base, int timeout_ms)
{
    answer_letter(base, timeout_ms);
    return true;
}

static size_t n_told;

static void count_told(void *context, struct committed *committed)
{
    (void)context;
    n_told += committed->tenant.len && committed->version > committed->version_before;
    committed_destroy(committed);
}

static size_t n_looked_after;

static void count_looked_after(void *context, struct committed *committed)
{
    (void)context;
    n_looked_after += span_is(committed->tenant, "t0") && committed->version == committed->version_before;
    committed_destroy(committed);
}

/* Redis does not answer just when it was noticed that a tenant was counted anew. */
static void a_tenant_counted_anew_is_looked_after(void **state)
{
    struct house *house = *state;
    struct scene *scene = scene_create(house);
    struct arena arena = { 0 };
    make_script(&scene->script, scene->seed);
    scene_open(scene);
    scene->run.parts.committed = count_looked_after;
    scene_open_anew(scene);
    turn_until_done(&scene->run);
    for (int i = 0; i < 100; i++) assert_true(turn(&scene->run));
    write_field(&scene->run, scene->real, "rebuilt", SPAN("1"), &arena);
    n_looked_after = 0;
    scene->run.state.reads_that_fail = 2;
    for (int64_t until_us = worker_monotonic() + 2 * MICROS_PER_SECOND; !n_looked_after; usleep(500)) {
        assert_true(worker_monotonic() < until_us);
        assert_true(turn(&scene->run));
    }
    assert_int_equal(scene->run.state.reads_that_fail, 0);
    arena_deinit(&arena);
    scene_destroy(scene);
}

static void add_stranger(struct script *script, int i)
{
    char text[400];
    snprintf(text, sizeof text,
             "{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"/s\",\"type\":\"crm.deal.created\",\"subject\":\"d\","
             "\"tenantid\":\"x%d\",\"time\":\"2026-03-20T10:00:00Z\",\"data\":{}}",
             i);
    add_record(script, 1, text);
}

/* They are read again while a commit is on its way: whoever publishes hears of it all the same. */
static void what_is_committed_is_told_though_letters_are_read_again(void **state)
{
    static const struct sink_ops ops = { .produce = take_letter, .poll = answer_letter, .flush = answer_letters };
    struct house *house = *state;
    struct scene *scene = scene_create(house);
    int strangers = 0;
    struct letter_box box = { .base = { &ops } };
    scene_open(scene);
    scene->run.parts.dead_letters = &box.base;
    scene->run.parts.committed = count_told;
    scene_open_anew(scene);
    box.worker = scene->run.worker;
    n_told = 0;
    house->lag_us = INT64_MAX / 4;
    for (int64_t until_us = worker_monotonic() + 1300 * MICROS_PER_MS; worker_monotonic() < until_us; usleep(4000)) {
        if (strangers == 37) add_record(&scene->script, 0, "{\"specversion\":\"1.0\""); /* not when the worker looks about */
        add_stranger(&scene->script, strangers++);
        assert_true(turn(&scene->run));
    }
    for (int i = 0; i < 1000; i++) assert_true(turn(&scene->run));
    house->lag_us = 0;
    assert_true(box.n > 1);
    assert_int_equal(n_told, strangers + 1); /* whoever the letter is of, too */
    scene_destroy(scene);
}

/* A dead letter of what an entity refuses is not taken at first: its tenant waits with it, the others do not. */
static void what_was_refused_waits_until_its_letter_is_taken(void **state)
{
    static const struct sink_ops ops = { .produce = take_letter, .poll = answer_letter, .flush = answer_letters };
    struct house *house = *state;
    struct scene *scene = scene_create(house);
    struct letter_box box = { .base = { &ops } };
    add_stranger(&scene->script, 0);
    add_record(&scene->script, 1,
               "{\"specversion\":\"1.0\",\"id\":\"f\",\"source\":\"/s\",\"type\":\"crm.deal.won\",\"subject\":\"d\","
               "\"tenantid\":\"x0\",\"time\":\"2026-03-21T10:00:00Z\",\"data\":{}}");
    add_stranger(&scene->script, 1);
    scene_open(scene);
    scene->run.parts.dead_letters = &box.base;
    scene->run.parts.committed = count_told;
    scene->run.parts.tenants.max_events = 1;
    scene->run.source.whole = true; /* so many commits, whenever the letter is sent again */
    scene_open_anew(scene);
    box.worker = scene->run.worker;
    n_told = 0;
    for (int i = 0; i < 100; i++) assert_true(turn(&scene->run));
    assert_int_equal(box.n, 1);
    assert_int_equal(n_told, 1); /* x1 */
    assert_false(scene->marks.there[1] && scene->marks.marks[1].next > 1);
    turn_until_done(&scene->run);
    assert_int_equal(box.n, 2);
    assert_int_equal(n_told, 2);
    scene_destroy(scene);
}

/* Nothing can be found out about its partitions: it asks again in each turn, so each takes its time. */
static void who_cannot_begin_waits(void **state)
{
    struct scene *scene = scene_create(*state);
    struct error error = { "" };
    scene_open(scene);
    scene->run.source.blind = true;
    scene->run.source.least_timeout_ms = INT_MAX;
    for (int i = 0; i < 10; i++) assert_true(worker_turn(scene->run.worker, 100, &error));
    assert_int_equal(scene->run.source.least_timeout_ms, 100);
    scene_destroy(scene);
}

/* A zombie: two workers think the same partitions are theirs. Every commit compares. */
static void two_at_once_do_no_harm(void **state)
{
    struct house *house = *state;
    struct script *script = must_alloc(sizeof *script);
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        unsigned dice = seed * 104729;
        make_script(script, seed);
        struct buffer expected = run_calmly(house, script, seed);
        struct state *real = state_memory_create(NULL, NULL);
        struct stored_marks marks = { 0 };
        struct run runs[2];
        for (int r = 0; r < 2; r++) open_run(&runs[r], house, script, real, &marks, &dice, 20);
        bool done = false;
        for (int i = 0; i < TURNS_MAX && !done; i++) {
            int r = i < 600 ? rand_r(&dice) % 2 : 0;
            if (i == 600) runs[0].state.permille = 0;
            if (!turn(&runs[r])) fail_msg("seed %u", seed);
            done = is_done(&runs[r]);
        }
        assert_true(done);
        struct buffer got = answers(house, real);
        check_equal(&expected, &got, seed, "two at once");
        buffer_deinit(&expected);
        for (int r = 0; r < 2; r++) worker_destroy(runs[r].worker);
        real->ops->destroy(real);
    }
    free(script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_or_counted_twice),
        cmocka_unit_test(two_at_once_do_no_harm),
        cmocka_unit_test(offsets_stay_behind_what_is_read_again),
        cmocka_unit_test(a_gap_that_is_accepted_is_left_behind),
        cmocka_unit_test(a_tenant_set_back_is_read_again),
        cmocka_unit_test(nothing_is_read_before_its_mark_is_placed),
        cmocka_unit_test(what_was_passed_over_comes_first),
        cmocka_unit_test(a_tenant_counted_anew_is_looked_after),
        cmocka_unit_test(what_is_under_way_is_answered_before_it_is_dropped),
        cmocka_unit_test(what_is_committed_is_told_though_letters_are_read_again),
        cmocka_unit_test(what_was_refused_waits_until_its_letter_is_taken),
        cmocka_unit_test(who_cannot_begin_waits),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
