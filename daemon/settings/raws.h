/* Settings before they are typed: a JSON value per row, and where it came from: default, file or environment. */
#pragma once

#include "daemon/settings/rows.h"
#include "daemon/settings/values.h"

struct raw {
    json_t *value;     /* NULL: neither given nor a default */
    const char *where; /* "redis.url", or the environment variable's name; static or in the arena */
};

struct raws {
    struct raw of[ROWS_MAX]; /* by row */
    const char *folder;      /* of the settings file: relative file names start there. NULL: the working directory */
    struct arena arena;
};

void raws_deinit(struct raws *raws);

/* Defaults of all rows. */
void raws_standard(struct raws *raws);

/* From the file over what stands. Says what is wrong in `problems`. False: it is no JSON object, or cannot be read. */
bool raws_file(struct raws *raws, const char *path, struct problems *problems);

/* From the environment over what stands. Unknown CRM_REPORTD_… variables are wrong, too. */
void raws_environment(struct raws *raws, char *const *environment, struct problems *problems);

/* Text as it stands in the environment or as a default, by the row's type. A text that is no number for a row of numbers
 * becomes a text, for the reader to complain about. NULL: malformed JSON (`error` says where). */
json_t *row_value(const struct row *row, const char *text, struct error *error);

/* Sets the row's value; takes the reference. Objects of properties are merged name by name. */
void raw_set(struct raws *raws, const struct row *row, json_t *value, const char *where);
