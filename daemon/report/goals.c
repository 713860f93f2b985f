#include "daemon/report/goals.h"

#include "common/decimal.h"
#include "daemon/report/reading.h"

#include <stdlib.h>

enum {
    CONDITIONS = GOAL_CONDITIONS,
    TERMS = 2 + CONDITIONS
};

/* Tallies of one metric and period, narrowed by the same conditions to other values: a cell is in one of them at most. Goals are
 * set for each of many owners, so groups are few. */
struct goal_group {
    struct goal_group *next;
    name_id metric, period;
    unsigned conditions; /* a bit each */
    struct tally *any;   /* all take the same facts of the same days */
    struct map by_values;
};

struct grouped {
    name_id values[GOAL_CONDITIONS]; /* 0: none is asked for */
    struct tally *tally;
    size_t number;
};

const enum dimension goal_condition_dims[GOAL_CONDITIONS] = { DIM_OWNER, DIM_TEAM, DIM_PIPELINE, DIM_SOURCE };

void goals_init(struct goals *goals, const struct catalogue *catalogue, const struct tally_spec *spec, const struct period *begin,
                size_t n_begin, struct arena *arena)
{
    *goals = (struct goals){ .catalogue = catalogue, .begin = begin, .n_begin = n_begin, .arena = arena };
    goals->spec = (struct tally_spec){ .rules = spec->rules, .names = spec->names, .today = spec->today };
}

void goals_deinit(struct goals *goals)
{
    for (size_t i = 0; i < goals->n_tallies; i++) tally_destroy(goals->tallies[i]);
    for (struct goal_group *group = goals->groups; group; group = group->next) map_deinit(&group->by_values);
    free(goals->tallies);
    free(goals->metrics);
    map_deinit(&goals->by_cell);
    map_deinit(&goals->by_id);
    map_deinit(&goals->by_terms);
    *goals = (struct goals){ 0 };
}

static name_id dim_of(const struct cell_key *key, enum dimension dimension)
{
    return key->dims[fact_dimension(&fact_rows[FACT_GOAL], dimension)];
}

bool goal_period(const struct rules *rules, const struct names *names, const struct cell_key *key, struct period *period)
{
    return period_labelled(rules, names_text(names, dim_of(key, DIM_GOAL_PERIOD)), period);
}

static struct rational target_of(struct span text)
{
    struct decimal target;
    __int128 den = 1;
    if (!decimal_parse(text, &target)) return RATIONAL_NULL;
    for (int i = 0; i < target.scale; i++) den *= 10;
    return rational_of(target.digits, den);
}

/* Only what is of the goal's owner, team, pipeline and source counts. */
static struct tally *make_tally(struct goals *goals, const struct goal *goal, const struct cell_key *key)
{
    struct tally_spec spec = goals->spec;
    struct condition *where = arena_alloc(goals->arena, CONDITIONS * sizeof *where);
    for (int i = 0; i < CONDITIONS; i++) {
        struct span value = names_text(spec.names, dim_of(key, goal_condition_dims[i]));
        struct span *values = arena_alloc(goals->arena, sizeof *values);
        if (!value.len) continue;
        *values = arena_copy(goals->arena, value);
        struct grouping by = { BY_DIMENSION, dimension_names[goal_condition_dims[i]], goal_condition_dims[i], N_UNITS };
        where[spec.n_where++] = (struct condition){ by, values, 1 };
    }
    spec.where = where;
    spec.metrics = &goal->metric;
    spec.n_metrics = 1;
    spec.period = goal->period;
    return tally_create(&spec, goals->arena);
}

static struct goal_group *group_of(struct goals *goals, const name_id *terms, struct tally *tally)
{
    unsigned conditions = 0;
    for (unsigned i = 0; i < CONDITIONS; i++) conditions |= terms[2 + i] ? 1u << i : 0;
    struct goal_group *group = goals->groups;
    while (group && (group->metric != terms[0] || group->period != terms[1] || group->conditions != conditions))
        group = group->next;
    if (group) return group;
    group = arena_zalloc(goals->arena, sizeof *group);
    *group = (struct goal_group){ .metric = terms[0], .period = terms[1], .conditions = conditions, .any = tally };
    group->next = goals->groups;
    return goals->groups = group;
}

static struct span values_of(const struct grouped *grouped)
{
    return (struct span){ (const char *)grouped->values, sizeof grouped->values };
}

static void add_to_group(struct goals *goals, const name_id *terms, struct tally *tally, size_t number)
{
    struct grouped *grouped = arena_zalloc(goals->arena, sizeof *grouped);
    memcpy(grouped->values, terms + 2, sizeof grouped->values);
    grouped->tally = tally;
    grouped->number = number;
    map_put(&group_of(goals, terms, tally)->by_values, values_of(grouped), grouped);
}

