/* A reader for each attribute type, and the words for what it expects. */
#include "daemon/intake/values.h"

#include "common/instant.h"

enum {
    SCORE_MIN = 1,
    SCORE_MAX = 5,
    MS_DECIMALS = 3,
    YEAR_DIGITS = 4
};

static bool read_text(yyjson_val *json, const struct value_context *context, size_t max_bytes, struct value *value)
{
    if (!yyjson_is_str(json) || yyjson_get_len(json) > max_bytes) return false;
    *value = (struct value){ VALUE_TEXT, .text = json_kept_text(context->json, json) };
    return true;
}

static bool read_name(yyjson_val *json, const struct value_context *context, struct value *value)
{
    return read_text(json, context, TEXT_BYTES_MAX, value);
}

static bool read_reference(yyjson_val *json, const struct value_context *context, struct value *value)
{
    return read_text(json, context, ID_BYTES_MAX, value);
}

/* Empty texts in a list say nothing: left out. */
static bool read_names(yyjson_val *json, const struct value_context *context, struct value *value)
{
    if (!yyjson_is_arr(json)) return false;
    struct span *texts = arena_alloc(context->json->arena, yyjson_arr_size(json) * sizeof *texts);
    size_t i, n, kept = 0;
    yyjson_val *element;
    yyjson_arr_foreach(json, i, n, element)
    {
        if (!yyjson_is_str(element) || yyjson_get_len(element) > TEXT_BYTES_MAX) return false;
        if (yyjson_get_len(element)) texts[kept++] = json_kept_text(context->json, element);
    }
    *value = (struct value){ kept ? VALUE_TEXTS : VALUE_NULL, .texts = { texts, kept } };
    return true;
}

/* A text has no exponent, a number may. */
static bool read_decimal(yyjson_val *json, struct value *value)
{
    char plain[DECIMAL_PLAIN_BYTES];
    if (!yyjson_is_str(json) && !yyjson_is_raw(json)) return false;
    value->type = VALUE_DECIMAL;
    return decimal_parse(yyjson_is_raw(json) ? decimal_plain(json_text(json), plain) : json_text(json), &value->decimal);
}

static bool read_money(yyjson_val *json, const struct value_context *context, struct value *value)
{
    return read_decimal(json, value) && decimal_fits(value->decimal, context->decimals);
}

/* A number of any decimals, below 10^15; money where the event names a currency. */
static bool read_target(yyjson_val *json, const struct value_context *context, struct value *value)
{
    if (context->currency_named) return read_money(json, context, value);
    if (!read_decimal(json, value)) return false;
    struct decimal whole = { decimal_minor(value->decimal, 0), 0 };
    return decimal_fits(whole, 0);
}

static bool read_currency(yyjson_val *json, const struct value_context *context, struct value *value)
{
    struct span code;
    if (!value_currency(json, &code)) return false;
    *value = (struct value){ VALUE_TEXT, .text = json_kept_text(context->json, json) };
    return true;
}

/* Nothing but zeros behind a minus. */
static bool is_negative(struct span number)
{
    if (number.at[0] != '-') return false;
    for (size_t i = 1; i < number.len; i++)
        if (number.at[i] >= '1' && number.at[i] <= '9') return true;
    return false;
}

/* Seconds, of which whole milliseconds are kept: digits behind them are cut before they are read, however many. */
static bool read_duration(yyjson_val *json, const struct value_context *context, struct value *value)
{
    (void)context;
    char plain[DECIMAL_PLAIN_BYTES];
    if (!yyjson_is_raw(json)) return false;
    struct span number = decimal_plain(json_text(json), plain);
    if (!number.len || is_negative(number)) return false;
    const char *point = memchr(number.at, '.', number.len);
    size_t len = point ? (size_t)(point - number.at) + 1 + MS_DECIMALS : number.len;
    if (len < number.len) number.len = len;
    struct decimal seconds;
    if (!decimal_parse(number, &seconds) || !decimal_fits(seconds, MS_DECIMALS)) return false;
    *value = (struct value){ VALUE_INTEGER, .integer = decimal_minor(seconds, MS_DECIMALS) };
    return true;
}

static bool read_instant(yyjson_val *json, const struct value_context *context, struct value *value)
{
    (void)context;
    value->type = VALUE_INTEGER;
    return yyjson_is_str(json) && instant_parse(json_text(json), &value->integer);
}

