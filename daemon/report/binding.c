#include "daemon/report/binding.h"

int cell_index(const struct rules *rules, enum fact fact, const struct grouping *by)
{
    const struct fact_row *row = &fact_rows[fact];
    if (by->type == BY_DIMENSION) return fact_dimension(row, by->dimension);
    if (by->type == BY_UNIT) return -1;
    for (int i = 0; i < rules->customs[row->kinds].n; i++)
        if (!strcmp(rules->customs[row->kinds].at[i], by->name)) return row->n_dims + i;
    return -1;
}

/* Is the period one whole unit? Without an end it may be any number of them. */
static bool is_whole(const struct rules *rules, struct period period, enum unit unit, bool one)
{
    bool begins = period.from == PERIOD_BEGIN || unit_period(rules, unit, period.from).from == period.from;
    bool ends = period.to == PERIOD_END || unit_period(rules, unit, period.to).to == period.to;
    bool bounded = period.from != PERIOD_BEGIN && period.to != PERIOD_END;
    return begins && ends && (!one || (bounded && unit_period(rules, unit, period.from).to == period.to));
}

bool counted_unit(uint8_t units, const struct rules *rules, struct period period, enum unit by, enum unit *unit)
{
    *unit = by;
    if (by != N_UNITS) return (units >> by & 1) && is_whole(rules, period, by, false);
    for (int i = 0; i < N_UNITS; i++) {
        *unit = (enum unit)i;
        if ((units >> i & 1) && is_whole(rules, period, *unit, true)) return true;
    }
    return false;
}

/* The days whose cells count. */
static struct period range_of(const struct atom *atom, const struct tally_spec *spec, enum unit by)
{
    struct period range = spec->period;
    bool begins = range.from != PERIOD_BEGIN;
    enum unit unit;
    switch (atom->window) {
    case WINDOW_PERIOD:
    case WINDOW_UNIT:
        break;
    case WINDOW_LEVEL:
        range.from = PERIOD_BEGIN;
        break;
    case WINDOW_LEVEL_BEFORE: /* before "all" there was nothing */
        if (by == N_UNITS) range.to = begins ? range.from - 1 : PERIOD_BEGIN;
        range.from = PERIOD_BEGIN;
        break;
    case WINDOW_UNIT_BEFORE:
        if (!begins || !counted_unit(atom->units, spec->rules, range, by, &unit)) break;
        if (by == N_UNITS) range.to = range.from - 1;
        range.from = unit_period(spec->rules, unit, range.from - 1).from;
        break;
    case WINDOW_EVER:
    case WINDOW_NOW:
    case WINDOW_GOALS:
        range = (struct period){ PERIOD_BEGIN, PERIOD_END };
        break;
    }
    return range;
}

static void bind_filters(struct binding *binding, const struct tally_spec *spec, struct arena *arena)
{
    const struct atom *atom = binding->atom;
    binding->filters = arena_zalloc(arena, (atom->n_filters + spec->n_where + 1) * sizeof *binding->filters);
    for (size_t i = 0; i < atom->n_filters; i++) {
        const struct filter *filter = &atom->filters[i];
        bool custom = filter->dimension < 0;
        struct grouping by = { custom ? BY_CUSTOM : BY_DIMENSION, custom ? arena_text(arena, filter->custom) : NULL,
                               (enum dimension)(custom ? 0 : filter->dimension), N_UNITS };
        binding->filters[binding->n_filters++] = (struct bound_filter){ .at = cell_index(spec->rules, atom->fact, &by),
                                                                        .negated = filter->negated,
                                                                        .any = filter->any,
                                                                        .values = filter->values,
                                                                        .n_values = filter->n_values };
    }
    for (size_t i = 0; i < spec->n_where; i++)
        binding->filters[binding->n_filters++] =
            (struct bound_filter){ .at = cell_index(spec->rules, atom->fact, &spec->where[i].dimension),
                                   .values = spec->where[i].values,
                                   .n_values = spec->where[i].n_values };
    for (size_t i = 0; i < binding->n_filters; i++)
        binding->filters[i].ids = arena_zalloc(arena, (binding->filters[i].n_values + 1) * sizeof(name_id));
}

/* The dimensions that it is weighed by, in the order of their numbers. */
static void bind_weighed(struct binding *binding)
{
    const struct atom *atom = binding->atom;
    for (int dimension = 0; atom->weight && dimension < N_DIMENSIONS; dimension++)
        if (atom->weight->own_dims >> dimension & 1)
            binding->weighed[binding->n_weighed++] = (int8_t)fact_dimension(&fact_rows[atom->fact], (enum dimension)dimension);
}

static int8_t currency_at(const struct atom *atom)
{
    return atom->by_currency ? (int8_t)fact_dimension(&fact_rows[atom->fact], DIM_CURRENCY) : -1;
}

void binding_widen(struct binding *binding, const struct atom *atom, bool spread)
{
    binding->spread = binding->spread || spread;
    if (atom->by_currency) binding->currency = currency_at(atom);
}

void binding_init(struct binding *binding, const struct atom *atom, const struct tally_spec *spec, enum unit unit,
                  struct arena *arena)
{
    const struct fact_row *row = &fact_rows[atom->fact];
    binding->atom = atom;
    binding->measure = atom->measure;
    binding->undated = window_is_undated(atom->window);
    for (size_t i = 0; i < spec->n_by; i++) binding->by[i] = (int8_t)cell_index(spec->rules, atom->fact, &spec->by[i]);
    binding->currency = currency_at(atom);
    binding->unit = atom->units ? (int8_t)fact_dimension(row, DIM_UNIT) : -1;
    binding->range = range_of(atom, spec, unit);
    bind_filters(binding, spec, arena);
    bind_weighed(binding);
}

void binding_names(struct binding *binding, const struct names *names, const char *unit_name)
{
    for (size_t i = 0; i < binding->n_filters; i++) {
        struct bound_filter *filter = &binding->filters[i];
        filter->n_ids = 0;
        for (size_t v = 0; v < filter->n_values; v++) {
            name_id id = names_find(names, filter->values[v]);
            if (id) filter->ids[filter->n_ids++] = id;
            filter->missing = filter->missing || !filter->values[v].len;
        }
    }
    binding->unit_id = unit_name ? names_find(names, span_of(unit_name)) : 0;
}

static bool filter_passes(const struct bound_filter *filter, const struct cell_key *key)
{
    name_id id = filter->at < 0 ? 0 : key->dims[filter->at];
    bool found = id ? filter->any : filter->missing;
    for (size_t i = 0; id && !found && i < filter->n_ids; i++) found = filter->ids[i] == id;
    return found != filter->negated;
}

bool binding_passes_filters(const struct binding *binding, const struct cell_key *key)
{
    if (binding->unit >= 0 && (!binding->unit_id || key->dims[binding->unit] != binding->unit_id)) return false;
    for (size_t i = 0; i < binding->n_filters; i++)
        if (!filter_passes(&binding->filters[i], key)) return false;
    return true;
}
