/* Events of note and what they did: the number that each should move, before and after, as the reports say it. */
#pragma once

#include "daemon/demo/news.h"
#include "daemon/demo/wall.h"

enum {
    NOTES_MAX = 64
};

struct note {
    struct news_item item;
    int64_t version; /* of the report when the event was sent */
    char from[NUMBER_TEXT_BYTES], to[NUMBER_TEXT_BYTES];
    double from_size, to_size;
    enum {
        NOTE_WAITS,
        NOTE_MOVED,
        NOTE_STANDS /* looked at for a while: nothing happened */
    } state;
    bool told; /* for whoever writes it only once */
};

/* A zeroed struct notes is an empty one. */
struct notes {
    struct note ring[NOTES_MAX];
    size_t n; /* ever added; the newest are in the ring */
};

/* One of note (others are not taken), before its effect can be seen. */
void notes_add(struct notes *notes, const struct news_item *item, struct wall *wall);
/* Looks what has become of those that wait. */
void notes_look(struct notes *notes, struct wall *wall, int64_t now_us);

struct note *notes_newest(struct notes *notes, size_t age); /* 0: the newest; NULL: none so old */

/* "closed same day, yesterday 11 → 10"; "" while it waits. */
enum {
    NOTE_TEXT_BYTES = 160
};
void note_effect(const struct note *note, char text[NOTE_TEXT_BYTES]);
