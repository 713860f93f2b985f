/* The rows of a tally: which exist, and with units of time what levels have become from unit to unit. */
#include "daemon/report/tally_state.h"

#include <stdlib.h>

typedef void (*each_row)(void *context, const struct tally_row *row);

/* Is there a fact, or a level that is not 0, of any metric that is shown? Past today, levels are not asked for. */
static bool metric_is_present(const struct metric *metric, const struct sum *sums, const uint32_t *slots, bool with_levels)
{
    __int128 net[ATOMS_MAX] = { 0 };
    for (unsigned i = 0; i < metric->n_atoms; i++) {
        const struct atom *atom = &metric->atoms[i];
        if (with_levels || !window_is_running(atom->window)) net[atom->group] += (__int128)atom->sign * sums[slots[i]].count;
    }
    for (unsigned i = 0; i < metric->n_groups; i++)
        if (net[i]) return true;
    return false;
}

static bool is_present(const struct tally *tally, const struct sum *sums, bool with_levels)
{
    for (size_t i = 0; i < tally->spec.n_metrics; i++)
        if (tally->shown[i] && metric_is_present(tally->spec.metrics[i], sums, tally_slots(tally, i), with_levels)) return true;
    return false;
}

static bool plain_rows(const struct tally *tally, size_t most, each_row each, void *context)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&tally->entries, &at));) {
        const struct tally_entry *entry = slot->value;
        if (tally->spec.n_by && !is_present(tally, entry->sums, true)) continue;
        if (!most--) return false;
        each(context, &(struct tally_row){ entry->key, entry->sums, tally->spec.period });
    }
    return true;
}

/* Walks the units of one combination of dimensions. */
struct walk {
    const struct tally *tally;
    each_row each;
    void *context;
    struct sum *running; /* what levels have come to, before the unit at hand */
    struct sum *shown;   /* what the unit's row shows */
    bool has_levels;     /* else only units with something in them matter */
    size_t left;         /* of the rows that are wanted */
    bool more;           /* there is another one */
};

static bool is_running(const struct walk *walk, size_t i)
{
    const struct atom *atom = walk->tally->bindings[i].atom;
    return atom && window_is_running(atom->window);
}

static void clear(struct sum *sums, size_t n)
{
    for (size_t i = 0; i < n; i++) sum_deinit(&sums[i]);
}

/* What the unit shows: its own sums, and levels as they have become. `entry` may be NULL: nothing came in it. */
static void fold_unit(struct walk *walk, const struct tally_entry *entry)
{
    size_t n = walk->tally->n_bindings;
    clear(walk->shown, n);
    for (size_t i = 0; i < n; i++) {
        bool running = is_running(walk, i);
        bool before = running && walk->tally->bindings[i].atom->window == WINDOW_LEVEL_BEFORE;
        if (before) sum_add(&walk->shown[i], &walk->running[i]);
        if (running && entry) sum_add(&walk->running[i], &entry->sums[i]);
        if (running && !before) sum_add(&walk->shown[i], &walk->running[i]);
        if (!running && entry) sum_add(&walk->shown[i], &entry->sums[i]);
    }
}

/* False: it has no row. */
static bool show_unit(struct walk *walk, const uint32_t *key, int32_t day, const struct tally_entry *entry)
{
    const struct tally *tally = walk->tally;
    const struct tally_spec *spec = &tally->spec;
    struct period unit = unit_period(spec->rules, tally->unit, day);
    uint32_t row[GROUPINGS_MAX];
    memcpy(row, key, spec->n_by * sizeof *row);
    row[tally->unit_at] = (uint32_t)day;
    fold_unit(walk, entry);
    if (!is_present(tally, walk->shown, unit.from <= spec->today)) return false;
    walk->more = !walk->left;
    if (walk->more) return true;
    walk->left--;
    if (unit.from < spec->period.from) unit.from = spec->period.from;
    if (unit.to > spec->period.to) unit.to = spec->period.to;
    walk->each(walk->context, &(struct tally_row){ row, walk->shown, unit });
    return true;
}

