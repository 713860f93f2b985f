/* One report of a catalogue file: its groupings, its columns and its periods. */
#include "common/suggest.h"
#include "daemon/catalogue/rows.h"

#include <stdio.h>

static const char *copy_of(const struct row_reader *reader, struct span text)
{
    return arena_text(&reader->catalogue->arena, text);
}

/* "custom.region" is a custom attribute; else a dimension or a unit of time. */
static bool read_grouping(const struct row_reader *reader, yyjson_val *value, struct grouping *grouping)
{
    struct span name = span_in(value), prefix = SPAN("custom.");
    int dimension = dimension_find(name);
    *grouping = (struct grouping){ .type = BY_DIMENSION, .name = copy_of(reader, name) };
    if (!name.len) return problem_add(reader->problems, reader->place, "\"by\" must hold lists of dimensions"), false;
    if (name.len > prefix.len && !memcmp(name.at, prefix.at, prefix.len)) {
        grouping->type = BY_CUSTOM;
        grouping->name += prefix.len;
        return true;
    }
    if (unit_parse(name, &grouping->unit)) {
        grouping->type = BY_UNIT;
        return true;
    }
    grouping->dimension = (enum dimension)dimension;
    if (dimension >= 0 && !dimension_is_inner(grouping->dimension)) return true;
    return unknown_name(reader, "\"by\": no dimension", name, dimension_suggestion(name));
}

static bool read_section(const struct row_reader *reader, yyjson_val *list, struct report_section *section)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    if (yyjson_is_str(list))
        return problem_add(reader->problems, reader->place, "\"by\": \"%s\" must stand in a list of its own: [\"%s\"]",
                           yyjson_get_str(list), yyjson_get_str(list)),
               false;
    if (yyjson_arr_size(list) > GROUPINGS_MAX)
        return problem_add(reader->problems, reader->place, "\"by\": more than %d dimensions", GROUPINGS_MAX), false;
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));)
        if (!read_grouping(reader, item, &section->by[section->n_by++])) return false;
    return section->n_by || (problem_add(reader->problems, reader->place, "\"by\" must hold lists of dimensions"), false);
}

static bool read_sections(const struct row_reader *reader, yyjson_val *list, struct report *report)
{
    bool good = yyjson_arr_size(list) > 0;
    if (!good) problem_add(reader->problems, reader->place, "\"by\" must be a list of lists of dimensions");
    report->sections = arena_zalloc(&reader->catalogue->arena, (yyjson_arr_size(list) + 1) * sizeof *report->sections);
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));)
        good = read_section(reader, item, &report->sections[report->n_sections++]) && good;
    return good;
}

static void add_column(struct report *report, const char *name, const struct metric *metric, enum stat stat)
{
    const char *unit = metric ? metric->unit : "ratio";
    report->columns[report->n_columns++] = (struct report_column){ name, unit, metric, stat };
}

/* All statistics of a distribution that is named without one. */
static void add_spread(const struct row_reader *reader, struct report *report, const struct metric *metric)
{
    static const enum stat stats[] = { STAT_AVERAGE, STAT_P50, STAT_P90 };
    char name[METRIC_NAME_BYTES_MAX + 16];
    for (size_t i = 0; i < sizeof stats / sizeof *stats; i++) {
        snprintf(name, sizeof name, "%s.%s", metric->name, stat_names[stats[i]]);
        add_column(report, copy_of(reader, span_of(name)), metric, stats[i]);
    }
}

static bool find_stat(struct span name, enum stat *stat)
{
    for (int i = 0; i < N_STATS; i++) {
        if (!span_is(name, stat_names[i])) continue;
        *stat = (enum stat)i;
        return true;
    }
    return false;
}

static bool wrong_stat(const struct row_reader *reader, const struct metric *metric, struct span name)
{
    if (metric->shape == SHAPE_SPREAD)
        problem_add(reader->problems, reader->place, "\"metrics\": no statistic \"%.*s\": there are average, p50, p90 and p95",
                    SPAN_ARG(name));
    else
        problem_add(reader->problems, reader->place, "\"metrics\": %s is no distribution: it has no \"%.*s\"", metric->name,
                    SPAN_ARG(name));
    return false;
}

