/* What of the facts is kept: which are on, with which measures, dimensions and lists. A catalogue needs some of it; a tenant is
 * counted by what it was begun with and by what came to it since. */
#pragma once

#include "common/buffer.h"
#include "daemon/counters/cell.h"

/* Nothing else is computed or stored. */
struct kept {
    struct {
        bool on;
        uint8_t measures; /* a bit per measure */
        uint16_t dims;    /* a bit per index of fact_row.dims; a dimension that is off is stored as missing */
        bool customs;     /* declared custom attributes as further dimensions */
    } fact[N_FACTS];
    uint16_t customs[N_KINDS]; /* which of them: a bit per attribute of the kind, in the order of the rules */
    bool kind[N_KINDS];        /* whose events any of it is made from (needs.h) */
    uint16_t lists;            /* a bit per enum list */
};

/* What the catalogue's `needed` comes to for a tenant: of custom attributes those that it declares. */
struct kept kept_of(const struct kept *needed, const struct rules *rules);

bool kept_covers(const struct kept *kept, const struct kept *needed); /* is all of `needed` in it? */
void kept_join(struct kept *kept, const struct kept *more);           /* becomes what either has */
void kept_meet(struct kept *kept, const struct kept *other);          /* becomes what both have */

/* Sets what is not kept to missing. */
void kept_cut_key(const struct kept *kept, struct cell_key *key);

/* Custom attributes of a fact that several kinds say are dropped where one of the kinds declares what it does not keep: what is counted by
 * them is not all there is. */
void kept_drop_halves(struct kept *kept, const struct rules *rules);

/* "lists=1ff lead=1.f deal_won=1f.3ff.c custom.deal=region": of each fact that is on bits of its measures and dimensions. */
void kept_write(const struct kept *kept, const struct rules *rules, struct buffer *out);
/* False: it is none. `undeclared` is set to a custom attribute that the rules no longer declare, else left alone. */
bool kept_read(struct span text, const struct rules *rules, struct kept *kept, struct span *undeclared);

/* What `wider` has beyond `kept`, for people, in about so many bytes: "custom.deal.region, call, deal_won (cost, by loss_reason),
 * list open_deals and 3 more". */
void kept_write_added(const struct kept *kept, const struct kept *wider, const struct rules *rules, size_t most,
                      struct buffer *out);
