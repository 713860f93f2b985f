#include "daemon/demo/flashes.h"

#include "common/instant.h"

#include <stdio.h>

enum {
    SHINES_MS = 1200,
    KEPT_BYTES = 8 << 20 /* then all is forgotten: nothing shines for once */
};

struct flash {
    char text[48];
    double size;
    int64_t changed_us; /* 0: never */
    enum style style;
};

void flashes_deinit(struct flashes *flashes)
{
    map_deinit(&flashes->of);
    arena_deinit(&flashes->arena);
}

static struct flash *find(struct flashes *flashes, const char *place)
{
    struct flash *flash = map_get(&flashes->of, span_of(place));
    if (flash) return flash;
    if (flashes->arena.bytes > KEPT_BYTES) {
        map_clear(&flashes->of);
        arena_reset(&flashes->arena);
    }
    flash = arena_zalloc(&flashes->arena, sizeof *flash);
    map_put(&flashes->of, arena_copy(&flashes->arena, span_of(place)), flash);
    return flash;
}

enum style flash(struct flashes *flashes, const char *place, const char *text, double size, int64_t now_us)
{
    struct flash *at = find(flashes, place);
    if (strcmp(at->text, text) != 0) {
        if (at->text[0]) {
            at->changed_us = now_us;
            at->style = size < at->size ? STYLE_DOWN : STYLE_UP;
        }
        snprintf(at->text, sizeof at->text, "%s", text);
        at->size = size;
    }
    return at->changed_us && now_us - at->changed_us < SHINES_MS * MICROS_PER_MS ? at->style : STYLE_PLAIN;
}
