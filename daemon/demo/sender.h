/* The CRM systems of the demo: a thread that sends the feed to Kafka, its history at once, then, once told to, so many events a
 * second. */
#pragma once

#include "daemon/demo/feed.h"
#include "daemon/demo/news.h"
#include "daemon/sink/sink.h"

struct sender_settings {
    const char *servers; /* bootstrap.servers */
    uint64_t seed;
    int rate;                        /* live events per second, > 0 */
    const struct zone *const *zones; /* of the cast */
    struct news *news;
};

struct sender;

/* NULL and error: librdkafka cannot start. What the settings point to must outlive it. */
struct sender *sender_start(const struct sender_settings *settings, struct error *error) MUST_USE;
void sender_go_live(struct sender *sender); /* the history was looked at long enough */
void sender_stop(struct sender *sender);    /* sends what it has; NULL is fine */

struct sender_counts {
    uint64_t sent;    /* acknowledged by Kafka */
    uint64_t history; /* of it, once all of the history is sent; 0: not yet */
    uint64_t failed;  /* given up */
};
struct sender_counts sender_counts(const struct sender *sender);