/* "revenue", "sales_cycle" (three columns), "sales_cycle.p90", "share". */
static bool read_column(const struct row_reader *reader, struct span text, struct report *report)
{
    const char *dot = text.len ? memchr(text.at, '.', text.len) : NULL;
    struct span name = { text.at, dot ? (size_t)(dot - text.at) : text.len };
    enum stat stat = STAT_AVERAGE;
    const struct metric *metric = catalogue_metric(reader->catalogue, name);
    if (span_is(text, "share") && report->n_columns) return add_column(report, "share", NULL, stat), true;
    if (span_is(text, "share"))
        return problem_add(reader->problems, reader->place,
                           "\"metrics\": \"share\" is that of the first column: it cannot be it"),
               false;
    if (!metric) return unknown_name(reader, "\"metrics\": no metric", name, catalogue_suggestion(reader->catalogue, name));
    if (metric->shape == SHAPE_SPREAD && !dot) return add_spread(reader, report, metric), true;
    struct span rest = dot ? (struct span){ dot + 1, text.len - name.len - 1 } : NO_SPAN;
    if (dot && (metric->shape != SHAPE_SPREAD || !find_stat(rest, &stat))) return wrong_stat(reader, metric, rest);
    return add_column(report, copy_of(reader, text), metric, stat), true;
}

static bool read_columns(const struct row_reader *reader, yyjson_val *list, struct report *report)
{
    bool good = yyjson_arr_size(list) > 0;
    if (!good) problem_add(reader->problems, reader->place, "\"metrics\" must be a list of metrics");
    report->columns = arena_zalloc(&reader->catalogue->arena, (3 * yyjson_arr_size(list) + 1) * sizeof *report->columns);
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));) good = read_column(reader, span_in(item), report) && good;
    return good;
}

const char *const report_list_names[] = { [SHOWS_OPEN_DEALS] = "open_deals", [SHOWS_OFFENDERS] = "offenders", NULL };

/* Of the first column that is weighted: what it is weighted by. */
static const struct metric *find_weight(const struct report *report)
{
    for (size_t c = 0; c < report->n_columns; c++) {
        const struct metric *metric = report->columns[c].metric;
        for (unsigned i = 0; metric && i < metric->n_atoms; i++)
            if (metric->atoms[i].weight) return metric->atoms[i].weight;
    }
    return NULL;
}

static bool read_list_name(const struct row_reader *reader, struct span name, struct report *report)
{
    for (int i = 0; i < N_REPORT_LISTS; i++) {
        if (!span_is(name, report_list_names[i])) continue;
        report->lists |= (uint8_t)(1u << i);
        return true;
    }
    return unknown_name(reader, "\"lists\": no list", name, suggest_from(name, report_list_names));
}

/* "lists": single entities, beside the sections. */
static bool read_lists(const struct row_reader *reader, yyjson_val *list, struct report *report)
{
    bool good = !list || yyjson_arr_size(list) > 0;
    if (!good) problem_add(reader->problems, reader->place, "\"lists\" must be a list of open_deals, offenders");
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));) good = read_list_name(reader, span_in(item), report) && good;
    report->weight = find_weight(report);
    if (!(report->lists >> SHOWS_OPEN_DEALS & 1)) return good;
    uint32_t known = 1u << DIM_PIPELINE | 1u << DIM_STAGE;
    if (report->weight && !(report->weight->own_dims & ~known)) return good;
    problem_add(
        reader->problems, reader->place,
        "\"lists\": open_deals goes by expected value: it needs a metric that is weighted(…) by pipeline and stage, such as "
        "forecast");
    return false;
}

static const char *find_period(struct span name)
{
    for (size_t i = 0; period_names[i]; i++)
        if (span_is(name, period_names[i])) return period_names[i];
    return NULL;
}

static bool read_periods(const struct row_reader *reader, yyjson_val *list, struct report *report)
{
    bool good = yyjson_arr_size(list) > 0;
    if (!good) problem_add(reader->problems, reader->place, "\"periods\" must be a list of periods");
    report->periods = arena_zalloc(&reader->catalogue->arena, (yyjson_arr_size(list) + 1) * sizeof *report->periods);
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));) {
        const char *name = find_period(span_in(item));
        if (name)
            report->periods[report->n_periods++] = name;
        else
            good = unknown_name(reader, "\"periods\": no period", span_in(item), suggest_from(span_in(item), period_names));
    }
    return good;
}

