#include "common/names.h"

#include "common/error.h"

#include <stdlib.h>

/* The map's values are the numbers themselves, as pointers; 0 is never one. */
static void *as_value(name_id id)
{
    return (void *)(uintptr_t)id;
}

void names_init(struct names *names)
{
    *names = (struct names){ .n = 1, .room = 16 };
    names->texts = must_zalloc(names->room * sizeof *names->texts);
}

void names_deinit(struct names *names)
{
    map_deinit(&names->by_text);
    arena_deinit(&names->arena);
    free(names->texts);
    *names = (struct names){ 0 };
}

name_id names_find(const struct names *names, struct span text)
{
    return (name_id)(uintptr_t)map_get(&names->by_text, text);
}

name_id names_intern(struct names *names, struct span text)
{
    if (!text.len) return 0;
    name_id id = names_find(names, text);
    if (id) return id;
    if (names->n == names->room) {
        names->room *= 2;
        names->texts = must_realloc(names->texts, names->room * sizeof *names->texts);
    }
    id = names->n++;
    names->texts[id] = arena_copy(&names->arena, text);
    map_put(&names->by_text, names->texts[id], as_value(id));
    return id;
}

struct span names_text(const struct names *names, name_id id)
{
    REQUIRE(id < names->n);
    return names->texts[id];
}

bool names_restore(struct names *names, name_id id, struct span text)
{
    return id == names->n && text.len && names_intern(names, text) == id;
}

size_t names_bytes(const struct names *names)
{
    return names->arena.bytes + names->by_text.room * sizeof *names->by_text.slots + names->room * sizeof *names->texts;
}
