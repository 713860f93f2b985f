/* Alerts in the simulated world: what Redis keeps of them (as alerts.lua does it), what comes to their topic, and whether both are
 * right in the end. */
#include "daemon/state/alerts.h"

#include "daemon/alert/assess.h"
#include "daemon/state/keys.h"
#include "tests/sim/check.h"
#include "tests/sim/events.h"

#include <stdlib.h>
#include <yyjson.h>

bool __wrap_state_redis_alerts(struct state *state, const char *prefix, struct span tenant, struct alerts_stored *stored,
                               struct arena *arena, enum outcome *outcome, struct error *error);
bool __wrap_state_redis_alerts_commit(struct state *state, const char *prefix, struct alerts_commit *commit,
                                      enum outcome *outcome, struct error *error);
bool __wrap_state_redis_alerts_note(struct state *state, const char *prefix, struct span tenant, bool posted, struct span name,
                                    enum outcome *outcome, struct error *error);

static struct link *link_of(const struct state *state)
{
    return (struct link *)state;
}

/* ---- Redis ---- */

static const struct span *pairs_of(const struct store *store, struct span key, struct arena *arena, size_t *n)
{
    const struct store_hash *hash = store_hash(store, key);
    size_t at = 0;
    struct span *pairs = arena_alloc(arena, (hash ? hash->fields.count * 2 : 0) * sizeof *pairs + 1);
    *n = 0;
    for (struct map_slot *slot; hash && (slot = map_next(&hash->fields, &at));) {
        const struct store_field *field = slot->value;
        pairs[(*n)++] = arena_copy(arena, field->name);
        pairs[(*n)++] = arena_copy(arena, field->value);
    }
    return pairs;
}

bool __wrap_state_redis_alerts(struct state *state, const char *prefix, struct span tenant, struct alerts_stored *stored,
                               struct arena *arena, enum outcome *outcome, struct error *error)
{
    const struct store *store = link_of(state)->store;
    *stored = (struct alerts_stored){ 0 };
    if (!link_alive(link_of(state), false, outcome, error)) return false;
    stored->rows = pairs_of(store, key_alerts(arena, prefix, tenant), arena, &stored->n_rows);
    stored->unsent = pairs_of(store, key_alerts_unsent(arena, prefix, tenant), arena, &stored->n_unsent);
    return true;
}

/* What alerts.lua writes. */
static void carry_out(struct store *store, const char *prefix, const struct alerts_commit *commit, struct arena *arena)
{
    struct span key = key_alerts(arena, prefix, commit->tenant), unsent = key_alerts_unsent(arena, prefix, commit->tenant);
    store_put_number(store, key, SPAN(ALERT_VERSION), commit->version);
    store_put_number(store, key, SPAN(ALERT_TENANT_VERSION), commit->tenant_version);
    for (size_t i = 0; i < commit->n; i++) {
        const struct alerts_change *change = &commit->changes[i];
        bool stands = store_get(store, key, change->row).at != NULL;
        if (change->text.len || stands) store_put(store, key, change->row, change->text.len ? change->text : NO_SPAN);
        if (change->event.len) store_put(store, unsent, change->name, change->event);
    }
    store_step(store);
}

bool __wrap_state_redis_alerts_commit(struct state *state, const char *prefix, struct alerts_commit *commit,
                                      enum outcome *outcome, struct error *error)
{
    struct arena arena = { 0 };
    struct link *link = link_of(state);
    bool alive = link_alive(link, commit->n > 0, outcome, error);
    struct span key = key_alerts(&arena, prefix, commit->tenant);
    if (alive) {
        commit->tenant_now = store_number(link->store, key_state(&arena, prefix, commit->tenant), SPAN("version"));
        commit->answer = store_number(link->store, key, SPAN(ALERT_VERSION)) != commit->expected               ? ALERTS_MOVED
                         : store_number(link->store, key, SPAN(ALERT_TENANT_VERSION)) > commit->tenant_version ? ALERTS_NEWER
                                                                                                               : ALERTS_STORED;
        if (commit->answer == ALERTS_STORED && commit->n) carry_out(link->store, prefix, commit, &arena);
    }
    arena_deinit(&arena);
    return alive && link_alive(link, false, outcome, error); /* the answer may be lost */
}

bool __wrap_state_redis_alerts_note(struct state *state, const char *prefix, struct span tenant, bool posted, struct span name,
                                    enum outcome *outcome, struct error *error)
{
    struct arena arena = { 0 };
    struct link *link = link_of(state);
    bool alive = link_alive(link, true, outcome, error);
    struct span key = key_alerts_unsent(&arena, prefix, tenant);
    REQUIRE(!posted);
    if (alive && store_get(link->store, key, name).at) {
        store_put(link->store, key, name, NO_SPAN);
        store_step(link->store);
    }
    arena_deinit(&arena);
    return alive && link_alive(link, false, outcome, error);
}

