#include "daemon/report/goals.h"
#include "daemon/report/reading.h"
#include "daemon/report/tally_state.h"

#include <stdlib.h>

const char *metric_refusal(const struct metric *metric, const struct rules *rules, struct period period, enum unit by)
{
    enum unit unit;
    bool unbounded = period.from == PERIOD_BEGIN || period.to == PERIOD_END;
    if (metric->needs_days && unbounded && by == N_UNITS) return "is counted per day, and \"all\" has no number of days";
    if (!metric->units || counted_unit(metric->units, rules, period, by, &unit)) return NULL;
    return metric->units >> UNIT_DAY & 1 ? "is counted for one day, week or month only, or by one of them over whole ones"
                                         : "is counted for one month, quarter or year only, or by one of them over whole ones";
}

bool metric_has(const struct metric *metric, const struct rules *rules, const struct grouping *by)
{
    if (by->type == BY_UNIT) return metric->dated;
    if (by->type == BY_DIMENSION) return metric->dims >> by->dimension & 1;
    if (!metric->customs) return false;
    for (unsigned i = 0; i < metric->n_atoms; i++)
        if (cell_index(rules, metric->atoms[i].fact, by) < 0) return false;
    return true;
}

/* Has it all dimensions that are asked for, and a value for the period? */
static bool metric_fits(const struct tally *tally, const struct metric *metric)
{
    const struct tally_spec *spec = &tally->spec;
    bool has_goal = false;
    for (size_t i = 0; i < spec->n_by; i++) {
        if (!metric_has(metric, spec->rules, &spec->by[i])) return false;
        has_goal = has_goal || grouping_is_goal(&spec->by[i]);
    }
    for (size_t i = 0; i < spec->n_where; i++)
        if (!metric_has(metric, spec->rules, &spec->where[i].dimension)) return false;
    return (metric->shape != SHAPE_GOAL || has_goal) && !metric_refusal(metric, spec->rules, spec->period, tally->unit);
}

/* Do both add up the same? What is kept of it beside (per currency, spread out), and what is made of it, may differ. */
static bool same_sum(const struct atom *a, const struct atom *b)
{
    bool same = a->fact == b->fact && a->measure == b->measure && a->window == b->window && a->units == b->units &&
                a->weight == b->weight && a->n_filters == b->n_filters;
    for (size_t i = 0; same && i < a->n_filters; i++) same = filter_equal(&a->filters[i], &b->filters[i]);
    return same;
}

/* The binding of an earlier metric that adds up what this atom asks for; NULL: none. Those of one metric stay apart: the number of
 * an atom is that of its sum where there is no other metric. */
static struct binding *bound_before(const struct tally *tally, size_t metric, const struct atom *atom)
{
    for (int i = tally->first_of_fact[atom->fact]; i >= 0; i = tally->bindings[i].next) {
        struct binding *binding = &tally->bindings[i];
        if (binding->metric != metric && same_sum(binding->atom, atom)) return binding;
    }
    return NULL;
}

static void bind_metric(struct tally *tally, size_t at)
{
    const struct metric *metric = tally->spec.metrics[at];
    enum unit unit = N_UNITS;
    bool spread = metric->shape == SHAPE_SPREAD;
    tally->shown[at] = metric_fits(tally, metric);
    if (metric->units && counted_unit(metric->units, tally->spec.rules, tally->spec.period, tally->unit, &unit))
        tally->unit_names[at] = unit_names[unit];
    for (unsigned i = 0; i < metric->n_atoms; i++) {
        const struct atom *atom = &metric->atoms[i];
        struct binding *before = tally->shown[at] ? bound_before(tally, at, atom) : NULL;
        struct binding *binding = before ? before : &tally->bindings[tally->n_bindings++];
        tally->slots[tally->first_atom[at] + i] = (uint32_t)(binding - tally->bindings);
        if (before) binding_widen(binding, atom, spread);
        if (before || !tally->shown[at]) continue;
        binding_init(binding, atom, &tally->spec, tally->unit, tally->arena);
        binding->metric = (uint32_t)at;
        binding->spread = spread;
        binding->next = tally->first_of_fact[atom->fact];
        tally->first_of_fact[atom->fact] = (int)(binding - tally->bindings);
    }
}

static void bind_names(struct tally *tally)
{
    for (size_t i = 0; i < tally->n_bindings; i++) {
        struct binding *binding = &tally->bindings[i];
        if (binding->atom) binding_names(binding, tally->spec.names, tally->unit_names[binding->metric]);
    }
    tally->names_known = tally->spec.names->n;
}

static struct tally_entry *add_entry(struct tally *tally, const uint32_t *key)
{
    size_t n_by = tally->spec.n_by;
    struct tally_entry *entry = arena_alloc(tally->arena, sizeof *entry + (n_by + 1) * sizeof *key);
    if (n_by) memcpy(entry->key, key, n_by * sizeof *key);
    entry->sums = arena_zalloc(tally->arena, tally->n_bindings * sizeof *entry->sums);
    map_put(&tally->entries, (struct span){ (const char *)entry->key, n_by * sizeof *key }, entry);
    return entry;
}

