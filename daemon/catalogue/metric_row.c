/* One metric of a catalogue file: its formula as a text, or an object with unit, description and the like. */
#include "common/suggest.h"
#include "daemon/catalogue/rows.h"

bool unknown_name(const struct row_reader *reader, const char *what, struct span name, const char *best)
{
    if (best)
        problem_add(reader->problems, reader->place, "%s \"%.*s\", did you mean \"%s\"?", what, SPAN_ARG(name), best);
    else
        problem_add(reader->problems, reader->place, "%s \"%.*s\"", what, SPAN_ARG(name));
    return false;
}

void check_keys(const struct row_reader *reader, yyjson_val *object, const char *const *known)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));) {
        bool found = false;
        for (size_t i = 0; known[i]; i++) found = found || yyjson_equals_str(key, known[i]);
        struct span name = span_in(key);
        if (!found) unknown_name(reader, "unknown key", name, suggest_from(name, known));
    }
}

void check_twice(const struct row_reader *reader, yyjson_val *object)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter));) {
        yyjson_obj_iter earlier = yyjson_obj_iter_with(object);
        for (yyjson_val *other; (other = yyjson_obj_iter_next(&earlier)) && other != key;) {
            if (!yyjson_equals_strn(other, yyjson_get_str(key), yyjson_get_len(key))) continue;
            problem_add(reader->problems, reader->place, "\"%s\" stands there twice", yyjson_get_str(key));
            break;
        }
    }
}

bool check_list(const struct row_reader *reader, yyjson_val *value, const char *key, const char *of)
{
    if (yyjson_is_arr(value)) return true;
    if (value) problem_add(reader->problems, reader->place, "\"%s\" must be a list of %s", key, of);
    return false;
}

const char *text_of(const struct row_reader *reader, yyjson_val *object, const char *key)
{
    yyjson_val *value = yyjson_obj_get(object, key);
    if (!value) return NULL;
    if (yyjson_is_str(value)) return arena_text(&reader->catalogue->arena, span_in(value));
    problem_add(reader->problems, reader->place, "\"%s\" must be a text", key);
    return NULL;
}

/* "dimensions": what a metric can be asked by, where that is less than its facts allow. */
static uint32_t read_dimensions(const struct row_reader *reader, yyjson_val *list)
{
    uint32_t dims = 0;
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item; (item = yyjson_arr_iter_next(&iter));) {
        struct span name = span_in(item);
        int dimension = yyjson_is_str(item) ? dimension_find(name) : -1;
        if (dimension >= 0 && !dimension_is_inner((enum dimension)dimension))
            dims |= 1u << dimension;
        else
            unknown_name(reader, "\"dimensions\": no dimension", name, dimension_suggestion(name));
    }
    if (!yyjson_arr_size(list)) problem_add(reader->problems, reader->place, "\"dimensions\" must be a list of dimensions");
    return dims;
}

struct metric *read_metric(const struct row_reader *reader, const char *name, yyjson_val *value)
{
    static const char *const keys[] = { "formula", "unit", "about", "number", "dimensions", NULL };
    struct metric *metric = arena_zalloc(&reader->catalogue->arena, sizeof *metric);
    *metric = (struct metric){ .name = name, .place = reader->place };
    if (yyjson_is_str(value)) {
        metric->formula = arena_text(&reader->catalogue->arena, span_in(value));
        return metric;
    }
    if (!yyjson_is_obj(value)) {
        problem_add(reader->problems, reader->place, "must be a formula, an object with one, or null");
        return NULL;
    }
    check_keys(reader, value, keys);
    check_twice(reader, value);
    metric->formula = text_of(reader, value, "formula");
    metric->unit = text_of(reader, value, "unit");
    metric->about = text_of(reader, value, "about");
    metric->number = text_of(reader, value, "number");
    yyjson_val *dimensions = yyjson_obj_get(value, "dimensions");
    if (dimensions) metric->own_dims = read_dimensions(reader, dimensions);
    if (metric->formula) return metric;
    if (!yyjson_obj_get(value, "formula")) problem_add(reader->problems, reader->place, "\"formula\" is missing");
    return NULL;
}
