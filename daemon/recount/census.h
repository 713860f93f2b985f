/* Everything that is counted of a tenant at one version, cell by cell, and its entities, to be held against another census. */
#pragma once

#include "daemon/tenant/stored.h"

struct census_cell {
    struct bucket bucket;
    struct cell_key key;
    struct cell_value value;
};

struct census_entity {
    enum kind kind;
    struct span id; /* of a deleted contact its field */
    bool readable;
    uint64_t hash; /* of its events, attributes and what others handed to it */
};

/* What an entity has in one of the lists that reports show. */
struct census_line {
    enum list list;
    struct span id; /* "deal D-1" */
    struct list_line line;
};

/* A zeroed one is empty. */
struct census {
    struct arena arena;
    struct map lines;        /* list byte and id -> struct census_line */
    struct map cells;        /* bucket and key -> struct census_cell */
    struct map entities;     /* kind byte and id -> struct census_entity */
    const struct view *left; /* entities that have left that tenant are passed over; NULL: none */
};
void census_deinit(struct census *census);

/* Adds all cells and lines as they are stored. The view's names must live as long as the numbers are to mean something. */
bool census_add_cells(struct census *census, struct view *view, struct error *error) MUST_USE;

/* Adds what the stored entities say, each as it was counted: the cells and lines that there should be; and notes the entities.
 * `due` (may be NULL) gets the differences that timers will make which have come at the tenant's clock, but have not rung yet.
 * `shared`: two who keep more than this, each in his way, are to be compared. Entities are then noted as far as that goes: those
 * with events that are not deleted contacts, by their events and attributes. NULL: all of them, by all they have. */
bool census_add_entities(struct census *census, struct view *view, const struct kept *shared, struct census *due,
                         struct error *error) MUST_USE;

void census_add_cell(struct census *census, struct bucket bucket, const struct cell_key *key, const struct cell_value *value);

/* Adds the cells of the other census, as they were if no more than this were kept. */
void census_add_shared(struct census *census, const struct census *other, const struct kept *shared);

/* value += those of the other census, cell by cell. */
void census_add(struct census *census, const struct census *other);

const struct cell_value *census_cell(const struct census *census, const struct census_cell *like); /* NULL: there is none */
const struct census_line *census_line(const struct census *census, const struct census_line *like);
const struct census_entity *census_entity(const struct census *census, const struct census_entity *like);
