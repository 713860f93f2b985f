/* Reads threshold rules. Metric, period, dimensions and filter are those of a query: each is looked up by the query's own
 * code, so that its messages and suggestions are the same; all mistakes of all rules are told at once. */
#include "common/decimal.h"
#include "daemon/alert/reader.h"
#include "daemon/report/query.h"
#include "daemon/settings/forms.h"

#include <math.h>
#include <stdlib.h>

const char *const alert_test_names[] = { "above", "below", "change_above", "change_below", NULL };

enum {
    FOR_DAYS_MAX = 366,
    RULES_MAX = 1000
};

/* A rule being read. */
struct reader {
    const struct settings *settings;
    const struct catalogue *catalogue; /* NULL: it is wrong itself */
    struct arena *arena;               /* of the rules */
    struct setting_reading at;         /* "alerts[0]" */
    json_t *object;
    struct alert_rule *rule;
};

static const char *const keys[] = { "name",     "description", "tenant", "metric",       "stat",         "period", "by",
                                    "where",    "above",       "below",  "change_above", "change_below", "clear",  "for",
                                    "currency", "webhook",     NULL };

static struct setting_reading place(const struct reader *reader, const char *key)
{
    return setting_at(&reader->at, key);
}

static const json_t *value_of(const struct reader *reader, const char *key)
{
    return json_object_get(reader->object, key);
}

/* ---- what a query has, too ---- */

/* Parses and binds the query of these parts of the rule for one tenant. */
static bool bind_for(const struct reader *reader, json_t *request, const struct rules *rules, struct bound_query *bound,
                     struct query_error *error)
{
    struct query query;
    struct query_tenant tenant = { .rules = rules };
    char *text = json_dumps(request, JSON_COMPACT);
    bool good = query_parse(&query, span_of(text), reader->arena, error);
    free(text);
    if (!good) return false;
    if (!reader->rule->watch.metric) return query_bind_names(&query, &tenant, reader->arena, bound, error);
    return query_bind(&query, reader->catalogue, &tenant, reader->arena, bound, error);
}

/* The same for the rule's tenant; of a rule for all it is enough that one has what it asks for (custom attributes). */
static bool bind_parts(const struct reader *reader, json_t *request, struct bound_query *bound, struct query_error *error)
{
    const char *tenant = json_string_value(value_of(reader, "tenant"));
    struct text_list named = settings_tenants(reader->settings);
    if (bind_for(reader, request, settings_rules(reader->settings, span_of(tenant)), bound, error)) return true;
    if (error->code != QUERY_UNKNOWN_DIMENSION || tenant) return false;
    for (size_t i = 0; i < named.n; i++) {
        struct query_error ignored;
        if (bind_for(reader, request, settings_rules(reader->settings, span_of(named.at[i])), bound, &ignored)) return true;
    }
    return false;
}

static json_t *parts_of(const struct reader *reader, const char *const *names)
{
    json_t *parts = json_object();
    for (; *names; names++)
        if (value_of(reader, *names)) json_object_set(parts, *names, (json_t *)value_of(reader, *names));
    return parts;
}

/* Tells what is wrong with one key, given the metric; of one that nobody knows, what is wrong whatever it is. Ranges are for
 * the period to say. */
static bool try_key(const struct reader *reader, const char *key, struct bound_query *bound)
{
    struct query_error error;
    struct setting_reading at = place(reader, key);
    bool is_period = strcmp(key, "period") == 0, grouped = is_period && reader->rule->watch.n_by;
    json_t *parts = parts_of(reader, (const char *const[]){ key, grouped ? "by" : NULL, NULL });
    const struct metric *metric = reader->rule->watch.metric;
    json_object_set_new(parts, "metric", json_string(metric ? metric->name : "?"));
    bool good = bind_parts(reader, parts, bound, &error);
    json_decref(parts);
    if (!good && error.code == QUERY_BAD_RANGE && !is_period) return true;
    if (!good) problem_add(at.problems, at.where, "%s", error.message);
    return good;
}

