#include "daemon/explain/lister.h"

#include "common/decimal.h"
#include "common/instant.h"
#include "daemon/report/text.h"
#include "daemon/tenant/place.h"

#include <math.h>
#include <stdlib.h>

/* A share with what it comes to. */
struct pick {
    const struct share *share;
    struct rational value;
    int32_t merge_day; /* shares of equal entity, day and weight are one */
    int weighed_atom;  /* -1: it is not weighed */
    size_t number;     /* of a distribution: each by itself; else 0 */
};

/* Picks that are one line of the list. */
struct entry {
    struct pick *from, *to;
    double size;
    int32_t day; /* the newest */
};

struct lines {
    const struct lister *listing;
    struct value_form form;
    struct pick *picks;
    size_t n_picks;
    struct entry *entries;
    size_t n_entries;
};

/* ---- picking ---- */

static struct rational worth(const struct lister *listing, const struct atom *atom, const struct share *share)
{
    int64_t measure = share->measure == ABSENT ? 0 : share->measure;
    if (!atom->weight) return rational_of(measure, 1);
    struct sum_part part = { .currency = share->currency, .total = measure };
    memcpy(part.weighed, share->weighed, sizeof part.weighed);
    return rational_of(evaluation_weighted(listing->evaluation, atom, &part), 1);
}

static void pick(struct lines *list, const struct share *share, struct rational factor, bool each)
{
    const struct atom *atom = &list->listing->shares->query->metric->atoms[share->atom];
    if (each && share->measure == ABSENT) return;
    list->picks[list->n_picks] = (struct pick){ .share = share,
                                                .value = rational_multiply(factor, worth(list->listing, atom, share)),
                                                .merge_day = window_is_running(atom->window) ? 0 : share->day,
                                                .weighed_atom = atom->weight ? (int)share->atom : -1,
                                                .number = each ? list->n_picks : 0 };
    list->n_picks++;
}

static void pick_all(struct lines *list, const struct linear *linear, bool each)
{
    const struct lister *listing = list->listing;
    const struct share_group *group = shares_of_row(listing->shares, listing->row->key);
    list->picks = must_alloc(((group ? group->n * linear->n : 0) + 1) * sizeof *list->picks);
    for (size_t i = 0; group && i < group->n; i++)
        for (size_t t = 0; t < linear->n; t++)
            if (linear->terms[t].atom == group->at[i].atom && share_counts(listing->shares, &group->at[i], listing->row->key))
                pick(list, &group->at[i], linear->terms[t].factor, each);
}

/* ---- merging ---- */

static int compare_lines(const struct pick *x, const struct pick *y)
{
    if (x->share->entity != y->share->entity) return x->share->entity < y->share->entity ? -1 : 1;
    if (x->merge_day != y->merge_day) return x->merge_day < y->merge_day ? -1 : 1;
    if (x->weighed_atom != y->weighed_atom) return x->weighed_atom < y->weighed_atom ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static int compare_picks(const void *a, const void *b)
{
    const struct pick *x = a, *y = b;
    int c = compare_lines(x, y);
    return c ? c : (x->share->currency > y->share->currency) - (x->share->currency < y->share->currency);
}

/* The sum of the picks from `at` on that are of one value: of its currency, or all of them. */
static struct rational sum_of_value(const struct lines *list, const struct entry *entry, const struct pick **at)
{
    struct rational sum = rational_of(0, 1);
    const struct pick *first = *at;
    for (; *at < entry->to; ++*at) {
        if (list->form.shape != VALUE_NUMBER && (*at)->share->currency != first->share->currency) break;
        sum = rational_add(sum, (*at)->value);
    }
    return sum;
}

static struct span currency_text(const struct lines *list, name_id currency)
{
    return names_text(&list->listing->shares->tenant->view->tenant->names, currency);
}

static void measure_entry(const struct lines *list, struct entry *entry)
{
    entry->day = INT32_MIN;
    for (const struct pick *at = entry->from; at < entry->to; at++)
        if (at->share->day > entry->day) entry->day = at->share->day;
    for (const struct pick *at = entry->from; at < entry->to;) {
        name_id currency = at->share->currency;
        double size = fabs(rational_double(sum_of_value(list, entry, &at)));
        if (list->form.shape == VALUE_MONEY) size /= pow(10, currency_decimals(currency_text(list, currency)));
        if (size > entry->size) entry->size = size;
    }
}

/* As they often are: entities were gone through one by one, and a list is made for each row. */
static bool are_sorted(const struct lines *list)
{
    size_t i = 1;
    while (i < list->n_picks && compare_picks(&list->picks[i - 1], &list->picks[i]) <= 0) i++;
    return i >= list->n_picks;
}

static void merge_all(struct lines *list, bool each)
{
    list->entries = must_alloc((list->n_picks + 1) * sizeof *list->entries);
    if (!are_sorted(list)) qsort(list->picks, list->n_picks, sizeof *list->picks, compare_picks);
    struct pick *end = list->picks + list->n_picks;
    for (struct pick *from = list->picks, *to; from < end; from = to) {
        for (to = from + 1; to < end && compare_lines(from, to) == 0;) to++;
        struct entry entry = { .from = from, .to = to };
        measure_entry(list, &entry);
        if (each || entry.size > 0) list->entries[list->n_entries++] = entry;
    }
}

static int compare_entries(const void *a, const void *b, void *context)
{
    const struct entry *x = a, *y = b;
    const struct shares *shares = ((const struct lines *)context)->listing->shares;
    const struct shared_entity *first = &shares->entities[x->from->share->entity],
                               *second = &shares->entities[y->from->share->entity];
    if (x->size > y->size || x->size < y->size) return x->size > y->size ? -1 : 1;
    if (x->day != y->day) return x->day > y->day ? -1 : 1;
    if (first->kind != second->kind) return first->kind < second->kind ? -1 : 1;
    int c = span_compare(first->id, second->id);
    return c ? c : (x->from > y->from) - (x->from < y->from);
}

/* ---- choosing ---- */

/* The entries from `at` on below `n` as a heap: whoever would be listed last comes first. */
static void sink(struct lines *list, size_t at, size_t n)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        struct entry *entries = list->entries, sunk = entries[at];
        if (child + 1 < n && compare_entries(&entries[child], &entries[child + 1], list) < 0) child++;
        if (compare_entries(&sunk, &entries[child], list) >= 0) return;
        entries[at] = entries[child];
        entries[child] = sunk;
    }
}

