/* From a tenant's settings to its rules: the table of their keys, each with its default and its reader. */
#pragma once

#include "common/buffer.h"
#include "daemon/settings/values.h"
#include "daemon/settings/zones.h"

struct rules_reading {
    struct setting_reading at;
    struct rules *rules;
    struct zones *zones;
};

struct tenant_key {
    const char *name;
    const char *standard; /* JSON */
    void (*read)(const struct rules_reading *reading, const json_t *value);
    const char *takes, *help;
};
extern const struct tenant_key tenant_keys[]; /* in the order they are read: what others build on first */
extern const size_t n_tenant_keys;

/* From the environment: JSON, or where the key takes a text, just that. NULL: `error` says what is wrong. */
json_t *tenant_key_value(const struct tenant_key *key, const char *text, struct error *error);

/* Two objects: the tenant's own and what fills in (NULL: nothing but the keys' defaults). Both are objects or NULL. Every
 * mistake goes to reading->problems; the rules then hold defaults in that place. To be given back with rules_destroy. */
struct rules *rules_read(const struct setting_reading *reading, const char *tenant, const json_t *own, const json_t *filler,
                         struct zones *zones);
void rules_destroy(struct rules *rules);

/* The table of config/README.md, in Markdown. */
void tenant_keys_write_table(struct buffer *out);
