/* Redis as a model: hashes of fields, one atomic step after another, and what a real one may do to them: forget its last steps,
 * go back by hours, be emptied, be away, refuse. Timers are fields, too (decimal microseconds), as are documents (field ""). */
#pragma once

#include "common/arena.h"
#include "common/map.h"

struct store_step;
struct store_change;

struct store {
    struct arena arena; /* all texts */
    struct map hashes;  /* key -> struct store_hash */
    struct store_change *changes;
    size_t n_changes, room_changes;
    struct store_step *steps; /* atomic ones that took place */
    size_t n_steps, room_steps;
    uint64_t run;      /* another number: another server process, or another history */
    bool away;         /* nobody answers */
    bool refuses;      /* writes: out of memory, read only */
    int64_t *clock_us; /* of the server */
};

struct store_hash {
    struct span key;
    struct map fields; /* name -> struct store_field */
};
struct store_field {
    struct span name, value;
};

void store_deinit(struct store *store);

struct span store_get(const struct store *store, struct span key, struct span field); /* .at NULL: not there */
int64_t store_number(const struct store *store, struct span key, struct span field);  /* 0: not there */
const struct store_hash *store_hash(const struct store *store, struct span key);      /* NULL: not there */

/* Sets a field, or removes it (.at NULL). Copies. Belongs to the step that store_step ends. */
void store_put(struct store *store, struct span key, struct span field, struct span value);
void store_remove(struct store *store, struct span key); /* all of its fields */
void store_put_number(struct store *store, struct span key, struct span field, int64_t value);
void store_step(struct store *store);

/* As after that many steps; the connections are gone. */
void store_set_back(struct store *store, size_t steps);
size_t store_steps_until(const struct store *store, int64_t at_us); /* how many had taken place then */
void store_empty(struct store *store);                              /* FLUSHALL: connections stay */
void store_restart(struct store *store);
