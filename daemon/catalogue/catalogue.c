#include "daemon/catalogue/catalogue.h"

#include "common/buffer.h"
#include "common/siphash.h"
#include "common/suggest.h"
#include "daemon/catalogue/formula.h"
#include "daemon/catalogue/rows.h"

#include <stdio.h>
#include <stdlib.h>

extern const char embedded_catalogue[];
extern const unsigned long embedded_catalogue_bytes;

const char *const stat_names[] = { [STAT_AVERAGE] = "average", [STAT_P50] = "p50", [STAT_P90] = "p90", [STAT_P95] = "p95", NULL };
const double stat_shares[N_STATS] = { [STAT_P50] = 0.5, [STAT_P90] = 0.9, [STAT_P95] = 0.95 };

struct catalogue_file catalogue_shipped(void)
{
    return (struct catalogue_file){ "catalogue.json", { embedded_catalogue, embedded_catalogue_bytes } };
}

/* A report that is still JSON: reports are read when all metrics are known. */
struct raw_report {
    const char *name, *place;
    yyjson_val *value; /* NULL: taken out by a later file */
};

/* What the files hold, before it is cut. */
struct loading {
    struct catalogue *catalogue;
    struct problems *problems;
    const char *file;
    yyjson_doc **docs;
    size_t n_docs;
    struct raw_report *reports;
    size_t n_reports;
    yyjson_val *only_metrics, *only_reports; /* of the last file that cuts; NULL: nothing is cut */
    const char *only_place;
};

/* "file: section.name" */
static const char *place_of(struct loading *loading, const char *section, struct span name)
{
    struct buffer text = { 0 };
    buffer_printf(&text, "%s: %s%s", loading->file, section, name.len ? "." : "");
    buffer_span(&text, name);
    const char *place = arena_text(&loading->catalogue->arena, buffer_all(&text));
    buffer_deinit(&text);
    return place;
}

/* Words that mean something else where a metric's name may stand. */
static const char *const reserved[] = { "days", "share", "custom", "null", NULL };

/* Adds a problem unless it can be the name of a metric or report. */
static bool check_name(const struct row_reader *reader, struct span name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    for (int i = 0; reserved[i]; i++)
        if (span_is(name, reserved[i])) return problem_add(reader->problems, reader->place, "the name is reserved"), false;
    bool good = name.len && name.len < METRIC_NAME_BYTES_MAX && name.at[0] >= 'a' && name.at[0] <= 'z';
    for (size_t i = 0; i < name.len; i++) good = good && strchr(letters, name.at[i]);
    if (!good)
        problem_add(reader->problems, reader->place, "names are made of a-z, 0-9 and _, begin with a letter and have at most %d",
                    METRIC_NAME_BYTES_MAX - 1);
    return good;
}

/* Replaces the metric of that name, adds it, or (NULL) takes it out. */
static void put_metric(struct catalogue *catalogue, struct span name, struct metric *metric)
{
    size_t at = 0;
    while (at < catalogue->n_metrics && !span_is(name, catalogue->metrics[at]->name)) at++;
    if (metric) {
        if (at == catalogue->n_metrics) {
            catalogue->n_metrics++;
            catalogue->metrics = must_realloc(catalogue->metrics, catalogue->n_metrics * sizeof *catalogue->metrics);
        }
        catalogue->metrics[at] = metric;
        map_put(&catalogue->by_name, span_of(metric->name), metric);
    } else if (at < catalogue->n_metrics) {
        map_remove(&catalogue->by_name, name);
        memmove(catalogue->metrics + at, catalogue->metrics + at + 1, (--catalogue->n_metrics - at) * sizeof *catalogue->metrics);
    }
}

/* What the place says of a section of a file, such as "mine.json: metrics". */
static struct row_reader section_reader(struct loading *loading, const char *section)
{
    return (struct row_reader){ loading->catalogue, loading->problems, place_of(loading, section, NO_SPAN) };
}

