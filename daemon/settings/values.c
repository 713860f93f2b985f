#include "daemon/settings/values.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

enum {
    SHOWN_BYTES = 64,
    FOUND_BYTES = 96
};

/* How many bytes of a UTF-8 text can be shown without cutting a letter in two. */
static int shown(const char *text)
{
    size_t len = strlen(text);
    if (len <= SHOWN_BYTES) return (int)len;
    for (len = SHOWN_BYTES; len && ((unsigned char)text[len] & 0xc0) == 0x80;) len--;
    return (int)len;
}

static void describe_list(const json_t *value, char text[FOUND_BYTES])
{
    char *written = json_dumps(value, JSON_COMPACT);
    int len = shown(written);
    snprintf(text, FOUND_BYTES, "the list %.*s%s", len, written, written[len] ? "…" : "");
    free(written);
}

static void describe_text(const char *value, char text[FOUND_BYTES])
{
    int len = shown(value);
    snprintf(text, FOUND_BYTES, "the text \"%.*s%s\"", len, value, value[len] ? "…" : "");
}

/* As it can be told from a whole one: 2.0 stays 2.0. */
static void describe_real(double value, char text[FOUND_BYTES])
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.15g", value);
    snprintf(text, FOUND_BYTES, "the number %s%s", digits, strspn(digits, "-0123456789") == strlen(digits) ? ".0" : "");
}

/* `the text "x"`, `the number 5`, `the list [1,2]`, `an object` … */
static void describe(const json_t *value, bool secret, char text[FOUND_BYTES])
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        if (secret)
            snprintf(text, FOUND_BYTES, "a text");
        else
            describe_text(json_string_value(value), text);
        break;
    case JSON_INTEGER:
        if (secret)
            snprintf(text, FOUND_BYTES, "a number");
        else
            snprintf(text, FOUND_BYTES, "the number %" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        if (secret)
            snprintf(text, FOUND_BYTES, "a number");
        else
            describe_real(json_real_value(value), text);
        break;
    case JSON_OBJECT:
        snprintf(text, FOUND_BYTES, "an object");
        break;
    case JSON_ARRAY:
        if (secret)
            snprintf(text, FOUND_BYTES, "a list");
        else
            describe_list(value, text);
        break;
    case JSON_TRUE:
        snprintf(text, FOUND_BYTES, "true");
        break;
    case JSON_FALSE:
        snprintf(text, FOUND_BYTES, "false");
        break;
    case JSON_NULL:
        snprintf(text, FOUND_BYTES, "null");
        break;
    }
}

bool expected(const struct setting_reading *reading, const json_t *found, const char *format, ...)
{
    char what[ERROR_TEXT_BYTES], instead[FOUND_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    describe(found, reading->secret, instead);
    problem_add(reading->problems, reading->where, "found %s, expected %s", instead, what);
    return false;
}

static struct setting_reading deeper(const struct setting_reading *reading, const char *format, const char *key, size_t index)
{
    char where[256];
    if (key)
        snprintf(where, sizeof where, "%s%s%s", reading->where, format, key);
    else
        snprintf(where, sizeof where, "%s[%zu]", reading->where, index);
    struct setting_reading inner = *reading;
    inner.where = arena_text(reading->arena, span_of(where));
    return inner;
}

struct setting_reading setting_at(const struct setting_reading *reading, const char *key)
{
    return deeper(reading, reading->where[0] ? "." : "", key, 0);
}

struct setting_reading setting_nth(const struct setting_reading *reading, size_t index)
{
    return deeper(reading, "", NULL, index);
}

bool read_integer(const struct setting_reading *reading, const json_t *value, int64_t min, int64_t max, int64_t *number)
{
    if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max)
        return expected(reading, value, "a whole number %" PRId64 "…%" PRId64, min, max);
    *number = json_integer_value(value);
    return true;
}

/* "a", "b" or "c" */
static void name_all(const char *const *names, char text[ERROR_TEXT_BYTES / 2])
{
    int used = 0;
    for (size_t i = 0; names[i] && used < ERROR_TEXT_BYTES / 2 - 1; i++) {
        const char *between = i == 0 ? "" : names[i + 1] ? ", " : " or ";
        used += snprintf(text + used, (size_t)(ERROR_TEXT_BYTES / 2 - used), "%s\"%s\"", between, names[i]);
    }
}

bool read_choice(const struct setting_reading *reading, const json_t *value, const char *const *names, int64_t *index)
{
    const char *text = json_string_value(value);
    for (size_t i = 0; text && names[i]; i++)
        if (!strcmp(text, names[i])) return *index = (int64_t)i, true;
    char all[ERROR_TEXT_BYTES / 2];
    name_all(names, all);
    return expected(reading, value, "%s", all);
}

bool read_text(const struct setting_reading *reading, const json_t *value, const char **text)
{
    if (!json_is_string(value)) return expected(reading, value, "a text");
    *text = arena_text(reading->arena, span_of(json_string_value(value)));
    return true;
}

bool read_list(const struct setting_reading *reading, const json_t *value, struct text_list *list)
{
    if (!expect_list(reading, value, "a list of texts")) return false;
    const char **texts = arena_zalloc(reading->arena, (json_array_size(value) + 1) * sizeof *texts);
    bool ok = true;
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        struct setting_reading at = setting_nth(reading, i);
        texts[i] = "";
        ok = read_text(&at, item, &texts[i]) && ok;
    }
    *list = (struct text_list){ texts, json_array_size(value) };
    return ok;
}

bool expect_object(const struct setting_reading *reading, const json_t *value, const char *what)
{
    return json_is_object(value) || expected(reading, value, "%s", what);
}

bool expect_list(const struct setting_reading *reading, const json_t *value, const char *what)
{
    return json_is_array(value) || expected(reading, value, "%s", what);
}
