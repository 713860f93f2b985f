#include "daemon/tenant/view.h"

#include "common/number.h"
#include "common/period.h"
#include "daemon/state/keys.h"

#include <stdlib.h>

static int compare_months(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}

static void list_months(struct view *view)
{
    size_t at = 0;
    view->months = must_alloc((view->tenant->months.count + 1) * sizeof *view->months);
    for (struct map_slot *slot; (slot = map_next(&view->tenant->months, &at));) {
        int32_t month;
        if (month_parse(slot->key, &month)) view->months[view->n_months++] = month;
    }
    qsort(view->months, view->n_months, sizeof *view->months, compare_months);
}

bool view_take(struct view *view, struct state *state, const struct tenant_settings *settings, struct span tenant,
               const struct rules *rules, const struct hash_read reads[3], struct error *error)
{
    *view = (struct view){ .state = state, .prefix = settings->prefix, .cache = { .limit_bytes = SIZE_MAX } };
    view->tenant = tenant_create(tenant, rules, &view->cache);
    if (!tenant_restore(view->tenant, settings, &reads[0], &reads[1], &reads[2], error)) return false;
    list_months(view);
    return true;
}

static void want_buckets(struct view *view, const struct bucket *buckets, size_t n)
{
    view->buckets = arena_alloc(&view->arena, (n + 1) * sizeof *view->buckets);
    if (n) memcpy(view->buckets, buckets, n * sizeof *buckets);
    view->n_wanted = n;
}

bool view_open_with(struct view *view, struct state *state, const struct tenant_settings *settings, struct span tenant,
                    const struct rules *rules, const struct bucket *buckets, size_t n, struct error *error)
{
    struct arena arena = { 0 };
    enum outcome outcome = DONE;
    struct hash_read *reads = arena_zalloc(&arena, (3 + n) * sizeof *reads);
    reads[0].key = key_state(&arena, settings->prefix, tenant);
    reads[1].key = key_names(&arena, settings->prefix, tenant);
    reads[2].key = key_months(&arena, settings->prefix, tenant);
    for (size_t i = 0; i < n; i++) reads[3 + i].key = key_bucket(&arena, settings->prefix, tenant, buckets[i]);
    *view = (struct view){ 0 };
    bool fine = state->ops->read_atomic(state, reads, 3 + n, &arena, &outcome, error) &&
                view_take(view, state, settings, tenant, rules, reads, error);
    view->outcome = outcome;
    if (n) {
        view->arena = arena; /* of what was read */
        view->reads = reads + 3;
        view->n_buckets = fine ? n : 0;
    } else {
        arena_deinit(&arena);
    }
    want_buckets(view, buckets, n);
    return fine;
}

bool view_open(struct view *view, struct state *state, const struct tenant_settings *settings, struct span tenant,
               const struct rules *rules, struct error *error)
{
    return view_open_with(view, state, settings, tenant, rules, NULL, 0, error);
}

void view_close(struct view *view)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&view->retired, &at));) free(slot->value);
    map_deinit(&view->retired);
    tenant_destroy(view->tenant);
    free(view->months);
    arena_deinit(&view->arena);
    *view = (struct view){ 0 };
}

/* Whole hashes and the version in one step: it must still be the one that the view was opened at. */
static bool read_as_of_version(struct view *view, struct hash_read *wanted, size_t n, struct error *error)
{
    struct span version = SPAN("version");
    struct hash_read *reads = arena_zalloc(&view->arena, (n + 1) * sizeof *reads);
    if (n) memcpy(reads, wanted, n * sizeof *reads);
    reads[n] =
        (struct hash_read){ .key = key_state(&view->arena, view->prefix, view->tenant->name), .fields = &version, .n_fields = 1 };
    if (!view->state->ops->read_atomic(view->state, reads, n + 1, &view->arena, &view->outcome, error)) return false;
    view->moved = number_or_zero(reads[n].values[0]) != view->tenant->version;
    if (view->moved) return fail(error, "the tenant moved on while it was read");
    if (n) memcpy(wanted, reads, n * sizeof *reads);
    return true;
}

