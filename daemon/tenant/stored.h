/* All entities of a tenant, as they are stored at the version of a view, one after the other: for whoever counts again. */
#pragma once

#include "daemon/tenant/view.h"

/* One of them, as long as the call lasts. A deleted contact stands under the hash of its id, the id itself is gone: `id` is then
 * what it stands under instead (place_is_grave), and of events' ids the first letters may be wrong. */
struct stored {
    struct entity entity;
    struct span key, bytes; /* the page it stands on; as it is stored */
    bool readable;          /* false: the bytes are no entity, `entity` holds kind and id only */
    struct arena *arena;    /* of the call */
};

/* False from `take` ends it (that is no error). False, with an error: they could not be read; `view->moved`: the tenant moved on
 * meanwhile, then what was handed over is of no version: open the view again. */
typedef bool (*take_stored)(void *context, const struct stored *stored);
bool view_entities(struct view *view, uint32_t kinds, take_stored take, void *context, struct error *error) MUST_USE;
enum {
    ALL_KINDS = (1 << N_ENTITY_KINDS) - 1 /* else a bit per enum kind */
};

/* What it says at that clock, by what it was counted; nothing if it cannot be read. In the arena of the call. */
struct statement stored_statement(const struct view *view, const struct stored *stored, int64_t clock_us);

/* How many there are, of all kinds. */
uint64_t view_entity_count(const struct view *view);

/* Like view_open, but all entities and all cells are read with it in one step of the server: what a tenant that never rests needs. It holds
 * the server up for as long: not for more entities than VIEW_WHOLE_MAX. */
enum {
    VIEW_WHOLE_MAX = 200000
};
bool view_open_whole(struct view *view, struct state *state, const struct tenant_settings *settings, struct span tenant,
                     const struct rules *rules, struct error *error) MUST_USE;

/* Every bucket of the tenant that can hold cells: of now, its months, and all of their days. To be freed. */
struct bucket *view_buckets(const struct view *view, size_t *n);

/* Every key that holds what is counted of the tenant, its state hash last; some of them may not be there. In the arena. Reports,
 * alerts and what else is published of it are none of these. */
struct span *view_keys(const struct view *view, struct arena *arena, size_t *n);

/* Did the tenant move on since? False also when that cannot be found out. */
bool view_is_behind(struct view *view);
