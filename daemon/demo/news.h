/* What the sender tells the screen: the newest events, handed over whole from one thread to the other. */
#pragma once

#include "daemon/demo/feed.h"

#include <stddef.h>

struct news_item {
    const char *tenant;
    int64_t sent_us; /* clock of the sender */
    enum feed_mark mark;
    struct feed_spot spot;
    char headline[FEED_HEADLINE_BYTES];
};

struct news;

struct news *news_create(void);
void news_destroy(struct news *news);

/* From the sender. When nobody takes them the oldest give way. */
void news_put(struct news *news, const struct feed_event *event, int64_t sent_us);

/* From the screen: the next one; false: none. */
bool news_take(struct news *news, struct news_item *item);