static const struct hash_read *find_bucket(const struct view *view, struct bucket bucket)
{
    for (size_t i = 0; i < view->n_buckets; i++)
        if (view->buckets[i].type == bucket.type && view->buckets[i].number == bucket.number) return &view->reads[i];
    return NULL;
}

static bool has_all(const struct view *view, const struct bucket *buckets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!find_bucket(view, buckets[i])) return false;
    return true;
}

static bool prefetch(void *context, const struct bucket *buckets, size_t n, struct error *error)
{
    struct view *view = context;
    if (has_all(view, buckets, n)) return true;
    want_buckets(view, buckets, n);
    view->n_buckets = 0;
    view->reads = arena_zalloc(&view->arena, (n + 1) * sizeof *view->reads);
    for (size_t i = 0; i < n; i++) view->reads[i].key = key_bucket(&view->arena, view->prefix, view->tenant->name, buckets[i]);
    if (!read_as_of_version(view, view->reads, n, error)) return false;
    view->n_buckets = n;
    return true;
}

/* What names something that the tenant's dictionary does not have was damaged, as what cannot be read was: it is passed over. */
static bool cell_is_whole(const struct view *view, struct span field, struct cell_key *key)
{
    return cell_field_parse(field, view->tenant->rules, key) && cell_names_below(key, view->tenant->names.n);
}

static bool read_cells(void *context, struct bucket bucket,
                       bool (*each)(void *to, const struct cell_key *, const struct cell_value *), void *to, struct error *error)
{
    struct view *view = context;
    const struct hash_read *read = find_bucket(view, bucket);
    if (!read && !prefetch(view, &bucket, 1, error)) return false;
    if (!read) read = &view->reads[0];
    struct cell_key key;
    struct cell_value value = { 0 };
    bool more = true;
    for (size_t i = 0; i + 1 < read->n_values && more; i += 2) {
        if (!cell_is_whole(view, read->values[i], &key)) continue;
        if (cell_value_parse(key.fact, read->values[i + 1], &value)) more = each(to, &key, &value);
    }
    cell_value_deinit(&value);
    return true;
}

static bool list_of_months(void *context, const int32_t **months, size_t *n, struct error *error)
{
    (void)error;
    const struct view *view = context;
    *months = view->months;
    *n = view->n_months;
    return true;
}

static bool line_is_whole(const struct view *view, enum list list, struct span line_id, struct span text, struct list_line *line)
{
    struct span kind, id;
    return list_id_split(line_id, &kind, &id) && list_line_read(list, text, line) &&
           list_line_names_below(list, line, view->tenant->names.n);
}

static void hand_lines(const struct view *view, const struct hash_read *read, enum list list,
                       void (*each)(void *to, enum list list, struct span id, const struct list_line *line), void *to)
{
    struct list_line line;
    for (size_t i = 0; i + 1 < read->n_values; i += 2)
        if (line_is_whole(view, list, read->values[i], read->values[i + 1], &line)) each(to, list, read->values[i], &line);
}

static bool read_lines(void *context, enum list list,
                       void (*each)(void *to, enum list list, struct span id, const struct list_line *line), void *to,
                       struct error *error)
{
    struct view *view = context;
    struct hash_read read = { .key = key_list(&view->arena, view->prefix, view->tenant->name, list_names[list]) };
    if (!read_as_of_version(view, &read, 1, error)) return false;
    hand_lines(view, &read, list, each, to);
    return true;
}

struct cell_reader view_reader(struct view *view)
{
    return (struct cell_reader){ .cells = read_cells,
                                 .months = list_of_months,
                                 .prefetch = prefetch,
                                 .lines = read_lines,
                                 .is_folded = view->tenant->days_from != NO_DAY,
                                 .days_from = view->tenant->days_from,
                                 .context = view };
}
