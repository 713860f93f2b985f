/* Whole decimal numbers at the front of a text, in the one form the daemon writes them: no plus, no leading zeros. */
#pragma once

#include "common/span.h"

/* Takes "-12" off the front. False, with the text as it was: no such number there, or more than an int64. */
bool number_take(struct span *text, int64_t *value);

/* The number that the whole text is; 0: it is none, or there is no text. */
int64_t number_or_zero(struct span text);

/* Takes the byte off the front if it stands there. */
static inline bool byte_take(struct span *text, char byte)
{
    if (!text->len || *text->at != byte) return false;
    text->at++, text->len--;
    return true;
}

/* Takes everything up to the byte, or up to the end; the byte itself stays. */
struct span until_take(struct span *text, char byte);
