#include "daemon/settings/fields.h"

#include "common/suggest.h"
#include "daemon/settings/forms.h"
#include "daemon/settings/properties.h"

#include <errno.h>
#include <inttypes.h>

static void *field(struct settings *settings, const struct row *row)
{
    return (char *)settings + row->offset;
}

static void read_text_row(struct settings *settings, const struct row *row, const struct setting_reading *at, const json_t *value)
{
    const char **text = field(settings, row);
    if (!read_text(at, value, text)) return;
    if (row->accepts && !row->accepts(span_of(*text))) expected(at, value, "%s", row->form);
}

/* Is the text one the row takes? Says what is wrong. */
static bool item_accepted(const struct row *row, const struct setting_reading *at, const json_t *item, const char *text)
{
    if (row->accepts && !row->accepts(span_of(text))) return expected(at, item, "%s", row->form);
    for (size_t i = 0; row->choices && row->choices[i]; i++)
        if (!strcmp(row->choices[i], text)) return true;
    if (!row->choices) return true;
    const char *best = suggest_from(span_of(text), row->choices);
    return expected(at, item, "the name of a period%s%s%s", best ? "; did you mean " : "", best ? best : "", best ? "?" : "");
}

static void read_list_row(struct settings *settings, const struct row *row, const struct setting_reading *at, const json_t *value)
{
    struct text_list *list = field(settings, row);
    bool whole = read_list(at, value, list);
    if (!json_is_array(value)) return;
    if (list->n < (size_t)row->min || list->n > (size_t)row->max)
        problem_add(at->problems, at->where, "found %zu of them, expected %" PRId64 " to %" PRId64, list->n, row->min, row->max);
    for (size_t i = 0; i < list->n; i++) {
        struct setting_reading nth = setting_nth(at, i);
        if (!whole && !json_is_string(json_array_get(value, i))) continue;
        if (!item_accepted(row, &nth, json_array_get(value, i), list->at[i])) continue;
        for (size_t j = 0; j < i; j++)
            if (!strcmp(list->at[i], list->at[j])) problem_add(at->problems, nth.where, "\"%s\" stands there twice", list->at[i]);
    }
}

static void read_files_row(struct settings *settings, const struct row *row, const struct setting_reading *at,
                           const json_t *value, const char *folder)
{
    struct text_list *list = field(settings, row);
    read_list_row(settings, row, at, value);
    const char **files = arena_zalloc(at->arena, (list->n + 1) * sizeof *files);
    for (size_t i = 0; i < list->n; i++) files[i] = file_resolve(at->arena, folder, list->at[i]);
    list->at = files;
}

static void read_objects_row(struct settings *settings, const struct row *row, const struct setting_reading *at,
                             const json_t *value)
{
    if (!expect_list(at, value, "a list of objects")) return;
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        struct setting_reading nth = setting_nth(at, i);
        expect_object(&nth, item, "an object");
    }
    char *text = json_dumps(value, JSON_COMPACT);
    *(const char **)field(settings, row) = arena_text(at->arena, span_of(text));
    free(text);
}

static void read_row(struct settings *settings, struct tenants *tenants, const struct row *row, const struct setting_reading *at,
                     const json_t *value, const char *folder, enum settings_need need)
{
    const char **text = field(settings, row);
    switch (row->type) {
    case ROW_TEXT:
        read_text_row(settings, row, at, value);
        break;
    case ROW_INTEGER:
        read_integer(at, value, row->min, row->max, field(settings, row));
        break;
    case ROW_CHOICE:
        read_choice(at, value, row->choices, field(settings, row));
        break;
    case ROW_LIST:
        read_list_row(settings, row, at, value);
        break;
    case ROW_FILE:
        if (read_text(at, value, text)) *text = file_resolve(at->arena, folder, *text);
        break;
    case ROW_FILES:
        read_files_row(settings, row, at, value, folder);
        break;
    case ROW_PROPERTIES:
        properties_read(settings, at, value, folder, need >= NEED_ALL);
        break;
    case ROW_OBJECTS:
        read_objects_row(settings, row, at, value);
        break;
    case ROW_TENANTS:
        tenants_read(tenants, at, value);
        break;
    }
}