static bool read_date(yyjson_val *json, const struct value_context *context, struct value *value)
{
    (void)context;
    int32_t day;
    if (!yyjson_is_str(json) || !day_parse(json_text(json), &day)) return false;
    *value = (struct value){ VALUE_INTEGER, .integer = day };
    return true;
}

static bool read_flag(yyjson_val *json, const struct value_context *context, struct value *value)
{
    (void)context;
    *value = (struct value){ VALUE_INTEGER, .integer = yyjson_is_true(json) };
    return yyjson_is_bool(json);
}

static bool read_score(yyjson_val *json, const struct value_context *context, struct value *value)
{
    (void)context;
    char plain[DECIMAL_PLAIN_BYTES];
    struct decimal score;
    if (!yyjson_is_raw(json) || !decimal_parse(decimal_plain(json_text(json), plain), &score)) return false;
    *value = (struct value){ VALUE_INTEGER, .integer = score.digits };
    return score.scale == 0 && score.digits >= SCORE_MIN && score.digits <= SCORE_MAX;
}

static bool read_period(yyjson_val *json, const struct value_context *context, struct value *value)
{
    if (!read_name(json, context, value)) return false;
    struct span text = value->text;
    char first_day[] = "yyyy-01-01"; /* of the year, or of the month */
    if (text.len < YEAR_DIGITS) return false;
    memcpy(first_day, text.at, YEAR_DIGITS);
    if (text.len == 7 && text.at[5] == 'Q') {
        if (text.at[4] != '-' || text.at[6] < '1' || text.at[6] > '4') return false;
    } else if (text.len == 7) {
        memcpy(first_day, text.at, text.len);
    } else if (text.len != YEAR_DIGITS) {
        return false;
    }
    int32_t day;
    return day_parse(span_of(first_day), &day) && instant_is_possible(day * MICROS_PER_DAY);
}

typedef bool (*reader)(yyjson_val *json, const struct value_context *context, struct value *value);

static const reader readers[] = {
    [TYPE_NAME] = read_name,         [TYPE_REFERENCE] = read_reference, [TYPE_PERSONAL] = read_name,
    [TYPE_NAMES] = read_names,       [TYPE_MONEY] = read_money,         [TYPE_CURRENCY] = read_currency,
    [TYPE_DURATION] = read_duration, [TYPE_INSTANT] = read_instant,     [TYPE_DATE] = read_date,
    [TYPE_FLAG] = read_flag,         [TYPE_SCORE] = read_score,         [TYPE_TARGET] = read_target,
    [TYPE_PERIOD] = read_period,
};

const char *const value_expected[] = {
    [TYPE_NAME] = "a text of at most 1024 bytes",
    [TYPE_REFERENCE] = "an id: a text of at most 256 bytes",
    [TYPE_PERSONAL] = "a text of at most 1024 bytes",
    [TYPE_NAMES] = "a list of texts of at most 1024 bytes each",
    [TYPE_MONEY] = "a number, or a decimal text without exponent, no more decimals than its currency, at most 15 digits",
    [TYPE_CURRENCY] = "three capital letters, as in ISO 4217",
    [TYPE_DURATION] = "seconds as a number >= 0, below 10^12",
    [TYPE_INSTANT] = "an RFC 3339 date-time",
    [TYPE_DATE] = "a date YYYY-MM-DD",
    [TYPE_FLAG] = "true or false",
    [TYPE_SCORE] = "a whole number from 1 to 5",
    [TYPE_TARGET] = "a number, or a decimal text without exponent, below 10^15; with a currency, no further decimals than it has",
    [TYPE_PERIOD] = "a month, quarter or year of 1900 to 2199: 2026-03, 2026-Q1, 2026",
};

bool value_is_empty(yyjson_val *json)
{
    return yyjson_is_null(json) || (yyjson_is_str(json) && yyjson_get_len(json) == 0);
}

bool value_currency(yyjson_val *json, struct span *code)
{
    if (!yyjson_is_str(json)) return false;
    *code = json_text(json);
    return currency_valid(*code);
}

bool value_read(enum attribute_type type, yyjson_val *json, const struct value_context *context, struct value *value)
{
    value->type = VALUE_NULL;
    return value_is_empty(json) || readers[type](json, context, value);
}
