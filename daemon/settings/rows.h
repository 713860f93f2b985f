/* The table of settings: one row each. Loader, environment, reload, help and the table in config/README.md read it. */
#pragma once

#include "common/buffer.h"
#include "daemon/settings/settings.h"

enum row_type {
    ROW_TEXT,
    ROW_INTEGER,
    ROW_CHOICE, /* one of `choices`, kept as its index */
    ROW_LIST,   /* of texts */
    ROW_FILE,   /* a file name; a relative one starts at the settings file's folder */
    ROW_FILES,
    ROW_PROPERTIES, /* librdkafka properties */
    ROW_OBJECTS,    /* a list of objects, kept as JSON text */
    ROW_TENANTS
};

struct row {
    const char *path;
    enum row_type type;
    const char *standard;              /* the default, as it would stand in the environment; NULL: has to be given */
    size_t offset;                     /* of the value in struct settings; unused for tenants */
    int64_t min, max;                  /* ROW_INTEGER; of lists: how many */
    const char *const *choices;        /* ROW_CHOICE; of ROW_LIST: each must be one of them */
    bool (*accepts)(struct span text); /* of a text, and of each text of a list; NULL: any */
    const char *form;                  /* what it accepts, in words */
    enum settings_need need;           /* asked for from here on */
    bool reloadable, secret;
    const char *help;
};

enum {
    ROWS_MAX = 64
};
extern const struct row setting_rows[];
extern const size_t n_setting_rows;

const struct row *row_find(const char *path); /* NULL: no such setting */
bool row_is_group(const char *path);          /* "redis": rows lie under it */

/* "redis.url" -> "CRM_REPORTD_REDIS_URL" */
enum {
    VARIABLE_BYTES = 128
};
void row_variable(const char *path, char variable[VARIABLE_BYTES]);

/* The table of config/README.md, in Markdown. */
void rows_write_table(struct buffer *out);