static void take_metric(struct reader *reader)
{
    struct setting_reading at = place(reader, "metric");
    const json_t *value = value_of(reader, "metric");
    const char *name = json_string_value(value);
    struct watch *watch = &reader->rule->watch;
    if (!value) return problem_add(at.problems, at.where, "is missing, expected the name of a metric");
    if (!name) expected(&at, value, "the name of a metric");
    if (!name || !reader->catalogue) return;
    watch->metric = catalogue_metric(reader->catalogue, span_of(name));
    const char *best = catalogue_suggestion(reader->catalogue, span_of(name));
    if (watch->metric) return;
    if (best)
        problem_add(at.problems, at.where, "no metric \"%s\", did you mean \"%s\"?", name, best);
    else
        problem_add(at.problems, at.where, "no metric \"%s\"", name);
}

static void take_period(struct reader *reader)
{
    struct setting_reading at = place(reader, "period");
    struct bound_query bound;
    const char *name = json_string_value(value_of(reader, "period"));
    if (!value_of(reader, "period"))
        problem_add(at.problems, at.where, "is missing, expected the name of a period such as \"this_month\"");
    else if (try_key(reader, "period", &bound))
        reader->rule->watch.period = arena_text(reader->arena, span_of(name));
}

static void take_by(struct reader *reader)
{
    struct setting_reading at = place(reader, "by");
    struct bound_query bound;
    struct watch *watch = &reader->rule->watch;
    if (!value_of(reader, "by") || !try_key(reader, "by", &bound)) return;
    struct grouping *by = arena_alloc(reader->arena, (bound.n_by + 1) * sizeof *by);
    memcpy(by, bound.by, bound.n_by * sizeof *by);
    watch->by = by;
    watch->n_by = bound.n_by;
    for (size_t i = 0; i < bound.n_by; i++)
        if (by[i].type == BY_UNIT)
            problem_add(at.problems, at.where, "\"%s\" is a unit of time, expected dimensions", by[i].name);
}

static void take_where(struct reader *reader)
{
    struct bound_query bound;
    if (!value_of(reader, "where") || !try_key(reader, "where", &bound)) return;
    reader->rule->watch.where = bound.where;
    reader->rule->watch.n_where = bound.n_where;
}

static void take_stat(struct reader *reader)
{
    struct bound_query bound;
    if (value_of(reader, "stat") && try_key(reader, "stat", &bound)) reader->rule->watch.stat = bound.stat;
}

/* ---- what only a rule has ---- */

static void take_name(struct reader *reader)
{
    struct setting_reading at = place(reader, "name");
    const json_t *value = value_of(reader, "name");
    if (!value) return problem_add(at.problems, at.where, "is missing, expected a name of the rule's own");
    if (!read_text(&at, value, &reader->rule->name)) return;
    if (!form_name(span_of(reader->rule->name))) expected(&at, value, "1 to 64 of A-Z a-z 0-9 . _ -");
}

static void take_description(struct reader *reader)
{
    struct setting_reading at = place(reader, "description");
    if (value_of(reader, "description")) read_text(&at, value_of(reader, "description"), &reader->rule->description);
}

static void take_tenant(struct reader *reader)
{
    struct setting_reading at = place(reader, "tenant");
    const json_t *value = value_of(reader, "tenant");
    if (!value || !read_text(&at, value, &reader->rule->tenant)) return;
    if (!form_name(span_of(reader->rule->tenant))) expected(&at, value, "a tenant's id; none: all tenants");
}

/* A number exactly as it is written, not as the double nearest to it. */
static bool read_number(const struct setting_reading *at, const json_t *value, struct rational *number)
{
    struct buffer text = { 0 };
    struct decimal decimal;
    if (json_is_integer(value)) buffer_decimal(&text, json_integer_value(value));
    if (json_is_real(value)) double_write(json_real_value(value), &text);
    bool good = json_is_number(value) && decimal_parse(buffer_all(&text), &decimal) &&
                llabs((long long)decimal.digits) < 1000000000000000 && decimal.scale <= DECIMAL_DIGITS_MAX;
    __int128 scale = 1;
    for (int i = 0; good && i < decimal.scale; i++) scale *= 10;
    if (good) *number = rational_of(decimal.digits, scale);
    buffer_deinit(&text);
    return good || expected(at, value, "a number of at most 15 digits");
}

