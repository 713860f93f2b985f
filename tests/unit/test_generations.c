/* What a catalogue needs anew counts from then on: by what an entity was counted it is taken back, whatever is needed by now; what
 * was kept from the beginning is as if nothing had ever changed. By hand, and in histories at random of which three daemons, each
 * with needs and declared attributes of its own, count a part in turn. A history is made from its seed. */
#include "daemon/facts/needs.h"
#include "daemon/recount/differences.h"
#include "daemon/recount/refold.h"
#include "daemon/run/engine.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/fold.h"
#include "daemon/tenant/terms.h"
#include "tests/sim/events.h"
#include "tests/unit/unit.h"

enum {
    DAEMONS = 3,
    SEEDS = 300,
    RECORDS_MAX = 600,
    TURNS = 12,
    TIMERS_AT_ONCE = 100
};

/* ---- a daemon without its machinery: settings, a catalogue, and copies of tenants that may be out of date ---- */

struct daemon {
    struct settings *settings;
    struct catalogue *catalogue;
    struct engine engine;
    struct cache cache;
    struct tenant *tenants[TENANTS];
};

static void open_daemon(struct daemon *daemon, char *tenants, const char *catalogue)
{
    struct problems problems = { 0 };
    struct error error = { "" };
    char *environment[] = { tenants, NULL };
    struct catalogue_file file = { "own", span_of(catalogue) }, shipped = catalogue_shipped();
    *daemon = (struct daemon){ .cache = { .limit_bytes = SIZE_MAX } };
    daemon->settings = settings_load(NULL, environment, NEED_RULES, &problems);
    daemon->catalogue = catalogue_load(catalogue ? &file : &shipped, 1, &problems);
    problems_print(&problems, "", stderr);
    assert_true(daemon->settings && daemon->catalogue);
    assert_true(engine_init(&daemon->engine, daemon->settings, daemon->catalogue, &error));
    for (int t = 0; t < TENANTS; t++)
        daemon->tenants[t] = tenant_create(event_tenant(t), settings_rules(daemon->settings, event_tenant(t)), &daemon->cache);
}

static void close_daemon(struct daemon *daemon)
{
    for (int t = 0; t < TENANTS; t++) tenant_destroy(daemon->tenants[t]);
    catalogue_destroy(daemon->catalogue);
    settings_destroy(daemon->settings);
}

struct fold {
    struct arena arena, scratch;
    struct loading loading;
    struct worker_parts parts;
    struct batch batch;
    struct tenant *tenant;
};

static void read_all(struct fold *fold)
{
    enum outcome outcome = DONE;
    struct error error = { "" };
    if (!loading_run(&fold->loading, &fold->parts.tenants, &outcome, &error)) fail_msg("%s", error.text);
}

static void add_entry(struct fold *fold, const struct record *record)
{
    struct entry *entry = arena_zalloc(&fold->arena, sizeof *entry);
    struct rejection rejection = { 0 };
    entry->partition = SPAN("t:0");
    entry->offset = record->offset;
    bool good = record->value.at && decode(&fold->parts.decode, record, &fold->arena, &entry->event, &rejection);
    if (!record->value.at || !span_equal(good ? entry->event.tenant : rejection.tenant, fold->tenant->name)) return;
    if (!good) entry->reason = rejection.reason;
    batch_add(&fold->batch, entry);
}

static void add_timers(struct fold *fold, struct state *state, int64_t now_us)
{
    enum outcome outcome = DONE;
    struct error error = { "" };
    struct timer *timers;
    struct span key = key_timers(&fold->arena, fold->parts.tenants.prefix, fold->tenant->name);
    assert_true(
        state->ops->timers(state, key, now_us, TIMERS_AT_ONCE, &fold->arena, &timers, &fold->batch.n_timers, &outcome, &error));
    fold->batch.timers = timers;
}