/* Can the metric be had by it, as far as the catalogue knows? */
static bool could_go_by(const struct metric *metric, const struct grouping *by)
{
    if (by->type == BY_UNIT) return metric->dated;
    return by->type == BY_CUSTOM ? metric->customs : metric->dims >> by->dimension & 1;
}

static bool same_grouping(const struct grouping *a, const struct grouping *b)
{
    return a->type == b->type && !strcmp(a->name, b->name);
}

/* "by": each dimension once, one unit of time. */
static bool check_section_by(const struct row_reader *reader, const struct report_section *section)
{
    bool good = true;
    for (size_t i = 0; i < section->n_by; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct grouping *a = &section->by[j], *b = &section->by[i];
            bool twice = same_grouping(a, b), units = !twice && a->type == BY_UNIT && b->type == BY_UNIT;
            if (twice) problem_add(reader->problems, reader->place, "\"by\": \"%s\" stands there twice", b->name);
            if (units) problem_add(reader->problems, reader->place, "\"by\": one of %s and %s, not both", a->name, b->name);
            good = good && !twice && !units;
        }
    }
    return good;
}

/* A row holds its dimensions and its metrics by name: none may be both. */
static bool check_section_names(const struct row_reader *reader, const struct report *report,
                                const struct report_section *section)
{
    bool good = true;
    for (size_t i = 0; i < section->n_by; i++)
        for (size_t c = 0; c < report->n_columns; c++) {
            if (strcmp(section->by[i].name, report->columns[c].name)) continue;
            problem_add(reader->problems, reader->place,
                        "\"by\": \"%s\" is one of its metrics, too: a row would have two of that name", section->by[i].name);
            good = false;
        }
    return good;
}

/* Some metric must have all dimensions of the section: else it never has a row. */
static bool check_section_metrics(const struct row_reader *reader, const struct report *report,
                                  const struct report_section *section)
{
    for (size_t c = 0; c < report->n_columns; c++) {
        const struct metric *metric = report->columns[c].metric;
        bool all = metric != NULL;
        for (size_t i = 0; i < section->n_by; i++) all = all && could_go_by(metric, &section->by[i]);
        if (all) return true;
    }
    problem_add(reader->problems, reader->place, "\"by\": none of its metrics can be had by %s%s%s", section->by[0].name,
                section->n_by > 1 ? " and " : "", section->n_by > 1 ? section->by[1].name : "");
    return false;
}

static bool check_once(const struct row_reader *reader, const struct report *report)
{
    size_t before = reader->problems->n;
    for (size_t i = 0; i < report->n_columns; i++)
        for (size_t j = 0; j < i; j++)
            if (!strcmp(report->columns[i].name, report->columns[j].name))
                problem_add(reader->problems, reader->place, "\"metrics\": \"%s\" stands there twice", report->columns[i].name);
    for (size_t i = 0; i < report->n_periods; i++)
        for (size_t j = 0; j < i; j++)
            if (report->periods[i] == report->periods[j])
                problem_add(reader->problems, reader->place, "\"periods\": \"%s\" stands there twice", report->periods[i]);
    return reader->problems->n == before;
}

/* What is right by itself must also fit together. */
static bool check_report(const struct row_reader *reader, const struct report *report)
{
    bool good = check_once(reader, report);
    for (size_t i = 0; i < report->n_sections; i++) {
        const struct report_section *section = &report->sections[i];
        good = check_section_by(reader, section) && check_section_names(reader, report, section) &&
               check_section_metrics(reader, report, section) && good;
    }
    return good;
}

bool read_report(const struct row_reader *reader, const char *name, yyjson_val *value, struct report *report)
{
    static const char *const keys[] = { "question", "view", "by", "metrics", "periods", "lists", NULL };
    *report = (struct report){ .name = name, .place = reader->place };
    if (!yyjson_is_obj(value)) return problem_add(reader->problems, reader->place, "must be an object or null"), false;
    check_keys(reader, value, keys);
    check_twice(reader, value);
    report->question = text_of(reader, value, "question");
    report->view = text_of(reader, value, "view");
    bool good = read_sections(reader, yyjson_obj_get(value, "by"), report);
    good = read_columns(reader, yyjson_obj_get(value, "metrics"), report) && good;
    good = read_periods(reader, yyjson_obj_get(value, "periods"), report) && good;
    good = read_lists(reader, yyjson_obj_get(value, "lists"), report) && good;
    return good && check_report(reader, report);
}