static void take_limit(struct reader *reader)
{
    int found = 0;
    for (int test = 0; test < N_ALERT_TESTS; test++) {
        struct setting_reading at = place(reader, alert_test_names[test]);
        const json_t *value = value_of(reader, alert_test_names[test]);
        if (!value) continue;
        if (++found > 1)
            problem_add(at.problems, at.where, "stands beside \"%s\", expected one of them",
                        alert_test_names[reader->rule->test]);
        reader->rule->test = (enum alert_test)test;
        read_number(&at, value, &reader->rule->limit);
    }
    if (!found)
        problem_add(reader->at.problems, reader->at.where,
                    "has no threshold, expected one of \"above\", \"below\", \"change_above\" and \"change_below\"");
    reader->rule->watch.previous = alert_test_is_change(reader->rule->test);
}

/* On the side of the limit where it is no alert. */
static void take_clear(struct reader *reader)
{
    struct alert_rule *rule = reader->rule;
    struct setting_reading at = place(reader, "clear");
    const json_t *value = value_of(reader, "clear");
    rule->clear = rule->limit;
    if (!value || !read_number(&at, value, &rule->clear) || rational_is_null(rule->limit)) return;
    int side = rational_compare(rule->clear, rule->limit);
    bool above = alert_test_is_above(rule->test);
    if (above ? side > 0 : side < 0)
        problem_add(at.problems, at.where, "is on the wrong side of \"%s\", expected a number %s it",
                    alert_test_names[rule->test], above ? "at or below" : "at or above");
}

/* "30s", "10m", "2h", "3d" */
static bool duration_parse(const char *text, int64_t *us)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    char *end;
    if (!text || *text < '0' || *text > '9') return false;
    long long count = strtoll(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (end[0] != units[i].unit || end[1]) continue;
        if (count < 1 || count > FOR_DAYS_MAX * INT64_C(86400) / units[i].seconds) return false;
        *us = count * units[i].seconds * 1000000;
        return true;
    }
    return false;
}

static void take_for(struct reader *reader)
{
    struct setting_reading at = place(reader, "for");
    const json_t *value = value_of(reader, "for");
    if (value && !duration_parse(json_string_value(value), &reader->rule->for_us))
        expected(&at, value, "a time of 1s to %dd such as \"30s\", \"10m\", \"2h\" or \"3d\"", FOR_DAYS_MAX);
}

static void take_currency(struct reader *reader)
{
    struct setting_reading at = place(reader, "currency");
    const json_t *value = value_of(reader, "currency");
    const struct metric *metric = reader->rule->watch.metric;
    if (!value || !read_text(&at, value, &reader->rule->currency)) return;
    if (!currency_valid(span_of(reader->rule->currency))) expected(&at, value, "a currency: three capital letters");
    if (metric && metric->shape != SHAPE_MONEY && metric->shape != SHAPE_RATIOS)
        problem_add(at.problems, at.where, "%s has no currency", metric->name);
}

static void take_webhook(struct reader *reader)
{
    struct setting_reading at = place(reader, "webhook");
    const json_t *value = value_of(reader, "webhook");
    if (value) reader->rule->webhook = alert_webhook_read(&at, value, settings_folder(reader->settings));
}

/* ---- a rule, all rules ---- */

/* What it waits for, as events repeat it. */
static const char *condition_text(const struct reader *reader)
{
    static const char *const shown[] = { "where", "above", "below", "change_above", "change_below", "clear", "for", NULL };
    struct buffer text = { 0 };
    for (size_t i = 0; shown[i]; i++) {
        const json_t *value = value_of(reader, shown[i]);
        if (!value) continue;
        buffer_printf(&text, "%s\"%s\":", text.len ? "," : "", shown[i]);
        if (json_is_real(value)) {
            double_write(json_real_value(value), &text);
            continue;
        }
        char *json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        buffer_str(&text, json);
        free(json);
    }
    const char *copy = arena_text(reader->arena, buffer_all(&text));
    buffer_deinit(&text);
    return copy;
}

