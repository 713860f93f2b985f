/* The slots of a cluster that hold anything of ours, with their marks: as crm:slots names them, "new" once announced, "used" from
 * before the first commit to one of its tenants. One is home: that of crm:tenants and crm:slots. */
#pragma once

#include "daemon/state/slot_marks.h"

struct slots_in_use {
    struct state *state;
    char *prefix;
    uint16_t home;
    uint32_t tags[N_SLOTS];
    struct slot_marks *of_slot[N_SLOTS]; /* NULL: not in use, as far as is known */
    struct slot_marks **at;              /* those in use, home first */
    size_t n;
    int64_t n_registered; /* entries of crm:slots when it was read last */
};

void slots_init(struct slots_in_use *used, struct state *cluster, const char *prefix); /* home alone is known */
void slots_deinit(struct slots_in_use *used);
void slots_forget(struct slots_in_use *used); /* as after slots_init */
struct slot_marks *slots_use(struct slots_in_use *used, uint16_t slot, bool is_new);

/* What crm:slots says; those not known before come to stand at the end, without marks. */
bool slots_read(struct slots_in_use *used, struct arena *arena, enum outcome *outcome, struct error *error) MUST_USE;
bool slots_count(struct slots_in_use *used, int64_t *n, enum outcome *outcome, struct error *error) MUST_USE; /* its entries */

/* The marks of these slots as they stand, over what was known of them. */
bool slots_read_marks(struct slots_in_use *used, struct slot_marks **slots, size_t n, struct arena *arena, enum outcome *outcome,
                      struct error *error) MUST_USE;

/* As new, unless something stands there. */
bool slots_announce(struct slots_in_use *used, struct slot_marks **slots, size_t n, enum outcome *outcome,
                    struct error *error) MUST_USE;
/* The new ones among them have all their marks now. */
bool slots_note_used(struct slots_in_use *used, struct slot_marks **slots, size_t n, enum outcome *outcome,
                     struct error *error) MUST_USE;