static void check_password(struct settings *settings, const struct setting_reading *at, enum settings_need need)
{
    struct setting_reading file = setting_at(at, "redis.password_file");
    if (!settings->redis.password_file[0] || need < NEED_REDIS) return;
    if (settings->redis.password[0])
        problem_add(at->problems, file.where, "stands beside redis.password, expected one of them");
    else
        secret_read(&file, settings->redis.password_file, &settings->redis.password);
}

/* What the daemon writes it must not read, and each output has a topic of its own. */
static void check_topics(const struct settings *settings, struct problems *problems)
{
    const struct {
        const char *where, *topic;
    } out[] = { { "topics.reports", settings->topics.reports },
                { "topics.alerts", settings->topics.alerts },
                { "topics.dead_letter", settings->topics.dead_letter } };
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++) {
        for (size_t j = 0; j < settings->topics.in.n; j++)
            if (!strcmp(out[i].topic, settings->topics.in.at[j]))
                problem_add(problems, out[i].where, "\"%s\" is one of topics.in, too: the daemon would read what it writes",
                            out[i].topic);
        for (size_t j = 0; j < i; j++)
            if (!strcmp(out[i].topic, out[j].topic))
                problem_add(problems, out[i].where, "\"%s\" is %s, too: expected a topic of its own", out[i].topic, out[j].where);
    }
}

static void check_listen(const struct settings *settings, struct problems *problems)
{
    struct span listen = span_of(settings->listen);
    if (!form_listen(listen) || listens_locally(listen) || settings->listen_tokens_file[0]) return;
    problem_add(problems, "listen", "\"%s\" is open to other machines, expected listen_tokens_file beside it", settings->listen);
}

/* Of an environment variable that is not set nothing is left but its name; of two of them, the comma between. */
static bool has_property(const struct settings *settings, const char *name)
{
    const char *value = property_get(settings, name);
    return value && value[strspn(value, " ,")];
}

/* Opened when a connection is made, which may be long after the start: whether it can be is told before. */
static void check_ca_file(const struct settings *settings, struct problems *problems)
{
    const char *name = settings->redis.ca_file;
    FILE *file = *name ? fopen(name, "re") : NULL;
    bool read = file && (fgetc(file) != EOF || !ferror(file));
    if (*name && !read) problem_add(problems, "redis.ca_file", "the file \"%s\" cannot be read: %s", name, strerror(errno));
    if (file) fclose(file);
}

static void check_servers(const struct settings *settings, enum settings_need need, struct problems *problems)
{
    if (need >= NEED_ALL && property_get(settings, "group.id") && !has_property(settings, "group.id"))
        problem_add(problems, "kafka.group.id", "is empty, expected the name of a consumer group");
    if (need >= NEED_ALL && !has_property(settings, "bootstrap.servers") && !has_property(settings, "metadata.broker.list"))
        problem_add(problems, "kafka.bootstrap.servers", "is missing, expected \"host:port\" of one or more brokers");
    if (need >= NEED_REDIS && !settings->redis.url[0])
        problem_add(problems, "redis.url", "is missing, expected %s", row_find("redis.url")->form);
}

/* Nothing is ever NULL, whatever was wrong. */
static void clear(struct settings *settings)
{
    for (size_t i = 0; i < n_setting_rows; i++) {
        enum row_type type = setting_rows[i].type;
        if (type == ROW_TEXT || type == ROW_FILE || type == ROW_OBJECTS) *(const char **)field(settings, &setting_rows[i]) = "";
    }
}

void fields_read(struct settings *settings, struct tenants *tenants, const struct raws *raws, enum settings_need need,
                 struct arena *arena, struct problems *problems)
{
    clear(settings);
    for (size_t i = 0; i < n_setting_rows; i++) {
        const struct raw *raw = &raws->of[i];
        struct setting_reading at = { problems, arena, raw->where, setting_rows[i].secret };
        if (raw->value) read_row(settings, tenants, &setting_rows[i], &at, raw->value, raws->folder, need);
    }
    struct setting_reading at = { problems, arena, "", true };
    check_password(settings, &at, need);
    if (need >= NEED_REDIS) check_ca_file(settings, problems);
    check_topics(settings, problems);
    check_listen(settings, problems);
    check_servers(settings, need, problems);
}
