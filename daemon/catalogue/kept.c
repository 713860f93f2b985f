/* What of the facts a catalogue needs: a catalogue costs what it uses. */
#include "daemon/catalogue/rows.h"
#include "daemon/facts/lists.h"
#include "daemon/facts/needs.h"

/* The dimensions without which the atom cannot be worked out. */
static uint32_t dims_needed(const struct atom *atom)
{
    if (atom->window == WINDOW_GOALS) return UINT32_MAX;
    uint32_t dims = atom->units ? 1u << DIM_UNIT : 0;
    if (atom->by_currency) dims |= 1u << DIM_CURRENCY;
    if (atom->weight) dims |= atom->weight->own_dims;
    for (size_t i = 0; i < atom->n_filters; i++)
        if (atom->filters[i].dimension >= 0) dims |= 1u << atom->filters[i].dimension;
    return dims;
}

static bool customs_needed(const struct atom *atom)
{
    for (size_t i = 0; i < atom->n_filters; i++)
        if (atom->filters[i].dimension < 0) return true;
    return false;
}

static void keep_atom(const struct atom *atom, uint32_t dims, bool customs, struct kept *kept)
{
    const struct fact_row *row = &fact_rows[atom->fact];
    dims |= dims_needed(atom);
    kept->fact[atom->fact].on = true;
    kept->fact[atom->fact].measures |= (uint8_t)(1u | 1u << atom->measure);
    kept->fact[atom->fact].customs = kept->fact[atom->fact].customs || customs || customs_needed(atom);
    for (int i = 0; i < row->n_dims; i++)
        if (dims >> row->dims[i] & 1) kept->fact[atom->fact].dims |= (uint16_t)(1u << i);
}

static void keep_metric(const struct metric *metric, uint32_t dims, struct kept *kept)
{
    for (unsigned i = 0; i < metric->n_atoms; i++) {
        keep_atom(&metric->atoms[i], dims, metric->customs, kept);
        const struct metric *weight = metric->atoms[i].weight;
        if (weight) keep_metric(weight, weight->own_dims, kept);
    }
}

/* The lists that reports show; of findings that are counted. */
static void keep_lists(const struct report *report, struct kept *kept)
{
    if (report->lists >> SHOWS_OPEN_DEALS & 1) kept->lists |= 1u << LIST_OPEN_DEALS;
    for (int list = 0; list < N_FINDINGS; list++)
        if (report->lists >> SHOWS_OFFENDERS & 1 && kept->fact[FACT_MISSING_VALUE + list].on)
            kept->lists |= (uint16_t)(1u << list);
}

void catalogue_kept(const struct catalogue *catalogue, struct kept *kept)
{
    *kept = (struct kept){ 0 };
    for (size_t i = 0; i < catalogue->n_metrics; i++) keep_metric(catalogue->metrics[i], catalogue->metrics[i]->dims, kept);
    kept_kinds(kept);
    for (size_t i = 0; i < catalogue->n_reports; i++) keep_lists(&catalogue->reports[i], kept);
}

/* The dimensions that a report with the metric goes by. */
static uint32_t report_dims(const struct catalogue *catalogue, const struct metric *metric)
{
    uint32_t dims = 0;
    for (size_t r = 0; r < catalogue->n_reports; r++) {
        const struct report *report = &catalogue->reports[r];
        bool uses = false;
        for (size_t c = 0; c < report->n_columns; c++) uses = uses || report->columns[c].metric == metric;
        for (size_t s = 0; uses && s < report->n_sections; s++)
            for (size_t b = 0; b < report->sections[s].n_by; b++)
                if (report->sections[s].by[b].type == BY_DIMENSION) dims |= 1u << report->sections[s].by[b].dimension;
    }
    return dims;
}

void catalogue_restrict(struct catalogue *catalogue)
{
    for (size_t i = 0; catalogue->dims_restricted && i < catalogue->n_metrics; i++) {
        struct metric *metric = catalogue->metrics[i];
        metric->dims &= catalogue->dims_on | report_dims(catalogue, metric) | (metric->shape == SHAPE_GOAL ? 1u << DIM_GOAL : 0);
        metric->customs = metric->customs && catalogue->customs_on;
    }
}