/* One commit; false: somebody else came before. */
static bool fold_once(struct daemon *daemon, struct state *state, int t, const struct record *records, size_t n, int64_t now_us)
{
    struct error error = { "" };
    struct fold fold = { .parts = engine_parts(&daemon->engine), .tenant = daemon->tenants[t] };
    fold.loading = (struct loading){ .state = state, .prefix = fold.parts.tenants.prefix, .arena = &fold.arena };
    fold.batch = (struct batch){ .tenant = fold.tenant,
                                 .settings = &fold.parts.tenants,
                                 .arena = &fold.arena,
                                 .scratch = &fold.scratch,
                                 .loading = &fold.loading,
                                 .now_us = now_us };
    loading_add_tenant(&fold.loading, fold.tenant);
    read_all(&fold);
    assert_false(fold.tenant->held);
    for (size_t i = 0; i < n; i++) add_entry(&fold, &records[i]);
    add_timers(&fold, state, now_us);
    batch_begin(&fold.batch);
    read_all(&fold);
    batch_widen(&fold.batch);
    read_all(&fold);
    batch_fold(&fold.batch);
    read_all(&fold);
    bool done = !batch_write(&fold.batch) && fold.batch.outcome == DONE;
    if (!done && fold.batch.outcome == DONE) {
        assert_true(state->ops->commit_begin(state, &fold.batch.commit, 1, &error) && state->ops->commit_end(state, &error));
        done = fold.batch.commit.outcome == DONE;
        if (done) batch_done(&fold.batch);
    }
    if (!done) tenant_drop(fold.tenant);
    batch_deinit(&fold.batch);
    loading_deinit(&fold.loading);
    arena_deinit(&fold.arena);
    arena_deinit(&fold.scratch);
    return done;
}

static void count(struct daemon *daemon, struct state *state, const struct record *records, size_t n, int64_t now_us)
{
    for (int t = 0; t < TENANTS; t++)
        if (!fold_once(daemon, state, t, records, n, now_us) && !fold_once(daemon, state, t, records, n, now_us))
            fail_msg("refused twice");
}

/* ---- what is kept ---- */

static const struct rules two_customs = { .kind[KIND_DEAL] = { .custom = { "area", "region" }, .n_custom = 2 } };

static struct kept kept_from(const char *text)
{
    struct kept kept;
    struct span undeclared = NO_SPAN;
    if (!kept_read(span_of(text), &two_customs, &kept, &undeclared) || undeclared.len) fail_msg("%s", text);
    return kept;
}

static void assert_kept(const struct kept *kept, const char *wanted)
{
    struct buffer text = { 0 };
    kept_write(kept, &two_customs, &text);
    buffer_byte(&text, 0);
    assert_string_equal(text.at, wanted);
    buffer_deinit(&text);
}

static void sets_of_what_is_kept(void **unused)
{
    (void)unused;
    const char *few = "lists=1 lead=1.3 deal_won=3.1.c custom.deal=area", *other = "lists=3 lead=1.5 call=1.0 custom.deal=region";
    struct kept one = kept_from(few), both = one, common = one, two = kept_from(other);
    assert_kept(&one, few);
    assert_true(one.kind[KIND_DEAL] && one.kind[KIND_CONTACT] && !one.kind[KIND_CASE]);
    kept_join(&both, &two);
    assert_kept(&both, "lists=3 lead=1.7 deal_won=3.1.c call=1.0 custom.deal=area,region");
    kept_meet(&common, &two);
    assert_kept(&common, "lists=1 lead=1.1");
    assert_false(common.kind[KIND_DEAL]);
    assert_true(kept_covers(&both, &one) && kept_covers(&both, &two) && kept_covers(&one, &common));
    assert_false(kept_covers(&one, &both) || kept_covers(&one, &two) || kept_covers(&common, &one));

    struct buffer added = { 0 };
    kept_write_added(&one, &both, &two_customs, SIZE_MAX, &added);
    assert_true(span_is(buffer_all(&added), "custom.deal.region, call, lead (by source), list unlisted_values"));
    buffer_clear(&added);
    kept_write_added(&one, &both, &two_customs, 25, &added);
    assert_true(span_is(buffer_all(&added), "custom.deal.region, call and 2 more"));
    buffer_deinit(&added);
}

