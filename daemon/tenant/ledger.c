#include "daemon/tenant/ledger.h"

#include "common/error.h"

#include <stdlib.h>

void difference_destroy(struct difference *difference)
{
    if (!difference) return;
    cell_value_deinit(&difference->value);
    free(difference);
}

void ledger_deinit(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->n; i++) difference_destroy(ledger->differences[i]);
    free(ledger->differences);
    map_deinit(&ledger->by_key);
    *ledger = (struct ledger){ 0 };
}

/* Bucket, fact and dimensions lie behind each other in the difference: they are its key in the map. */
static struct span map_key(const struct difference *difference)
{
    size_t bytes = offsetof(struct difference, key) + offsetof(struct cell_key, dims);
    return (struct span){ (const char *)difference, bytes + difference->key.n * sizeof *difference->key.dims };
}

static struct difference *difference_of(struct ledger *ledger, struct bucket bucket, const struct cell_key *key)
{
    struct difference wanted = { .bucket = bucket, .key = *key };
    struct difference *known = map_get(&ledger->by_key, map_key(&wanted));
    if (known) return known;
    if (ledger->n == ledger->room) {
        ledger->room = ledger->room ? ledger->room * 2 : 64;
        ledger->differences = must_realloc(ledger->differences, ledger->room * sizeof *ledger->differences);
    }
    known = must_zalloc(sizeof *known);
    *known = wanted;
    ledger->differences[ledger->n++] = known;
    map_put(&ledger->by_key, map_key(known), known);
    return known;
}

void ledger_add(struct ledger *ledger, const struct fact_entry *fact, int factor)
{
    const struct fact_row *row = &fact_rows[fact->key.fact];
    struct bucket bucket = row->dating == DATED ? (struct bucket){ BUCKET_DAY, fact->day } : (struct bucket){ BUCKET_NOW, 0 };
    struct difference *difference = difference_of(ledger, bucket, &fact->key);
    for (int i = 0; i < row->n_measures; i++) {
        if (fact->measures[i] == ABSENT) continue;
        difference->value.sums[i] += factor * fact->measures[i];
        if (row->measures[i].type == MEASURE_DURATION) histogram_add(&difference->value.spread[i], fact->measures[i], factor);
    }
}

void ledger_replace(struct ledger *ledger, const struct statement *before, const struct statement *after)
{
    uint32_t n = before->n_facts > after->n_facts ? before->n_facts : after->n_facts;
    for (uint32_t i = 0; i < n; i++) {
        const struct fact_entry *old = i < before->n_facts ? &before->facts[i] : NULL;
        const struct fact_entry *new = i < after->n_facts ? &after->facts[i] : NULL;
        if (old && new &&memcmp(old, new, sizeof *old) == 0) continue;
        if (old) ledger_add(ledger, old, -1);
        if (new) ledger_add(ledger, new, 1);
    }
}

void ledger_settle(struct ledger *ledger)
{
    size_t kept = 0;
    for (size_t i = 0; i < ledger->n; i++) {
        struct difference *difference = ledger->differences[i];
        if (!cell_value_is_zero(&difference->value))
            ledger->differences[kept++] = difference;
        else
            difference_destroy(difference);
    }
    ledger->n = kept;
    map_clear(&ledger->by_key);
}
