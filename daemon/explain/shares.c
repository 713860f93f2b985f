#include "daemon/explain/shares.h"

#include "daemon/report/tally.h"

#include <stdlib.h>

/* ---- noting ---- */

static struct span group_key(const struct shares *shares, const uint32_t *row, uint32_t *room)
{
    size_t n = shares->query->n_by;
    if (n) memcpy(room, row, n * sizeof *room);
    if (shares->unit_at < n) room[shares->unit_at] = 0;
    return (struct span){ (const char *)room, n * sizeof *room };
}

static struct share_group *group_of(struct shares *shares, const uint32_t *row)
{
    uint32_t room[GROUPINGS_MAX] = { 0 };
    struct span key = group_key(shares, row, room);
    struct share_group *group = map_get(&shares->groups, key);
    if (group) return group;
    group = arena_zalloc(&shares->arena, sizeof *group);
    memcpy(group->key, room, sizeof room);
    map_put(&shares->groups, (struct span){ (const char *)group->key, key.len }, group);
    return group;
}

/* The entity at hand is noted with its first share. */
static uint32_t note_entity(struct shares *shares)
{
    if (shares->noted) return (uint32_t)shares->n_entities - 1;
    if (shares->n_entities == shares->room_entities) {
        shares->room_entities = shares->room_entities ? 2 * shares->room_entities : 256;
        shares->entities = must_realloc(shares->entities, shares->room_entities * sizeof *shares->entities);
    }
    const struct entity *entity = &shares->stored->entity;
    shares->entities[shares->n_entities] = (struct shared_entity){ entity->kind, arena_copy(&shares->arena, entity->id) };
    shares->noted = true;
    return (uint32_t)shares->n_entities++;
}

static name_id dimension_of(const struct fact_entry *fact, enum dimension dimension)
{
    int at = fact_dimension(&fact_rows[fact->key.fact], dimension);
    return at < 0 ? 0 : fact->key.dims[at];
}

/* In the order of their numbers, as a tally has them. */
static void note_weighed(const struct atom *atom, const struct fact_entry *fact, name_id *weighed)
{
    int n = 0;
    for (int dimension = 0; atom->weight && dimension < N_DIMENSIONS; dimension++)
        if (atom->weight->own_dims >> dimension & 1) weighed[n++] = dimension_of(fact, (enum dimension)dimension);
}

static void note_share(void *context, size_t at, const uint32_t *row)
{
    struct shares *shares = context;
    const struct fact_entry *fact = shares->fact;
    const struct atom *atom = &shares->query->metric->atoms[at];
    struct share_group *group = group_of(shares, row);
    if (group->n == group->room) {
        group->room = group->room ? 2 * group->room : 4;
        group->at = must_realloc(group->at, group->room * sizeof *group->at);
    }
    struct share share = { .entity = note_entity(shares), .atom = (uint16_t)at, .day = fact->day };
    share.unit_day = shares->unit_at < shares->query->n_by ? (int32_t)row[shares->unit_at] : 0;
    share.measure = fact->measures[atom->measure];
    if (atom->by_currency) share.currency = dimension_of(fact, DIM_CURRENCY);
    note_weighed(atom, fact, share.weighed);
    group->at[group->n++] = share;
}

/* ---- folding ---- */

static void add_cell(struct shares *shares, const struct period *day, const struct cell_key *key, const struct cell_value *value)
{
    (void)tally_add(shares->tally, day, key, value);
    for (size_t i = 0; i < shares->weights.n; i++) (void)tally_add(shares->weights.at[i].tally, day, key, value);
    (void)goals_add(&shares->goals, shares->goals.n_tallies, day, key, value);
}

/* Does anything count it? */
static bool matters(const struct shares *shares, enum fact fact)
{
    bool does = tally_takes(shares->tally, fact);
    for (size_t i = 0; i < shares->weights.n; i++) does = does || tally_takes(shares->weights.at[i].tally, fact);
    for (size_t i = 0; i < shares->goals.n_tallies; i++) does = does || tally_takes(shares->goals.tallies[i], fact);
    return does;
}

/* `value`: room for the cell that the fact alone would make. */
static void add_fact(struct shares *shares, const struct fact_entry *fact, struct cell_value *value)
{
    struct period day = { fact->day, fact->day };
    const struct period *dated = fact_rows[fact->key.fact].dating == DATED ? &day : NULL;
    if (!matters(shares, (enum fact)fact->key.fact)) return;
    cell_value_clear(value);
    fact_entry_add(fact, 1, value);
    add_cell(shares, dated, &fact->key, value);
    shares->fact = fact;
    tally_each(shares->tally, dated, &fact->key, note_share, shares);
}

