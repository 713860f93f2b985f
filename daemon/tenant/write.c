/* From a folded batch to the one commit that moves entities, counters, names, timers and positions together. */
#include "common/instant.h"
#include "common/zone_bytes.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/retirement.h"
#include "daemon/tenant/terms.h"
#include "daemon/tenant/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void writer_put(struct writer *writer, struct span key, struct span field, struct span value)
{
    if (writer->n_writes == writer->room_writes) {
        writer->room_writes = writer->room_writes ? writer->room_writes * 2 : 64;
        writer->writes = must_realloc(writer->writes, writer->room_writes * sizeof *writer->writes);
    }
    writer->writes[writer->n_writes++] = (struct hash_write){ key, field, value };
}

struct span writer_take(struct writer *writer)
{
    struct span text = arena_copy(writer->arena, buffer_all(&writer->scratch));
    if (!text.at) text.at = "";
    buffer_clear(&writer->scratch);
    return text;
}

/* ---- lists ---- */

static void put_line(struct writer *writer, struct span key, const struct list_change *change)
{
    struct span value = NO_SPAN;
    if (change->is) list_line_write(change->list, &change->after, &writer->scratch);
    if (change->is) value = writer_take(writer);
    writer_put(writer, key, change->id, value);
}

static void put_lists(struct writer *writer)
{
    const struct batch *batch = writer->batch;
    for (int list = 0; list < N_LISTS && batch->n_list_changes; list++) {
        struct span key = key_list(writer->arena, batch->settings->prefix, writer->tenant->name, list_names[list]);
        for (size_t i = 0; i < batch->n_list_changes; i++)
            if ((int)batch->list_changes[i].list == list) put_line(writer, key, &batch->list_changes[i]);
    }
}

/* ---- the tenant itself ---- */

static void put_state(struct writer *writer, const char *field, int64_t value)
{
    buffer_decimal(&writer->scratch, value);
    writer_put(writer, writer->batch->commit.state_key, span_of(field), writer_take(writer));
}

static void put_positions(struct writer *writer)
{
    for (size_t i = 0; i < writer->tenant->n_positions; i++) {
        struct tenant_position *position = &writer->tenant->positions[i];
        if (!position->changed) continue;
        buffer_str(&writer->scratch, "position:");
        buffer_span(&writer->scratch, position->partition);
        struct span field = writer_take(writer);
        buffer_printf(&writer->scratch, "%lld %lld", (long long)position->next, (long long)position->life);
        writer_put(writer, writer->batch->commit.state_key, field, writer_take(writer));
        position->changed = false;
    }
}

static void put_kinds(struct writer *writer)
{
    const struct tenant *tenant = writer->tenant;
    for (int kind = 0; kind < N_ENTITY_KINDS; kind++) {
        if (!tenant->kind[kind].pages) continue; /* never was one; of those that were, 0 is said, too */
        char field[16];
        snprintf(field, sizeof field, "kind:%d", kind);
        buffer_printf(&writer->scratch, "%llu %llu %llu", (unsigned long long)tenant->kind[kind].entities,
                      (unsigned long long)tenant->kind[kind].bytes, (unsigned long long)tenant->kind[kind].pages);
        if (tenant->kind[kind].retired) buffer_printf(&writer->scratch, " %llu", (unsigned long long)tenant->kind[kind].retired);
        writer_put(writer, writer->batch->commit.state_key, arena_copy(writer->arena, span_of(field)), writer_take(writer));
    }
}

static void put_names(struct writer *writer)
{
    struct tenant *tenant = writer->tenant;
    struct span key = key_names(writer->arena, writer->batch->settings->prefix, tenant->name);
    writer->batch->first_name = tenant->names_stored;
    for (; tenant->names_stored < tenant->names.n; tenant->names_stored++) {
        buffer_decimal(&writer->scratch, tenant->names_stored);
        writer_put(writer, key, writer_take(writer), arena_copy(writer->arena, names_text(&tenant->names, tenant->names_stored)));
    }
}

static bool has_entries(const struct batch *batch)
{
    for (size_t i = 0; i < batch->n_entries; i++)
        if (!batch->entries[i]->skipped) return true;
    return false;
}

/* Once a day: who has events goes first when the day is over. */
static void put_busy_day(struct writer *writer)
{
    struct tenant *tenant = writer->tenant;
    char text[DAY_TEXT_BYTES];
    if (tenant->busy_day == tenant->today || !has_entries(writer->batch)) return;
    tenant->busy_day = tenant->today;
    day_format(tenant->today, text);
    writer_put(writer, writer->batch->commit.state_key, SPAN("busy_day"), arena_copy(writer->arena, span_of(text)));
}

