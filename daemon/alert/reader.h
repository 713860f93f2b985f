/* What the readers of rules share. */
#pragma once

#include "daemon/alert/rule.h"
#include "daemon/settings/values.h"

/* Tells of each key that is not among the known ones (NULL at the end), with a suggestion. */
void alert_unknown_keys(const struct setting_reading *at, const json_t *object, const char *const *known);

/* In at->arena, with the secret read. NULL, or something of it empty, after telling what is wrong. `folder`: where relative file
 * names start; may be NULL. */
const struct alert_webhook *alert_webhook_read(const struct setting_reading *at, const json_t *value, const char *folder);