static void check_previous(const struct reader *reader)
{
    const struct watch *watch = &reader->rule->watch;
    struct rules none = { .fiscal_year_start = 1 };
    struct period period, previous;
    struct setting_reading at = place(reader, "period");
    if (!watch->previous || !watch->period || !period_named(&none, span_of(watch->period), 0, &period)) return;
    if (!period_previous(&none, span_of(watch->period), period, &previous))
        problem_add(at.problems, at.where, "\"%s\" has no period before it, as \"%s\" needs", watch->period,
                    alert_test_names[reader->rule->test]);
}

static void read_rule(struct reader *reader)
{
    alert_unknown_keys(&reader->at, reader->object, keys);
    take_name(reader);
    take_description(reader);
    take_tenant(reader);
    take_limit(reader);
    take_clear(reader);
    take_for(reader);
    take_webhook(reader);
    take_metric(reader);
    take_stat(reader);
    take_by(reader); /* what a period is good for may depend on it */
    take_period(reader);
    take_where(reader);
    take_currency(reader);
    check_previous(reader);
    reader->rule->condition = condition_text(reader);
}

static void check_names(const struct alert_rules *rules, const struct setting_reading *reading)
{
    struct map seen = { 0 };
    for (size_t i = 0; i < rules->n; i++) {
        struct setting_reading nth = setting_nth(reading, i), at = setting_at(&nth, "name");
        struct alert_rule *rule = &rules->at[i];
        if (rule->name && map_put(&seen, span_of(rule->name), rule))
            problem_add(at.problems, at.where, "\"%s\" is the name of another rule, too", rule->name);
    }
    map_deinit(&seen);
}

static void read_rules(struct alert_rules *rules, const struct settings *settings, const struct catalogue *catalogue,
                       json_t *list, struct problems *wrong)
{
    struct setting_reading all = { wrong, &rules->arena, "alerts", false };
    size_t n = json_array_size(list);
    if (n > RULES_MAX) return problem_add(wrong, "alerts", "found %zu rules, expected at most %d", n, RULES_MAX);
    rules->at = arena_zalloc(&rules->arena, (n + 1) * sizeof *rules->at);
    for (size_t i = 0; i < n; i++) {
        struct reader reader = { .settings = settings,
                                 .catalogue = catalogue,
                                 .arena = &rules->arena,
                                 .at = setting_nth(&all, i),
                                 .object = json_array_get(list, i),
                                 .rule = &rules->at[rules->n++] };
        if (json_is_object(reader.object)) read_rule(&reader);
    }
    check_names(rules, &all);
}

struct alert_rules *alert_rules_read(const struct settings *settings, const struct catalogue *catalogue, struct problems *wrong,
                                     struct problems *advice)
{
    struct alert_rules *rules = must_zalloc(sizeof *rules);
    size_t before = wrong->n;
    json_t *list = json_loads(settings->alerts, 0, NULL);
    if (json_is_array(list)) read_rules(rules, settings, catalogue, list, wrong);
    json_decref(list);
    struct setting_reading all = { wrong, &rules->arena, "alerts", false };
    for (size_t i = 0; advice && catalogue && wrong->n == before && i < rules->n; i++)
        alert_rule_advise(&rules->at[i], settings, setting_nth(&all, i).where, advice);
    if (wrong->n == before && catalogue) return rules;
    alert_rules_destroy(rules);
    return NULL;
}

void alert_rules_destroy(struct alert_rules *rules)
{
    if (!rules) return;
    arena_deinit(&rules->arena);
    free(rules);
}

bool alert_rule_applies(const struct alert_rule *rule, struct span tenant)
{
    return !rule->tenant || span_is(tenant, rule->tenant);
}
