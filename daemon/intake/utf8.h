/* Is a row of bytes valid UTF-8? For what does not come as JSON, whose reader checks it itself. */
#pragma once

#include "common/span.h"

/* No overlong forms, no surrogates, nothing beyond U+10FFFF. */
bool utf8_valid(struct span text);