static bool is_row(const struct tally_entry *entry, const uint32_t *key, size_t n)
{
    size_t i = 0;
    while (i < n && entry->key[i] == key[i]) i++;
    return i == n;
}

/* Facts of one row often come one after the other. */
static struct tally_entry *entry_of(struct tally *tally, const uint32_t *key)
{
    struct tally_entry *entry = tally->last;
    if (entry && is_row(entry, key, tally->spec.n_by)) return entry;
    entry = map_get(&tally->entries, (struct span){ (const char *)key, tally->spec.n_by * sizeof *key });
    return tally->last = entry ? entry : add_entry(tally, key);
}

static void *arena_keep(struct arena *arena, const void *bytes, size_t n)
{
    void *copy = arena_alloc(arena, n + 1);
    if (n) memcpy(copy, bytes, n);
    return copy;
}

struct tally *tally_create(const struct tally_spec *spec, struct arena *arena)
{
    struct tally *tally = arena_zalloc(arena, sizeof *tally);
    tally->arena = arena;
    size_t n = spec->n_metrics;
    tally->spec = *spec;
    tally->spec.metrics = arena_keep(arena, spec->metrics, n * sizeof(struct metric *));
    tally->spec.by = arena_keep(arena, spec->by, spec->n_by * sizeof *spec->by);
    tally->spec.where = arena_keep(arena, spec->where, spec->n_where * sizeof *spec->where);
    tally->unit = N_UNITS;
    for (size_t i = 0; i < spec->n_by; i++)
        if (spec->by[i].type == BY_UNIT) tally->unit = spec->by[i].unit, tally->unit_at = i;
    tally->first_atom = arena_zalloc(arena, (n + 1) * sizeof *tally->first_atom);
    for (size_t i = 0; i < n; i++) tally->first_atom[i + 1] = tally->first_atom[i] + spec->metrics[i]->n_atoms;
    size_t n_atoms = tally->first_atom[n];
    tally->slots = arena_zalloc(arena, (n_atoms + 1) * sizeof *tally->slots);
    tally->shown = arena_zalloc(arena, (n + 1) * sizeof *tally->shown);
    tally->unit_names = arena_zalloc(arena, (n + 1) * sizeof *tally->unit_names);
    tally->bindings = arena_zalloc(arena, (n_atoms + 1) * sizeof *tally->bindings);
    for (int i = 0; i < N_FACTS; i++) tally->first_of_fact[i] = -1;
    for (size_t i = 0; i < n; i++) bind_metric(tally, i);
    bind_names(tally);
    if (!spec->n_by) entry_of(tally, &(uint32_t){ 0 });
    return tally;
}

void tally_destroy(struct tally *tally)
{
    if (!tally) return;
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&tally->entries, &at));)
        for (size_t i = 0; i < tally->n_bindings; i++) sum_deinit(&((struct tally_entry *)slot->value)->sums[i]);
    map_deinit(&tally->entries);
}

size_t tally_bytes(const struct tally *tally)
{
    size_t bytes = tally->entries.room * sizeof *tally->entries.slots, at = 0;
    for (struct map_slot *slot; (slot = map_next(&tally->entries, &at));)
        for (size_t i = 0; i < tally->n_bindings; i++) bytes += sum_bytes(&((struct tally_entry *)slot->value)->sums[i]);
    return bytes;
}

bool tally_takes(const struct tally *tally, enum fact fact)
{
    return tally->first_of_fact[fact] >= 0;
}

struct period tally_range(const struct tally *tally, enum fact fact)
{
    struct period range = { PERIOD_END, PERIOD_BEGIN };
    for (int i = tally->first_of_fact[fact]; i >= 0; i = tally->bindings[i].next) {
        struct period more = tally->bindings[i].range;
        if (more.from < range.from) range.from = more.from;
        if (more.to > range.to) range.to = more.to;
    }
    return range;
}

bool tally_shows(const struct tally *tally, size_t metric)
{
    return tally->shown[metric];
}

const uint32_t *tally_slots(const struct tally *tally, size_t metric)
{
    return tally->slots + tally->first_atom[metric];
}

size_t tally_n_sums(const struct tally *tally)
{
    return tally->n_bindings;
}

const struct sum *tally_find(const struct tally *tally, const uint32_t *key)
{
    const struct tally_entry *entry =
        map_get(&tally->entries, (struct span){ (const char *)key, tally->spec.n_by * sizeof *key });
    return entry ? entry->sums : NULL;
}

const struct sum *tally_only_row(const struct tally *tally)
{
    REQUIRE(!tally->spec.n_by);
    return tally_find(tally, &(uint32_t){ 0 });
}

