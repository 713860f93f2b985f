#include "daemon/alert/book.h"

#include "common/buffer.h"
#include "common/error.h"
#include "common/instant.h"
#include "common/number.h"

#include <stdlib.h>
#include <yyjson.h>

static void count(struct alert_book *book, const struct alert_row *row, int sign)
{
    if (row->state == ALERT_PENDING) book->n_pending += (size_t)sign;
    if (row->state == ALERT_RAISED) book->n_raised += (size_t)sign;
}

void alert_book_deinit(struct alert_book *book)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&book->rows, &at));) free(slot->value);
    map_deinit(&book->rows);
    *book = (struct alert_book){ 0 };
}

static int64_t instant_in(yyjson_val *object, const char *key)
{
    const char *text = yyjson_get_str(yyjson_obj_get(object, key));
    int64_t at_us = 0;
    return text && instant_parse(span_of(text), &at_us) ? at_us : 0;
}

/* One that cannot be read is clear: what it stands for is then found anew. */
static void read_text(struct alert_row *row)
{
    yyjson_doc *doc = yyjson_read(row->text.at, row->text.len, 0);
    yyjson_val *root = doc ? yyjson_doc_get_root(doc) : NULL;
    const char *state = yyjson_get_str(yyjson_obj_get(root, "state"));
    row->since_us = instant_in(root, "since");
    row->raised_us = instant_in(root, "raised_at");
    row->version = yyjson_get_sint(yyjson_obj_get(root, "version"));
    if (state && strcmp(state, "raised") == 0) row->state = ALERT_RAISED;
    if (state && strcmp(state, "pending") == 0) row->state = ALERT_PENDING;
    yyjson_doc_free(doc);
}

/* One block: the row, its field, its text. */
static struct alert_row *row_create(struct span field, struct span text)
{
    struct alert_row *row = must_zalloc(sizeof *row + field.len + text.len);
    char *end = (char *)(row + 1);
    row->field = (struct span){ memcpy(end, field.at, field.len), field.len };
    row->text = (struct span){ memcpy(end + field.len, text.at, text.len), text.len };
    read_text(row);
    return row;
}

static void drop(struct alert_book *book, struct span field)
{
    struct alert_row *row = map_remove(&book->rows, field);
    if (!row) return;
    count(book, row, -1);
    free(row);
}

void alert_book_set(struct alert_book *book, struct span field, struct span text)
{
    struct alert_row *row = text.len ? row_create(field, text) : NULL;
    drop(book, field);
    if (!row) return;
    count(book, row, 1);
    map_put(&book->rows, row->field, row);
}

void alert_book_load(struct alert_book *book, const struct span *pairs, size_t n)
{
    alert_book_deinit(book);
    for (size_t i = 0; i + 1 < n; i += 2) {
        struct span number = pairs[i + 1];
        if (span_is(pairs[i], ALERT_VERSION))
            number_take(&number, &book->version);
        else if (span_is(pairs[i], ALERT_TENANT_VERSION))
            number_take(&number, &book->tenant_version);
        else
            alert_book_set(book, pairs[i], pairs[i + 1]);
    }
}

static bool is_raised(const struct alert_book *book, struct span field)
{
    const struct alert_row *row = map_get(&book->rows, field);
    return row && row->state == ALERT_RAISED;
}

void alert_book_keep_raised(struct alert_book *told, const struct alert_book *book)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&book->rows, &at));) {
        const struct alert_row *row = slot->value;
        if (row->state == ALERT_RAISED) alert_book_set(told, row->field, row->text);
    }
}

/* Its text as if it stood raised, by the data of the event. */
static char *raised_text(struct span event, size_t *len)
{
    yyjson_doc *doc = yyjson_read(event.at, event.len, 0);
    yyjson_mut_doc *copy = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *data = yyjson_val_mut_copy(copy, yyjson_obj_get(yyjson_doc_get_root(doc), "data"));
    yyjson_mut_val *version = yyjson_mut_obj_get(data, "raised_version");
    if (version) yyjson_mut_obj_put(data, yyjson_mut_str(copy, "version"), yyjson_mut_val_mut_copy(copy, version));
    yyjson_mut_obj_put(data, yyjson_mut_str(copy, "state"), yyjson_mut_str(copy, "raised"));
    char *text = yyjson_mut_val_write(data, 0, len);
    yyjson_mut_doc_free(copy);
    yyjson_doc_free(doc);
    return text;
}

void alert_book_keep_event(struct alert_book *told, struct span field, struct span event)
{
    size_t len = 0;
    char *text = raised_text(event, &len);
    if (text) alert_book_set(told, field, (struct span){ text, len });
    free(text);
}

static bool has_raised(const struct alert_book *book, const struct alert_row *row)
{
    const struct alert_row *found = map_get(&book->rows, row->field);
    return found && found->state == ALERT_RAISED && found->version == row->version;
}

bool alert_book_compare(const struct alert_book *before, const struct alert_book *now, struct alert_book *older)
{
    bool lost = now->version < before->version;
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&now->rows, &at));) {
        const struct alert_row *row = slot->value;
        if (row->state != ALERT_RAISED || row->version > before->version || has_raised(before, row)) continue;
        alert_book_set(older, row->field, row->text);
        lost = true;
    }
    return lost;
}

void alert_book_recall(struct alert_book *book, const struct alert_book *told, const struct alert_book *older)
{
    size_t at = 0;
    for (struct map_slot *slot; (slot = map_next(&told->rows, &at));) {
        const struct alert_row *row = slot->value;
        if (is_raised(book, row->field)) continue;
        alert_book_set(book, row->field, row->text);
        ((struct alert_row *)map_get(&book->rows, row->field))->again = true;
    }
    at = 0;
    for (struct map_slot *slot; (slot = map_next(&older->rows, &at));) {
        struct alert_row *row = map_get(&book->rows, slot->key);
        if (row && has_raised(older, row)) row->again = true;
    }
}

const struct alert_row *alert_book_row(const struct alert_book *book, struct span field)
{
    return map_get(&book->rows, field);
}

struct span alert_field_rule(struct span field)
{
    const char *blank = field.len ? memchr(field.at, ' ', field.len) : NULL;
    return blank ? (struct span){ field.at, (size_t)(blank - field.at) } : field;
}

struct span alert_field_row(struct span field)
{
    size_t len = alert_field_rule(field).len;
    return len < field.len ? (struct span){ field.at + len + 1, field.len - len - 1 } : SPAN("{}");
}
