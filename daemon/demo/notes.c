#include "daemon/demo/notes.h"

#include "common/instant.h"

#include <stdio.h>

enum {
    LOOK_MS = 1900,        /* what comes later is not of this event: there is one of note every two seconds */
    LOOK_REPEATED_MS = 900 /* where nothing should come */
};

static const json_t *look(const struct note *note, struct wall *wall, const char **unit, int64_t *version)
{
    const struct feed_spot *spot = &note->item.spot;
    const struct snapshot *snapshot = wall_report(wall, wall_tenant(note->item.tenant), spot->report);
    struct place place = { spot->by, spot->row, spot->period, spot->metric };
    *version = snapshot->version;
    *unit = NULL;
    return snapshot_number(snapshot, place, unit);
}

void notes_add(struct notes *notes, const struct news_item *item, struct wall *wall)
{
    const char *unit;
    if (item->mark == FEED_USUAL || !item->spot.report) return;
    struct note *note = &notes->ring[notes->n++ % NOTES_MAX];
    *note = (struct note){ .item = *item };
    const json_t *value = look(note, wall, &unit, &note->version);
    number_format(value, unit, note->from);
    note->from_size = number_size(value);
}

static void look_again(struct note *note, struct wall *wall, int64_t now_us)
{
    const char *unit;
    int64_t version, wait_ms = note->item.mark == FEED_REPEATED ? LOOK_REPEATED_MS : LOOK_MS;
    const json_t *value = look(note, wall, &unit, &version);
    number_format(value, unit, note->to);
    note->to_size = number_size(value);
    if (version > note->version && strcmp(note->to, note->from) != 0)
        note->state = NOTE_MOVED;
    else if (now_us - note->item.sent_us > wait_ms * MICROS_PER_MS)
        note->state = NOTE_STANDS;
}

void notes_look(struct notes *notes, struct wall *wall, int64_t now_us)
{
    struct note *note;
    for (size_t age = 0; (note = notes_newest(notes, age)); age++)
        if (note->state == NOTE_WAITS) look_again(note, wall, now_us);
}

struct note *notes_newest(struct notes *notes, size_t age)
{
    if (age >= notes->n || age >= NOTES_MAX) return NULL;
    return &notes->ring[(notes->n - 1 - age) % NOTES_MAX];
}

void note_effect(const struct note *note, char text[NOTE_TEXT_BYTES])
{
    const struct feed_spot *spot = &note->item.spot;
    int label = snprintf(text, NOTE_TEXT_BYTES, "%s, %s ", spot->label, spot->period);
    char *underscore = strchr(text, '_');
    if (underscore) *underscore = ' ';
    if (note->state == NOTE_WAITS)
        text[0] = 0;
    else if (note->state == NOTE_MOVED)
        snprintf(text + label, (size_t)(NOTE_TEXT_BYTES - label), "%s → %s", note->from, note->to);
    else
        snprintf(text + label, (size_t)(NOTE_TEXT_BYTES - label), "stays %s", note->to);
}
