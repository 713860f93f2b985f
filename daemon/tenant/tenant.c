#include "daemon/tenant/tenant.h"

#include "common/error.h"
#include "common/instant.h"
#include "common/number.h"
#include "common/period.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/retirement.h"
#include "daemon/tenant/roster.h"

#include <stdlib.h>

enum {
    STATE_FORMAT = 4, /* 2: members of timers as text; 3: entities on pages; 4: generations */
    FACT_RULES = 2    /* 2: units of days that do not ascend, e-mail addresses in lower case by Unicode */
};

/* ---- pages in memory ---- */

static void forget_page(struct cached *cached)
{
    struct page *page = (struct page *)cached;
    page_table_remove(&page->tenant->pages[page->place.kind], page->place.number);
    page_destroy(page);
}

struct page *tenant_page(const struct tenant *tenant, enum kind kind, uint32_t number)
{
    return page_table_get(&tenant->pages[kind], number);
}

struct page *tenant_page_add(struct tenant *tenant, enum kind kind, uint32_t number)
{
    struct page *page = must_zalloc(sizeof *page);
    page->tenant = tenant;
    page->place = (struct page_place){ (uint32_t)kind, number };
    page->cached = (struct cached){ .bytes = sizeof *page, .forget = forget_page };
    page_table_put(&tenant->pages[kind], number, page);
    cache_add(tenant->cache, &page->cached);
    return page;
}

struct span key_bucket(struct arena *arena, const char *prefix, struct span tenant, struct bucket bucket)
{
    if (bucket.type == BUCKET_DAY) return key_day(arena, prefix, tenant, bucket.number);
    if (bucket.type == BUCKET_MONTH) return key_month(arena, prefix, tenant, bucket.number);
    return key_now(arena, prefix, tenant);
}

/* ---- cells in memory ---- */

static void forget_cell(struct cached *cached)
{
    struct stored_cell *cell = (struct stored_cell *)cached;
    cell_table_remove(&cell->tenant->cells, cell);
    tenant_note_cell(cell->tenant, cell->bucket, cell->hash);
    stored_cell_destroy(cell);
}

struct stored_cell *tenant_cell(const struct tenant *tenant, struct bucket bucket, const struct cell_key *key, uint32_t hash)
{
    struct stored_cell *cell = cell_table_get(&tenant->cells, bucket, key, hash);
    if (cell) cache_use(tenant->cache, &cell->cached);
    return cell;
}

struct stored_cell *tenant_cell_add(struct tenant *tenant, struct bucket bucket, const struct cell_key *key, uint32_t hash)
{
    struct stored_cell *cell = stored_cell_create(bucket, key, hash);
    cell->tenant = tenant;
    cell->cached = (struct cached){ .bytes = stored_cell_bytes(cell), .forget = forget_cell };
    cell_table_put(&tenant->cells, cell);
    cache_add(tenant->cache, &cell->cached);
    return cell;
}

void tenant_cell_resized(struct stored_cell *cell)
{
    size_t bytes = stored_cell_bytes(cell);
    if (bytes != cell->cached.bytes) cache_resize(cell->tenant->cache, &cell->cached, bytes);
}

/* ---- the tenant ---- */

struct tenant *tenant_create(struct span name, const struct rules *rules, struct cache *cache)
{
    struct tenant *tenant = must_zalloc(sizeof *tenant + name.len);
    tenant->name = (struct span){ memcpy(tenant + 1, name.at, name.len), name.len };
    tenant->rules = rules;
    tenant->cache = cache;
    names_init(&tenant->names);
    tenant_drop(tenant);
    return tenant;
}

static void forget_cells(struct tenant *tenant)
{
    for (size_t i = 0; i < tenant->cells.room; i++) {
        struct stored_cell *cell = tenant->cells.cells[i];
        if (!cell) continue;
        cache_remove(tenant->cache, &cell->cached);
        stored_cell_destroy(cell);
    }
    cell_table_deinit(&tenant->cells);
}