static int32_t entry_day(const struct tally *tally, const struct tally_entry *entry)
{
    return (int32_t)entry->key[tally->unit_at];
}

/* All entries of one combination, by day; what was there before the first unit comes first. From where nothing came and nothing
 * is there it goes on at the next entry: units without either look the same. */
static void walk_units(struct walk *walk, struct tally_entry *const *entries, size_t n)
{
    const struct tally *tally = walk->tally;
    const struct tally_spec *spec = &tally->spec;
    int32_t last = spec->period.to < spec->today ? spec->period.to : spec->today;
    size_t next = 0;
    clear(walk->running, tally->n_bindings);
    int32_t day = entry_day(tally, entries[0]);
    if (day == BASE_DAY) {
        fold_unit(walk, entries[next++]);
        if (spec->period.from != PERIOD_BEGIN)
            day = unit_period(spec->rules, tally->unit, spec->period.from).from;
        else if (next < n)
            day = entry_day(tally, entries[next]);
        else
            return;
    }
    while (walk->has_levels && day <= last && !walk->more) {
        bool has = next < n && entry_day(tally, entries[next]) == day;
        bool shown = show_unit(walk, entries[0]->key, day, has ? entries[next] : NULL);
        next += has;
        if (!has && !shown && next == n) return;
        day = !has && !shown ? entry_day(tally, entries[next]) : unit_period(spec->rules, tally->unit, day).to + 1;
    }
    for (; next < n && !walk->more; next++)
        (void)show_unit(walk, entries[0]->key, entry_day(tally, entries[next]), entries[next]);
}

static int compare_dims(const struct tally *tally, const struct tally_entry *a, const struct tally_entry *b)
{
    for (size_t i = 0; i < tally->spec.n_by; i++)
        if (i != tally->unit_at && a->key[i] != b->key[i]) return a->key[i] < b->key[i] ? -1 : 1;
    return 0;
}

static int compare_entries(const void *a, const void *b, void *context)
{
    const struct tally_entry *left = *(struct tally_entry *const *)a, *right = *(struct tally_entry *const *)b;
    const struct tally *tally = context;
    int c = compare_dims(tally, left, right);
    int32_t left_day = entry_day(tally, left), right_day = entry_day(tally, right);
    return c ? c : (left_day > right_day) - (left_day < right_day);
}

static bool timed_rows(const struct tally *tally, size_t most, each_row each, void *context)
{
    struct arena arena = { 0 };
    size_t n = 0, at = 0;
    struct tally_entry **entries = arena_alloc(&arena, (tally->entries.count + 1) * sizeof *entries);
    for (struct map_slot *slot; (slot = map_next(&tally->entries, &at));) entries[n++] = slot->value;
    qsort_r(entries, n, sizeof *entries, compare_entries, (void *)(uintptr_t)tally);
    size_t bytes = tally->n_bindings * sizeof(struct sum);
    struct walk walk = { tally, each, context, arena_zalloc(&arena, bytes), arena_zalloc(&arena, bytes), false, most, false };
    for (size_t i = 0; i < tally->n_bindings; i++) walk.has_levels = walk.has_levels || is_running(&walk, i);
    for (size_t first = 0, end; first < n && !walk.more; first = end) {
        for (end = first + 1; end < n && !compare_dims(tally, entries[first], entries[end]);) end++;
        walk_units(&walk, entries + first, end - first);
    }
    clear(walk.running, tally->n_bindings);
    clear(walk.shown, tally->n_bindings);
    arena_deinit(&arena);
    return !walk.more;
}

bool tally_rows_within(const struct tally *tally, size_t most, each_row each, void *context)
{
    return (tally->unit == N_UNITS ? plain_rows : timed_rows)(tally, most, each, context);
}

void tally_rows(const struct tally *tally, each_row each, void *context)
{
    (void)!tally_rows_within(tally, SIZE_MAX, each, context);
}
