#include "daemon/demo/snapshot.h"

#include "common/instant.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

bool snapshot_parse(struct snapshot *snapshot, struct span text)
{
    json_t *document = text.len ? json_loadb(text.at, text.len, 0, NULL) : NULL;
    if (!document) return false;
    snapshot_deinit(snapshot);
    snapshot->document = document;
    snapshot->version = json_integer_value(json_object_get(document, "version"));
    const char *as_of = json_string_value(json_object_get(document, "as_of"));
    if (!as_of || !instant_parse(span_of(as_of), &snapshot->as_of_us)) snapshot->as_of_us = 0;
    return true;
}

void snapshot_deinit(struct snapshot *snapshot)
{
    json_decref(snapshot->document);
    *snapshot = (struct snapshot){ 0 };
}

const json_t *snapshot_section(const struct snapshot *snapshot, size_t number)
{
    return json_array_get(json_object_get(snapshot->document, "sections"), number);
}

const char *section_dimension(const json_t *section)
{
    return json_string_value(json_array_get(json_object_get(section, "by"), 0));
}

const json_t *snapshot_period(const json_t *section, const char *name)
{
    size_t i;
    json_t *period;
    json_array_foreach(json_object_get(section, "periods"), i, period)
    {
        const char *its = json_string_value(json_object_get(period, "name"));
        if (its && !strcmp(its, name)) return period;
    }
    return NULL;
}

static const json_t *section_by(const struct snapshot *snapshot, const char *by)
{
    const json_t *section;
    for (size_t i = 0; (section = snapshot_section(snapshot, i)); i++) {
        const char *dimension = section_dimension(section);
        if (!by || (dimension && !strcmp(dimension, by))) return section;
    }
    return NULL;
}

static const json_t *row_of(const json_t *period, const char *dimension, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(period, "rows"), i, row)
    {
        const char *its = json_string_value(json_object_get(row, dimension));
        if (its && !strcmp(its, name)) return row;
    }
    return NULL;
}

/* How many of one per other is no share. */
const char *column_unit(const json_t *column)
{
    const char *name = json_string_value(json_object_get(column, "name"));
    return name && strstr(name, "_per_") ? "each" : json_string_value(json_object_get(column, "unit"));
}

static const char *unit_of(const json_t *section, const char *metric)
{
    size_t i;
    json_t *column;
    json_array_foreach(json_object_get(section, "columns"), i, column)
    {
        const char *name = json_string_value(json_object_get(column, "name"));
        if (name && !strcmp(name, metric)) return column_unit(column);
    }
    return NULL;
}

const json_t *snapshot_number(const struct snapshot *snapshot, struct place place, const char **unit)
{
    const json_t *section = section_by(snapshot, place.by), *period = section ? snapshot_period(section, place.period) : NULL;
    if (!period) return NULL;
    *unit = unit_of(section, place.metric);
    const json_t *row = place.row ? row_of(period, place.by, place.row) : json_object_get(period, "total");
    return json_object_get(row, place.metric);
}

/* 1234567 -> "1,234,567" */
static void format_whole(int64_t value, char text[NUMBER_TEXT_BYTES])
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRId64, value < 0 ? -value : value), at = 0;
    if (value < 0) text[at++] = '-';
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
}

static void format_money(double value, const char *currency, char text[NUMBER_TEXT_BYTES])
{
    char whole[NUMBER_TEXT_BYTES];
    format_whole((int64_t)llround(value), whole);
    snprintf(text, NUMBER_TEXT_BYTES, "%.24s %.3s", whole, currency);
}

static void format_scalar(const json_t *value, const char *unit, char text[NUMBER_TEXT_BYTES])
{
    static const struct {
        const char *unit, *format;
    } formats[] = { { "days", "%.1f d" }, { "hours", "%.1f h" }, { "seconds", "%.0f s" }, { NULL, "%.2f" } };
    size_t i = 0;
    if (json_is_integer(value) && (!unit || !strcmp(unit, "count"))) {
        format_whole(json_integer_value(value), text);
        return;
    }
    if (unit && !strcmp(unit, "ratio") && json_number_value(value) <= 1) {
        snprintf(text, NUMBER_TEXT_BYTES, "%.1f %%", json_number_value(value) * 100);
        return;
    }
    while (formats[i].unit && (!unit || strcmp(formats[i].unit, unit) != 0)) i++;
    snprintf(text, NUMBER_TEXT_BYTES, formats[i].format, json_number_value(value)); /* of the table above */
}

void number_format(const json_t *value, const char *unit, char text[NUMBER_TEXT_BYTES])
{
    void *first = json_object_iter((json_t *)value); /* only read */
    bool empty = !value || json_is_null(value) || (json_is_object(value) && !first);
    if (empty)
        snprintf(text, NUMBER_TEXT_BYTES, "–");
    else if (json_is_string(value))
        snprintf(text, NUMBER_TEXT_BYTES, "%.40s", json_string_value(value));
    else if (first && unit && !strcmp(unit, "money"))
        format_money(json_number_value(json_object_iter_value(first)), json_object_iter_key(first), text);
    else
        format_scalar(first ? json_object_iter_value(first) : value, unit, text);
}

double number_size(const json_t *value)
{
    void *first = json_object_iter((json_t *)value); /* only read */
    return json_number_value(first ? json_object_iter_value(first) : value);
}
