#include "daemon/tenant/ledger.h"

#include "common/error.h"

#include <stdlib.h>

enum {
    LOOK_AHEAD = 6 /* rows */
};

void difference_deinit(struct difference *difference)
{
    const struct fact_row *row = &fact_rows[difference->key.fact];
    for (int i = 0; i < row->n_measures; i++)
        if (row->measures[i].type == MEASURE_DURATION) histogram_deinit(&difference->value.spread[i]);
}

void ledger_deinit(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->n; i++) difference_deinit(ledger->differences[i]);
    free(ledger->differences);
    arena_deinit(&ledger->arena);
    map_deinit(&ledger->by_key);
    *ledger = (struct ledger){ 0 };
}

size_t ledger_bytes(const struct ledger *ledger)
{
    return ledger->arena.bytes + ledger->room * sizeof *ledger->differences + ledger->by_key.room * sizeof *ledger->by_key.slots;
}

static struct difference *add_difference(struct ledger *ledger, struct bucket bucket, const struct cell_key *key)
{
    if (ledger->n == ledger->room) {
        ledger->room = ledger->room ? ledger->room * 2 : 64;
        ledger->differences = must_realloc(ledger->differences, ledger->room * sizeof *ledger->differences);
    }
    struct difference *added = arena_zalloc(&ledger->arena, offsetof(struct difference, key) + cell_key_bytes(key));
    added->bucket = bucket;
    cell_key_copy(&added->key, key);
    return ledger->differences[ledger->n++] = added;
}

static struct difference *difference_of(struct ledger *ledger, struct bucket bucket, const struct cell_key *key)
{
    struct {
        struct bucket bucket;
        struct cell_key key;
    } wanted;
    uint64_t key_hash = cell_key_hash(key), hash = cell_hash(bucket, key_hash);
    wanted.bucket = bucket;
    cell_key_copy(&wanted.key, key);
    struct difference *known = map_get_by(&ledger->by_key, cell_bytes(&wanted.bucket, &wanted.key), hash);
    if (known) return known;
    known = add_difference(ledger, bucket, key);
    known->key_hash = key_hash;
    map_put_by(&ledger->by_key, cell_bytes(&known->bucket, &known->key), hash, known);
    return known;
}

void ledger_add(struct ledger *ledger, const struct fact_entry *fact, int factor)
{
    bool dated = fact_rows[fact->key.fact].dating == DATED;
    struct bucket bucket = dated ? (struct bucket){ BUCKET_DAY, fact->day } : (struct bucket){ BUCKET_NOW, 0 };
    fact_entry_add(fact, factor, &difference_of(ledger, bucket, &fact->key)->value);
}

static bool same(const struct fact_entry *a, const struct fact_entry *b)
{
    return a->key.fact == b->key.fact && a->key.n == b->key.n && memcmp(a, b, fact_entry_bytes(a)) == 0;
}

/* How many of the rows come before one that equals `fact`; -1: none of the next few does. */
static int rows_before(const struct statement *statement, uint32_t from, const struct fact_entry *fact)
{
    for (uint32_t i = from; i < statement->n_facts && i < from + LOOK_AHEAD; i++)
        if (same(&statement->facts[i], fact)) return (int)(i - from);
    return -1;
}

/* Both are told in the same order, so that rows that stay mostly meet; what does not meet cancels out in its cell. */
void ledger_replace(struct ledger *ledger, const struct statement *before, const struct statement *after)
{
    uint32_t i = 0, j = 0;
    while (i < before->n_facts || j < after->n_facts) {
        const struct fact_entry *old = i < before->n_facts ? &before->facts[i] : NULL;
        const struct fact_entry *new = j < after->n_facts ? &after->facts[j] : NULL;
        int added = old ? rows_before(after, j, old) : -1;
        if (added == 0) {
            i++, j++;
        } else if (added > 0 || !old) {
            ledger_add(ledger, new, 1), j++;
        } else {
            ledger_add(ledger, old, -1), i++;
        }
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
            difference_deinit(difference);
    }
    ledger->n = kept;
    map_clear(&ledger->by_key);
}