static void what_is_no_kept_is_refused(void **unused)
{
    (void)unused;
    static const char *const bad[] = { "lists=",
                                       "lists=1 lead",
                                       "lists=1 lead=",
                                       "lists=1 lead=1",
                                       "lists=1 lead=1.",
                                       "nothing=1.1",
                                       "lists=1 lead=1.1.d",
                                       "custom.house=area",
                                       " ",
                                       "lists=1  lead=1.1" };
    struct kept kept;
    struct span undeclared = NO_SPAN;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (kept_read(span_of(bad[i]), &two_customs, &kept, &undeclared)) fail_msg("taken: %s", bad[i]);
    assert_true(kept_read(SPAN("lists=0 custom.deal=region,size"), &two_customs, &kept, &undeclared));
    assert_true(span_is(undeclared, "size"));
    assert_int_equal(kept.customs[KIND_DEAL], 2);
}

static void generations_come_back_as_they_were(void **unused)
{
    (void)unused;
    struct zone_step step = { INT64_MIN, 3600 };
    const struct zone zone = { .name = "Here", .steps = &step, .n_steps = 1, .fingerprint = 7 };
    struct rules rules = two_customs;
    rules.zone = &zone;
    struct generations made = { 0 }, read = { 0 };
    struct kept one = kept_from("lists=0 lead=1.1"), two = kept_from("lists=0 call=1.0");
    struct span undeclared = NO_SPAN;
    struct buffer text[2] = { 0 };
    generations_cover(&made, &one, &rules);
    generations_cover(&made, &one, &rules); /* nothing new */
    generations_cover(&made, &two, &rules);
    assert_int_equal(made.n, 2);
    for (int i = 0; i < 2; i++) made.at[i].since = day("2026-03-31"), generation_write(&made.at[i], &text[i]);
    assert_true(span_is(buffer_all(&text[1]), "2026-03-31 zone=0000000000000007 lists=0 lead=1.1 call=1.0"));
    generations_read(&read, SPAN("1"), buffer_all(&text[1]), &rules, &undeclared);
    assert_false(generations_settle(&read, &rules)); /* the first is missing */
    generations_read(&read, SPAN("0"), buffer_all(&text[0]), &rules, &undeclared);
    assert_true(generations_settle(&read, &rules));
    struct kept common = generations_common(&read);
    assert_kept(&common, "lists=0 lead=1.1");
    rules.zone = &(const struct zone){ .name = "Here", .steps = &step, .n_steps = 1, .fingerprint = 8 };
    assert_false(generations_settle(&read, &rules)); /* of whose time zone nothing is known */
    generations_read_zone(&read, SPAN("0000000000000007"), SPAN("\x02\x00\x00"), &rules);
    assert_true(generations_settle(&read, &rules));
    assert_int_equal(read.at[0].rules->zone->steps[0].offset_s, 0);
    generations_cover(&read, &one, &rules);
    assert_int_equal(read.n, 3);
    assert_false(generations_share_zone(&read));
    for (int i = 0; i < 2; i++) buffer_deinit(&text[i]);
    generations_deinit(&made);
    generations_deinit(&read);
}

/* ---- by hand ---- */

static char only_region[] = "CRM_REPORTD_TENANTS={\"default\":{\"custom\":{\"deal\":[\"region\"]}}}",
            with_area[] = "CRM_REPORTD_TENANTS={\"default\":{\"custom\":{\"deal\":[\"region\",\"area\"]}}}";
static const char few[] = "{\"dimensions\":[\"owner\"],\"metrics\":{\"won\":\"deal_won.count\"}}",
                  more[] = "{\"dimensions\":[\"owner\",\"source\",\"custom\"],\"metrics\":{\"won\":\"deal_won.count\","
                           "\"lost\":\"deal_lost.count\",\"income\":\"deal_won.amount\",\"leads\":\"lead.count\"}}";

/* "deal.created D1 "owner":"ann"" as a record. */
static struct record event_of(struct arena *arena, const char *type, const char *subject, const char *data)
{
    static int64_t offset = 0;
    struct buffer text = { 0 };
    buffer_printf(&text,
                  "{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"/s\",\"type\":\"crm.%s\",\"subject\":\"%s\","
                  "\"tenantid\":\"t0\",\"time\":\"2026-03-01T10:%02d:00Z\",\"data\":{%s}}",
                  (int)offset, type, subject, (int)(offset % 60), data);
    struct record record = { .value = arena_copy(arena, buffer_all(&text)), .topic = SPAN("t"), .offset = offset++ };
    record.timestamp_us = instant("2026-03-02T00:00:00Z");
    buffer_deinit(&text);
    return record;
}

