#include "daemon/recount/differences.h"

#include "common/instant.h"
#include "common/period.h"
#include "daemon/tenant/place.h"

#include <inttypes.h>
#include <stdlib.h>

/* All cells and entities that any of them has, each once. */
struct every {
    const struct census_cell **cells;
    size_t n_cells;
    const struct census_entity **entities;
    size_t n_entities;
    const struct census_line **lines;
    size_t n_lines;
};

/* ---- gathering ---- */

static int compare_cells(const void *a, const void *b)
{
    const struct census_cell *x = *(const struct census_cell *const *)a, *y = *(const struct census_cell *const *)b;
    if (x->bucket.type != y->bucket.type) return (int)x->bucket.type - (int)y->bucket.type;
    if (x->bucket.number != y->bucket.number) return x->bucket.number < y->bucket.number ? -1 : 1;
    if (x->key.fact != y->key.fact) return (int)x->key.fact - (int)y->key.fact;
    return memcmp(x->key.dims, y->key.dims, x->key.n * sizeof *x->key.dims);
}

static int compare_entities(const void *a, const void *b)
{
    const struct census_entity *x = *(const struct census_entity *const *)a, *y = *(const struct census_entity *const *)b;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : span_compare(x->id, y->id);
}

static int compare_lines(const void *a, const void *b)
{
    const struct census_line *x = *(const struct census_line *const *)a, *y = *(const struct census_line *const *)b;
    return x->list != y->list ? (int)x->list - (int)y->list : span_compare(x->id, y->id);
}

static size_t unique(const void **all, size_t n, int (*compare)(const void *, const void *))
{
    size_t kept = 0;
    if (n) qsort(all, n, sizeof *all, compare);
    for (size_t i = 0; i < n; i++)
        if (!kept || compare(&all[kept - 1], &all[i]) != 0) all[kept++] = all[i];
    return kept;
}

static size_t list(const struct map *const *maps, size_t n_maps, const void ***all)
{
    size_t room = 1, n = 0;
    for (size_t m = 0; m < n_maps; m++) room += maps[m] ? maps[m]->count : 0;
    *all = must_alloc(room * sizeof **all);
    for (size_t m = 0; m < n_maps; m++) {
        size_t at = 0;
        for (struct map_slot *slot; maps[m] && (slot = map_next(maps[m], &at));) (*all)[n++] = slot->value;
    }
    return n;
}

static struct every every_of(const struct comparison *comparison)
{
    const struct census *topics = comparison->topics;
    const struct map *cells[] = { &comparison->redis->cells, &comparison->entities->cells, topics ? &topics->cells : NULL };
    const struct map *entities[] = { &comparison->redis->entities, topics ? &topics->entities : NULL };
    struct every every;
    const void **all;
    every.n_cells = list(cells, 3, &all);
    every.n_cells = unique(all, every.n_cells, compare_cells);
    every.cells = (const struct census_cell **)all;
    every.n_entities = list(entities, 2, &all);
    every.n_entities = unique(all, every.n_entities, compare_entities);
    every.entities = (const struct census_entity **)all;
    const struct map *lines[] = { &comparison->redis->lines, &comparison->entities->lines };
    every.n_lines = comparison->with_lines ? list(lines, 2, &all) : list(lines, 0, &all);
    every.n_lines = unique(all, every.n_lines, compare_lines);
    every.lines = (const struct census_line **)all;
    return every;
}

/* ---- telling ---- */

static void write_value(const struct census_cell *cell, const struct cell_value *value, struct buffer *out)
{
    const struct fact_row *row = &fact_rows[cell->key.fact];
    if (!value) return buffer_str(out, "nothing");
    for (int i = 0; i < row->n_measures; i++) {
        if (i && !value->sums[i] && row->measures[i].type != MEASURE_DURATION) continue;
        buffer_printf(out, "%s%s=%" PRId64, i ? " " : "", row->measures[i].name, value->sums[i]);
        if (row->measures[i].type == MEASURE_DURATION)
            buffer_printf(out, "(%" PRId64 " values)", histogram_total(&value->spread[i]));
    }
}

static void write_where(const struct comparison *comparison, const struct census_cell *cell, struct buffer *out)
{
    const struct fact_row *row = &fact_rows[cell->key.fact];
    char when[LABEL_BYTES] = "now";
    if (cell->bucket.type == BUCKET_DAY) day_format(cell->bucket.number, when);
    if (cell->bucket.type == BUCKET_MONTH) month_label(cell->bucket.number, when);
    buffer_printf(out, "%s %s", row->name, when);
    for (int i = 0; i < cell->key.n; i++) {
        name_id value = cell->key.dims[i];
        const char *name = i < row->n_dims ? dimension_names[row->dims[i]] : "";
        if (!name[0]) name = comparison->rules->customs[row->kinds].at[i - row->n_dims];
        if (!value) continue;
        if (value < comparison->names->n)
            buffer_printf(out, " %s=%.*s", name, SPAN_ARG(names_text(comparison->names, value)));
        else
            buffer_printf(out, " %s=#%u", name, value);
    }
}

static void tell(const struct comparison *comparison, struct buffer *line)
{
    buffer_byte(line, 0);
    comparison->tell(comparison->context, line->at);
    buffer_clear(line);
}

/* ---- comparing ---- */

