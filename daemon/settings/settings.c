#include "daemon/settings/settings.h"

#include "daemon/settings/fields.h"

#include <stdlib.h>

struct settings_source {
    const char *path; /* NULL: no file */
    enum settings_need need;
    struct raws raws;
    struct tenants tenants;
    struct arena arena; /* all texts of the settings */
};

static struct settings *settings_create(const char *path, enum settings_need need)
{
    struct settings *settings = must_zalloc(sizeof *settings);
    struct settings_source *source = must_zalloc(sizeof *source);
    source->path = path ? arena_text(&source->arena, span_of(path)) : NULL;
    source->need = need;
    settings->source = source;
    return settings;
}

void settings_destroy(struct settings *settings)
{
    if (!settings) return;
    tenants_deinit(&settings->source->tenants);
    raws_deinit(&settings->source->raws);
    arena_deinit(&settings->source->arena);
    free(settings->source);
    free(settings);
}

/* Types what the raws hold. */
static void settings_type(struct settings *settings, struct problems *problems)
{
    struct settings_source *source = settings->source;
    fields_read(settings, &source->tenants, &source->raws, source->need, &source->arena, problems);
}

static struct settings *unless_wrong(struct settings *settings, bool wrong)
{
    if (!wrong) return settings;
    settings_destroy(settings);
    return NULL;
}

struct settings *settings_inspect(const char *path, char *const *environment, enum settings_need need, struct problems *problems)
{
    struct settings *settings = settings_create(path, need);
    struct raws *raws = &settings->source->raws;
    raws_standard(raws);
    if (path && !raws_file(raws, path, problems)) return unless_wrong(settings, true);
    raws_environment(raws, environment, problems);
    settings_type(settings, problems);
    return settings;
}

struct settings *settings_load(const char *path, char *const *environment, enum settings_need need, struct problems *problems)
{
    size_t before = problems->n;
    struct settings *settings = settings_inspect(path, environment, need, problems);
    return unless_wrong(settings, problems->n > before);
}

/* Takes from `now` what may change while running, from `old` the rest. */
static void merge(struct raws *into, const struct raws *old, const struct raws *now, struct problems *notes)
{
    for (size_t i = 0; i < n_setting_rows; i++) {
        const struct row *row = &setting_rows[i];
        const struct raw *from = row->reloadable ? &now->of[i] : &old->of[i];
        into->of[i].value = json_incref(from->value);
        into->of[i].where = row->path;
        if (old->of[i].value == now->of[i].value || json_equal(old->of[i].value, now->of[i].value)) continue;
        problem_add(notes, row->path, row->reloadable ? "changed" : "differs, needs a restart");
    }
    into->folder = old->folder ? arena_text(&into->arena, span_of(old->folder)) : NULL;
}

static const char another_secret[] = "holds another secret, needs a restart";

/* `now` has the same properties as `old`. */
static void keep_properties(struct settings *now, const struct settings *old, struct problems *notes)
{
    struct arena *arena = &now->source->arena;
    struct kafka_property *kept = arena_alloc(arena, (now->kafka.n + 1) * sizeof *kept);
    char where[128];
    for (size_t i = 0; i < now->kafka.n; i++) {
        kept[i] = now->kafka.at[i];
        if (strcmp(kept[i].value, old->kafka.at[i].value) == 0) continue;
        snprintf(where, sizeof where, "kafka.%.100s_file", kept[i].name);
        problem_add(notes, where, another_secret);
        kept[i].value = arena_text(arena, span_of(old->kafka.at[i].value));
    }
    now->kafka.at = kept;
}

/* `now` is as `old`, but files were read again: a secret that is another one holds from the next start on. */
static void keep_secrets(struct settings *now, const struct settings *old, struct problems *notes)
{
    keep_properties(now, old, notes);
    if (strcmp(now->redis.password, old->redis.password) == 0) return;
    problem_add(notes, "redis.password_file", another_secret);
    now->redis.password = arena_text(&now->source->arena, span_of(old->redis.password));
}

struct settings *settings_reload(const struct settings *old, char *const *environment, struct problems *problems,
                                 struct problems *notes)
{
    const struct settings_source *source = old->source;
    struct settings *now = settings_load(source->path, environment, source->need, problems);
    if (!now) return NULL;
    struct settings *merged = settings_create(source->path, source->need);
    merge(&merged->source->raws, &source->raws, &now->source->raws, notes);
    settings_destroy(now);
    size_t before = problems->n;
    settings_type(merged, problems);
    if (problems->n == before) keep_secrets(merged, old, notes);
    return unless_wrong(merged, problems->n > before);
}

const struct rules *settings_rules(const struct settings *settings, struct span tenant)
{
    const struct rules *own = map_get(&settings->source->tenants.by_name, tenant);
    return own ? own : settings->source->tenants.standard;
}

const struct rules *settings_rules_of(void *settings, struct span tenant)
{
    return settings_rules(settings, tenant);
}

bool settings_knows_tenant(const struct settings *settings, struct span tenant)
{
    return map_get(&settings->source->tenants.by_name, tenant) != NULL;
}

struct text_list settings_tenants(const struct settings *settings)
{
    return settings->source->tenants.names;
}

const char *settings_folder(const struct settings *settings)
{
    return settings->source->raws.folder;
}
