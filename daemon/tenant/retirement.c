#include "daemon/tenant/retirement.h"

#include "common/instant.h"
#include "common/number.h"
#include "common/period.h"
#include "daemon/counters/weight.h"
#include "daemon/state/keys.h"
#include "daemon/tenant/place.h"
#include "daemon/tenant/retired.h"

enum {
    PAGES_PER_COMMIT = 256,
    REST_SHARE = 16, /* the pages are gone through again after this share of `retire_after`, at the earliest */
    GRACE_DAYS = 7   /* after the setting came: what of old entities is still under way has come by then */
};

/* ---- planning ---- */

bool retirement_is_due(const struct tenant *tenant)
{
    const struct retirement *retirement = &tenant->retirement;
    if (!retirement->after_days || retirement->after_days != tenant->rules->retire_after_days) return false;
    return retirement->under_way || tenant->today >= retirement->next;
}

static int32_t first_look(const struct tenant *tenant, int64_t after_days)
{
    if (tenant->version && after_days > GRACE_DAYS) after_days = GRACE_DAYS; /* there are entities from before */
    return tenant->today + (int32_t)after_days + 1;
}

bool retirement_follow(struct tenant *tenant)
{
    struct retirement *retirement = &tenant->retirement;
    int64_t after_days = tenant->rules->retire_after_days;
    bool is_new = !retirement->after_days;
    if (retirement->after_days == after_days) return false;
    if (!after_days) {
        *retirement = (struct retirement){ 0 };
        return true;
    }
    *retirement = (struct retirement){ .after_days = after_days, .since = is_new ? tenant->today : retirement->since };
    retirement->next = is_new ? first_look(tenant, after_days) : tenant->today;
    return true;
}

/* ---- in the state: "90 20745 20836", under way behind it "6 1024 20836 20901" ---- */

static bool take(struct span *text, bool first, int64_t *value)
{
    return (first || byte_take(text, ' ')) && number_take(text, value);
}

bool retirement_read(struct span value, struct retirement *retirement)
{
    int64_t n[7] = { 0 };
    bool fine = true, under_way = false;
    for (int i = 0; i < 3; i++) fine = fine && take(&value, !i, &n[i]);
    under_way = fine && value.len;
    for (int i = 3; under_way && i < 7; i++) fine = fine && take(&value, false, &n[i]);
    if (!fine || value.len || n[3] < 0 || n[3] >= N_ENTITY_KINDS) return false;
    *retirement = (struct retirement){ .after_days = n[0],
                                       .since = (int32_t)n[1],
                                       .next = (int32_t)n[2],
                                       .under_way = under_way,
                                       .kind = (enum kind)n[3],
                                       .page = (uint32_t)n[4],
                                       .begun = (int32_t)n[5],
                                       .earliest = (int32_t)n[6] };
    return true;
}

void retirement_write(const struct retirement *retirement, struct buffer *out)
{
    buffer_printf(out, "%lld %d %d", (long long)retirement->after_days, retirement->since, retirement->next);
    if (!retirement->under_way) return;
    buffer_printf(out, " %d %u %d %d", (int)retirement->kind, retirement->page, retirement->begun, retirement->earliest);
}

/* ---- going through the pages ---- */

static void begin(struct tenant *tenant)
{
    struct retirement *retirement = &tenant->retirement;
    retirement->under_way = true;
    retirement->kind = 0;
    retirement->page = 0;
    retirement->begun = tenant->today;
    retirement->earliest = tenant->today + (int32_t)retirement->after_days + 1;
}

/* To the next page; false: that was the last one. */
static bool seek(struct tenant *tenant)
{
    struct retirement *retirement = &tenant->retirement;
    for (; retirement->kind < N_ENTITY_KINDS; retirement->kind++, retirement->page = 0)
        if (facts_kind_closes(retirement->kind) && tenant->kind[retirement->kind].entities &&
            retirement->page < tenant->kind[retirement->kind].pages)
            return true;
    return false;
}

/* Nobody leaves before `earliest`; and it is no use to go through all for a few each day. */
static void end(struct tenant *tenant)
{
    struct retirement *retirement = &tenant->retirement;
    int32_t rest = (int32_t)(retirement->after_days / REST_SHARE);
    int32_t next = retirement->begun + (rest ? rest : 1);
    retirement->next = next > retirement->earliest ? next : retirement->earliest;
    retirement->under_way = false;
}

/* Some pages from where it stands on. */
static void each_page(struct batch *batch, void (*look)(struct batch *batch, enum kind kind, uint32_t number))
{
    struct tenant *tenant = batch->tenant;
    for (int i = 0; i < PAGES_PER_COMMIT && seek(tenant); i++, tenant->retirement.page++)
        look(batch, tenant->retirement.kind, tenant->retirement.page);
}

