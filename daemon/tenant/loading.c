#include "daemon/tenant/loading.h"

#include "daemon/state/keys.h"
#include "daemon/tenant/place.h"

#include <stdlib.h>

static struct hash_read *add_read(struct loading *loading, struct loading_target target, struct span key)
{
    if (loading->n == loading->room) {
        loading->room = loading->room ? loading->room * 2 : 64;
        loading->reads = must_realloc(loading->reads, loading->room * sizeof *loading->reads);
        loading->targets = must_realloc(loading->targets, loading->room * sizeof *loading->targets);
    }
    loading->targets[loading->n] = target;
    loading->reads[loading->n] = (struct hash_read){ .key = key };
    return &loading->reads[loading->n++];
}

void loading_add_tenant(struct loading *loading, struct tenant *tenant)
{
    if (tenant->loaded) return;
    struct loading_target target = { .tenant = tenant };
    add_read(loading, target, key_state(loading->arena, loading->prefix, tenant->name));
    add_read(loading, target, key_names(loading->arena, loading->prefix, tenant->name));
    add_read(loading, target, key_months(loading->arena, loading->prefix, tenant->name));
}

struct page *loading_add_page(struct loading *loading, struct tenant *tenant, enum kind kind, uint32_t number)
{
    struct page *page = tenant_page(tenant, kind, number);
    if (page) return page;
    page = tenant_page_add(tenant, kind, number);
    if (number >= tenant->kind[kind].pages) return page; /* nothing of it is stored */
    struct loading_target target = { .tenant = tenant, .page = page };
    add_read(loading, target, key_page(loading->arena, loading->prefix, tenant->name, kind, number))->is_string = true;
    return page;
}

struct page *loading_add_entity(struct loading *loading, struct tenant *tenant, enum kind kind, struct span id)
{
    return loading_add_page(loading, tenant, kind, place_number(tenant, id, tenant->kind[kind].pages));
}

void loading_add_cells(struct loading *loading, struct tenant *tenant, struct stored_cell **cells, const struct span *fields,
                       size_t n)
{
    struct loading_target target = { .tenant = tenant, .cells = cells };
    struct hash_read *read =
        add_read(loading, target, key_bucket(loading->arena, loading->prefix, tenant->name, cells[0]->bucket));
    read->fields = fields;
    read->n_fields = n;
}

void loading_add_roster(struct loading *loading, struct roster *roster, bool which)
{
    static const struct span no_field;
    struct loading_target target = { .tenant = roster->tenant, .roster = roster };
    struct span key = key_bucket(loading->arena, loading->prefix, roster->tenant->name, roster->bucket);
    struct hash_read *read = add_read(loading, target, key);
    read->fields = which ? NULL : &no_field;
    read->n_stored = SIZE_MAX; /* until it is answered: by no means empty */
}

static bool take_page(struct page *page, const struct hash_read *read, struct error *error)
{
    if (page_fill(page, read->values[0])) return true;
    return fail(error, "%.*s is no page of entities", SPAN_ARG(read->key));
}

static bool take_cells(struct stored_cell **cells, const struct hash_read *read, struct error *error)
{
    struct cell_value value = { 0 };
    bool fine = true;
    for (size_t i = 0; i < read->n_values && fine; i++) {
        if (!read->values[i].at) continue;
        fine = cell_value_parse(cells[i]->key.fact, read->values[i], &value);
        if (!fine) fail(error, "field %.*s of %.*s is malformed", SPAN_ARG(read->fields[i]), SPAN_ARG(read->key));
        stored_cell_set(cells[i], &value);
        tenant_cell_resized(cells[i]);
    }
    cell_value_deinit(&value);
    return fine;
}

static void take_roster(struct roster *roster, const struct hash_read *read)
{
    if (read->fields)
        roster_settle(roster, read->n_stored);
    else
        roster_settle_fields(roster, read->values, read->n_values / 2);
}

static bool take_all(struct loading *loading, const struct tenant_settings *settings, struct error *error)
{
    for (size_t i = 0; i < loading->n; i++) {
        struct loading_target *target = &loading->targets[i];
        const struct hash_read *read = &loading->reads[i];
        if (target->page) {
            if (!take_page(target->page, read, error)) return false;
        } else if (target->roster) {
            take_roster(target->roster, read);
        } else if (target->cells) {
            if (!take_cells(target->cells, read, error)) return false;
        } else {
            if (!tenant_restore(target->tenant, settings, read, read + 1, read + 2, error)) return false;
            i += 2;
        }
    }
    return true;
}

bool loading_run(struct loading *loading, const struct tenant_settings *settings, enum outcome *outcome, struct error *error)
{
    bool fine =
        !loading->n || loading->state->ops->read(loading->state, loading->reads, loading->n, loading->arena, outcome, error);
    if (fine && !take_all(loading, settings, error)) {
        *outcome = REFUSED;
        fine = false;
    }
    loading->n = 0;
    return fine;
}

void loading_deinit(struct loading *loading)
{
    free(loading->reads);
    free(loading->targets);
    *loading = (struct loading){ 0 };
}