/* The tally of the group that the cell is in; NULL: none. */
static const struct grouped *grouped_of(const struct goal_group *group, const struct period *period, const struct cell_key *key)
{
    struct grouped wanted = { .values = { 0 } };
    enum fact fact = (enum fact)key->fact;
    if (!tally_takes(group->any, fact)) return NULL;
    struct period range = tally_range(group->any, fact);
    if (period && (period->from < range.from || period->from > range.to)) return NULL;
    for (unsigned i = 0; i < CONDITIONS; i++) {
        if (!(group->conditions >> i & 1)) continue;
        int at = fact_dimension(&fact_rows[fact], goal_condition_dims[i]);
        wanted.values[i] = at < 0 ? 0 : key->dims[at];
    }
    return map_get(&group->by_values, values_of(&wanted));
}

bool goals_add(struct goals *goals, size_t n, const struct period *period, const struct cell_key *key,
               const struct cell_value *value)
{
    bool added = false;
    for (const struct goal_group *group = goals->groups; group; group = group->next) {
        const struct grouped *grouped = grouped_of(group, period, key);
        if (grouped && grouped->number < n) added = tally_add(grouped->tally, period, key, value) || added;
    }
    return added;
}

static void find_tally(struct goals *goals, struct goal *goal, const struct cell_key *key)
{
    name_id *terms = arena_alloc(goals->arena, TERMS * sizeof *terms);
    terms[0] = dim_of(key, DIM_METRIC);
    terms[1] = dim_of(key, DIM_GOAL_PERIOD);
    for (int i = 0; i < CONDITIONS; i++) terms[2 + i] = dim_of(key, goal_condition_dims[i]);
    struct span name = { (const char *)terms, TERMS * sizeof *terms };
    goal->tally = map_get(&goals->by_terms, name);
    if (goal->tally) return;
    goal->tally = make_tally(goals, goal, key);
    map_put(&goals->by_terms, name, goal->tally);
    goals->tallies = must_realloc(goals->tallies, (goals->n_tallies + 1) * sizeof(struct tally *));
    goals->metrics = must_realloc(goals->metrics, (goals->n_tallies + 1) * sizeof(struct metric *));
    goals->metrics[goals->n_tallies] = goal->metric;
    add_to_group(goals, terms, goal->tally, goals->n_tallies);
    goals->tallies[goals->n_tallies++] = goal->tally;
}

static bool is_asked_for(const struct goals *goals, const struct goal *goal)
{
    bool found = false;
    for (size_t i = 0; i < goals->n_begin; i++)
        found = found || (goal->period.from >= goals->begin[i].from && goal->period.from <= goals->begin[i].to);
    return found && goal->metric;
}

static struct goal *add_goal(struct goals *goals, const struct cell_key *key)
{
    struct goal *goal = arena_zalloc(goals->arena, sizeof *goal + key->n * sizeof *key->dims);
    name_id *dims = memcpy(goal + 1, key->dims, key->n * sizeof *key->dims);
    goal->dims = dims;
    goal->id = dim_of(key, DIM_GOAL);
    goal->currency = dim_of(key, DIM_CURRENCY);
    goal->metric = catalogue_metric(goals->catalogue, names_text(goals->spec.names, dim_of(key, DIM_METRIC)));
    if (goal->metric && goal->metric->shape == SHAPE_GOAL) goal->metric = NULL;
    goal->target = target_of(names_text(goals->spec.names, dim_of(key, DIM_TARGET)));
    (void)goal_period(goals->spec.rules, goals->spec.names, key, &goal->period);
    if (is_asked_for(goals, goal)) find_tally(goals, goal, key);
    goal->next_of_id = map_put(&goals->by_id, (struct span){ (const char *)&goal->id, sizeof goal->id }, goal);
    map_put(&goals->by_cell, (struct span){ (const char *)dims, key->n * sizeof *dims }, goal);
    return goal;
}

void goals_take(struct goals *goals, const struct cell_key *key, int64_t count)
{
    struct goal *goal = map_get(&goals->by_cell, (struct span){ (const char *)key->dims, key->n * sizeof *key->dims });
    if (!goal) goal = add_goal(goals, key);
    goal->count += count;
}

const struct goal *goals_find(const struct goals *goals, name_id id)
{
    const struct goal *goal = map_get(&goals->by_id, (struct span){ (const char *)&id, sizeof id });
    while (goal && goal->count <= 0) goal = goal->next_of_id;
    return goal;
}

const struct metric **goals_metrics(const struct goals *goals, const struct metric *first, size_t *n)
{
    const struct metric **metrics = arena_alloc(goals->arena, (goals->n_tallies + 1) * sizeof(struct metric *));
    metrics[0] = first;
    if (goals->n_tallies) memcpy(metrics + 1, goals->metrics, goals->n_tallies * sizeof(struct metric *));
    *n = goals->n_tallies + 1;
    return metrics;
}

static void take_goal(void *context, const struct period *period, const struct cell_key *key, const struct cell_value *value)
{
    (void)period;
    if (key->fact == FACT_GOAL) goals_take(context, key, value->sums[0]);
}

bool goals_read(struct goals *goals, const struct cell_reader *reader, struct error *error)
{
    struct reading reading;
    reading_init(&reading);
    reading.now = true;
    bool good = reading_run(&reading, reader, take_goal, goals, error);
    reading_deinit(&reading);
    return good;
}