static void ask_for_page(struct batch *batch, enum kind kind, uint32_t number)
{
    (void)loading_add_page(batch->loading, batch->tenant, kind, number);
}

void retirement_begin(struct batch *batch)
{
    struct retirement *retirement = &batch->tenant->retirement, from;
    if (!retirement->under_way) begin(batch->tenant);
    from = *retirement;
    each_page(batch, ask_for_page);
    *retirement = from;
}

/* ---- who leaves ---- */

/* The last day on which something came for it, as far as that is known: of what was not touched since the days are noted by its
 * events, and not before some days have passed. */
static int32_t touched_day(const struct tenant *tenant, const struct entity *entity)
{
    if (entity->touched_day) return entity->touched_day;
    const struct entity_event *last = entity->n_events ? &entity->events[entity->n_events - 1] : NULL;
    int32_t day = last ? local_day(last->time_us, last->offset_s) : tenant->retirement.since;
    int32_t soonest = tenant->retirement.since + GRACE_DAYS - (int32_t)tenant->retirement.after_days;
    return day > soonest ? day : soonest;
}

/* By its age, be it closed or not. What somebody else reads is waited for a while longer. */
static bool is_old(struct batch *batch, const struct entity *entity)
{
    struct tenant *tenant = batch->tenant;
    int32_t days = (int32_t)tenant->retirement.after_days + (batch->reads_part ? GRACE_DAYS : 0);
    int32_t leaves = touched_day(tenant, entity) + days + 1;
    if (leaves <= tenant->today) return true;
    if (leaves < tenant->retirement.earliest) tenant->retirement.earliest = leaves;
    return false;
}

static uint64_t weight_of(const struct difference *difference, const struct rules *rules)
{
    struct buffer field = { 0 };
    struct bucket bucket = difference->bucket;
    if (bucket.type == BUCKET_DAY) bucket = (struct bucket){ BUCKET_MONTH, month_of_day(bucket.number) };
    cell_field_write(&difference->key, rules, &field);
    uint64_t weight = cell_weight(bucket, buffer_all(&field), (enum fact)difference->key.fact, &difference->value);
    buffer_deinit(&field);
    return weight;
}

/* What those who leave have said goes on counting, though nobody says it any more. */
static void weigh(struct batch *batch)
{
    struct ledger ledger = { 0 };
    for (size_t i = 0; i < batch->all.n; i++)
        for (uint32_t f = 0; batch->all.at[i]->retires && f < batch->all.at[i]->before.n_facts; f++)
            ledger_add(&ledger, &batch->all.at[i]->before.facts[f], 1);
    for (size_t i = 0; i < ledger.n; i++) batch->tenant->retired_weight += weight_of(ledger.differences[i], batch->tenant->rules);
    ledger_deinit(&ledger);
}

/* It leaves with what it was counted by, if the clock will change nothing in that: nothing is said anew. Its lines leave the lists. */
static void retire(struct batch *batch, struct page *page, struct span id)
{
    struct work *work = batch_work_on(batch, page, place_hash(batch->tenant, id), id);
    batch_evaluate_before(batch, work);
    if (batch->outcome != DONE || !work->before.closed || work->before.wake_us != NEVER) return;
    work->said = (struct statement){ .wake_us = NEVER };
    work->retires = true;
    batch->n_retired++;
    batch_put_record(batch, work, work->entity.id, work->stored, NO_SPAN);
    if (work->old_wake_us != NEVER) batch_put_timer(batch, timer_member(batch->arena, work->entity.kind, work->entity.id), NEVER);
    batch->tenant->kind[page->place.kind].entities--;
    batch->tenant->kind[page->place.kind].bytes += RETIRED_MARK_BYTES - work->stored.len;
    batch->tenant->kind[page->place.kind].retired++;
    if (work->before.n_listings) batch_list(batch, work);
}

static void look_at_page(struct batch *batch, enum kind kind, uint32_t number)
{
    struct page *page = loading_add_page(batch->loading, batch->tenant, kind, number);
    struct span rest = buffer_all(&page->bytes), id, bytes;
    while (page_next(&rest, &id, &bytes)) {
        struct entity entity = { .kind = kind, .id = id, .wake_us = NEVER };
        if (!id.len || batch_has_work(batch, page, id)) continue; /* who is at work was touched today */
        if (!entity_decode(&entity, bytes, batch->scratch, &batch->tenant->names)) continue;
        if (is_old(batch, &entity)) retire(batch, page, id);
    }
}

void retirement_fold(struct batch *batch)
{
    each_page(batch, look_at_page);
    if (batch->n_retired) weigh(batch);
    if (!seek(batch->tenant)) end(batch->tenant);
    batch->moves_retirement = batch->n_retired || !batch->tenant->retirement.under_way;
}
