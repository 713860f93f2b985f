/* The list of entities behind one sum of a row: what each adds, merged, sorted, bounded, as JSON. */
#pragma once

#include "daemon/explain/shares.h"

/* A sum of facts' measures, each times a factor, and a number beside them. */
struct linear {
    struct term {
        unsigned atom;
        struct rational factor;
    } terms[ATOMS_MAX];
    size_t n;
    struct rational constant;
};

/* How values are written. */
struct value_form {
    enum value_shape {
        VALUE_NUMBER,
        VALUE_MONEY, /* per currency, in its smallest unit */
        VALUE_PARTED /* per currency, plain */
    } shape;
    int64_t scale; /* milliseconds of the unit, of durations; else 1 */
};

/* One row of the answer at work. */
struct lister {
    const struct shares *shares;
    const struct tally_row *row;
    const struct evaluation *evaluation; /* of the row: for what weighs */
    size_t limit;                        /* of entities */
};

/* Appends [{"kind":"deal","id":"D-1","day":"2026-03-02","value":1},…], the largest first, then the newest. `each`: every fact by
 * itself and those of value 0, too (a distribution); else the facts of an entity on a day are one, those of a level all days'.
 * True: there were more than the limit. */
bool lister_write(const struct lister *listing, const struct linear *linear, struct value_form form, bool each,
                  struct buffer *out);