/* Is there such a section, and is it one? */
static bool check_section(struct loading *loading, const char *section, yyjson_val *value)
{
    struct row_reader reader = section_reader(loading, section);
    if (!value) return false;
    if (!yyjson_is_obj(value)) problem_add(loading->problems, reader.place, "must be an object: names with what they stand for");
    check_twice(&reader, value);
    return yyjson_is_obj(value);
}

static void take_out_metric(const struct row_reader *reader, struct span name)
{
    if (!catalogue_metric(reader->catalogue, name))
        unknown_name(reader, "nothing to take out: no metric", name, catalogue_suggestion(reader->catalogue, name));
    put_metric(reader->catalogue, name, NULL);
}

static void take_metrics(struct loading *loading, yyjson_val *section)
{
    if (!check_section(loading, "metrics", section)) return;
    yyjson_obj_iter iter = yyjson_obj_iter_with(section);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));) {
        struct span name = span_in(key);
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        struct row_reader reader = { loading->catalogue, loading->problems, place_of(loading, "metrics", name) };
        if (!check_name(&reader, name)) continue;
        if (yyjson_is_null(value)) {
            take_out_metric(&reader, name);
            continue;
        }
        struct metric *metric = read_metric(&reader, arena_text(&loading->catalogue->arena, name), value);
        if (metric) put_metric(loading->catalogue, name, metric);
    }
}

static const char *report_suggestion(const struct loading *loading, struct span name)
{
    struct suggestion suggestion = { .name = name };
    for (size_t i = 0; i < loading->n_reports; i++)
        if (loading->reports[i].value) suggest(&suggestion, loading->reports[i].name);
    return suggestion.best;
}

static void take_report(struct loading *loading, const struct row_reader *reader, struct span name, yyjson_val *value)
{
    size_t at = 0;
    while (at < loading->n_reports && !span_is(name, loading->reports[at].name)) at++;
    bool known = at < loading->n_reports && loading->reports[at].value;
    if (yyjson_is_null(value) && !known)
        unknown_name(reader, "nothing to take out: no report", name, report_suggestion(loading, name));
    if (at == loading->n_reports)
        loading->reports = must_realloc(loading->reports, ++loading->n_reports * sizeof *loading->reports);
    const char *copy = arena_text(&loading->catalogue->arena, name);
    loading->reports[at] = (struct raw_report){ copy, reader->place, yyjson_is_null(value) ? NULL : value };
}

static void take_reports(struct loading *loading, yyjson_val *section)
{
    if (!check_section(loading, "reports", section)) return;
    yyjson_obj_iter iter = yyjson_obj_iter_with(section);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));) {
        struct span name = span_in(key);
        struct row_reader reader = { loading->catalogue, loading->problems, place_of(loading, "reports", name) };
        if (check_name(&reader, name)) take_report(loading, &reader, name, yyjson_obj_iter_get_val(key));
    }
}

/* "units": further names of plain numbers. */
static void take_units(struct loading *loading, yyjson_val *list)
{
    struct catalogue *catalogue = loading->catalogue;
    struct row_reader reader = section_reader(loading, "units");
    if (!list || !check_list(&reader, list, "units", "names")) return;
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));) {
        if (!check_name(&reader, span_in(item))) continue;
        catalogue->plain_units =
            must_realloc(catalogue->plain_units, (catalogue->n_plain_units + 1) * sizeof *catalogue->plain_units);
        catalogue->plain_units[catalogue->n_plain_units++] = arena_text(&catalogue->arena, span_in(item));
    }
}

/* "dimensions": only these are kept; "custom" stands for all custom attributes. */
static void take_dimensions(struct loading *loading, yyjson_val *list)
{
    struct catalogue *catalogue = loading->catalogue;
    struct row_reader reader = section_reader(loading, "dimensions");
    if (!yyjson_is_arr(list)) problem_add(loading->problems, reader.place, "must be a list of dimensions");
    catalogue->dims_restricted = true;
    catalogue->dims_on = 0;
    catalogue->customs_on = false;
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));) {
        struct span name = span_in(item);
        int dimension = dimension_find(name);
        if (dimension >= 0)
            catalogue->dims_on |= 1u << dimension;
        else if (span_is(name, "custom"))
            catalogue->customs_on = true;
        else
            unknown_name(&reader, "no dimension", name, dimension_suggestion(name));
    }
}