/* ---- what is known of them ---- */

static int64_t stored_version(const struct world *world, struct span tenant)
{
    struct arena arena = { 0 };
    int64_t version = store_number(&world->store, key_alerts(&arena, state_prefix, tenant), SPAN(ALERT_VERSION));
    arena_deinit(&arena);
    return version;
}

static bool is_known(const struct instance *instance, struct span tenant, int64_t version)
{
    const struct desk *desk = instance->alive ? map_get(&instance->publisher->desks, tenant) : NULL;
    return desk && desk->alerts.book.version >= version;
}

void alerts_note(const struct world *world, int64_t *versions)
{
    for (int t = 0; t <= TENANTS; t++) versions[t] = stored_version(world, event_tenant(t));
}

void alerts_lost(struct world *world, const int64_t *versions)
{
    for (int t = 0; t <= TENANTS; t++) {
        bool known = stored_version(world, event_tenant(t)) >= versions[t];
        for (int i = 0; i < MEMBERS_MAX; i++) known |= is_known(&world->instances[i], event_tenant(t), versions[t]);
        world->alerts_forgotten |= !known;
    }
    world->losses++;
}

static bool is_to_tell_again(const struct desk *desk)
{
    return desk->alerts.set_back || desk->alerts.recall_us != NEVER;
}

bool alerts_told_again(const struct world *world, const struct desk *desk)
{
    struct arena arena = { 0 };
    bool counted = store_number(&world->store, key_state(&arena, state_prefix, desk->tenant), SPAN("version"));
    arena_deinit(&arena);
    return !counted || !is_to_tell_again(desk);
}

bool alerts_all_told(const struct instance *instance)
{
    size_t at = 0;
    bool told = instance->losses == instance->world->losses && !instance->publisher->n_inbox;
    for (struct map_slot *slot; (slot = map_next(&instance->publisher->desks, &at));) told &= !is_to_tell_again(slot->value);
    return told;
}

/* ---- the topic ---- */

void alerts_arrive(struct world *world, struct span event)
{
    if (world->n_alerts == world->room_alerts) {
        world->room_alerts = world->room_alerts ? world->room_alerts * 2 : 64;
        world->alerts = must_realloc(world->alerts, world->room_alerts * sizeof *world->alerts);
    }
    world->alerts[world->n_alerts++] = event;
}

/* One event, read. */
struct told {
    struct span id, event;
    struct span field; /* tenant, rule, row */
    int64_t version;
    bool raised;
};

static const char *text_in(yyjson_val *object, const char *key)
{
    const char *text = yyjson_get_str(yyjson_obj_get(object, key));
    REQUIRE(text != NULL);
    return text;
}

static struct told read_told(struct span event, struct arena *arena)
{
    yyjson_doc *doc = yyjson_read(event.at, event.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc), *data = yyjson_obj_get(root, "data");
    char *row = yyjson_val_write(yyjson_obj_get(data, "row"), 0, NULL);
    struct buffer field = { 0 };
    buffer_printf(&field, "%s %s %s", text_in(root, "tenantid"), text_in(root, "subject"), row);
    struct told told = { .event = event, .version = yyjson_get_sint(yyjson_obj_get(data, "version")) };
    told.id = arena_copy(arena, span_of(text_in(root, "id")));
    told.raised = strcmp(text_in(root, "type"), "crm.alert.raised") == 0;
    told.field = arena_copy(arena, buffer_all(&field));
    buffer_deinit(&field);
    free(row);
    yyjson_doc_free(doc);
    return told;
}

static int compare_told(const void *a, const void *b)
{
    const struct told *left = a, *right = b;
    int c = span_compare(left->field, right->field);
    return c ? c : (left->version > right->version) - (left->version < right->version);
}

/* Each id once; what comes again is the same byte by byte. */
static bool drop_repeats(struct world *world, struct told *told, size_t *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        bool again = kept && span_equal(told[i].id, told[kept - 1].id);
        if (again && !span_equal(told[i].event, told[kept - 1].event))
            return fail(&world->wrong, "alert %.*s is told in two ways", SPAN_ARG(told[i].id));
        if (!again) told[kept++] = told[i];
    }
    *n = kept;
    return true;
}

