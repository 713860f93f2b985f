#include "daemon/settings/zone_file.h"

#include "common/buffer.h"
#include "common/instant.h"
#include "daemon/settings/zone_rule.h"

#include <stdlib.h>

enum {
    YEAR_FIRST = 1899,
    YEAR_LAST = 2200,
    RESERVED_BYTES = 15,
    TYPE_BYTES = 6,
    OFFSET_MAX_S = 26 * 3600
};

/* Changes before this (some 30,000 years ago: "big bang" entries) are the beginning. */
#define SECOND_FIRST (-(INT64_C(1) << 40))
#define SECOND_LAST (INT64_C(1) << 40)

struct tzif_header {
    char version;
    uint32_t n_utc, n_standard, n_leaps, n_changes, n_types, n_chars; /* in the order of the file */
};

static uint64_t big_endian(struct cursor *cursor, int bytes)
{
    uint64_t value = 0;
    while (bytes--) value = value << 8 | cursor_byte(cursor);
    return value;
}

static bool read_header(struct cursor *cursor, struct tzif_header *header)
{
    struct span magic = cursor_bytes(cursor, 4);
    header->version = (char)cursor_byte(cursor);
    cursor_bytes(cursor, RESERVED_BYTES);
    uint32_t *counts[] = { &header->n_utc,     &header->n_standard, &header->n_leaps,
                           &header->n_changes, &header->n_types,    &header->n_chars };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) *counts[i] = (uint32_t)big_endian(cursor, 4);
    return span_is(magic, "TZif") && !cursor->broken;
}

/* The block with 32-bit times, which nobody needs any more. */
static void skip_old_block(struct cursor *cursor, const struct tzif_header *header)
{
    cursor_bytes(cursor, (size_t)header->n_changes * 5 + (size_t)header->n_types * TYPE_BYTES + header->n_chars +
                             (size_t)header->n_leaps * 8 + header->n_standard + header->n_utc);
}

/* Adds a step, unless nothing changes by it; one of the same instant is replaced. False: time goes backwards. */
static bool add_step(struct zone *zone, size_t *room, int64_t at_s, int32_t offset_s)
{
    int64_t from_us = at_s < SECOND_FIRST ? INT64_MIN : at_s * MICROS_PER_SECOND;
    struct zone_step *last = zone->n_steps ? &zone->steps[zone->n_steps - 1] : NULL;
    if (last && from_us < last->from_us) return false;
    if (last && from_us == last->from_us) last = --zone->n_steps ? last - 1 : NULL;
    if (last && last->offset_s == offset_s) return true;
    if (zone->n_steps == *room) {
        *room = *room ? *room * 2 : 64;
        zone->steps = must_realloc(zone->steps, *room * sizeof *zone->steps);
    }
    zone->steps[zone->n_steps++] = (struct zone_step){ from_us, offset_s };
    return true;
}

/* A type: offset, is it summer, where its name stands. */
static bool type_offset(struct span types, uint32_t type, int32_t *offset_s)
{
    if (type >= types.len / TYPE_BYTES) return false;
    struct cursor cursor = cursor_of((struct span){ types.at + (size_t)type * TYPE_BYTES, TYPE_BYTES });
    *offset_s = (int32_t)(uint32_t)big_endian(&cursor, 4);
    return *offset_s > -OFFSET_MAX_S && *offset_s < OFFSET_MAX_S;
}

/* The changes that the file lists: all times, then the number of the type that begins at each; type 0 holds before. */
static bool listed_steps(struct cursor *cursor, const struct tzif_header *header, struct zone *zone, size_t *room,
                         int64_t *last_s)
{
    struct cursor times = cursor_of(cursor_bytes(cursor, (size_t)header->n_changes * 8));
    struct cursor numbers = cursor_of(cursor_bytes(cursor, header->n_changes));
    struct span types = cursor_bytes(cursor, (size_t)header->n_types * TYPE_BYTES);
    int32_t offset_s;
    *last_s = INT64_MIN;
    if (cursor->broken || !type_offset(types, 0, &offset_s)) return false;
    add_step(zone, room, *last_s, offset_s);
    for (uint32_t i = 0; i < header->n_changes; i++) {
        *last_s = (int64_t)big_endian(&times, 8);
        if (!type_offset(types, cursor_byte(&numbers), &offset_s) || *last_s > SECOND_LAST) return false;
        if (!add_step(zone, room, *last_s, offset_s)) return false;
    }
    return true;
}

/* What comes after them, by the rule. */
static bool ruled_steps(const struct zone_rule *rule, struct zone *zone, size_t *room, int64_t last_s)
{
    if (last_s == INT64_MIN) zone->steps[0].offset_s = rule->standard_s;
    if (!rule->changes) return true;
    for (int year = YEAR_FIRST; year <= YEAR_LAST; year++) {
        struct zone_turn turns[2];
        zone_rule_turns(rule, year, turns);
        for (int i = 0; i < 2; i++)
            if (turns[i].at_s > last_s && !add_step(zone, room, turns[i].at_s, turns[i].offset_s)) return false;
    }
    return true;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n" */
static bool read_footer(struct cursor *cursor, struct span *footer)
{
    struct span rest = cursor_bytes(cursor, (size_t)(cursor->end - cursor->at));
    if (rest.len < 2 || rest.at[0] != '\n') return false;
    const char *end = memchr(rest.at + 1, '\n', rest.len - 1);
    if (!end) return false;
    *footer = (struct span){ rest.at + 1, (size_t)(end - rest.at - 1) };
    return true;
}

static bool parse_block(struct cursor *cursor, const struct tzif_header *header, struct zone *zone)
{
    size_t room = 0;
    struct span footer;
    struct zone_rule rule;
    int64_t last_s;
    if (!listed_steps(cursor, header, zone, &room, &last_s)) return false;
    cursor_bytes(cursor, (size_t)header->n_chars + header->n_standard + header->n_utc);
    if (cursor->broken || !read_footer(cursor, &footer)) return false;
    if (!footer.len) return true;
    return zone_rule_parse(footer, &rule) && ruled_steps(&rule, zone, &room, last_s);
}

bool zone_file_parse(struct span bytes, struct zone *zone, struct error *error)
{
    struct cursor cursor = cursor_of(bytes);
    struct tzif_header header;
    if (!read_header(&cursor, &header)) return fail(error, "is no time zone file (TZif)");
    if (header.version < '2') return fail(error, "is of version 1, which ends in 2037; expected 2 or later");
    skip_old_block(&cursor, &header);
    if (!read_header(&cursor, &header)) return fail(error, "ends before its second block");
    if (header.n_leaps) return fail(error, "counts leap seconds; expected one that does not");

    zone->steps = NULL;
    zone->n_steps = 0;
    if (parse_block(&cursor, &header, zone)) return true;
    free(zone->steps);
    zone->steps = NULL;
    zone->n_steps = 0;
    return fail(error, "is damaged");
}