/* "only": what the catalogue is cut to. */
static void take_only(struct loading *loading, yyjson_val *only)
{
    static const char *const keys[] = { "metrics", "reports", NULL };
    struct row_reader reader = section_reader(loading, "only");
    if (!yyjson_is_obj(only)) problem_add(loading->problems, reader.place, "must be an object with \"metrics\" and \"reports\"");
    check_keys(&reader, only, keys);
    loading->only_place = reader.place;
    loading->only_metrics = yyjson_obj_get(only, "metrics");
    loading->only_reports = yyjson_obj_get(only, "reports");
    (void)check_list(&reader, loading->only_metrics, "metrics", "metrics");
    (void)check_list(&reader, loading->only_reports, "reports", "reports");
}

static void take_file(struct loading *loading, const struct catalogue_file *file)
{
    static const char *const keys[] = { "$schema", "about", "metrics", "reports", "only", "dimensions", "units", NULL };
    yyjson_read_err error;
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)file->text.at, file->text.len, YYJSON_READ_NOFLAG, NULL, &error);
    struct row_reader reader = { loading->catalogue, loading->problems, file->name };
    loading->file = file->name;
    loading->docs[loading->n_docs++] = doc;
    if (!doc) {
        size_t line = 0, column = 0, letter = 0;
        yyjson_locate_pos(file->text.at, file->text.len, error.pos, &line, &column, &letter);
        problem_add(loading->problems, file->name, "line %zu, column %zu: not JSON: %s", line, column, error.msg);
        return;
    }
    yyjson_val *root = yyjson_doc_get_root(doc), *only = yyjson_obj_get(root, "only"), *dims = yyjson_obj_get(root, "dimensions");
    if (!yyjson_is_obj(root)) problem_add(loading->problems, file->name, "must be a JSON object");
    check_keys(&reader, root, keys);
    check_twice(&reader, root);
    take_units(loading, yyjson_obj_get(root, "units"));
    take_metrics(loading, yyjson_obj_get(root, "metrics"));
    take_reports(loading, yyjson_obj_get(root, "reports"));
    if (only) take_only(loading, only);
    if (dims) take_dimensions(loading, dims);
}

static void parse_all(struct loading *loading)
{
    struct catalogue *catalogue = loading->catalogue;
    for (size_t i = 0; i < catalogue->n_metrics; i++)
        (void)formula_parse(catalogue->metrics[i], catalogue, &catalogue->arena, loading->problems);
    for (size_t i = 0; i < catalogue->n_metrics; i++) (void)formula_check_weights(catalogue->metrics[i], loading->problems);
}

static bool list_has(yyjson_val *list, const char *name)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));)
        if (yyjson_equals_str(item, name)) return true;
    return false;
}

static void read_reports(struct loading *loading)
{
    struct catalogue *catalogue = loading->catalogue;
    catalogue->reports = arena_zalloc(&catalogue->arena, (loading->n_reports + 1) * sizeof *catalogue->reports);
    for (size_t i = 0; i < loading->n_reports; i++) {
        const struct raw_report *raw = &loading->reports[i];
        struct row_reader reader = { catalogue, loading->problems, raw->place };
        struct report *report = &catalogue->reports[catalogue->n_reports];
        if (!raw->value || (loading->only_place && !list_has(loading->only_reports, raw->name))) continue;
        if (read_report(&reader, raw->name, raw->value, report)) catalogue->n_reports++;
    }
}

static bool report_uses(const struct catalogue *catalogue, const struct metric *metric)
{
    for (size_t i = 0; i < catalogue->n_reports; i++)
        for (size_t c = 0; c < catalogue->reports[i].n_columns; c++)
            if (catalogue->reports[i].columns[c].metric == metric) return true;
    return false;
}