static void expect(struct daemon *daemon, struct state *state, const char *query, const char *wanted)
{
    struct buffer request = { 0 }, answer = { 0 };
    struct error error = { "" };
    buffer_printf(&request, "{\"tenant\":\"t0\",%s}", query);
    assert_true(engine_answer(&daemon->engine, state, buffer_all(&request), &answer, &error));
    buffer_byte(&answer, 0);
    if (strcmp(answer.at, wanted) != 0) fail_msg("%s\nexpected %s\ngot      %s", query, wanted, answer.at);
    buffer_deinit(&request);
    buffer_deinit(&answer);
}

static void what_is_needed_anew_counts_from_then_on(void **unused)
{
    (void)unused;
    struct daemon narrow, wider, again;
    struct arena arena = { 0 };
    struct state *state = state_memory_create(NULL, NULL);
    int64_t now_us = instant("2026-03-02T00:00:00Z");
    open_daemon(&narrow, only_region, few);
    open_daemon(&wider, with_area, more);
    open_daemon(&again, with_area, few);
    narrow.engine.set_clock_us = wider.engine.set_clock_us = again.engine.set_clock_us = now_us;

    struct record first[] = {
        event_of(&arena, "deal.created", "D1",
                 "\"owner\":\"ann\",\"source\":\"web\",\"amount\":\"10\",\"region\":\"n\",\"area\":\"x\""),
        event_of(&arena, "deal.won", "D1", ""),
        event_of(&arena, "deal.created", "D2", "\"owner\":\"bob\",\"source\":\"fair\",\"amount\":\"20\""),
        event_of(&arena, "deal.won", "D2", ""),
        event_of(&arena, "deal.created", "D3", "\"owner\":\"bob\""),
        event_of(&arena, "deal.lost", "D3", ""),
        event_of(&arena, "contact.created", "K1", ""),
    };
    count(&narrow, state, first, 7, now_us);
    expect(&narrow, state, "\"metric\":\"won\",\"by\":[\"owner\"]",
           "{\"rows\":[{\"owner\":\"ann\",\"value\":1},{\"owner\":\"bob\",\"value\":1}]}");
    /* Nothing new has come: what is needed anew is not there, the rest stands. */
    expect(&wider, state, "\"metric\":\"won\",\"by\":[\"source\"]", "{\"rows\":[{\"source\":null,\"value\":2}]}");

    struct record second[] = {
        event_of(&arena, "deal.created", "D4",
                 "\"owner\":\"ann\",\"source\":\"web\",\"amount\":\"40\",\"region\":\"s\",\"area\":\"y\""),
        event_of(&arena, "deal.won", "D4", ""),
        event_of(&arena, "deal.updated", "D2", "\"owner\":\"cid\""),
        event_of(&arena, "contact.created", "K2", ""),
    };
    count(&wider, state, second, 4, now_us);
    expect(&wider, state, "\"metric\":\"won\",\"by\":[\"owner\"]",
           "{\"rows\":[{\"owner\":\"ann\",\"value\":2},{\"owner\":\"cid\",\"value\":1}]}");
    expect(&wider, state, "\"metric\":\"won\",\"by\":[\"source\"]",
           "{\"rows\":[{\"source\":\"fair\",\"value\":1},{\"source\":\"web\",\"value\":1},{\"source\":null,\"value\":1}]}");
    expect(&wider, state, "\"metric\":\"won\",\"by\":[\"area\"]",
           "{\"rows\":[{\"area\":\"y\",\"value\":1},{\"area\":null,\"value\":2}]}");
    expect(&wider, state, "\"metric\":\"income\"", "{\"rows\":[{\"value\":{\"EUR\":60.00}}]}");
    expect(&wider, state, "\"metric\":\"lost\"", "{\"rows\":[{\"value\":0}]}");
    expect(&wider, state, "\"metric\":\"leads\"", "{\"rows\":[{\"value\":1}]}");

    /* Back to the catalogue that needs less: nothing is lost, what came in between goes on. */
    struct record third[] = {
        event_of(&arena, "deal.reopened", "D1", ""),
        event_of(&arena, "deal.updated", "D3", "\"source\":\"web\""),
        event_of(&arena, "deal.created", "D5", "\"owner\":\"dan\",\"source\":\"web\",\"amount\":\"50\",\"area\":\"y\""),
        event_of(&arena, "deal.won", "D5", ""),
        event_of(&arena, "contact.created", "K3", ""),
    };
    count(&again, state, third, 5, now_us);
    expect(&again, state, "\"metric\":\"won\",\"by\":[\"owner\"]",
           "{\"rows\":[{\"owner\":\"ann\",\"value\":1},{\"owner\":\"cid\",\"value\":1},{\"owner\":\"dan\",\"value\":1}]}");
    expect(&wider, state, "\"metric\":\"won\",\"by\":[\"source\"]",
           "{\"rows\":[{\"source\":\"fair\",\"value\":1},{\"source\":\"web\",\"value\":2}]}");
    expect(&wider, state, "\"metric\":\"won\",\"by\":[\"area\",\"region\"]",
           "{\"rows\":[{\"area\":\"y\",\"region\":\"s\",\"value\":1},{\"area\":\"y\",\"region\":null,\"value\":1},{\"area\":null,"
           "\"region\":null,\"value\":1}]}");
    expect(&wider, state, "\"metric\":\"income\"", "{\"rows\":[{\"value\":{\"EUR\":110.00}}]}");
    expect(&wider, state, "\"metric\":\"lost\",\"by\":[\"source\"]", "{\"rows\":[{\"source\":\"web\",\"value\":1}]}");
    expect(&wider, state, "\"metric\":\"leads\"", "{\"rows\":[{\"value\":2}]}");
    close_daemon(&narrow);
    close_daemon(&wider);
    close_daemon(&again);
    state->ops->destroy(state);
    arena_deinit(&arena);
}

