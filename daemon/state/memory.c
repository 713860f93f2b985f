/* A tenant's state in this process's memory, for replay and tests: as Redis would keep it, without a server. */
#include "common/map.h"
#include "common/number.h"
#include "daemon/state/schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct field {
    char *value;
    uint32_t value_len, value_room, name_len;
    char name[];
};

struct text {
    struct buffer value;
    size_t key_len;
    char key[];
};

struct hash {
    struct map fields; /* name -> struct field */
    size_t key_len;
    char key[];
};

struct timers {
    struct schedule schedule;
    size_t key_len;
    char key[];
};

struct memory {
    struct state state;
    struct map texts;  /* key -> struct text */
    struct map hashes; /* key -> struct hash */
    struct map timers; /* key -> struct timers */
    int64_t (*now_us)(void *context);
    void *context;
};

static struct span field_name(const struct field *field)
{
    return (struct span){ field->name, field->name_len };
}

static struct span field_value(const struct field *field)
{
    return (struct span){ field->value, field->value_len };
}

static void field_free(struct field *field)
{
    if (!field) return;
    free(field->value);
    free(field);
}

static void field_assign(struct field *field, struct span value)
{
    if (value.len > field->value_room) {
        free(field->value);
        field->value_room = (uint32_t)(value.len + value.len / 4);
        field->value = must_alloc(field->value_room);
    }
    if (value.len) memcpy(field->value, value.at, value.len);
    field->value_len = (uint32_t)value.len;
}

static void hash_set(struct hash *hash, struct span name, struct span value)
{
    struct field *field = map_get(&hash->fields, name);
    if (!field) {
        field = must_zalloc(sizeof *field + name.len);
        field->name_len = (uint32_t)name.len;
        if (name.len) memcpy(field->name, name.at, name.len);
        map_put(&hash->fields, field_name(field), field);
    }
    field_assign(field, value);
}

static void hash_free(struct hash *hash)
{
    struct map_slot *slot;
    for (size_t i = 0; (slot = map_next(&hash->fields, &i));) field_free(slot->value);
    map_deinit(&hash->fields);
    free(hash);
}

static struct hash *hash_open(struct memory *memory, struct span key)
{
    struct hash *hash = map_get(&memory->hashes, key);
    if (hash) return hash;
    hash = must_zalloc(sizeof *hash + key.len);
    hash->key_len = key.len;
    memcpy(hash->key, key.at, key.len);
    map_put(&memory->hashes, (struct span){ hash->key, hash->key_len }, hash);
    return hash;
}

/* Redis keeps no empty hashes either. */
static void hash_close(struct memory *memory, struct hash *hash)
{
    if (hash->fields.count) return;
    map_remove(&memory->hashes, (struct span){ hash->key, hash->key_len });
    hash_free(hash);
}

static void text_free(struct text *text)
{
    if (!text) return;
    buffer_deinit(&text->value);
    free(text);
}

static void text_set(struct memory *memory, const struct string_write *write)
{
    struct text *text = map_get(&memory->texts, write->key);
    if (!write->value.len) {
        struct hash *hash = map_remove(&memory->hashes, write->key);
        text_free(map_remove(&memory->texts, write->key));
        if (hash) hash_free(hash);
        return;
    }
    if (!text) {
        text = must_zalloc(sizeof *text + write->key.len);
        text->key_len = write->key.len;
        memcpy(text->key, write->key.at, write->key.len);
        map_put(&memory->texts, (struct span){ text->key, text->key_len }, text);
    }
    buffer_clear(&text->value);
    buffer_span(&text->value, write->value);
}

static struct schedule *schedule_open(struct memory *memory, struct span key)
{
    struct timers *timers = map_get(&memory->timers, key);
    if (timers) return &timers->schedule;
    timers = must_zalloc(sizeof *timers + key.len);
    timers->key_len = key.len;
    memcpy(timers->key, key.at, key.len);
    map_put(&memory->timers, (struct span){ timers->key, timers->key_len }, timers);
    return &timers->schedule;
}

static void timers_free(struct timers *timers)
{
    schedule_deinit(&timers->schedule);
    free(timers);
}

/* A value that is there and empty differs from one that is not there. */
static struct span copy_present(struct arena *arena, struct span text)
{
    return text.len ? arena_copy(arena, text) : SPAN("");
}

static void read_fields(const struct hash *hash, struct hash_read *read, struct arena *arena)
{
    read->n_stored = hash && !read->n_fields ? hash->fields.count : 0;
    read->n_values = read->n_fields;
    read->values = arena_zalloc(arena, read->n_fields * sizeof *read->values);
    for (size_t i = 0; hash && i < read->n_fields; i++) {
        const struct field *field = map_get(&hash->fields, read->fields[i]);
        if (!field) continue;
        read->values[i] = copy_present(arena, field_value(field));
    }
}

static void read_whole(const struct hash *hash, struct hash_read *read, struct arena *arena)
{
    read->n_values = hash ? hash->fields.count * 2 : 0;
    read->values = arena_alloc(arena, read->n_values * sizeof *read->values);
    struct span *out = read->values;
    struct map_slot *slot;
    for (size_t i = 0; hash && (slot = map_next(&hash->fields, &i));) {
        *out++ = copy_present(arena, slot->key);
        *out++ = copy_present(arena, field_value(slot->value));
    }
}