void tally_needs(const struct tally *tally, struct reading *reading)
{
    bool daily = tally->unit == UNIT_DAY || tally->unit == UNIT_WEEK;
    for (size_t i = 0; i < tally->n_bindings; i++) {
        const struct binding *binding = &tally->bindings[i];
        if (!binding->atom) continue;
        if (window_is_undated(binding->atom->window)) {
            reading->now = true;
            continue;
        }
        reading_add(reading, binding->range);
        if (tally->unit != N_UNITS && window_is_running(binding->atom->window)) reading_add(reading, tally->spec.period);
        if (daily) reading_add_daily(reading, binding->atom->window == WINDOW_UNIT_BEFORE ? binding->range : tally->spec.period);
    }
}

/* The unit that a cell of the day counts in. False: in none. */
static bool place_in_time(const struct tally *tally, const struct binding *binding, int32_t day, int32_t *unit_day)
{
    struct period period = tally->spec.period, unit = unit_period(tally->spec.rules, tally->unit, day);
    *unit_day = unit.from;
    if (window_is_running(binding->atom->window)) {
        if (binding->atom->window == WINDOW_EVER || day < period.from) *unit_day = BASE_DAY;
    } else if (binding->atom->window == WINDOW_UNIT_BEFORE) {
        *unit_day = unit.to + 1;
        return *unit_day >= period.from && *unit_day <= period.to && *unit_day <= tally->spec.today;
    }
    return true;
}

static bool place(const struct tally *tally, const struct binding *binding, const struct period *days, int32_t *unit_day)
{
    *unit_day = 0;
    if (binding->undated || !days) return binding->undated && !days;
    if (days->from < binding->range.from || days->from > binding->range.to) return false;
    return tally->unit == N_UNITS || place_in_time(tally, binding, days->from, unit_day);
}

static void add_to(struct sum *sum, const struct binding *binding, const struct cell_key *key, const struct cell_value *value)
{
    int measure = binding->measure;
    sum->count += value->sums[0];
    sum->total += value->sums[measure];
    if (binding->spread) histogram_merge(&sum->spread, &value->spread[measure], 1);
    if (binding->currency < 0 || !value->sums[measure]) return;
    name_id weighed[WEIGHT_DIMS_MAX] = { 0 };
    for (int i = 0; i < binding->n_weighed; i++)
        if (binding->weighed[i] >= 0) weighed[i] = key->dims[binding->weighed[i]];
    sum_part(sum, key->dims[binding->currency], weighed)->total += value->sums[measure];
}

/* Of goals only those count whose period begins in the tally's. */
static bool begins_within(const struct tally *tally, const struct cell_key *key)
{
    const struct tally_spec *spec = &tally->spec;
    struct period period;
    return goal_period(spec->rules, spec->names, key, &period) && period.from >= spec->period.from &&
           period.from <= spec->period.to;
}

/* Does it take the cell, and of which unit? */
static bool takes(const struct tally *tally, const struct binding *binding, const struct period *days, const struct cell_key *key,
                  int32_t *unit_day)
{
    if (!place(tally, binding, days, unit_day) || !binding_passes(binding, key)) return false;
    return !binding->undated || binding->atom->window != WINDOW_GOALS || begins_within(tally, key);
}

static void put_row(const struct tally *tally, const struct binding *binding, const struct cell_key *key, int32_t unit_day,
                    uint32_t *row)
{
    for (size_t b = 0; b < tally->spec.n_by; b++) row[b] = binding->by[b] < 0 ? (uint32_t)unit_day : key->dims[binding->by[b]];
}

void tally_each(struct tally *tally, const struct period *period, const struct cell_key *key, take_place take, void *context)
{
    if (tally->names_known != tally->spec.names->n) bind_names(tally);
    for (int i = tally->first_of_fact[key->fact]; i >= 0; i = tally->bindings[i].next) {
        const struct binding *binding = &tally->bindings[i];
        uint32_t row[GROUPINGS_MAX];
        int32_t unit_day;
        if (!takes(tally, binding, period, key, &unit_day)) continue;
        put_row(tally, binding, key, unit_day, row);
        take(context, (size_t)i, row);
    }
}

bool tally_add(struct tally *tally, const struct period *period, const struct cell_key *key, const struct cell_value *value)
{
    struct tally_entry *entry = NULL;
    int32_t unit_day, entry_day = 0;
    if (tally->names_known != tally->spec.names->n) bind_names(tally);
    for (int i = tally->first_of_fact[key->fact]; i >= 0; i = tally->bindings[i].next) {
        const struct binding *binding = &tally->bindings[i];
        uint32_t row[GROUPINGS_MAX];
        if (!takes(tally, binding, period, key, &unit_day)) continue;
        if (!entry || unit_day != entry_day) { /* within one unit all atoms of a fact count in one row */
            put_row(tally, binding, key, unit_day, row);
            entry = entry_of(tally, row);
            entry_day = unit_day;
        }
        add_to(&entry->sums[i], binding, key, value);
    }
    return entry != NULL;
}