/* What it says, as it was counted. */
static struct statement statement_of(const struct shares *shares, const struct stored *stored)
{
    return stored_statement(shares->tenant->view, stored, counted_clock_us(&stored->entity));
}

static bool fold_goal(void *context, const struct stored *stored)
{
    struct shares *shares = context;
    struct statement statement = statement_of(shares, stored);
    for (uint32_t i = 0; i < statement.n_facts; i++)
        if (statement.facts[i].key.fact == FACT_GOAL) (void)goals_take(&shares->goals, &statement.facts[i].key, 1);
    return true;
}

static bool fold_entity(void *context, const struct stored *stored)
{
    struct shares *shares = context;
    struct statement statement = statement_of(shares, stored);
    struct cell_value value = { 0 };
    shares->stored = stored;
    shares->noted = false;
    for (uint32_t i = 0; i < statement.n_facts; i++) add_fact(shares, &statement.facts[i], &value);
    cell_value_deinit(&value);
    return true;
}

/* What no entity says is taken from the counters. */
static bool take_intake(void *context, const struct cell_key *key, const struct cell_value *value)
{
    struct shares *shares = context;
    if (fact_is_of_intake((enum fact)key->fact)) add_cell(shares, NULL, key, value);
    return true;
}

static bool read_intake(struct shares *shares, struct error *error)
{
    bool asked = false;
    for (int fact = 0; fact < N_FACTS; fact++)
        asked = asked || (fact_is_of_intake((enum fact)fact) && matters(shares, (enum fact)fact));
    if (!asked) return true;
    struct cell_reader reader = view_reader(shares->tenant->view);
    return reader.cells(reader.context, (struct bucket){ BUCKET_NOW, 0 }, take_intake, shares, error);
}

/* Goals come first: they say what else is to be added up. */
static bool gather_goals(struct shares *shares, const struct catalogue *catalogue, const struct tally_spec *spec,
                         struct error *error)
{
    size_t n;
    struct view *view = shares->tenant->view;
    goals_init(&shares->goals, catalogue, spec, &shares->query->period, 1, &shares->arena);
    bool asked = shares->query->metric->shape == SHAPE_GOAL;
    if (asked && !view_entities(view, 1u << KIND_GOAL, fold_goal, shares, error)) return false;
    const struct metric **metrics = goals_metrics(&shares->goals, shares->query->metric, &n);
    weights_init(&shares->weights, metrics, n, spec, &shares->arena);
    return true;
}

bool shares_gather(struct shares *shares, const struct bound_query *query, const struct catalogue *catalogue,
                   const struct explain_tenant *tenant, struct error *error)
{
    *shares = (struct shares){ .query = query, .tenant = tenant, .unit_at = GROUPINGS_MAX };
    struct tally_spec spec = { .rules = tenant->view->tenant->rules,
                               .names = &tenant->view->tenant->names,
                               .metrics = &query->metric,
                               .n_metrics = 1,
                               .by = query->by,
                               .n_by = query->n_by,
                               .where = query->where,
                               .n_where = query->n_where,
                               .period = query->period,
                               .today = tenant->today };
    shares->tally = tally_create(&spec, &shares->arena);
    for (size_t i = 0; i < query->n_by; i++)
        if (query->by[i].type == BY_UNIT) shares->unit_at = i;
    return gather_goals(shares, catalogue, &spec, error) && read_intake(shares, error) &&
           view_entities(tenant->view, ALL_KINDS, fold_entity, shares, error);
}

void shares_deinit(struct shares *shares)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&shares->groups, &at));) free(((struct share_group *)slot->value)->at);
    map_deinit(&shares->groups);
    weights_deinit(&shares->weights);
    goals_deinit(&shares->goals);
    tally_destroy(shares->tally);
    free(shares->entities);
    arena_deinit(&shares->arena);
}

/* ---- looking ---- */

const struct share_group *shares_of_row(const struct shares *shares, const uint32_t *key)
{
    uint32_t room[GROUPINGS_MAX] = { 0 };
    return map_get(&shares->groups, group_key(shares, key, room));
}

/* Levels go on from unit to unit; what is of a period is of its own. */
bool share_counts(const struct shares *shares, const struct share *share, const uint32_t *key)
{
    if (shares->unit_at >= shares->query->n_by) return true;
    int32_t unit_day = (int32_t)key[shares->unit_at];
    switch (shares->query->metric->atoms[share->atom].window) {
    case WINDOW_LEVEL:
    case WINDOW_EVER:
        return share->unit_day <= unit_day;
    case WINDOW_LEVEL_BEFORE:
        return share->unit_day < unit_day;
    default:
        return share->unit_day == unit_day;
    }
}
