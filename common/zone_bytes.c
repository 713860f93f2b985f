/* A byte for each step: nearly all come 52 or 53 weeks after the last but one, with its offset. Others: difference to the one before
 * and offset, in seconds. */
#include "common/zone_bytes.h"

#include "common/instant.h"

#define SECONDS_MAX INT64_C(100000000000) /* three thousand years */

enum {
    STEP_52_WEEKS,
    STEP_53_WEEKS,
    STEP_OTHER
};

static int64_t weeks_later(const struct zone *zone, size_t i, int weeks)
{
    return zone->steps[i - 2].from_us + weeks * 7 * MICROS_PER_DAY;
}

/* The first step holds from ever, so that nothing comes a year after it. */
static int kind_of(const struct zone *zone, size_t i)
{
    if (i < 3 || zone->steps[i].offset_s != zone->steps[i - 2].offset_s) return STEP_OTHER;
    if (zone->steps[i].from_us == weeks_later(zone, i, 52)) return STEP_52_WEEKS;
    return zone->steps[i].from_us == weeks_later(zone, i, 53) ? STEP_53_WEEKS : STEP_OTHER;
}

static int64_t begin_of(const struct zone *zone, size_t i)
{
    return i < 2 ? 0 : zone->steps[i - 1].from_us;
}

void zone_write(const struct zone *zone, struct buffer *out)
{
    for (size_t i = 0; i < zone->n_steps; i++) {
        int kind = kind_of(zone, i);
        buffer_byte(out, (uint8_t)kind);
        if (kind != STEP_OTHER) continue;
        buffer_zigzag(out, i ? (zone->steps[i].from_us - begin_of(zone, i)) / MICROS_PER_SECOND : 0);
        buffer_zigzag(out, zone->steps[i].offset_s);
    }
}

/* No zone has a step beyond this: its bytes are damaged, and sums of them might overflow. */
static bool is_in_reach(int64_t at_us)
{
    return at_us >= -SECONDS_MAX * MICROS_PER_SECOND && at_us <= SECONDS_MAX * MICROS_PER_SECOND;
}

static bool take_step(struct cursor *in, struct zone *zone, size_t i)
{
    struct zone_step *step = &zone->steps[i];
    int kind = cursor_byte(in);
    if (kind > STEP_OTHER || (kind != STEP_OTHER && i < 3)) return false;
    if (kind == STEP_OTHER) {
        int64_t seconds = cursor_zigzag(in);
        if (seconds < -SECONDS_MAX || seconds > SECONDS_MAX) return false;
        step->from_us = i ? begin_of(zone, i) + seconds * MICROS_PER_SECOND : INT64_MIN;
        step->offset_s = (int32_t)cursor_zigzag(in);
    } else {
        step->from_us = weeks_later(zone, i, kind == STEP_52_WEEKS ? 52 : 53);
        step->offset_s = zone->steps[i - 2].offset_s;
    }
    return !i || (is_in_reach(step->from_us) && step->from_us > zone->steps[i - 1].from_us);
}

bool zone_read(struct span bytes, struct zone *zone, struct arena *arena)
{
    struct cursor in = cursor_of(bytes);
    bool fine = bytes.len > 0;
    zone->steps = arena_alloc(arena, (bytes.len + 1) * sizeof *zone->steps);
    zone->n_steps = 0;
    while (fine && cursor_more(&in)) fine = take_step(&in, zone, zone->n_steps++);
    return fine && !in.broken;
}
