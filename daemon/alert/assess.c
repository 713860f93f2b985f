#include "daemon/alert/assess.h"

#include "daemon/alert/event.h"
#include "daemon/report/text.h"

#include <stdlib.h>

/* An assessment at work. */
struct assessing {
    const struct alert_scene *scene;
    struct arena *arena;
    struct alert_turn *turns;
    size_t n, room;
    struct alert_changes changes;
    size_t watch;        /* the rule at hand … */
    size_t kept, active; /* … and how many of its rows were raised or pending, and are now */
    bool *assessed;      /* of each rule */
};

static void add_turn(struct assessing *assessing, const struct alert_turn *turn)
{
    if (assessing->n == assessing->room) {
        assessing->room = assessing->room ? 2 * assessing->room : 16;
        assessing->turns = must_realloc(assessing->turns, assessing->room * sizeof *assessing->turns);
    }
    assessing->turns[assessing->n++] = *turn;
}

/* `slow_cases {"owner":"u12"}` */
static struct span field_of(const struct assessing *assessing, const struct alert_rule *rule, const uint32_t *key)
{
    const struct alert_scene *scene = assessing->scene;
    struct buffer text = { 0 };
    buffer_str(&text, rule->name);
    for (size_t i = 0; i < rule->watch.n_by; i++) {
        buffer_str(&text, i ? "," : " {");
        text_write(span_of(rule->watch.by[i].name), &text);
        buffer_byte(&text, ':');
        grouping_write(&rule->watch.by[i], scene->rules, scene->names, key[i], &text);
    }
    if (rule->watch.n_by) buffer_byte(&text, '}');
    struct span copy = arena_copy(assessing->arena, buffer_all(&text));
    buffer_deinit(&text);
    return copy;
}

static void wait_for(struct assessing *assessing, const struct alert_rule *rule, int64_t since_us)
{
    int64_t at_us = since_us + rule->for_us;
    if (at_us < assessing->changes.next_us) assessing->changes.next_us = at_us;
}

static void take_row(void *context, const struct watch_row *row)
{
    struct assessing *assessing = context;
    const struct alert_scene *scene = assessing->scene;
    const struct alert_rule *rule = scene->watched[assessing->watch];
    struct alert_turn turn = { .rule = rule };
    turn.measure = alert_measure(rule, row, scene->rules, scene->names, assessing->arena);
    if (!assessing->kept && !alert_begins(rule, turn.measure.tested)) return; /* most rows, most of the time */
    turn.field = field_of(assessing, rule, row->key);
    struct alert_row *was = map_get(&scene->book->rows, turn.field);
    if (was) was->seen = true;
    turn.was = was;
    turn.since_us = was ? was->since_us : 0;
    turn.period = board_watch_period(scene->board, assessing->watch);
    enum alert_state before = was ? was->state : ALERT_CLEAR;
    turn.to = alert_judge(rule, before, &turn.since_us, turn.measure.tested, scene->state_us, scene->now_us);
    if (turn.to == ALERT_PENDING) wait_for(assessing, rule, turn.since_us);
    if (turn.to == before && !(was && was->again)) return;
    bool room = was || assessing->active < ALERT_ROWS_MAX;
    assessing->active += !was && room;
    assessing->changes.left_out += !room;
    if (room) add_turn(assessing, &turn);
}

static size_t rows_of(const struct alert_book *book, const struct alert_rule *rule)
{
    size_t n = 0, at = 0;
    for (struct map_slot *slot; (slot = map_next(&book->rows, &at));) n += span_is(alert_field_rule(slot->key), rule->name);
    return n;
}

static void assess_rules(struct assessing *assessing)
{
    const struct alert_scene *scene = assessing->scene;
    for (size_t i = 0; i < scene->n_watched; i++) {
        if (!scene->all && !scene->book->n_pending && !board_watch_touched(scene->board, i)) continue;
        assessing->assessed[i] = true;
        assessing->watch = i;
        assessing->kept = assessing->active = rows_of(scene->book, scene->watched[i]);
        board_watched(scene->board, i, assessing->arena, take_row, assessing);
    }
}

