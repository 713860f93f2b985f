/* How figures are written. */
#include "daemon/report/figure.h"

#include "common/decimal.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    DIGITS_SURE = 15, /* a decimal of so many digits is the only one of its length near its double */
    DIGITS_MAX = 17,
    NUMBER_BYTES = 64,
    PLAIN_EXPONENT_MIN = -7,
    PLAIN_EXPONENT_MAX = 17
};

/* Takes the zeros off the end of "d.ddddde+xx". Returns how many digits stay. */
static int trim_zeros(char *text, int digits)
{
    char *end = strchr(text, 'e'), *last = end;
    while (digits > 1 && last[-1] == '0') last--, digits--;
    if (last[-1] == '.') last--;
    memmove(last, end, strlen(end) + 1);
    return digits;
}

/* "-d.ddde+xx" without an exponent. */
static void plain_write(const char *text, int digits, int exponent, struct buffer *out)
{
    if (*text == '-') buffer_byte(out, (uint8_t)*text++);
    if (exponent < 0) buffer_str(out, "0.");
    for (int i = exponent + 1; i < 0; i++) buffer_byte(out, '0');
    for (int i = 0; i < digits || i <= exponent; i++) {
        if (i && i == exponent + 1) buffer_byte(out, '.');
        buffer_byte(out, i < digits ? (uint8_t)(i ? text[i + 1] : text[0]) : '0');
    }
}

void double_write(double value, struct buffer *out)
{
    char text[NUMBER_BYTES];
    int digits = DIGITS_SURE;
    if (value == 0) return buffer_byte(out, '0');
    snprintf(text, sizeof text, "%.*e", digits - 1, value);
    while (digits < DIGITS_MAX && strtod(text, NULL) != value) snprintf(text, sizeof text, "%.*e", digits++, value);
    digits = trim_zeros(text, digits);
    int exponent = atoi(strchr(text, 'e') + 1);
    if (exponent < PLAIN_EXPONENT_MIN || exponent > PLAIN_EXPONENT_MAX)
        buffer_str(out, text);
    else
        plain_write(text, digits, exponent, out);
}

void figure_write_number(struct rational value, struct buffer *out)
{
    const __int128 limit = INT64_MAX;
    if (rational_is_null(value)) return buffer_str(out, "null");
    if (value.num % value.den) return double_write(rational_double(value), out);
    __int128 whole = value.num / value.den;
    buffer_decimal(out, (int64_t)(whole > limit ? limit : whole < -limit ? -limit : whole));
}

/* One currency, as it is to be written. */
struct shown_part {
    struct span code;
    struct rational value;
};

static int compare_codes(const void *a, const void *b)
{
    return span_compare(((const struct shown_part *)a)->code, ((const struct shown_part *)b)->code);
}

void figure_part_write(const struct metric *metric, struct span currency, struct rational value, struct buffer *out)
{
    char text[MONEY_TEXT_BYTES];
    if (metric->shape == SHAPE_RATIOS) return figure_write_number(value, out);
    int64_t minor = rational_rounded(value);
    if (!minor) return;
    money_format(minor, currency_decimals(currency), text);
    buffer_str(out, text);
}

/* Money of 0 is left out. */
static void write_parts(const struct metric *metric, const struct figure *figure, const struct names *names, struct buffer *out)
{
    size_t n = 0;
    struct shown_part *shown = must_alloc((figure->n_parts + 1) * sizeof *shown);
    for (size_t i = 0; i < figure->n_parts; i++) {
        const struct figure_part *part = &figure->parts[i];
        if (!part->currency || (metric->shape != SHAPE_RATIOS && !rational_rounded(part->value))) continue;
        shown[n++] = (struct shown_part){ names_text(names, part->currency), part->value };
    }
    qsort(shown, n, sizeof *shown, compare_codes);
    buffer_byte(out, '{');
    for (size_t i = 0; i < n; i++) {
        buffer_printf(out, "%s\"%.*s\":", i ? "," : "", SPAN_ARG(shown[i].code));
        figure_part_write(metric, shown[i].code, shown[i].value, out);
    }
    buffer_byte(out, '}');
    free(shown);
}

/* One value per currency? Of goals it depends on what they are set on. */
static bool is_parted(const struct metric *metric, const struct figure *figure)
{
    return metric->shape == SHAPE_MONEY || metric->shape == SHAPE_RATIOS || (metric->shape == SHAPE_GOAL && figure->parted);
}

bool figure_is_null(const struct metric *metric, const struct figure *figure)
{
    if (figure->is_percentile || is_parted(metric, figure)) return false;
    return !figure->has_one || rational_is_null(figure->one);
}

void figure_write(const struct metric *metric, const struct figure *figure, const struct names *names, struct buffer *out)
{
    if (figure_is_null(metric, figure)) return buffer_str(out, "null");
    if (figure->is_percentile) return double_write(figure->percentile, out);
    if (is_parted(metric, figure)) return write_parts(metric, figure, names, out);
    figure_write_number(figure->one, out);
}
