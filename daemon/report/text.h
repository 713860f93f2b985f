/* Texts in JSON. */
#pragma once

#include "common/buffer.h"

/* In quotes, escaped; valid UTF-8 stays as it is. */
void text_write(struct span text, struct buffer *out);