static void forget_pages(struct tenant *tenant, struct page_table *table)
{
    size_t at = 0;
    for (struct page *page; (page = page_table_next(table, &at));) {
        cache_remove(tenant->cache, &page->cached);
        page_destroy(page);
    }
    page_table_deinit(table);
}

/* All that is not part of the struct itself, but for the positions. */
static void forget_contents(struct tenant *tenant)
{
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) forget_pages(tenant, &tenant->pages[kind]);
    forget_cells(tenant);
    tenant_forget_rosters(tenant);
    names_deinit(&tenant->names);
    names_init(&tenant->names);
    map_deinit(&tenant->months);
    arena_deinit(&tenant->months_arena);
    generations_deinit(&tenant->generations);
    tenant->kept = NULL;
    tenant->terms = tenant->undeclared = NO_SPAN;
}

static void rest(struct cached *cached)
{
    struct tenant *tenant = (struct tenant *)cached;
    forget_contents(tenant);
    tenant->cached.bytes = 0;
    tenant->loaded = false;
    tenant->resting = true;
}

static size_t bytes_of(const struct tenant *tenant)
{
    size_t bytes = names_bytes(&tenant->names) + tenant->months_arena.bytes + generations_bytes(&tenant->generations);
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) bytes += page_table_bytes(&tenant->pages[kind]);
    return bytes + tenant->months.room * sizeof(struct map_slot);
}

void tenant_count_bytes(struct tenant *tenant)
{
    size_t bytes = bytes_of(tenant);
    if (tenant->cached.bytes) {
        cache_resize(tenant->cache, &tenant->cached, bytes);
        cache_use(tenant->cache, &tenant->cached);
        return;
    }
    tenant->cached = (struct cached){ .bytes = bytes, .forget = rest };
    cache_add(tenant->cache, &tenant->cached);
}

void tenant_drop(struct tenant *tenant)
{
    if (tenant->cached.bytes) cache_remove(tenant->cache, &tenant->cached);
    forget_contents(tenant);
    struct tenant fresh = { .name = tenant->name, .rules = tenant->rules, .cache = tenant->cache, .names = tenant->names };
    fresh.listed = tenant->listed;
    fresh.awaited = tenant->awaited;
    fresh.perhaps = tenant->perhaps;
    fresh.unheard = tenant->unheard;
    fresh.told_held = tenant->told_held;
    fresh.busy_day = NO_DAY;
    fresh.days_from = NO_DAY;
    fresh.positions = tenant->positions;
    fresh.n_positions = tenant->n_positions;
    for (size_t i = 0; i < fresh.n_positions; i++) fresh.positions[i].next = 0, fresh.positions[i].changed = false;
    fresh.clock_us = INT64_MIN;
    fresh.next_timer_us = NEVER;
    fresh.names_stored = 1;
    *tenant = fresh;
}

void tenant_destroy(struct tenant *tenant)
{
    if (!tenant) return;
    tenant_drop(tenant);
    names_deinit(&tenant->names);
    for (size_t i = 0; i < tenant->n_positions; i++) free((char *)tenant->positions[i].partition.at);
    free(tenant->positions);
    free(tenant);
}

struct tenant_position *tenant_position(struct tenant *tenant, struct span partition)
{
    for (size_t i = 0; i < tenant->n_positions; i++)
        if (span_equal(tenant->positions[i].partition, partition)) return &tenant->positions[i];
    tenant->positions = must_realloc(tenant->positions, (tenant->n_positions + 1) * sizeof *tenant->positions);
    struct tenant_position *added = &tenant->positions[tenant->n_positions++];
    *added =
        (struct tenant_position){ .partition = { memcpy(must_alloc(partition.len), partition.at, partition.len), partition.len },
                                  .passed = INT64_MAX };
    return added;
}