static bool equal(const struct cell_value *a, const struct cell_value *b)
{
    struct cell_value rest = { 0 };
    bool same = (!a || cell_value_add(&rest, a, 1)) && (!b || cell_value_add(&rest, b, -1)) && cell_value_is_zero(&rest);
    cell_value_deinit(&rest);
    return same;
}

static bool is_of_intake(const struct census_cell *cell)
{
    return fact_is_of_intake((enum fact)cell->key.fact);
}

/* Who stands for the tenant: once its entities have been held against Redis, they do. */
static const struct cell_value *counted(const struct comparison *comparison, const struct census_cell *cell)
{
    bool by_entities = comparison->by_topics && !is_of_intake(cell);
    return census_cell(by_entities ? comparison->entities : comparison->redis, cell);
}

/* What the topics should say, if Redis is right: without what timers have not moved yet. */
static bool equal_to_topics(const struct comparison *comparison, const struct census_cell *cell)
{
    const struct cell_value *redis = counted(comparison, cell), *topics = census_cell(comparison->topics, cell);
    const struct cell_value *due = comparison->due ? census_cell(comparison->due, cell) : NULL;
    struct cell_value ahead = { 0 };
    bool same = (!redis || cell_value_add(&ahead, redis, 1)) && (!due || cell_value_add(&ahead, due, 1)) && equal(&ahead, topics);
    cell_value_deinit(&ahead);
    return same;
}

static bool equal_to_entities(const struct comparison *comparison, const struct census_cell *cell)
{
    return is_of_intake(cell) || equal(census_cell(comparison->redis, cell), census_cell(comparison->entities, cell));
}

static bool tell_cell(const struct comparison *comparison, const struct census_cell *cell, bool loud, struct buffer *line)
{
    bool folded = comparison->is_folded && cell->bucket.type == BUCKET_DAY && cell->bucket.number < comparison->days_from;
    if (folded || comparison->without_cells || (comparison->without_intake && is_of_intake(cell))) return false;
    bool as_entities = comparison->by_topics || equal_to_entities(comparison, cell);
    bool as_topics = !comparison->topics || equal_to_topics(comparison, cell);
    if (as_entities && as_topics) return false;
    if (!loud) return true;
    write_where(comparison, cell, line);
    buffer_str(line, comparison->by_topics && !is_of_intake(cell) ? ": its entities say " : ": Redis has ");
    write_value(cell, counted(comparison, cell), line);
    if (comparison->topics) {
        buffer_str(line, "; the topics say ");
        write_value(cell, census_cell(comparison->topics, cell), line);
    }
    if (!comparison->by_topics) {
        buffer_printf(line, "; %s say ", comparison->entities_name ? comparison->entities_name : "its entities");
        write_value(cell, census_cell(comparison->entities, cell), line);
    }
    tell(comparison, line);
    return true;
}

static const char *entity_differs(const struct comparison *comparison, const struct census_entity *any)
{
    const struct census_entity *redis = census_entity(comparison->redis, any);
    const struct census_entity *topics = comparison->topics ? census_entity(comparison->topics, any) : NULL;
    if (redis && !redis->readable) return comparison->by_topics ? NULL : "cannot be read in Redis";
    if (!comparison->topics) return NULL;
    if (!redis) return "is in the topics, not in Redis";
    if (!topics) return "is in Redis, not in the topics";
    return redis->hash == topics->hash ? NULL : "is another in Redis than the topics say";
}

static bool tell_entity(const struct comparison *comparison, const struct census_entity *entity, bool loud, struct buffer *line)
{
    const char *what = entity_differs(comparison, entity);
    if (!what || !loud) return what != NULL;
    buffer_printf(line, "the %s ", entity->kind < N_KINDS ? kind_rows[entity->kind].name : "address");
    if (place_is_grave(entity->id))
        buffer_printf(line, "(deleted, %.*s)", (int)entity->id.len - 1, entity->id.at + 1);
    else
        buffer_span(line, entity->id);
    buffer_printf(line, " %s", what);
    tell(comparison, line);
    return true;
}

static void write_line(enum list list, const struct census_line *line, struct buffer *out)
{
    if (line)
        list_line_write(list, &line->line, out);
    else
        buffer_str(out, "nothing");
}

static bool tell_line(const struct comparison *comparison, const struct census_line *any, bool loud, struct buffer *line)
{
    const struct census_line *redis = census_line(comparison->redis, any), *says = census_line(comparison->entities, any);
    bool same = redis && says && !memcmp(&redis->line, &says->line, sizeof redis->line);
    if (same || (!says && comparison->with_graves && any->list == LIST_UNKNOWN_REFERENCES)) return false;
    if (!loud) return true;
    buffer_printf(line, "%.*s in the list %s: Redis has ", SPAN_ARG(any->id), list_names[any->list]);
    write_line(any->list, redis, line);
    buffer_str(line, "; it says ");
    write_line(any->list, says, line);
    tell(comparison, line);
    return true;
}

size_t differences_find(const struct comparison *comparison, size_t most)
{
    struct every every = every_of(comparison);
    struct buffer line = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < every.n_entities; i++) n += tell_entity(comparison, every.entities[i], n < most, &line);
    for (size_t i = 0; i < every.n_cells; i++) n += tell_cell(comparison, every.cells[i], n < most, &line);
    for (size_t i = 0; i < every.n_lines; i++) n += tell_line(comparison, every.lines[i], n < most, &line);
    buffer_deinit(&line);
    free(every.lines);
    free(every.cells);
    free(every.entities);
    return n;
}