static void one_who_no_longer_declares_an_attribute_holds(void **unused)
{
    (void)unused;
    struct daemon wider, narrow;
    struct arena arena = { 0 };
    struct error error = { "" };
    struct state *state = state_memory_create(NULL, NULL);
    open_daemon(&wider, with_area, more);
    open_daemon(&narrow, only_region, more);
    struct record record = event_of(&arena, "deal.created", "D1", "\"area\":\"x\"");
    count(&wider, state, &record, 1, record.timestamp_us);
    struct worker_parts parts = engine_parts(&narrow.engine);
    struct view view;
    assert_true(view_open(&view, state, &parts.tenants, SPAN("t0"), settings_rules(narrow.settings, SPAN("t0")), &error));
    assert_true(view.tenant->held);
    assert_true(span_is(view.tenant->undeclared, "area"));
    view_close(&view);
    close_daemon(&wider);
    close_daemon(&narrow);
    state->ops->destroy(state);
    arena_deinit(&arena);
}

static void one_whose_state_does_not_say_what_it_has_kept_is_held(void **unused)
{
    (void)unused;
    struct daemon daemon;
    struct arena arena = { 0 };
    struct error error = { "" };
    struct state *state = state_memory_create(NULL, NULL);
    open_daemon(&daemon, with_area, more);
    struct record record = event_of(&arena, "deal.created", "D1", "");
    count(&daemon, state, &record, 1, record.timestamp_us);
    struct worker_parts parts = engine_parts(&daemon.engine);
    struct span key = key_state(&arena, parts.tenants.prefix, SPAN("t0"));
    struct hash_write write = { key, SPAN("kept:0"), NO_SPAN };
    struct commit commit = {
        .tenant = SPAN("t0"), .state_key = key, .version = daemon.tenants[0]->version, .writes = &write, .n_writes = 1
    };
    commit.timers_key = key_timers(&arena, parts.tenants.prefix, SPAN("t0"));
    assert_true(state->ops->commit_begin(state, &commit, 1, &error) && state->ops->commit_end(state, &error));
    struct view view;
    struct buffer why = { 0 };
    assert_true(view_open(&view, state, &parts.tenants, SPAN("t0"), daemon.tenants[0]->rules, &error));
    assert_true(view.tenant->held);
    terms_write_changed(view.tenant, &why);
    assert_true(span_is(buffer_all(&why), "the form of its state"));
    buffer_deinit(&why);
    view_close(&view);
    close_daemon(&daemon);
    state->ops->destroy(state);
    arena_deinit(&arena);
}

