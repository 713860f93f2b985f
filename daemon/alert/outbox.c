#include "daemon/alert/outbox.h"

#include "common/error.h"
#include "common/number.h"

#include <stdlib.h>

void alert_outbox_deinit(struct alert_outbox *outbox)
{
    for (size_t i = 0; i < outbox->n; i++) free(outbox->at[i]);
    free(outbox->at);
    *outbox = (struct alert_outbox){ 0 };
}

/* One block. */
static struct alert_letter *letter_create(struct span name, struct span event)
{
    struct alert_letter *letter = must_zalloc(sizeof *letter + name.len + event.len);
    char *end = (char *)(letter + 1);
    letter->name = (struct span){ memcpy(end, name.at, name.len), name.len };
    letter->event = (struct span){ memcpy(end + name.len, event.at, event.len), event.len };
    letter->field = letter->name;
    if (number_take(&letter->field, &letter->version)) byte_take(&letter->field, ' ');
    return letter;
}

static size_t place_of(const struct alert_outbox *outbox, struct span name)
{
    size_t i = 0;
    while (i < outbox->n && !span_equal(outbox->at[i]->name, name)) i++;
    return i;
}

struct alert_letter *alert_outbox_find(const struct alert_outbox *outbox, struct span name)
{
    size_t i = place_of(outbox, name);
    return i < outbox->n ? outbox->at[i] : NULL;
}

static void insert(struct alert_outbox *outbox, struct alert_letter *letter)
{
    size_t i = outbox->n;
    if (outbox->n == outbox->room) {
        outbox->room = outbox->room ? 2 * outbox->room : 16;
        outbox->at = must_realloc(outbox->at, outbox->room * sizeof(struct alert_letter *));
    }
    for (; i && outbox->at[i - 1]->version > letter->version; i--) outbox->at[i] = outbox->at[i - 1];
    outbox->at[i] = letter;
    outbox->n++;
}

void alert_outbox_put(struct alert_outbox *outbox, struct span name, struct span event)
{
    if (!alert_outbox_find(outbox, name)) insert(outbox, letter_create(name, event));
}

static void remove_at(struct alert_outbox *outbox, size_t i)
{
    free(outbox->at[i]);
    memmove(&outbox->at[i], &outbox->at[i + 1], (--outbox->n - i) * sizeof(struct alert_letter *));
}

void alert_outbox_remove(struct alert_outbox *outbox, struct span name)
{
    size_t i = place_of(outbox, name);
    if (i < outbox->n) remove_at(outbox, i);
}

void alert_outbox_replace(struct alert_outbox *outbox, const struct span *pairs, size_t n)
{
    for (size_t i = 0; i < outbox->n; i++) outbox->at[i]->kept = false;
    for (size_t i = 0; i + 1 < n; i += 2) {
        alert_outbox_put(outbox, pairs[i], pairs[i + 1]);
        alert_outbox_find(outbox, pairs[i])->kept = true;
    }
    for (size_t i = outbox->n; i--;)
        if (!outbox->at[i]->kept) remove_at(outbox, i);
}

static bool is_first_of_row(const struct alert_outbox *outbox, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (span_equal(outbox->at[i]->field, outbox->at[at]->field)) return false;
    return true;
}

struct alert_letter *alert_outbox_next(const struct alert_outbox *outbox, size_t *at)
{
    while (*at < outbox->n) {
        size_t i = (*at)++;
        if (outbox->at[i]->state == LETTER_WAITING && is_first_of_row(outbox, i)) return outbox->at[i];
    }
    return NULL;
}
