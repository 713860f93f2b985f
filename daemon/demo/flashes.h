/* Which numbers on the screen have just changed, and in which direction. */
#pragma once

#include "common/arena.h"
#include "common/map.h"
#include "daemon/demo/canvas.h"

/* A zeroed struct flashes is an empty one. */
struct flashes {
    struct map of; /* the place of a number -> what stood there */
    struct arena arena;
};
void flashes_deinit(struct flashes *flashes);

/* The style of a number at this place of the page ("acme/service/owner/anna/…"): shining for a moment after it changed. */
enum style flash(struct flashes *flashes, const char *place, const char *text, double size, int64_t now_us);
