/* What unit tests share: cmocka, and instants and days from their texts. */
#pragma once

#include "common/instant.h"

/* cmocka.h wants the others before it */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
/* clang-format on */

static inline int64_t instant(const char *text)
{
    int64_t at_us;
    if (!instant_parse(span_of(text), &at_us)) fail_msg("no instant: %s", text);
    return at_us;
}

static inline int32_t day(const char *text)
{
    int32_t at;
    if (!day_parse(span_of(text), &at)) fail_msg("no day: %s", text);
    return at;
}
