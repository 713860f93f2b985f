#include "daemon/facts/lists.h"

#include "common/number.h"
#include "daemon/facts/tell.h"

const char *const list_names[N_LISTS] = {
    [LIST_MISSING_VALUES] = "missing_values",
    [LIST_UNLISTED_VALUES] = "unlisted_values",
    [LIST_UNKNOWN_REFERENCES] = "unknown_references",
    [LIST_IMPOSSIBLE_ORDER] = "impossible_order",
    [LIST_DUPLICATE_CONTACTS] = "duplicate_contacts",
    [LIST_DOUBLE_SUBMISSIONS] = "double_submissions",
    [LIST_OVERDUE_DEALS] = "overdue_deals",
    [LIST_STALE_DEALS] = "stale_deals",
    [LIST_OPEN_DEALS] = "open_deals",
};

static int numbers_of(enum list list)
{
    return list == LIST_OPEN_DEALS ? OPEN_NUMBERS : OFFENDER_NUMBERS;
}

void list_line_write(enum list list, const struct list_line *line, struct buffer *out)
{
    for (int i = 0; i < numbers_of(list); i++) {
        if (i) buffer_byte(out, ' ');
        buffer_decimal(out, line->at[i]);
    }
}

bool list_line_read(enum list list, struct span text, struct list_line *line)
{
    *line = (struct list_line){ 0 };
    for (int i = 0; i < numbers_of(list); i++)
        if ((i && !byte_take(&text, ' ')) || !number_take(&text, &line->at[i])) return false;
    return !text.len;
}

bool list_id_split(struct span line_id, struct span *kind, struct span *id)
{
    const char *blank = line_id.len ? memchr(line_id.at, ' ', line_id.len) : NULL;
    if (!blank) return false;
    *kind = (struct span){ line_id.at, (size_t)(blank - line_id.at) };
    *id = (struct span){ blank + 1, line_id.len - kind->len - 1 };
    return true;
}

bool list_line_names_below(enum list list, const struct list_line *line, uint32_t n)
{
    static const int named[] = { OPEN_CURRENCY, OPEN_PIPELINE, OPEN_STAGE, OPEN_OWNER };
    for (size_t i = 0; list == LIST_OPEN_DEALS && i < sizeof named / sizeof *named; i++)
        if (line->at[named[i]] < 0 || line->at[named[i]] >= n) return false;
    return true;
}

/* ---- telling them ---- */

static bool is_listed(const struct teller *teller, enum list list)
{
    return teller->context->kept->lists >> list & 1;
}

static struct list_line *add_line(struct teller *teller, enum list list)
{
    struct statement *out = teller->out;
    struct listing *added = &out->listings[out->n_listings++];
    *added = (struct listing){ .list = list };
    return &added->line;
}

static int64_t heard_of(const struct teller *teller)
{
    if (teller->created) return teller->created->time_us;
    return teller->entity->n_events ? teller->entity->events[0].time_us : 0;
}

void tell_offenders(struct teller *teller)
{
    int64_t counts[N_FINDINGS] = { 0 };
    if (!(teller->context->kept->lists & ((1u << N_FINDINGS) - 1))) return;
    for (uint32_t i = 0; i < teller->out->n_facts; i++) {
        int fact = teller->out->facts[i].key.fact;
        if (fact >= FACT_MISSING_VALUE && fact <= FACT_STALE_DEAL) counts[fact - FACT_MISSING_VALUE]++;
    }
    for (int list = 0; list < N_FINDINGS; list++) {
        if (!counts[list] || !is_listed(teller, (enum list)list)) continue;
        struct list_line *line = add_line(teller, (enum list)list);
        line->at[OFFENDER_COUNT] = counts[list];
        line->at[OFFENDER_CREATED] = heard_of(teller);
    }
}

void tell_open_deal(struct teller *teller, const struct list_line *line)
{
    if (is_listed(teller, LIST_OPEN_DEALS)) *add_line(teller, LIST_OPEN_DEALS) = *line;
}