static void read_text(const struct text *text, struct hash_read *read, struct arena *arena)
{
    read->n_values = 1;
    read->values = arena_zalloc(arena, sizeof *read->values);
    if (text) read->values[0] = arena_copy(arena, buffer_all(&text->value));
}

static bool memory_read(struct state *state, struct hash_read *reads, size_t n, struct arena *arena, enum outcome *outcome,
                        struct error *error)
{
    (void)error;
    const struct memory *memory = (struct memory *)state;
    for (size_t i = 0; i < n; i++) {
        const struct hash *hash = map_get(&memory->hashes, reads[i].key);
        if (reads[i].is_string)
            read_text(map_get(&memory->texts, reads[i].key), &reads[i], arena);
        else
            (reads[i].fields ? read_fields : read_whole)(hash, &reads[i], arena);
    }
    *outcome = DONE;
    return true;
}

static bool memory_timers(struct state *state, struct span timers_key, int64_t until_us, size_t limit, struct arena *arena,
                          struct timer **timers, size_t *n, enum outcome *outcome, struct error *error)
{
    (void)error;
    struct timers *found = map_get(&((struct memory *)state)->timers, timers_key);
    *n = found ? schedule_due(&found->schedule, until_us, limit, arena, timers) : 0;
    *outcome = DONE;
    return true;
}

static int64_t memory_now(const struct memory *memory)
{
    return memory->now_us ? memory->now_us(memory->context) : 0;
}

static int64_t version_of(const struct hash *hash)
{
    const struct field *field = hash ? map_get(&hash->fields, SPAN("version")) : NULL;
    return field ? number_or_zero((struct span){ field->value, field->value_len }) : 0;
}

static void set_version(struct memory *memory, struct span state_key, int64_t version)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, version);
    hash_set(hash_open(memory, state_key), SPAN("version"), span_of(text));
}

static void write_hashes(struct memory *memory, const struct hash_write *writes, size_t n)
{
    struct hash *hash = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!hash || !span_equal(writes[i].key, writes[i - 1].key)) hash = hash_open(memory, writes[i].key);
        if (writes[i].value.at)
            hash_set(hash, writes[i].field, writes[i].value);
        else
            field_free(map_remove(&hash->fields, writes[i].field));
        if (i + 1 == n || !span_equal(writes[i + 1].key, writes[i].key)) hash_close(memory, hash);
    }
}

static void commit_one(struct memory *memory, struct commit *commit)
{
    int64_t version = version_of(map_get(&memory->hashes, commit->state_key)), now_us = memory_now(memory);
    commit->version_new = version;
    commit->outcome = version == commit->version ? DONE : CONFLICT;
    if (commit->outcome == CONFLICT) return;
    for (size_t i = 0; i < commit->n_strings; i++) text_set(memory, &commit->strings[i]);
    write_hashes(memory, commit->writes, commit->n_writes);
    struct schedule *schedule = commit->n_timers ? schedule_open(memory, commit->timers_key) : NULL;
    for (size_t i = 0; i < commit->n_timers; i++) schedule_set(schedule, commit->timers[i].member, commit->timers[i].at_us);
    commit->version_new = now_us > version ? now_us : version + 1;
    set_version(memory, commit->state_key, commit->version_new);
}

static bool memory_commit_begin(struct state *state, struct commit *commits, size_t n, struct error *error)
{
    (void)error;
    for (size_t i = 0; i < n; i++) commit_one((struct memory *)state, &commits[i]);
    return true;
}

static bool memory_commit_end(struct state *state, struct error *error)
{
    (void)state, (void)error;
    return true;
}

static bool memory_clock(struct state *state, int64_t *now_us, enum outcome *outcome, struct error *error)
{
    (void)error;
    *now_us = memory_now((struct memory *)state);
    *outcome = DONE;
    return true;
}

static void memory_destroy(struct state *state)
{
    struct memory *memory = (struct memory *)state;
    struct map_slot *slot;
    for (size_t i = 0; (slot = map_next(&memory->hashes, &i));) hash_free(slot->value);
    for (size_t i = 0; (slot = map_next(&memory->timers, &i));) timers_free(slot->value);
    for (size_t i = 0; (slot = map_next(&memory->texts, &i));) text_free(slot->value);
    map_deinit(&memory->texts);
    map_deinit(&memory->hashes);
    map_deinit(&memory->timers);
    free(memory);
}

static const struct state_ops memory_ops = {
    .read = memory_read,
    .read_atomic = memory_read,
    .timers = memory_timers,
    .commit_begin = memory_commit_begin,
    .commit_end = memory_commit_end,
    .clock = memory_clock,
    .destroy = memory_destroy,
};

struct state *state_memory_create(int64_t (*now_us)(void *context), void *context)
{
    struct memory *memory = must_zalloc(sizeof *memory);
    *memory = (struct memory){ .state = { &memory_ops }, .now_us = now_us, .context = context };
    return &memory->state;
}
