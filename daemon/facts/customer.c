/* What a customer says, be it an account or a contact: when it was won, in which months, quarters and years it bought. */
#include "common/period.h"
#include "daemon/facts/tell.h"

#include <stdlib.h>

static int compare_wins(const void *a, const void *b)
{
    return win_compare(a, b);
}

static uint32_t count_wins(const struct entity *entity)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < entity->n_items; i++) n += entity->items[i].type == HANDED_WIN;
    return n;
}

/* The wins handed to it as a customer, in order. */
static struct win *customer_wins(const struct teller *teller, uint32_t *n)
{
    const struct entity *entity = teller->entity;
    uint32_t most = count_wins(entity);
    if (!most) return NULL;
    struct win *wins = arena_alloc(teller->context->scratch, most * sizeof *wins);
    for (uint32_t i = 0; i < entity->n_items; i++) {
        if (!win_decode(&wins[*n], &entity->items[i], teller->context)) continue;
        if (wins[*n].roles & WIN_CUSTOMER) ++*n;
    }
    qsort(wins, *n, sizeof *wins, compare_wins);
    return wins;
}

/* A fact with the dimensions of a won deal: those it has in common with deal_won, and the deal's custom ones. */
static struct fact_entry *tell_of_win(struct teller *teller, enum fact fact, int32_t day, const struct win *first)
{
    const struct fact_row *row = &fact_rows[fact], *won = &fact_rows[FACT_DEAL_WON];
    struct fact_entry *entry = tell(teller, fact, day);
    for (int i = 0; i < row->n_dims; i++) {
        int at = fact_dimension(won, row->dims[i]);
        entry->key.dims[i] = at >= 0 && (uint32_t)at < first->n_dims ? first->dims[at] : 0;
    }
    for (int i = row->n_dims; i < entry->key.n; i++) {
        uint32_t at = (uint32_t)(won->n_dims + i - row->n_dims);
        entry->key.dims[i] = at < first->n_dims ? first->dims[at] : 0;
    }
    return entry;
}

static void tell_unit(struct teller *teller, enum fact fact, int32_t day, enum known_name unit, const struct win *first)
{
    set_dim(tell_of_win(teller, fact, day, first), DIM_UNIT, known(teller->context, unit));
}

/* Per month, quarter, year: bought in it; and ever before it; and in the one just before. */
static void tell_units(struct teller *teller, const int32_t *days, uint32_t n, const struct win *first, enum unit unit,
                       enum known_name name)
{
    struct period before = { 0, -1 };
    for (uint32_t i = 0; i < n;) {
        struct period now = unit_period(teller->context->rules, unit, days[i]);
        tell_unit(teller, FACT_CUSTOMER_ACTIVE, now.from, name, first);
        if (i) tell_unit(teller, FACT_CUSTOMER_RETAINED, now.from, name, first);
        if (i && before.to == now.from - 1) tell_unit(teller, FACT_CUSTOMER_KEPT, now.from, name, first);
        while (i < n && days[i] <= now.to) i++;
        before = now;
    }
}

static void tell_all_units(struct teller *teller, const struct win *wins, uint32_t n)
{
    int32_t *days = arena_alloc(teller->context->scratch, n * sizeof *days);
    uint32_t n_days = 0;
    for (uint32_t i = 0; i < n; i++) n_days = add_day(days, n_days, event_day(&wins[i].event));
    tell_units(teller, days, n_days, &wins[0], UNIT_MONTH, KNOWN_MONTH);
    tell_units(teller, days, n_days, &wins[0], UNIT_QUARTER, KNOWN_QUARTER);
    tell_units(teller, days, n_days, &wins[0], UNIT_YEAR, KNOWN_YEAR);
}

void tell_customer(struct teller *teller)
{
    uint32_t n = 0;
    struct win *wins = customer_wins(teller, &n);
    if (!n) return;
    tell_of_win(teller, FACT_CUSTOMER_NEW, event_day(&wins[0].event), &wins[0]);
    tell_all_units(teller, wins, n);
    for (uint32_t i = 0; i < n; i++) {
        struct fact_entry *entry = tell_of_win(teller, FACT_PURCHASE, event_day(&wins[i].event), &wins[0]);
        set_dim(entry, DIM_CURRENCY, wins[i].currency);
        set_dim(entry, DIM_SALE, wins[i].dims[fact_dimension(&fact_rows[FACT_DEAL_WON], DIM_SALE)]);
        set_measure(entry, 1, wins[i].amount);
    }
}

void tell_account(struct teller *teller)
{
    const struct entity_event *churned = last_of(teller, VERB_CHURNED);
    if (teller->created && churned) tell(teller, FACT_ACCOUNT_CHURNED, event_day(churned));
    tell_customer(teller);
    tell_audit(teller, false);
}
