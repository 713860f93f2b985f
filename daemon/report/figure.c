/* How figures are written. */
#include "daemon/report/figure.h"

#include "common/decimal.h"

#include <math.h>
#include <stdlib.h>
#include <yyjson.h>

enum {
    NUMBER_BYTES = 64,
    SCRATCH_BYTES = 512, /* more than yyjson takes for a number */
    PLAIN_EXPONENT_MIN = -7,
    PLAIN_EXPONENT_MAX = 17
};

/* digits[0].digits[1]… times ten to the exponent; neither the first nor the last is 0. */
struct decimal_digits {
    char digits[NUMBER_BYTES];
    int n, exponent;
};

/* Of "12.50", "0.001", "1.5e-8". */
static struct decimal_digits digits_of(const char *text)
{
    struct decimal_digits of = { .exponent = -1 };
    bool behind_point = false;
    int zeros = 0; /* that are digits only if another one follows */
    for (; *text && *text != 'e'; text++) {
        if (*text == '.') {
            behind_point = true;
        } else if (*text == '0') {
            zeros += of.n > 0;
            of.exponent += of.n ? !behind_point : -behind_point;
        } else {
            for (; zeros; zeros--) of.digits[of.n++] = '0';
            of.digits[of.n++] = *text;
            of.exponent += !behind_point;
        }
    }
    if (*text) of.exponent += atoi(text + 1);
    return of;
}

static void plain_write(const struct decimal_digits *of, struct buffer *out)
{
    if (of->exponent < 0) buffer_str(out, "0.");
    for (int i = of->exponent + 1; i < 0; i++) buffer_byte(out, '0');
    for (int i = 0; i < of->n || i <= of->exponent; i++) {
        if (i && i == of->exponent + 1) buffer_byte(out, '.');
        buffer_byte(out, i < of->n ? (uint8_t)of->digits[i] : '0');
    }
}

static void scientific_write(const struct decimal_digits *of, struct buffer *out)
{
    buffer_byte(out, (uint8_t)of->digits[0]);
    if (of->n > 1) buffer_printf(out, ".%.*s", of->n - 1, of->digits + 1);
    buffer_printf(out, "e%+03d", of->exponent);
}

void double_write(double value, struct buffer *out)
{
    char memory[SCRATCH_BYTES];
    yyjson_alc scratch;
    yyjson_val number = { 0 };
    if (value == 0) return buffer_byte(out, '0');
    if (value < 0) buffer_byte(out, '-');
    yyjson_alc_pool_init(&scratch, memory, sizeof memory);
    yyjson_set_real(&number, fabs(value));
    const char *text = yyjson_val_write_opts(&number, YYJSON_WRITE_NOFLAG, &scratch, NULL, NULL);
    REQUIRE(text); /* no number of ours is infinite */
    struct decimal_digits of = digits_of(text);
    if (of.exponent < PLAIN_EXPONENT_MIN || of.exponent > PLAIN_EXPONENT_MAX)
        scientific_write(&of, out);
    else
        plain_write(&of, out);
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
        if (i) buffer_byte(out, ',');
        buffer_byte(out, '"');
        buffer_span(out, shown[i].code);
        buffer_str(out, "\":");
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