/* ---- other time zone data ---- */

static char berlin[] = "CRM_REPORTD_TENANTS={\"default\":{\"time_zone\":\"Europe/Berlin\"}}";

/* A daemon whose data of Europe/Berlin are those of another zone. */
static void open_elsewhere(struct daemon *daemon, char *tenants, const char *catalogue, const char *zone)
{
    char folder[] = "/tmp/zones-XXXXXX", made[64], source[64], command[256];
    assert_non_null(mkdtemp(folder));
    snprintf(made, sizeof made, "%s/Europe", folder);
    snprintf(source, sizeof source, "/usr/share/zoneinfo/%s", zone);
    snprintf(command, sizeof command, "mkdir %s && cp -L %s %s/Berlin", made, source, made);
    assert_int_equal(system(command), 0);
    setenv("TZDIR", folder, 1);
    open_daemon(daemon, tenants, catalogue);
    unsetenv("TZDIR");
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static struct record at(struct record record, struct arena *arena, const char *time_text)
{
    char *text = arena_text(arena, record.value), *time = strstr(text, "2026-03-01T10:");
    memcpy(time, time_text, strlen(time_text));
    record.value = span_of(text);
    record.timestamp_us = instant("2026-03-02T21:00:00Z");
    return record;
}

static void other_time_zone_data_count_from_then_on(void **unused)
{
    (void)unused;
    struct daemon before, after;
    struct arena arena = { 0 };
    struct state *state = state_memory_create(NULL, NULL);
    const char *hours = "\"metric\":\"resolution_business_time\",\"stat\":\"average\"", *overdue = "\"metric\":\"overdue_deals\"";
    open_daemon(&before, berlin, NULL);
    open_elsewhere(&after, berlin, NULL, "Europe/Kyiv");
    int64_t now_us = instant("2026-03-02T21:00:00Z"); /* midnight is at 23:00 for the one, at 22:00 for the other */
    before.engine.set_clock_us = after.engine.set_clock_us = now_us;
    struct record first[] = {
        at(event_of(&arena, "case.opened", "S1", ""), &arena, "2026-03-02T07:00:00Z"),
        at(event_of(&arena, "case.resolved", "S1", ""), &arena, "2026-03-02T12:00:00Z"),
        event_of(&arena, "deal.created", "D1", "\"expected_close\":\"2026-03-02\""),
    };
    count(&before, state, first, 3, now_us);
    expect(&before, state, hours, "{\"rows\":[{\"value\":4}]}"); /* 9:00 to 13:00 */
    expect(&after, state, hours, "{\"rows\":[{\"value\":4}]}");

    struct record second[] = {
        event_of(&arena, "case.updated", "S1", "\"owner\":\"ann\""),
        event_of(&arena, "deal.updated", "D1", "\"owner\":\"ann\""),
    };
    count(&after, state, second, 2, now_us);
    expect(&after, state, hours, "{\"rows\":[{\"value\":5}]}"); /* 9:00 to 14:00 */
    expect(&after, state, overdue, "{\"rows\":[{\"value\":0}]}");

    /* One that still has the old data knows them as older, and goes on by the newer ones. */
    struct record third[] = {
        event_of(&arena, "case.updated", "S1", "\"owner\":\"bob\""),
        at(event_of(&arena, "case.opened", "S2", ""), &arena, "2026-03-02T07:00:00Z"),
        at(event_of(&arena, "case.resolved", "S2", ""), &arena, "2026-03-02T12:00:00Z"),
    };
    now_us = instant("2026-03-02T22:30:00Z");
    count(&before, state, third, 3, now_us);
    expect(&after, state, hours, "{\"rows\":[{\"value\":5}]}");
    expect(&after, state, overdue, "{\"rows\":[{\"value\":1}]}");
    assert_int_equal(before.tenants[0]->generations.stored, 2);
    close_daemon(&before);
    close_daemon(&after);
    state->ops->destroy(state);
    arena_deinit(&arena);
}

/* ---- at random ---- */

static char all_customs[] = "CRM_REPORTD_TENANTS={\"default\":{\"time_zone\":\"Europe/"
                            "Berlin\",\"custom\":{\"deal\":[\"region\",\"area\"],\"contact\":[\"area\"],"
                            "\"case\":[\"region\"]}}}";
static char some_customs[] = "CRM_REPORTD_TENANTS={\"default\":{\"time_zone\":\"Europe/"
                             "Berlin\",\"custom\":{\"deal\":[\"region\"],\"contact\":[\"area\"]}}}";

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

/* What stands there against what the entities say, each by what it was counted; and what was kept from the beginning against a fold
 * of all events by that alone. */
static size_t check_tenant(struct history *history, uint64_t seed, int t, bool *widened)
{
    struct daemon *daemon = &history->daemons[DAEMONS - 1];
    struct worker_parts parts = engine_parts(&daemon->engine);
    struct view view, again;
    struct error error = { "" };
    struct census redis = { 0 }, entities = { 0 }, due = { 0 }, topics = { 0 }, said = { 0 }, shared_redis = { 0 },
                  shared_entities = { 0 }, shared_due = { 0 };
    assert_true(view_open(&view, history->state, &parts.tenants, event_tenant(t), daemon->tenants[t]->rules, &error));
    struct kept shared = generations_common(&view.tenant->generations);
    *widened = *widened || view.tenant->generations.stored > 1;
    assert_true(census_add_cells(&redis, &view, &error) && census_add_entities(&entities, &view, &shared, &due, &error));
    redis.entities = entities.entities;
    entities.entities = (struct map){ 0 };

    struct refold_settings settings = { state_memory_create(NULL, NULL), parts.tenants, parts.decode, SIZE_MAX };
    struct refold *refold = refold_create(&settings);
    const struct refold_partition partition = { SPAN("t:0"), 0 };
    const struct refold_partition *partitions[RECORDS_MAX];
    for (size_t i = 0; i < history->n; i++) partitions[i] = &partition;
    refold_add(refold, view.tenant, &shared, view.tenant->clock_us);
    assert_true(refold_take(refold, history->records, partitions, history->n, &error));
    assert_true(view_open(&again, settings.state, &parts.tenants, event_tenant(t), daemon->tenants[t]->rules, &error));
    assert_true(census_add_cells(&topics, &again, &error) && census_add_entities(&said, &again, &shared, NULL, &error));
    topics.entities = said.entities;
    said.entities = (struct map){ 0 };

    struct telling telling = { seed, t, "as counted" };
    struct comparison comparison = { .rules = daemon->tenants[t]->rules,
                                     .names = &again.tenant->names,
                                     .redis = &redis,
                                     .entities = &entities,
                                     .due = &due,
                                     .with_lines = true,
                                     .with_graves = view.tenant->graves > 0,
                                     .tell = tell,
                                     .context = &telling };
    size_t n = differences_find(&comparison, 5);
    census_add_shared(&shared_redis, &redis, &shared);
    census_add_shared(&shared_due, &due, &shared);
    shared_redis.entities = redis.entities;
    census_add_shared(&shared_entities, &entities, &shared);
    comparison.redis = &shared_redis;
    comparison.entities = &shared_entities;
    comparison.due = &shared_due;
    comparison.topics = &topics;
    comparison.by_topics = true;
    comparison.with_lines = false;
    telling.what = "from the beginning";
    if (generations_share_zone(&view.tenant->generations)) n += differences_find(&comparison, 5);
    shared_redis.entities = (struct map){ 0 };

    struct census *all[] = { &redis, &entities, &due, &topics, &said, &shared_redis, &shared_entities, &shared_due };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) census_deinit(all[i]);
    view_close(&view);
    view_close(&again);
    refold_destroy(refold);
    settings.state->ops->destroy(settings.state);
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
        cmocka_unit_test(sets_of_what_is_kept),
        cmocka_unit_test(what_is_no_kept_is_refused),
        cmocka_unit_test(generations_come_back_as_they_were),
        cmocka_unit_test(what_is_needed_anew_counts_from_then_on),
        cmocka_unit_test(one_whose_state_does_not_say_what_it_has_kept_is_held),
        cmocka_unit_test(other_time_zone_data_count_from_then_on),
        cmocka_unit_test(one_who_no_longer_declares_an_attribute_holds),
        cmocka_unit_test(whatever_is_needed_when_all_is_taken_back_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