/* Names in "only" that there are not. */
static void check_only(struct loading *loading)
{
    const struct catalogue *catalogue = loading->catalogue;
    struct row_reader reader = { loading->catalogue, loading->problems, loading->only_place };
    yyjson_arr_iter iter = yyjson_arr_iter_with(loading->only_metrics);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));)
        if (!catalogue_metric(catalogue, span_in(item)))
            unknown_name(&reader, "no metric", span_in(item), catalogue_suggestion(catalogue, span_in(item)));
    iter = yyjson_arr_iter_with(loading->only_reports);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));) {
        bool found = false;
        for (size_t i = 0; i < loading->n_reports; i++) found = found || span_is(span_in(item), loading->reports[i].name);
        if (!found) unknown_name(&reader, "no report", span_in(item), report_suggestion(loading, span_in(item)));
    }
}

/* Only the metrics that are listed, and those of the reports that stay. */
static void cut_metrics(struct loading *loading)
{
    struct catalogue *catalogue = loading->catalogue;
    size_t n = catalogue->n_metrics;
    check_only(loading);
    catalogue->n_metrics = 0;
    map_clear(&catalogue->by_name);
    for (size_t i = 0; i < n; i++) {
        struct metric *metric = catalogue->metrics[i];
        if (!list_has(loading->only_metrics, metric->name) && !report_uses(catalogue, metric)) continue;
        catalogue->metrics[catalogue->n_metrics++] = metric;
        map_put(&catalogue->by_name, span_of(metric->name), metric);
    }
}

static uint64_t fingerprint_of(const struct catalogue_file *files, size_t n)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < n; i++) hash = siphash((struct hash_key){ hash, i }, files[i].text);
    return hash;
}

struct catalogue *catalogue_load(const struct catalogue_file *files, size_t n, struct problems *problems)
{
    size_t before = problems->n;
    struct catalogue *catalogue = must_zalloc(sizeof *catalogue);
    struct loading loading = { .catalogue = catalogue,
                               .problems = problems,
                               .docs = must_zalloc((n + 1) * sizeof(yyjson_doc *)) };
    for (size_t i = 0; i < n; i++) take_file(&loading, &files[i]);
    parse_all(&loading);
    read_reports(&loading);
    if (loading.only_place) cut_metrics(&loading);
    catalogue_restrict(catalogue);
    catalogue->fingerprint = fingerprint_of(files, n);
    for (size_t i = 0; i < loading.n_docs; i++) yyjson_doc_free(loading.docs[i]);
    free(loading.docs);
    free(loading.reports);
    if (problems->n == before) return catalogue;
    catalogue_destroy(catalogue);
    return NULL;
}

void catalogue_destroy(struct catalogue *catalogue)
{
    if (!catalogue) return;
    free(catalogue->metrics);
    free(catalogue->plain_units);
    map_deinit(&catalogue->by_name);
    arena_deinit(&catalogue->arena);
    free(catalogue);
}

struct metric *catalogue_metric(const struct catalogue *catalogue, struct span name)
{
    return map_get(&catalogue->by_name, name);
}

const struct report *catalogue_report(const struct catalogue *catalogue, struct span name)
{
    for (size_t i = 0; i < catalogue->n_reports; i++)
        if (span_is(name, catalogue->reports[i].name)) return &catalogue->reports[i];
    return NULL;
}

const char *catalogue_suggestion(const struct catalogue *catalogue, struct span name)
{
    struct suggestion suggestion = { .name = name };
    for (size_t i = 0; i < catalogue->n_metrics; i++) suggest(&suggestion, catalogue->metrics[i]->name);
    return suggestion.best;
}

const char *catalogue_report_suggestion(const struct catalogue *catalogue, struct span name)
{
    struct suggestion suggestion = { .name = name };
    for (size_t i = 0; i < catalogue->n_reports; i++) suggest(&suggestion, catalogue->reports[i].name);
    return suggestion.best;
}

const char *dimension_suggestion(struct span name)
{
    struct suggestion suggestion = { .name = name };
    for (int i = 0; i < N_DIMENSIONS; i++)
        if (!dimension_is_inner((enum dimension)i)) suggest(&suggestion, dimension_names[i]);
    return suggestion.best;
}
