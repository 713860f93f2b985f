#include "tests/sim/events.h"

#include "common/buffer.h"
#include "common/instant.h"

enum {
    SUBJECTS = 4,
    SPREAD_HOURS = 24 * 12
};

static const char *const names[] = { "ann", "bob", "cid" };
static const char unknown_type[] =
    "{\"specversion\":\"1.0\",\"id\":\"b\",\"source\":\"/s\",\"type\":\"crm.deal.exploded\",\"subject\":\"d\","
    "\"tenantid\":\"t1\",\"data\":{}}";
static const char *const bad[] = {
    "{\"specversion\":\"1.0\"",
    "[1]",
    "{\"specversion\":\"1.0\",\"id\":\"x\"}",
    unknown_type,
};

struct span event_tenant(int tenant)
{
    static const char *const tenants[] = { "t0", "t1", "t2", "default" };
    return span_of(tenants[tenant]);
}

static void put_instant(struct buffer *out, int64_t at_us)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(at_us - at_us % MICROS_PER_MS, text);
    buffer_printf(out, "\"%s\"", text);
}

static int64_t around(struct dice *dice, int64_t now_us)
{
    return now_us + ((int64_t)dice_below(dice, SPREAD_HOURS * 60) - SPREAD_HOURS * 50) * 60 * MICROS_PER_SECOND;
}

static void put_value(struct buffer *out, struct dice *dice, const struct attribute_row *row, int64_t now_us)
{
    static const char *const fixed[] = {
        [TYPE_MONEY] = "\"12.50\"", [TYPE_CURRENCY] = "\"USD\"",   [TYPE_FLAG] = "true",
        [TYPE_TARGET] = "\"100\"",  [TYPE_PERIOD] = "\"2026-04\"", [TYPE_DATE] = "\"2026-04-03\"",
    };
    switch (row->type) {
    case TYPE_NAME:
        buffer_printf(out, "\"%s\"", names[dice_below(dice, 3)]);
        break;
    case TYPE_REFERENCE:
        buffer_printf(out, "\"%.2s%u\"", kind_rows[row->refers_to].name, dice_below(dice, SUBJECTS));
        break;
    case TYPE_PERSONAL:
        buffer_printf(out, "\"p%u@x.y\"", dice_below(dice, 3));
        break;
    case TYPE_NAMES:
        buffer_printf(out, "[\"%s\",\"%s\"]", names[dice_below(dice, 2)], names[2]);
        break;
    case TYPE_DURATION:
        buffer_printf(out, "%u", dice_below(dice, 5000));
        break;
    case TYPE_SCORE:
        buffer_printf(out, "%u", 1 + dice_below(dice, 5));
        break;
    case TYPE_INSTANT:
        put_instant(out, around(dice, now_us));
        break;
    default:
        buffer_str(out, fixed[row->type]);
    }
}

static bool is_required(const struct verb_row *verb, int attribute)
{
    for (int i = 0; i < REQUIRED_MAX; i++)
        if (verb->required[i] == attribute) return true;
    return false;
}

static void put_data(struct buffer *out, struct dice *dice, const struct kind_row *kind, const struct verb_row *verb,
                     int64_t now_us)
{
    const char *between = "";
    buffer_str(out, ",\"data\":{");
    for (int a = 0; a < N_ATTRIBUTES; a++) {
        bool wanted = dice_below(dice, 4) == 0 || is_required(verb, a);
        if (!(kind->attributes >> a & 1) || !wanted) continue;
        buffer_printf(out, "%s\"%s\":", between, attribute_rows[a].name);
        put_value(out, dice, &attribute_rows[a], now_us);
        between = ",";
    }
    buffer_str(out, "}}");
}

static void put_event(struct buffer *out, struct dice *dice, int number, bool timed, int64_t now_us)
{
    const struct kind_row *kind = &kind_rows[dice_below(dice, N_KINDS)];
    const struct verb_row *verb = &kind->verbs[dice_below(dice, (uint32_t)kind->n_verbs)];
    buffer_printf(out, "{\"specversion\":\"1.0\",\"id\":\"e%d\",\"source\":\"/s\",\"type\":\"crm.%s.%s\",\"subject\":\"%.2s%u\"",
                  number, kind->name, verb->name, kind->name, dice_below(dice, SUBJECTS));
    buffer_printf(out, ",\"tenantid\":\"%s\"", event_tenant((int)dice_below(dice, TENANTS)).at);
    if (dice_below(dice, 8) || timed) {
        int64_t at_us = around(dice, now_us);
        buffer_str(out, ",\"time\":");
        put_instant(out, at_us < now_us ? at_us : now_us);
    }
    put_data(out, dice, kind, verb, now_us);
}

struct log_record event_make(uint64_t seed, int number, bool timed, int64_t now_us, struct arena *arena)
{
    struct dice dice = { seed * 1000003 + (uint64_t)number };
    struct log_record record = { .event = number, .timestamp_us = now_us - now_us % MICROS_PER_MS };
    struct buffer text = { 0 };
    uint32_t kind = dice_below(&dice, 25);
    if (kind == 0) return record;
    if (kind == 1) {
        record.bad = true;
        record.value = span_of(bad[dice_below(&dice, sizeof bad / sizeof *bad)]);
        return record;
    }
    put_event(&text, &dice, number, timed, now_us);
    record.value = arena_copy(arena, buffer_all(&text));
    buffer_deinit(&text);
    return record;
}