/* Those that are shown come first, in their order. They may be few of very many. */
static size_t choose(struct lines *list)
{
    size_t n = list->n_entries < list->listing->limit ? list->n_entries : list->listing->limit;
    if (n < list->n_entries)
        for (size_t i = n / 2; i--;) sink(list, i, n);
    for (size_t i = n; i < list->n_entries; i++) {
        if (compare_entries(&list->entries[i], &list->entries[0], list) >= 0) continue;
        list->entries[0] = list->entries[i];
        sink(list, 0, n);
    }
    if (n) qsort_r(list->entries, n, sizeof *list->entries, compare_entries, list);
    return n;
}

/* ---- writing ---- */

static void write_parts(const struct lines *list, const struct entry *entry, struct buffer *out)
{
    struct metric form = { .shape = list->form.shape == VALUE_MONEY ? SHAPE_MONEY : SHAPE_RATIOS };
    bool any = false;
    buffer_byte(out, '{');
    for (const struct pick *at = entry->from; at < entry->to;) {
        struct span code = currency_text(list, at->share->currency);
        struct buffer text = { 0 };
        figure_part_write(&form, code, sum_of_value(list, entry, &at), &text);
        if (text.len && code.len)
            buffer_printf(out, "%s\"%.*s\":%.*s", any ? "," : "", SPAN_ARG(code), SPAN_ARG(buffer_all(&text)));
        any = any || (text.len && code.len);
        buffer_deinit(&text);
    }
    buffer_byte(out, '}');
}

static void write_value(const struct lines *list, const struct entry *entry, struct buffer *out)
{
    const struct pick *at = entry->from;
    if (list->form.shape != VALUE_NUMBER) return write_parts(list, entry, out);
    figure_write_number(rational_divide(sum_of_value(list, entry, &at), rational_of(list->form.scale, 1)), out);
}

/* What was weighed, and by what. */
static void write_weight(const struct lines *list, const struct entry *entry, struct buffer *out)
{
    const struct share *share = entry->from->share;
    const struct atom *atom = &list->listing->shares->query->metric->atoms[share->atom];
    if (!atom->weight) return;
    struct span code = currency_text(list, share->currency);
    struct metric form = { .shape = SHAPE_MONEY };
    buffer_printf(out, ",\"of\":{\"%.*s\":", SPAN_ARG(code));
    figure_part_write(&form, code, rational_of(share->measure, 1), out);
    buffer_str(out, "},\"weight\":");
    figure_write_number(weight_value(list->listing->evaluation, atom->weight, share->weighed), out);
}

static void write_who(const struct shared_entity *entity, struct buffer *out)
{
    buffer_printf(out, "{\"kind\":\"%s\",\"id\":", entity->kind < N_KINDS ? kind_rows[entity->kind].name : "address");
    if (!place_is_grave(entity->id)) return text_write(entity->id, out);
    buffer_printf(out, "null,\"deleted\":\"%.*s\"", (int)entity->id.len - 1, entity->id.at + 1);
}

static void write_entry(const struct lines *list, const struct entry *entry, struct buffer *out)
{
    const struct shares *shares = list->listing->shares;
    char day[DAY_TEXT_BYTES];
    write_who(&shares->entities[entry->from->share->entity], out);
    if (fact_rows[shares->query->metric->atoms[entry->from->share->atom].fact].dating == DATED) {
        day_format(entry->day, day);
        buffer_printf(out, ",\"day\":\"%s\"", day);
    }
    buffer_str(out, ",\"value\":");
    write_value(list, entry, out);
    write_weight(list, entry, out);
    buffer_byte(out, '}');
}

bool lister_write(const struct lister *listing, const struct linear *linear, struct value_form form, bool each,
                  struct buffer *out)
{
    struct lines list = { .listing = listing, .form = form };
    pick_all(&list, linear, each);
    merge_all(&list, each);
    size_t n = choose(&list);
    buffer_byte(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i) buffer_byte(out, ',');
        write_entry(&list, &list.entries[i], out);
    }
    buffer_byte(out, ']');
    free(list.picks);
    free(list.entries);
    return n < list.n_entries;
}
