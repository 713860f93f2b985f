#include "daemon/http/shelf.h"

#include "common/error.h"
#include "common/instant.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    AGE_MS = 5000
};

struct shelved {
    struct sheet *sheet;      /* NULL: none */
    int64_t asked_us;         /* when the sheet was asked for */
    uint64_t asked, hinted;   /* in the shelf's count */
    struct exchange *asking;  /* whose question is under way; NULL: none is */
    struct exchange *waiting; /* who waits for the answer, too */
    size_t len;
    char key[];
};

void sheet_release(void *context)
{
    struct sheet *sheet = context;
    if (sheet && --sheet->users == 0) free(sheet);
}

static struct sheet *make_sheet(const struct answer *answer)
{
    struct sheet *sheet = must_alloc(sizeof *sheet + answer->text.len);
    *sheet = (struct sheet){ .users = 1, .len = answer->text.len };
    memcpy(sheet->text, answer->text.at, answer->text.len);
    memcpy(sheet->etag, answer->etag, ETAG_BYTES);
    return sheet;
}

static void drop_sheet(struct shelf *shelf, struct shelved *shelved)
{
    if (!shelved->sheet) return;
    shelf->bytes -= shelved->sheet->len;
    sheet_release(shelved->sheet);
    shelved->sheet = NULL;
}

/* "tenant/report": neither holds a slash. */
static struct shelved *find(struct shelf *shelf, struct span tenant, struct span report, bool make)
{
    char key[160];
    int len = snprintf(key, sizeof key, "%.*s/%.*s", SPAN_ARG(tenant), SPAN_ARG(report));
    struct span span = { key, (size_t)len };
    struct shelved *shelved = map_get(&shelf->reports, span);
    if (shelved || !make) return shelved;
    shelved = must_zalloc(sizeof *shelved + span.len);
    shelved->len = span.len;
    memcpy(shelved->key, key, span.len);
    map_put(&shelf->reports, (struct span){ shelved->key, span.len }, shelved);
    return shelved;
}

static void hand_out(struct exchange *exchange, struct sheet *sheet)
{
    sheet->users++;
    answer_with(exchange, type_json);
    memcpy(exchange->answer.etag, sheet->etag, ETAG_BYTES);
    exchange->answer.sheet = sheet;
    exchange->answer.fixed = (struct span){ sheet->text, sheet->len };
}

/* Room for one more: where there is none, all that nobody is asking for goes. */
static void make_room(struct shelf *shelf)
{
    if (shelf->reports.count < SHELF_REPORTS_MAX && shelf->bytes < SHELF_BYTES_MAX) return;
    struct map kept = { 0 };
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&shelf->reports, &at));) {
        struct shelved *shelved = slot->value;
        drop_sheet(shelf, shelved);
        if (shelved->asking)
            map_put(&kept, slot->key, shelved);
        else
            free(shelved);
    }
    map_deinit(&shelf->reports);
    shelf->reports = kept;
}

enum shelf_says shelf_ask(struct shelf *shelf, struct exchange *exchange, int64_t now_us)
{
    make_room(shelf);
    struct shelved *shelved = find(shelf, exchange->tenant, exchange->report, true);
    bool current = shelved->asked > shelved->hinted;
    if (shelved->sheet && current && now_us - shelved->asked_us < AGE_MS * MICROS_PER_MS) {
        hand_out(exchange, shelved->sheet);
        return SHELF_HAS;
    }
    if (shelved->asking && current) {
        exchange->next = shelved->waiting;
        shelved->waiting = exchange;
        return SHELF_WAITS;
    }
    if (shelved->asking) return SHELF_ASK; /* a hint came since: by itself, its answer is not kept */
    drop_sheet(shelf, shelved);
    shelved->asking = exchange;
    shelved->asked = ++shelf->news;
    shelved->asked_us = now_us;
    return SHELF_ASK;
}

/* The same problem for somebody else. */
static void copy_answer(struct exchange *to, const struct exchange *from)
{
    buffer_span(answer_with(to, from->answer.content_type), buffer_all(&from->answer.text));
    to->answer.status = from->answer.status;
    to->answer.retry_after_s = from->answer.retry_after_s;
}

struct exchange *shelf_take(struct shelf *shelf, struct exchange *exchange)
{
    struct shelved *shelved = find(shelf, exchange->tenant, exchange->report, false);
    if (!shelved || shelved->asking != exchange) return NULL;
    struct exchange *waiting = shelved->waiting;
    shelved->asking = shelved->waiting = NULL;
    bool good = exchange->answer.status == 200;
    struct sheet *sheet = good ? make_sheet(&exchange->answer) : NULL;
    for (struct exchange *one = waiting; one; one = one->next) {
        if (good)
            hand_out(one, sheet);
        else
            copy_answer(one, exchange);
    }
    if (good && shelved->asked > shelved->hinted) {
        shelved->sheet = sheet;
        shelf->bytes += sheet->len;
    } else {
        sheet_release(sheet);
    }
    return waiting;
}

void shelf_hint(struct shelf *shelf, struct span tenant, struct span report)
{
    struct shelved *shelved = find(shelf, tenant, report, false);
    if (shelved) shelved->hinted = ++shelf->news;
}

void shelf_clear(struct shelf *shelf)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&shelf->reports, &at));) {
        struct shelved *shelved = slot->value;
        shelved->hinted = ++shelf->news;
    }
}

void shelf_deinit(struct shelf *shelf)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&shelf->reports, &at));) {
        drop_sheet(shelf, slot->value);
        free(slot->value);
    }
    map_deinit(&shelf->reports);
    *shelf = (struct shelf){ 0 };
}