uint64_t tenant_retired(const struct tenant *tenant)
{
    uint64_t n = 0;
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) n += tenant->kind[kind].retired;
    return n;
}

uint64_t tenant_counted_by(const struct tenant *tenant)
{
    uint64_t parts[4] = { STATE_FORMAT, FACT_RULES, tenant->rules->fingerprint,
                          bytes_hash(tenant->rules->zone->name, strlen(tenant->rules->zone->name)) };
    return bytes_hash(parts, sizeof parts);
}

void tenant_cover(struct tenant *tenant, const struct kept *needed)
{
    generations_cover(&tenant->generations, needed, tenant->rules);
    tenant->kept = &generations_last(&tenant->generations)->kept;
}

/* ---- reading it back ---- */

static void begin_anew(struct tenant *tenant)
{
    struct batch *batch = tenant->batch;
    tenant_drop(tenant);
    tenant->batch = batch;
}

static bool parse_int(struct span text, int64_t *value)
{
    char digits[24], *end;
    if (!text.len || text.len >= sizeof digits) return false;
    memcpy(digits, text.at, text.len);
    digits[text.len] = 0;
    *value = strtoll(digits, &end, 10);
    return !*end;
}

/* "12 34": two numbers. */
static bool parse_pair(struct span text, int64_t *first, int64_t *second)
{
    const char *blank = text.len ? memchr(text.at, ' ', text.len) : NULL;
    if (!blank) return false;
    struct span a = { text.at, (size_t)(blank - text.at) };
    return parse_int(a, first) && parse_int((struct span){ blank + 1, text.len - a.len - 1 }, second);
}

static bool starts_with(struct span text, const char *start, struct span *rest)
{
    size_t n = strlen(start);
    if (text.len < n || memcmp(text.at, start, n) != 0) return false;
    *rest = (struct span){ text.at + n, text.len - n };
    return true;
}

static bool restore_kind(struct tenant *tenant, struct span number, struct span value)
{
    int64_t kind, n[4] = { 0 };
    bool fine = parse_int(number, &kind) && kind >= 0 && kind < N_ENTITY_KINDS;
    for (int i = 0; i < 4 && fine && (i < 3 || value.len); i++)
        fine = (!i || byte_take(&value, ' ')) && number_take(&value, &n[i]);
    if (!fine || value.len) return false;
    tenant->kind[kind].entities = (uint64_t)n[0];
    tenant->kind[kind].bytes = (uint64_t)n[1];
    tenant->kind[kind].pages = (uint64_t)n[2];
    tenant->kind[kind].retired = (uint64_t)n[3];
    return true;
}

static bool restore_position(struct tenant *tenant, struct span partition, struct span value)
{
    int64_t next, life;
    if (!parse_pair(value, &next, &life)) return false;
    struct tenant_position *position = tenant_position(tenant, partition);
    if (position->life != (uint64_t)life) position->confirmed = 0;
    position->next = next;
    position->life = (uint64_t)life;
    return true;
}

/* Of another format it is not whole. */
static void restore_kept(struct tenant *tenant, struct span number, struct span value)
{
    struct span undeclared = NO_SPAN;
    generations_read(&tenant->generations, number, value, tenant->rules, &undeclared);
    if (undeclared.len) tenant->undeclared = arena_copy(&tenant->months_arena, undeclared);
}

