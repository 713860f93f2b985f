/* From a JSON value to a typed one, with the words for what is wrong: "found the text "x", expected a whole number 1…64". */
#pragma once

#include "daemon/settings/settings.h"

#include <jansson.h>

/* Where a value is read, and where what is wrong with it goes. */
struct setting_reading {
    struct problems *problems;
    struct arena *arena; /* texts and lists are copied here */
    const char *where;
    bool secret; /* never repeat the value */
};

/* Says what was found instead. Always returns false. */
bool expected(const struct setting_reading *reading, const json_t *found, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same place, one step deeper: "tenants.acme" and "week_start". The text is in the arena. */
struct setting_reading setting_at(const struct setting_reading *reading, const char *key);
struct setting_reading setting_nth(const struct setting_reading *reading, size_t index); /* "holidays[2]" */

/* Each returns false after saying what is wrong. */
bool read_integer(const struct setting_reading *reading, const json_t *value, int64_t min, int64_t max, int64_t *number);
bool read_choice(const struct setting_reading *reading, const json_t *value, const char *const *names, int64_t *index);
bool read_text(const struct setting_reading *reading, const json_t *value, const char **text);
bool read_list(const struct setting_reading *reading, const json_t *value, struct text_list *list); /* a list of texts */
bool expect_object(const struct setting_reading *reading, const json_t *value, const char *what);
bool expect_list(const struct setting_reading *reading, const json_t *value, const char *what);