/* Rows that exist no longer, and those of rules that are no longer. */
static void assess_gone(struct assessing *assessing)
{
    const struct alert_scene *scene = assessing->scene;
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&scene->book->rows, &at));) {
        struct alert_row *row = slot->value;
        size_t rule = 0;
        bool seen = row->seen;
        row->seen = false;
        while (rule < scene->n_watched && !span_is(alert_field_rule(row->field), scene->watched[rule]->name)) rule++;
        bool known = rule < scene->n_watched;
        if (seen || (known && !assessing->assessed[rule])) continue;
        struct alert_turn turn = { .field = arena_copy(assessing->arena, row->field),
                                   .was = row,
                                   .rule = known ? scene->watched[rule] : NULL };
        if (known) turn.period = board_watch_period(scene->board, rule);
        add_turn(assessing, &turn);
    }
}

static int compare_turns(const void *a, const void *b)
{
    return span_compare(((const struct alert_turn *)a)->field, ((const struct alert_turn *)b)->field);
}

/* Raised, or raised so far. */
static bool is_told(const struct alert_turn *turn)
{
    return turn->to == ALERT_RAISED || (turn->was && turn->was->state == ALERT_RAISED);
}

static void put_change(struct assessing *assessing, struct alert_turn *turn)
{
    struct alert_changes *changes = &assessing->changes;
    struct alert_change *change = &changes->at[changes->n++];
    const struct alert_scene *scene = assessing->scene;
    turn->version = changes->version;
    *change = (struct alert_change){ .field = turn->field, .version = turn->version, .rule = turn->rule };
    change->text = alert_row_text(scene, turn, assessing->arena);
    if (is_told(turn)) change->event = alert_event_text(scene, turn, assessing->arena);
}

/* Each change has a version of its own: at least the tenant's, and above the one before. It follows the clock, as tenants' do: a
 * Redis that lost alerts does not come back to a number that stood for another one. */
static void number_changes(struct assessing *assessing)
{
    struct alert_changes *changes = &assessing->changes;
    size_t told = 0;
    if (assessing->n) qsort(assessing->turns, assessing->n, sizeof *assessing->turns, compare_turns);
    changes->at = arena_alloc(assessing->arena, (assessing->n + 1) * sizeof *changes->at);
    for (size_t i = 0; i < assessing->n; i++) {
        struct alert_turn *turn = &assessing->turns[i];
        if (changes->n == ALERT_CHANGES_MAX || (is_told(turn) && told == assessing->scene->events_max)) {
            changes->more = true;
            continue;
        }
        told += is_told(turn);
        if (turn->to == ALERT_CLEAR && changes->left_out) changes->more = true; /* there is room for them */
        changes->version++;
        if (changes->version < assessing->scene->version) changes->version = assessing->scene->version;
        if (changes->version < assessing->scene->now_us) changes->version = assessing->scene->now_us;
        put_change(assessing, turn);
    }
}

struct alert_changes alert_assess(const struct alert_scene *scene, struct arena *arena)
{
    struct assessing assessing = { .scene = scene, .arena = arena };
    assessing.changes = (struct alert_changes){ .version = scene->book->version, .next_us = INT64_MAX };
    assessing.assessed = arena_zalloc(arena, scene->n_watched + 1);
    assess_rules(&assessing);
    assess_gone(&assessing);
    number_changes(&assessing);
    free(assessing.turns);
    return assessing.changes;
}

void alert_book_apply(struct alert_book *book, const struct alert_changes *changes, int64_t tenant_version)
{
    if (!changes->n) return;
    for (size_t i = 0; i < changes->n; i++) alert_book_set(book, changes->at[i].field, changes->at[i].text);
    book->version = changes->version;
    book->tenant_version = tenant_version;
}
