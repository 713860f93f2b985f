/* Decimal numbers taken digit by digit, and money in the smallest unit of its currency. Never through a double. */
#pragma once

#include "common/span.h"

enum {
    DECIMAL_DIGITS_MAX = 15
};

/* value = digits / 10^scale */
struct decimal {
    int64_t digits;
    uint8_t scale;
};

/* "-1250.00", "7": a sign, digits, a point with digits. No exponent, no blanks. Zeros at the end of the fraction are
 * dropped. False: not of this form, or more digits than fit an int64. */
bool decimal_parse(struct span text, struct decimal *decimal);

/* A JSON number without its exponent: "1.5E+3" becomes "1500" in `plain`; as it is where it has none. NO_SPAN: it would have more digits
 * than any that fits. */
enum {
    DECIMAL_PLAIN_BYTES = 128
};
struct span decimal_plain(struct span number, char plain[DECIMAL_PLAIN_BYTES]);

/* ISO 4217 decimals of a currency; 2 for codes it does not know. */
int currency_decimals(struct span code);
bool currency_valid(struct span code); /* three capital letters */

/* In units of 10^-decimals, rounded half away from zero. */
int64_t decimal_minor(struct decimal decimal, int decimals);

/* Does it fit a currency with so many decimals: no further decimals, at most 15 digits in the smallest unit? */
bool decimal_fits(struct decimal decimal, int decimals);

/* a / b, rounded half away from zero. b != 0. 128-bit inside. */
int64_t divide_rounded(__int128 a, __int128 b);

/* "12345.00": minor units with exactly so many decimals. Terminated. */
enum {
    MONEY_TEXT_BYTES = 32
};
void money_format(int64_t minor, int decimals, char text[MONEY_TEXT_BYTES]);