static void put_zone(struct writer *writer, const struct generation *generation)
{
    buffer_printf(&writer->scratch, "zone:%016" PRIx64, generation->zone);
    struct span field = writer_take(writer);
    zone_write(generation->rules->zone, &writer->scratch);
    writer_put(writer, writer->batch->commit.state_key, field, writer_take(writer));
}

/* By what it is counted from this commit on. */
static void put_generations(struct writer *writer)
{
    struct generations *generations = &writer->tenant->generations;
    for (; generations->stored < generations->n; generations->stored++) {
        struct generation *generation = &generations->at[generations->stored];
        bool first = !generations->stored;
        generation->since = writer->tenant->today;
        writer->batch->widens = !first;
        if (first || generation->zone != generation[-1].zone) put_zone(writer, generation);
        buffer_printf(&writer->scratch, "kept:%u", generations->stored);
        struct span field = writer_take(writer);
        generation_write(generation, &writer->scratch);
        writer_put(writer, writer->batch->commit.state_key, field, writer_take(writer));
    }
}

static void put_retirement(struct writer *writer)
{
    struct tenant *tenant = writer->tenant;
    if (writer->batch->n_retired) put_state(writer, "retired_weight", (int64_t)tenant->retired_weight);
    if (!retirement_follow(tenant) && !writer->batch->retires) return;
    if (tenant->retirement.after_days) retirement_write(&tenant->retirement, &writer->scratch);
    struct span value = tenant->retirement.after_days ? writer_take(writer) : NO_SPAN;
    writer_put(writer, writer->batch->commit.state_key, SPAN("retirement"), value);
}

static void put_days_from(struct writer *writer)
{
    char text[DAY_TEXT_BYTES];
    if (!writer->batch->folds) return;
    day_format(writer->tenant->days_from, text);
    writer_put(writer, writer->batch->commit.state_key, SPAN("days_from"), arena_copy(writer->arena, span_of(text)));
}

static void put_tenant(struct writer *writer)
{
    struct tenant *tenant = writer->tenant;
    put_state(writer, "clock", tenant->clock_us);
    put_busy_day(writer);
    put_retirement(writer);
    put_days_from(writer);
    if (tenant->graves) put_state(writer, "graves", (int64_t)tenant->graves);
    if (!tenant->version) {
        put_state(writer, "counted_by", (int64_t)tenant_counted_by(tenant));
        terms_write(tenant->rules, &writer->scratch);
        writer_put(writer, writer->batch->commit.state_key, SPAN("counted_with"), writer_take(writer));
        buffer_printf(&writer->scratch, "%lld %lld", (long long)tenant->secret.k0, (long long)tenant->secret.k1);
        writer_put(writer, writer->batch->commit.state_key, SPAN("secret"), writer_take(writer));
    }
    put_generations(writer);
    put_positions(writer);
    put_kinds(writer);
    put_names(writer);
}

static bool has_something(const struct batch *batch)
{
    return batch->new_day || batch->n_timers || batch->moves_retirement || batch->folds || has_entries(batch);
}

bool batch_write(struct batch *batch)
{
    if (batch->outcome != DONE || !has_something(batch)) return false;
    const char *prefix = batch->settings->prefix;
    struct tenant *tenant = batch->tenant;
    struct writer writer = { .batch = batch, .tenant = tenant, .arena = batch->arena };
    batch->commit = (struct commit){ .tenant = tenant->name, .version = tenant->version };
    batch->commit.state_key = key_state(batch->arena, prefix, tenant->name);
    batch->commit.timers_key = key_timers(batch->arena, prefix, tenant->name);
    write_pages(&writer);
    write_cells(&writer);
    put_lists(&writer);
    put_tenant(&writer);
    struct hash_write *writes = arena_alloc(batch->arena, writer.n_writes * sizeof *writes);
    memcpy(writes, writer.writes, writer.n_writes * sizeof *writes);
    batch->commit.writes = writes;
    batch->commit.n_writes = writer.n_writes;
    batch->commit.timers = batch->timer_writes;
    batch->commit.n_timers = batch->n_timer_writes;
    free(writer.writes);
    buffer_deinit(&writer.scratch);
    return batch->outcome == DONE;
}

void batch_done(struct batch *batch)
{
    struct tenant *tenant = batch->tenant;
    tenant->version = batch->commit.version_new;
    batch->committed = true;
    if (tenant->cached.bytes) tenant_count_bytes(tenant);
    for (size_t i = 0; i < tenant->n_positions; i++) tenant->positions[i].confirmed = tenant->positions[i].next;
}
