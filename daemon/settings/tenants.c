#include "daemon/settings/tenants.h"

#include "daemon/settings/forms.h"

#include <stdlib.h>

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Is this a tenant's entry at all? Says what is wrong. */
static bool is_tenant(const struct setting_reading *reading, const char *name, const json_t *own)
{
    struct setting_reading at = setting_at(reading, name);
    if (form_name(span_of(name))) return expect_object(&at, own, "an object of a tenant's settings");
    problem_add(at.problems, at.where, "is no tenant's id, expected 1 to 64 of A-Z a-z 0-9 . _ -");
    return false;
}

void tenants_read(struct tenants *tenants, const struct setting_reading *reading, const json_t *object)
{
    const json_t *filler = json_object_get(object, "default");
    if (!json_is_object(filler)) filler = NULL;
    tenants->standard = rules_read(reading, "default", filler, NULL, &tenants->zones);
    if (!expect_object(reading, object, "an object: tenant to its settings")) return;
    const char **names = arena_zalloc(reading->arena, (json_object_size(object) + 1) * sizeof *names);
    const char *name;
    json_t *own;
    json_object_foreach((json_t *)object, name, own)
    {
        if (!is_tenant(reading, name, own)) continue;
        const char *kept = arena_text(reading->arena, span_of(name));
        map_put(&tenants->by_name, span_of(kept), rules_read(reading, name, own, filler, &tenants->zones));
        names[tenants->names.n++] = kept;
    }
    qsort(names, tenants->names.n, sizeof *names, by_text);
    tenants->names.at = names;
}

void tenants_deinit(struct tenants *tenants)
{
    struct map_slot *slot;
    for (size_t i = 0; (slot = map_next(&tenants->by_name, &i));) rules_destroy(slot->value);
    map_deinit(&tenants->by_name);
    rules_destroy(tenants->standard);
    zones_deinit(&tenants->zones);
    *tenants = (struct tenants){ 0 };
}
