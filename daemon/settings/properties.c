#include "daemon/settings/properties.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

static const char *const secrets[] = { "sasl.password",         "ssl.key.password",
                                       "ssl.keystore.password", "sasl.oauthbearer.client.secret",
                                       "ssl.key.pem",           "sasl.oauthbearer.config" };

static const char file_ending[] = "_file";

enum {
    SECRET_BYTES = 64 * 1024
};

/* Never to be shown. */
static bool property_is_secret(struct span name)
{
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        if (span_is(name, secrets[i])) return true;
    return false;
}

/* "sasl.password_file" -> "sasl.password"; false: not the file of a secret. */
static bool secret_of_file(const char *name, struct span *secret)
{
    size_t len = strlen(name), ending = sizeof file_ending - 1;
    *secret = (struct span){ name, len > ending ? len - ending : 0 };
    return secret->len && !strcmp(name + secret->len, file_ending) && property_is_secret(*secret);
}

void property_of_variable(const char *rest, char name[VARIABLE_BYTES])
{
    int n = snprintf(name, VARIABLE_BYTES, "%s", rest);
    for (int i = 0; i < n && name[i]; i++) name[i] = name[i] == '_' ? '.' : (char)tolower((unsigned char)name[i]);
    struct span secret;
    char *point = strrchr(name, '.');
    if (!point) return;
    *point = '_';
    if (!secret_of_file(name, &secret)) *point = '.';
}

const char *file_resolve(struct arena *arena, const char *folder, const char *name)
{
    if (!folder || !name[0] || name[0] == '/') return name;
    struct buffer path = { 0 };
    buffer_printf(&path, "%s/%s", folder, name);
    const char *text = arena_text(arena, buffer_all(&path));
    buffer_deinit(&path);
    return text;
}

/* The beginning of a file, as much as there is room for. False: it cannot be read, errno says why. */
static bool read_beginning(const char *path, char bytes[SECRET_BYTES], size_t *n)
{
    FILE *file = fopen(path, "re");
    *n = file ? fread(bytes, 1, SECRET_BYTES, file) : 0;
    bool read = file && !ferror(file);
    int cause = errno;
    if (file) fclose(file);
    errno = cause;
    return read;
}

/* A secret of which a part is left out would be another one: it is taken as it stands there, or not at all. */
static bool secret_take(const struct setting_reading *reading, const char *path, bool first_line, const char **secret)
{
    char bytes[SECRET_BYTES];
    size_t n, len = 0;
    bool read = read_beginning(path, bytes, &n);
    int cause = errno;
    while (len < n && !(first_line && strchr("\r\n", bytes[len]) && bytes[len])) len++;
    bool cut = len == SECRET_BYTES, binary = memchr(bytes, 0, len);
    if (!read)
        problem_add(reading->problems, reading->where, "the file \"%s\" cannot be read: %s", path, strerror(cause));
    else if (!len)
        problem_add(reading->problems, reading->where, "the file \"%s\" is empty, expected the secret in its first line", path);
    else if (cut || binary)
        problem_add(reading->problems, reading->where, "the file \"%s\" %s, expected text of at most %d bytes", path,
                    binary ? "holds a zero byte" : "is too long", SECRET_BYTES - 1);
    else
        *secret = arena_text(reading->arena, (struct span){ bytes, len });
    explicit_bzero(bytes, sizeof bytes);
    return read && len && !cut && !binary;
}

bool secret_read(const struct setting_reading *reading, const char *path, const char **secret)
{
    return secret_take(reading, path, true, secret);
}

/* Texts, numbers and flags, as librdkafka takes them: as text. */
static bool property_text(const struct setting_reading *reading, const json_t *value, const char **text)
{
    if (json_is_string(value)) return read_text(reading, value, text);
    if (!json_is_number(value) && !json_is_boolean(value)) return expected(reading, value, "a text, a number, true or false");
    char *written = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    *text = arena_text(reading->arena, span_of(written));
    free(written);
    return true;
}

static bool property_read(struct kafka_property *property, const struct setting_reading *reading, const char *name,
                          const json_t *value, const char *folder, bool read_files)
{
    struct span secret;
    bool from_file = secret_of_file(name, &secret);
    struct setting_reading at = setting_at(reading, name);
    at.secret = property_is_secret(span_of(name));
    const char *text = "";
    if (!property_text(&at, value, &text)) return false;
    if (from_file && !read_files) return false;
    bool first_line = !span_is(secret, "ssl.key.pem"); /* which has several */
    if (from_file && !secret_take(&at, file_resolve(at.arena, folder, text), first_line, &text)) return false;
    property->name = arena_text(at.arena, from_file ? secret : span_of(name));
    property->value = text;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct kafka_property *)a)->name, ((const struct kafka_property *)b)->name);
}

void properties_read(struct settings *settings, const struct setting_reading *reading, const json_t *object, const char *folder,
                     bool read_files)
{
    if (!expect_object(reading, object, "an object of librdkafka properties")) return;
    struct kafka_property *at = arena_zalloc(reading->arena, (json_object_size(object) + 1) * sizeof *at);
    size_t n = 0;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) n += property_read(&at[n], reading, name, value, folder, read_files);
    qsort(at, n, sizeof *at, by_name);
    for (size_t i = 1; i < n; i++)
        if (!strcmp(at[i].name, at[i - 1].name))
            problem_add(reading->problems, reading->where, "%s is given twice: itself and as %s_file", at[i].name, at[i].name);
    settings->kafka.at = at;
    settings->kafka.n = n;
}

const char *property_get(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->kafka.n; i++)
        if (!strcmp(settings->kafka.at[i].name, name)) return settings->kafka.at[i].value;
    return NULL;
}
