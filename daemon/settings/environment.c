/* Settings from the environment: CRM_REPORTD_<PATH>, upper case, everything that is no letter or digit an underscore. */
#include "common/suggest.h"
#include "daemon/settings/properties.h"
#include "daemon/settings/raws.h"
#include "daemon/settings/rules_read.h"

#include <ctype.h>

static const char prefix[] = "CRM_REPORTD_";
static const char kafka[] = "CRM_REPORTD_KAFKA_";
static const char tenants[] = "CRM_REPORTD_TENANTS_";

/* Not settings: the settings file itself, the clock and crash points of tests, and what Kubernetes sets for a service of this name. */
static const char *const others[] = { "CRM_REPORTD_CONFIG", "CRM_REPORTD_CLOCK", "CRM_REPORTD_CRASH_AT", "CRM_REPORTD_SERVICE_*",
                                      "CRM_REPORTD_PORT*" };

static bool is_other(const char *name)
{
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        size_t len = strlen(others[i]) - 1;
        if (others[i][len] == '*' ? !strncmp(name, others[i], len) : !strcmp(name, others[i])) return true;
    }
    return false;
}

static const struct row *row_of_variable(const char *name)
{
    char variable[VARIABLE_BYTES];
    for (size_t i = 0; i < n_setting_rows; i++) {
        row_variable(setting_rows[i].path, variable);
        if (!strcmp(variable, name)) return &setting_rows[i];
    }
    return NULL;
}

static void unknown(const char *name, struct problems *problems)
{
    struct suggestion suggestion = { .name = span_of(name) };
    char variables[ROWS_MAX][VARIABLE_BYTES];
    for (size_t i = 0; i < n_setting_rows; i++) {
        row_variable(setting_rows[i].path, variables[i]);
        suggest(&suggestion, variables[i]);
    }
    bool near = suggestion.best && suggestion.distance <= 4; /* all share a long prefix */
    problem_add(problems, name, near ? "unknown environment variable; did you mean %s?" : "unknown environment variable%.0s",
                near ? suggestion.best : "");
}

/* A single property: KAFKA_SASL_USERNAME -> {"sasl.username": …} */
static json_t *property_object(const char *rest, const char *text)
{
    char name[VARIABLE_BYTES];
    property_of_variable(rest, name);
    json_t *value = json_string(text);
    return value ? json_pack("{s:o}", name, value) : NULL;
}

/* Does "ACME_TIME_ZONE" mean this tenant and key? */
static bool is_tenant_key(const char *rest, const char *tenant, const char *key)
{
    char path[VARIABLE_BYTES], variable[VARIABLE_BYTES];
    snprintf(path, sizeof path, "%.64s.%s", tenant, key);
    row_variable(path, variable);
    return !strcmp(variable + sizeof prefix - 1, rest);
}

/* Sets one key of a tenant that the settings name, or of `default`. False: there is none that the variable fits. */
static bool set_tenant_key(struct raws *raws, const char *name, const char *text, struct problems *problems)
{
    struct raw *raw = &raws->of[row_find("tenants") - setting_rows];
    if (!json_is_object(raw->value)) return false;
    json_t *copy = json_deep_copy(raw->value), *object;
    if (!json_object_get(copy, "default")) json_object_set_new(copy, "default", json_object());
    const char *tenant;
    bool found = false;
    json_object_foreach(copy, tenant, object) for (size_t i = 0; i < n_tenant_keys && json_is_object(object); i++)
    {
        if (!is_tenant_key(name + sizeof tenants - 1, tenant, tenant_keys[i].name)) continue;
        struct error error = { "" };
        json_t *value = tenant_key_value(&tenant_keys[i], text, &error);
        if (value)
            json_object_set_new(object, tenant_keys[i].name, value);
        else
            problem_add(problems, name, "%s", error.text);
        found = true;
    }
    if (found)
        json_decref(raw->value), raw->value = copy;
    else
        json_decref(copy);
    return found;
}

static void take(struct raws *raws, const char *name, const char *text, struct problems *problems)
{
    struct error error = { "" };
    const struct row *row = row_of_variable(name);
    json_t *value = NULL;
    if (row)
        value = row_value(row, text, &error);
    else if (!strncmp(name, kafka, sizeof kafka - 1) && name[sizeof kafka - 1]) {
        row = row_find("kafka");
        value = property_object(name + sizeof kafka - 1, text);
        if (!value) fail(&error, "is no valid UTF-8 text");
    } else if (strncmp(name, tenants, sizeof tenants - 1) || !set_tenant_key(raws, name, text, problems)) {
        unknown(name, problems);
        return;
    } else
        return;
    if (value)
        raw_set(raws, row, value, name);
    else
        problem_add(problems, name, "%s", error.text);
}

/* Whole objects first (CRM_REPORTD_TENANTS), so that single keys go over them in any order. */
void raws_environment(struct raws *raws, char *const *environment, struct problems *problems)
{
    for (int pass = 0; pass < 2; pass++)
        for (char *const *at = environment; at && *at; at++) {
            const char *equal = strchr(*at, '=');
            if (!equal || strncmp(*at, prefix, sizeof prefix - 1)) continue;
            const char *name = arena_text(&raws->arena, (struct span){ *at, (size_t)(equal - *at) });
            if (is_other(name) || (row_of_variable(name) != NULL) == (pass > 0)) continue;
            take(raws, name, equal + 1, problems);
        }
}
