/* Custom attributes that a catalogue names: some tenant must declare them, or they are slips of the pen. */
#include "common/suggest.h"
#include "daemon/command/effective.h"

/* Looks for a declared attribute of some kinds, a bit each, among all tenants. */
struct search {
    const struct settings *settings;
    struct suggestion suggestion;
    bool found;
};

static void search_kind(struct search *search, const struct rules *rules, int kind)
{
    for (int i = 0; i < rules->kind[kind].n_custom; i++) {
        search->found = search->found || span_is(search->suggestion.name, rules->kind[kind].custom[i]);
        suggest(&search->suggestion, rules->kind[kind].custom[i]);
    }
}

static void search_tenants(struct search *search, unsigned kinds)
{
    struct text_list tenants = settings_tenants(search->settings);
    for (int kind = 0; kind < N_KINDS; kind++) {
        if (!(kinds >> kind & 1)) continue;
        search_kind(search, settings_rules(search->settings, NO_SPAN), kind);
        for (size_t i = 0; i < tenants.n; i++)
            search_kind(search, settings_rules(search->settings, span_of(tenants.at[i])), kind);
    }
}

static void check_custom(const struct settings *settings, struct span name, unsigned kinds, const char *place,
                         struct problems *problems)
{
    struct search search = { .settings = settings, .suggestion = { .name = name } };
    search_tenants(&search, kinds);
    if (search.found) return;
    const char *kind = kinds ? kind_rows[__builtin_ctz(kinds)].name : "record";
    if (search.suggestion.best)
        problem_add(problems, place, "no tenant declares a custom attribute \"%.*s\" of a %s, did you mean \"%s\"?",
                    SPAN_ARG(name), kind, search.suggestion.best);
    else
        problem_add(problems, place, "no tenant declares a custom attribute \"%.*s\" of a %s (tenants.….custom.%s)",
                    SPAN_ARG(name), kind, kind);
}

static unsigned kinds_of(const struct atom *atom)
{
    return kind_set_members(fact_rows[atom->fact].kinds);
}

static void check_metric(const struct metric *metric, const struct settings *settings, struct problems *problems)
{
    for (unsigned i = 0; i < metric->n_atoms; i++)
        for (size_t f = 0; f < metric->atoms[i].n_filters; f++) {
            const struct filter *filter = &metric->atoms[i].filters[f];
            if (filter->dimension < 0)
                check_custom(settings, filter->custom, kinds_of(&metric->atoms[i]), metric->place, problems);
        }
}

static void check_report(const struct report *report, const struct settings *settings, struct problems *problems)
{
    unsigned kinds = 0;
    for (size_t c = 0; c < report->n_columns; c++) {
        const struct metric *metric = report->columns[c].metric;
        for (unsigned i = 0; metric && i < metric->n_atoms; i++) kinds |= kinds_of(&metric->atoms[i]);
    }
    for (size_t s = 0; s < report->n_sections; s++)
        for (size_t b = 0; b < report->sections[s].n_by; b++) {
            const struct grouping *by = &report->sections[s].by[b];
            if (by->type == BY_CUSTOM) check_custom(settings, span_of(by->name), kinds, report->place, problems);
        }
}

void catalogue_check_customs(const struct catalogue *catalogue, const struct settings *settings, struct problems *problems)
{
    for (size_t i = 0; i < catalogue->n_metrics; i++) check_metric(catalogue->metrics[i], settings, problems);
    for (size_t i = 0; i < catalogue->n_reports; i++) check_report(&catalogue->reports[i], settings, problems);
}
