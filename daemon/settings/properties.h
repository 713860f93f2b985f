/* Properties of librdkafka as settings: names from the environment, and secrets from files.
 * Whether librdkafka knows a property is for the Kafka adapter to say (kafka_property_check). */
#pragma once

#include "daemon/settings/rows.h"
#include "daemon/settings/values.h"

/* "SASL_PASSWORD_FILE" -> "sasl.password_file", "BOOTSTRAP_SERVERS" -> "bootstrap.servers". An underscore always means a
 * point: the few properties with an underscore in their name can be set in the file only. */
void property_of_variable(const char *rest, char name[VARIABLE_BYTES]);

/* Fills settings->kafka. `read_files`: the `*_file` ones. */
void properties_read(struct settings *settings, const struct setting_reading *reading, const json_t *object, const char *folder,
                     bool read_files);
const char *property_get(const struct settings *settings, const char *name); /* NULL: not set */

/* The first line of a file, never a part of it. False after saying what is wrong. */
bool secret_read(const struct setting_reading *reading, const char *path, const char **secret);

/* A relative name starts at the folder (NULL: it stays as it is). */
const char *file_resolve(struct arena *arena, const char *folder, const char *name);