/* Raised, cleared, raised … of each row; unless Redis forgot on the way. */
static bool take_turns(struct world *world, const struct told *told, size_t n)
{
    for (size_t i = 0; i < n && !world->set_back; i++) {
        bool first = !i || !span_equal(told[i].field, told[i - 1].field);
        if (told[i].raised == (first || !told[i - 1].raised)) continue;
        return fail(&world->wrong, "alert %.*s of %.*s: %s %s", SPAN_ARG(told[i].id), SPAN_ARG(told[i].field),
                    told[i].raised ? "raised" : "cleared", first ? "at first" : "twice");
    }
    return true;
}

static bool read_topic(struct world *world, struct told **told, size_t *n, struct arena *arena)
{
    *told = arena_alloc(arena, (world->n_alerts + 1) * sizeof **told);
    for (size_t i = 0; i < world->n_alerts; i++) (*told)[i] = read_told(world->alerts[i], arena);
    *n = world->n_alerts;
    if (*n) qsort(*told, *n, sizeof **told, compare_told);
    return drop_repeats(world, *told, n) && take_turns(world, *told, *n);
}

/* ---- what stands ---- */

static bool is_told_as_raised(const struct told *told, size_t n, struct span tenant, struct span row)
{
    struct buffer field = { 0 };
    bool raised = false;
    struct span rule = alert_field_rule(row), of = alert_field_row(row);
    buffer_printf(&field, "%.*s %.*s %.*s", SPAN_ARG(tenant), SPAN_ARG(rule), SPAN_ARG(of));
    for (size_t i = 0; i < n; i++)
        if (span_equal(told[i].field, buffer_all(&field))) raised = told[i].raised;
    buffer_deinit(&field);
    return raised;
}

/* The last that was told of a row is how it stands; unless Redis forgot what nobody alive knew. */
static bool book_is_told(struct world *world, const struct alert_book *book, const struct told *told, size_t n,
                         struct span tenant)
{
    size_t at = 0, raised = 0;
    for (struct map_slot *slot; !world->alerts_forgotten && (slot = map_next(&book->rows, &at));) {
        const struct alert_row *row = slot->value;
        if (row->state == ALERT_RAISED && !is_told_as_raised(told, n, tenant, row->field))
            return fail(&world->wrong, "alert %.*s of %.*s stands raised and was not told", SPAN_ARG(row->field),
                        SPAN_ARG(tenant));
    }
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n || !span_equal(told[i].field, told[i + 1].field), ours = told[i].field.len > tenant.len;
        ours = ours && memcmp(told[i].field.at, tenant.at, tenant.len) == 0 && told[i].field.at[tenant.len] == ' ';
        raised += last && ours && told[i].raised;
    }
    if (world->alerts_forgotten || raised == book->n_raised) return true;
    return fail(&world->wrong, "%zu alerts of %.*s were told last as raised, %zu stand", raised, SPAN_ARG(tenant),
                book->n_raised);
}

/* Judged afresh by what stands in Redis, nothing changes. */
static bool book_is_right(struct world *world, struct desk *desk, struct alert_book *book, struct arena *arena)
{
    struct alert_scene scene = { .tenant = desk->tenant,
                                 .rules = desk->rules,
                                 .names = &desk->names,
                                 .board = desk->board,
                                 .watched = desk->alerts.watched,
                                 .n_watched = desk->alerts.n_watched,
                                 .book = book,
                                 .version = desk->version,
                                 .state_us = desk->clock_us,
                                 .now_us = world->now_us > desk->clock_us ? world->now_us : desk->clock_us,
                                 .type_prefix = "crm.",
                                 .all = true,
                                 .events_max = 1000 };
    struct alert_changes changes = alert_assess(&scene, arena);
    if (!changes.n) return true;
    return fail(&world->wrong, "alert %.*s of %.*s does not stand as it should: %.*s", SPAN_ARG(changes.at[0].field),
                SPAN_ARG(desk->tenant), (int)(changes.at[0].text.len < 300 ? changes.at[0].text.len : 300),
                changes.at[0].text.len ? changes.at[0].text.at : "clear");
}

bool alerts_right(struct world *world, struct desk *desk)
{
    struct arena arena = { 0 };
    struct alert_book book = { 0 };
    struct told *told;
    size_t n = 0, n_told = 0;
    const struct span *pairs = pairs_of(&world->store, key_alerts(&arena, state_prefix, desk->tenant), &arena, &n);
    alert_book_load(&book, pairs, n);
    bool unsent = store_hash(&world->store, key_alerts_unsent(&arena, state_prefix, desk->tenant)) != NULL;
    if (unsent) fail(&world->wrong, "alerts of %.*s are not sent", SPAN_ARG(desk->tenant));
    bool right = !unsent && read_topic(world, &told, &n_told, &arena) && book_is_right(world, desk, &book, &arena) &&
                 book_is_told(world, &book, told, n_told, desk->tenant);
    alert_book_deinit(&book);
    arena_deinit(&arena);
    return right;
}