/* Fields it does not know are left alone. */
static bool restore_field(struct tenant *tenant, struct span field, struct span value, int64_t *counted_by)
{
    struct span rest;
    int64_t number = 0, other = 0;
    if (starts_with(field, "position:", &rest)) return restore_position(tenant, rest, value);
    if (starts_with(field, "kind:", &rest)) return restore_kind(tenant, rest, value);
    if (starts_with(field, "zone:", &rest)) generations_read_zone(&tenant->generations, rest, value, tenant->rules);
    if (starts_with(field, "kept:", &rest)) restore_kept(tenant, rest, value);
    if (span_is(field, "version")) return parse_int(value, &tenant->version);
    if (span_is(field, "clock")) return parse_int(value, &tenant->clock_us);
    if (span_is(field, "counted_by")) return parse_int(value, counted_by);
    if (span_is(field, "graves")) return parse_int(value, (int64_t *)&tenant->graves);
    if (span_is(field, "days_from")) return day_parse(value, &tenant->days_from);
    if (span_is(field, "retirement")) return retirement_read(value, &tenant->retirement);
    if (span_is(field, "retired_weight")) return parse_int(value, (int64_t *)&tenant->retired_weight);
    if (span_is(field, "rebuilt")) return parse_int(value, &tenant->rebuilt);
    if (span_is(field, "counted_with")) tenant->terms = arena_copy(&tenant->months_arena, value);
    if (span_is(field, "busy_day")) return day_parse(value, &tenant->busy_day);
    if (!span_is(field, "secret")) return true;
    if (!parse_pair(value, &number, &other)) return false;
    tenant->secret = (struct hash_key){ (uint64_t)number, (uint64_t)other };
    return true;
}

static bool restore_names(struct tenant *tenant, const struct hash_read *names)
{
    size_t n = names->n_values / 2;
    struct span *texts = must_zalloc((n + 1) * sizeof *texts);
    bool fine = true;
    for (size_t i = 0; i < n && fine; i++) {
        int64_t id;
        fine = parse_int(names->values[2 * i], &id) && id >= 1 && id <= (int64_t)n;
        if (fine) texts[id] = names->values[2 * i + 1];
    }
    for (size_t id = 1; id <= n && fine; id++) fine = names_restore(&tenant->names, (name_id)id, texts[id]);
    free(texts);
    tenant->names_stored = tenant->names.n;
    return fine;
}

static bool restore(struct tenant *tenant, const struct tenant_settings *settings, const struct hash_read *state,
                    const struct hash_read *names, const struct hash_read *months, struct error *error)
{
    int64_t counted_by = 0;
    for (size_t i = 0; i + 1 < state->n_values; i += 2)
        if (!restore_field(tenant, state->values[i], state->values[i + 1], &counted_by))
            return fail(error, "the state of tenant %.*s is malformed at field %.*s", SPAN_ARG(tenant->name),
                        SPAN_ARG(state->values[i]));
    if (!restore_names(tenant, names)) return fail(error, "the names of tenant %.*s have gaps", SPAN_ARG(tenant->name));
    for (size_t i = 0; i + 1 < months->n_values; i += 2) {
        struct span month = arena_copy(&tenant->months_arena, months->values[i]);
        map_put(&tenant->months, month, (void *)month.at);
    }
    bool known = generations_settle(&tenant->generations, tenant->rules) && !tenant->undeclared.len;
    tenant->held = tenant->version && ((uint64_t)counted_by != tenant_counted_by(tenant) || !known);
    struct kept needed = kept_of(settings->needed, tenant->rules);
    tenant_cover(tenant, &needed);
    if (tenant->clock_us != INT64_MIN)
        tenant->today = local_day(tenant->clock_us, zone_offset(tenant->rules->zone, tenant->clock_us));
    for (size_t i = 0; i < tenant->n_positions; i++) {
        struct tenant_position *position = &tenant->positions[i];
        if (position->next < position->confirmed)
            tenant->set_back = true;
        else
            position->confirmed = position->next;
    }
    tenant->loaded = true;
    tenant_count_bytes(tenant);
    return true;
}

bool tenant_restore(struct tenant *tenant, const struct tenant_settings *settings, const struct hash_read *state,
                    const struct hash_read *names, const struct hash_read *months, struct error *error)
{
    if (tenant->resting) begin_anew(tenant); /* it may have changed altogether since */
    if (restore(tenant, settings, state, names, months, error)) return true;
    begin_anew(tenant); /* half of it would be in the way once Redis has been repaired */
    return false;
}
