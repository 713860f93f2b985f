#include "daemon/settings/raws.h"

#include "common/suggest.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

void raws_deinit(struct raws *raws)
{
    for (size_t i = 0; i < n_setting_rows; i++) json_decref(raws->of[i].value);
    arena_deinit(&raws->arena);
    *raws = (struct raws){ 0 };
}

/* What is no object is kept as it is, for the reader to complain about. */
static void merge(struct raw *raw, json_t *value)
{
    if (json_is_object(raw->value) && json_is_object(value)) {
        json_object_update(raw->value, value);
    } else if (json_is_object(raw->value)) {
        json_decref(raw->value);
        raw->value = json_incref(value);
    }
    json_decref(value);
}

void raw_set(struct raws *raws, const struct row *row, json_t *value, const char *where)
{
    struct raw *raw = &raws->of[row - setting_rows];
    if (row->type == ROW_PROPERTIES && raw->value) {
        merge(raw, value);
        return;
    }
    json_decref(raw->value);
    raw->value = value;
    raw->where = where;
}

/* "a, b" -> ["a","b"] */
static json_t *split(const char *text)
{
    json_t *list = json_array();
    while (*text) {
        text += strspn(text, " ,");
        size_t len = strcspn(text, ","), trimmed = len;
        while (trimmed && text[trimmed - 1] == ' ') trimmed--;
        if (trimmed) json_array_append_new(list, json_stringn(text, trimmed));
        text += len;
    }
    return list;
}

/* Without the text around the place: it could be a secret. */
static const char *cause_text(json_error_t *cause)
{
    char *near = strstr(cause->text, " near ");
    if (near) *near = '\0';
    return cause->text;
}

static json_t *parse(const char *text, struct error *error)
{
    json_error_t cause;
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &cause);
    if (!value) fail(error, "is no JSON: line %d, column %d: %s", cause.line, cause.column, cause_text(&cause));
    return value;
}

static json_t *number_or_text(const char *text)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool whole = *text && !*end && !errno;
    return whole ? json_integer(number) : json_string(text);
}

json_t *row_value(const struct row *row, const char *text, struct error *error)
{
    json_t *value = NULL;
    switch (row->type) {
    case ROW_TEXT:
    case ROW_FILE:
    case ROW_CHOICE:
        value = json_string(text);
        break;
    case ROW_INTEGER:
        value = number_or_text(text);
        break;
    case ROW_LIST:
    case ROW_FILES:
        value = text[0] == '[' ? parse(text, error) : split(text);
        break;
    case ROW_PROPERTIES:
    case ROW_OBJECTS:
    case ROW_TENANTS:
        value = parse(text, error);
        break;
    }
    if (!value) fail(error, "is no valid UTF-8 text");
    return value;
}

void raws_standard(struct raws *raws)
{
    for (size_t i = 0; i < n_setting_rows; i++) {
        const struct row *row = &setting_rows[i];
        json_t *value = row->standard ? row_value(row, row->standard, NULL) : NULL;
        REQUIRE(value || !row->standard);
        raw_set(raws, row, value, row->path);
    }
}

static void unknown(struct arena *arena, const char *path, struct problems *problems)
{
    struct suggestion suggestion = { .name = span_of(path) };
    for (size_t i = 0; i < n_setting_rows; i++) {
        const char *row = setting_rows[i].path, *point = strchr(row, '.');
        suggest(&suggestion, row);
        if (point) suggest(&suggestion, arena_text(arena, (struct span){ row, (size_t)(point - row) }));
    }
    if (suggestion.best)
        problem_add(problems, path, "unknown setting; did you mean %s?", suggestion.best);
    else
        problem_add(problems, path, "unknown setting");
}

static void take_object(struct raws *raws, const json_t *object, const char *path, struct problems *problems);

static void take(struct raws *raws, const char *path, json_t *value, struct problems *problems)
{
    const struct row *row = row_find(path);
    if (row)
        raw_set(raws, row, json_incref(value), row->path);
    else if (!row_is_group(path))
        unknown(&raws->arena, path, problems);
    else
        take_object(raws, value, path, problems);
}

/* "redis.url" beside the object "redis": told, and taken, so that nothing is said to be missing besides. False: the name
 * is no path into an object of the settings. */
static bool take_dotted(struct raws *raws, const char *path, json_t *value, struct problems *problems)
{
    const char *point = strchr(path, '.');
    const char *group = point ? arena_text(&raws->arena, (struct span){ path, (size_t)(point - path) }) : "";
    const struct row *row = row_find(path), *whole = row_find(group);
    bool is_property = whole && whole->type == ROW_PROPERTIES, is_tenant = whole && whole->type == ROW_TENANTS;
    if (!point || (!row && !is_property && !is_tenant)) return false;
    problem_add(problems, path, "stands beside the object \"%s\", expected inside it", group);
    if (row)
        raw_set(raws, row, json_incref(value), row->path);
    else if (is_property)
        raw_set(raws, whole, json_pack("{s:O}", point + 1, value), whole->path);
    return true;
}

static void take_object(struct raws *raws, const json_t *object, const char *path, struct problems *problems)
{
    struct setting_reading at = { problems, &raws->arena, path, false };
    if (!expect_object(&at, object, "an object")) return;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        at.where = path;
        if (*path || !take_dotted(raws, key, value, problems)) take(raws, setting_at(&at, key).where, value, problems);
    }
}

/* The folder a path lies in; "" for the root. NULL: the working directory. */
static const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_text(arena, (struct span){ path, (size_t)(slash - path) }) : NULL;
}

/* NULL: it can be read. A folder can be opened, so that the parser finds it empty. */
static const char *unreadable(const char *path, const json_error_t *cause)
{
    struct stat is;
    if (cause->line < 0) return strerror(errno);
    return stat(path, &is) == 0 && S_ISDIR(is.st_mode) ? strerror(EISDIR) : NULL;
}

static void not_json(const char *path, json_error_t *cause, struct problems *problems)
{
    const char *why = unreadable(path, cause);
    if (why)
        problem_add(problems, path, "cannot be read: %s", why);
    else
        problem_add(problems, path, "is no JSON: line %d, column %d: %s", cause->line, cause->column, cause_text(cause));
}

bool raws_file(struct raws *raws, const char *path, struct problems *problems)
{
    json_error_t cause;
    json_t *object = json_load_file(path, JSON_REJECT_DUPLICATES, &cause);
    bool ok = json_is_object(object);
    raws->folder = folder_of(&raws->arena, path);
    if (ok)
        take_object(raws, object, "", problems);
    else if (object)
        problem_add(problems, path, "found a list, expected an object");
    else
        not_json(path, &cause, problems);
    json_decref(object);
    return ok;
}
