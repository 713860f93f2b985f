/* A time zone's table in few bytes, to be kept where it was counted by. */
#pragma once

#include "common/buffer.h"
#include "common/zone.h"

void zone_write(const struct zone *zone, struct buffer *out); /* its steps */

/* Fills the steps, in the arena. False: the bytes are none. */
bool zone_read(struct span bytes, struct zone *zone, struct arena *arena);
