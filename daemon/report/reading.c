#include "daemon/report/reading.h"

#include "common/instant.h"

#include <stdlib.h>

void reading_init(struct reading *reading)
{
    *reading = (struct reading){ .days = { PERIOD_END, PERIOD_BEGIN }, .daily = { PERIOD_END, PERIOD_BEGIN } };
}

void reading_deinit(struct reading *reading)
{
    free(reading->cuts);
    reading_init(reading);
}

static void widen(struct period *period, struct period more)
{
    if (more.from < period->from) period->from = more.from;
    if (more.to > period->to) period->to = more.to;
}

static void add_cut(struct reading *reading, int32_t day)
{
    for (size_t i = 0; i < reading->n_cuts; i++)
        if (reading->cuts[i] == day) return;
    if (reading->n_cuts == reading->room) {
        reading->room += CUTS_PER_READING_GROWTH;
        reading->cuts = must_realloc(reading->cuts, reading->room * sizeof *reading->cuts);
    }
    reading->cuts[reading->n_cuts++] = day;
}

void reading_add(struct reading *reading, struct period period)
{
    widen(&reading->days, period);
    if (period.from != PERIOD_BEGIN) add_cut(reading, period.from);
    if (period.to != PERIOD_END) add_cut(reading, period.to + 1);
}

void reading_add_daily(struct reading *reading, struct period period)
{
    reading_add(reading, period);
    widen(&reading->daily, period);
}

static bool is_cut(const struct reading *reading, struct period month)
{
    if (month.from <= reading->daily.to && month.to >= reading->daily.from) return true;
    for (size_t i = 0; i < reading->n_cuts; i++)
        if (reading->cuts[i] > month.from && reading->cuts[i] <= month.to) return true;
    return false;
}

bool reading_is_folded(const struct reading *reading, const struct cell_reader *reader, int32_t *first)
{
    *first = PERIOD_END;
    for (size_t i = 0; i < reading->n_cuts; i++) {
        int32_t from = month_period(month_of_day(reading->cuts[i])).from;
        if (from < reading->cuts[i] && from < *first) *first = from;
    }
    if (reading->daily.from <= reading->daily.to && reading->daily.from < *first)
        *first = reading->daily.from == PERIOD_BEGIN ? PERIOD_BEGIN : month_period(month_of_day(reading->daily.from)).from;
    return reader->is_folded && *first < reader->days_from;
}

static bool refuse_days(const struct cell_reader *reader, struct error *error)
{
    char day[DAY_TEXT_BYTES];
    day_format(reader->days_from, day);
    return fail(error, "single days before %s are wanted, of which only the months are kept (fold_after)", day);
}

static void put_bucket(struct buffer *out, enum bucket_type type, int32_t number)
{
    buffer_put(out, &(struct bucket){ type, number }, sizeof(struct bucket));
}

static void put_month(const struct reading *reading, int32_t month, struct buffer *out)
{
    struct period days = month_period(month);
    if (days.to < reading->days.from || days.from > reading->days.to) return;
    if (!is_cut(reading, days)) {
        put_bucket(out, BUCKET_MONTH, month);
        return;
    }
    if (days.from < reading->days.from) days.from = reading->days.from;
    if (days.to > reading->days.to) days.to = reading->days.to;
    for (int32_t day = days.from; day <= days.to; day++) put_bucket(out, BUCKET_DAY, day);
}

/* One bucket being read. */
struct handing {
    take_cell take;
    void *to;
    const struct period *period;
};

static bool hand_over(void *context, const struct cell_key *key, const struct cell_value *value)
{
    struct handing *handing = context;
    handing->take(handing->to, handing->period, key, value);
    return true;
}

static bool read_bucket(const struct cell_reader *reader, struct bucket bucket, take_cell take, void *to, struct error *error)
{
    struct period period =
        bucket.type == BUCKET_MONTH ? month_period(bucket.number) : (struct period){ bucket.number, bucket.number };
    struct handing handing = { take, to, bucket.type == BUCKET_NOW ? NULL : &period };
    return reader->cells(reader->context, bucket, hand_over, &handing, error);
}

bool reading_run(const struct reading *reading, const struct cell_reader *reader, take_cell take, void *to, struct error *error)
{
    const int32_t *months = NULL;
    size_t n_months = 0;
    struct buffer list = { 0 };
    int32_t first;
    if (reading_is_folded(reading, reader, &first)) return refuse_days(reader, error);
    if (!reader->months(reader->context, &months, &n_months, error)) return false;
    if (reading->now) put_bucket(&list, BUCKET_NOW, 0);
    for (size_t i = 0; i < n_months; i++) put_month(reading, months[i], &list);
    const struct bucket *buckets = (const void *)list.at;
    size_t n = list.len / sizeof *buckets;
    bool good = !reader->prefetch || reader->prefetch(reader->context, buckets, n, error);
    for (size_t i = 0; good && i < n; i++) good = read_bucket(reader, buckets[i], take, to, error);
    buffer_deinit(&list);
    return good;
}
